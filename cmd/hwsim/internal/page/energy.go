package page

import (
	"fmt"
	"slices"

	"hwsim/cmd/hwsim/internal/units"
	"hwsim/workloads"
)

// energy divides what a token takes and what it costs.
func energy(r *workloads.Result) *Section {
	if r.Energy == nil {
		return nil
	}
	s := &Section{ID: "energy", Title: "Energy and cost",
		Text:   "Of the cards in the configuration, whose sources and bands hwsim explain has. ± adds all bands up, as if all were wrong in one direction.",
		Blocks: []Block{energyFigure(r.Energy)}}
	if r.Cost != nil {
		s.Blocks = append(s.Blocks, costFigure(r.Cost))
	}
	return s
}

func energyFigure(e *workloads.Energy) Figure {
	d := division{of: "a token", whole: units.Energy(e.JoulesPerToken) + units.Within(e.Band, e.JoulesPerToken),
		table: Table{Caption: "Energy", Head: []string{"part", "a step", "±", "share"}}}
	if e.Commands == "least" {
		d.whole = "at least " + d.whole
	}
	for _, p := range e.Parts {
		d.add(p.Component, p.Component+" "+p.Of, p.J, e.StepJ, units.Energy(p.J), units.Within(p.Band, p.J))
	}
	return d.figure("Energy by component")
}

func costFigure(c *workloads.Cost) Figure {
	d := division{of: "a million tokens", whole: units.Dollars(c.DollarsPerMToken) + units.Within(c.Band, c.DollarsPerMToken),
		table: Table{Caption: "Cost", Head: []string{"part", "a million tokens", "±", "share"}}}
	for _, p := range c.Parts {
		d.add(p.Part, p.Part, p.PerMToken, c.DollarsPerMToken, units.Dollars(p.PerMToken), units.Within(p.Band, p.PerMToken))
	}
	return d.figure("Cost by part")
}

// division is a whole and what it consists of: components, each of rows of the table.
type division struct {
	of, whole string
	names     []string
	shares    []float64
	table     Table
}

func (d *division) add(component, row string, value, all float64, figure, band string) {
	share := ratio(value, all)
	d.table.Rows = append(d.table.Rows, []string{row, figure, band, units.Percent(share)})
	i := slices.Index(d.names, component)
	if i < 0 {
		i = len(d.names)
		d.names, d.shares = append(d.names, component), append(d.shares, 0)
	}
	d.shares[i] += share
}

// colours are as many as style.css has.
const colours = 9

func (d *division) figure(title string) Figure {
	whole := bar{Name: d.of, Figure: d.whole}
	var keys []Key
	for i, name := range d.names {
		class, text := fmt.Sprintf("c%d", i%colours), name+": "+units.Percent(d.shares[i])
		whole.Parts = append(whole.Parts, part{class, d.shares[i], name, text})
		keys = append(keys, Key{Class: class, Text: text})
	}
	return Figure{Title: title, Says: says(&d.table), Body: bars([]bar{whole}), Keys: keys, Data: &d.table}
}
