package report

import (
	"cmp"
	"fmt"
	"slices"
	"unicode/utf8"

	"hwsim/workloads"
)

// energy writes what a token takes, and of what, the largest first.
func energy(p *page, e *workloads.Energy) {
	if e == nil {
		return
	}
	var of []portion
	for _, part := range e.Parts {
		of = addTo(of, part.Component, part.J)
	}
	least := ""
	if e.Commands == "least" {
		least = " at least"
	}
	p.portions(fmt.Sprintf("%-18s %8s  a token%s%s, %s W: ", "energy", joules(e.JoulesPerToken), least, within(e.Band, e.JoulesPerToken), number(e.Watts)), of)
}

// cost writes what tokens cost, and for what.
func cost(p *page, c *workloads.Cost) {
	if c == nil {
		return
	}
	var of []portion
	for _, part := range c.Parts {
		of = addTo(of, part.Part, part.PerMToken)
	}
	p.portions(fmt.Sprintf("%-18s %8s  a million tokens%s: ", "cost", dollars(c.DollarsPerMToken), within(c.Band, c.DollarsPerMToken)), of)
}

// portion is a part of a whole by name.
type portion struct {
	name  string
	value float64
}

func addTo(all []portion, name string, value float64) []portion {
	for i := range all {
		if all[i].name == name {
			all[i].value += value
			return all
		}
	}
	return append(all, portion{name, value})
}

// leastPortion is the least part of a whole that is written.
const leastPortion = 0.01

// portions writes a line of the largest parts of a whole, as many as it has place
// for.
func (p *page) portions(text string, all []portion) {
	sum := 0.0
	for _, one := range all {
		sum += one.value
	}
	slices.SortStableFunc(all, func(a, b portion) int { return cmp.Compare(b.value, a.value) })
	for i, one := range all {
		more := fmt.Sprintf("%s %.0f %%", one.name, 100*ratio(one.value, sum))
		if i > 0 {
			more = ", " + more
		}
		if one.value < leastPortion*sum || utf8.RuneCountInString(text+more) > columns {
			break
		}
		text += more
	}
	p.line("%s", text)
}
