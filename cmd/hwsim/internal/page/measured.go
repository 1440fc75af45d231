package page

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"

	"hwsim/workloads"
)

// quickRows are the rows of .ci/quick.json: what hwsim validate -quick said of the
// shipped H200 tables when predictions last changed. CI compares them with its own.
//
//go:embed quick.csv
var quickRows string

// quickMachine is the system that they are of.
const quickMachine = "h200_sxm"

// comparison is a row of it.
type comparison struct {
	layout, row    string
	measured, ours float64 // ns
}

func (c *comparison) error() float64 { return c.ours/c.measured - 1 }

// comparisons reads quickRows.
func comparisons() (all []comparison) {
	lines, err := csv.NewReader(strings.NewReader(quickRows)).ReadAll()
	if err != nil {
		panic(fmt.Sprintf("page: quick.csv: %v", err))
	}
	for _, l := range lines[1:] {
		all = append(all, comparison{l[0], l[1], parse(l[2]), parse(l[3])})
	}
	return all
}

func parse(text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic(fmt.Sprintf("page: quick.csv: %v", err))
	}
	return v
}

// measured says how far predictions are from measurements, and of which machine these
// are.
func measured(r *workloads.Result) *Section {
	text := "These predictions have been compared with measurements of this kind of machine, though not of this very step."
	if r.System != quickMachine {
		text = fmt.Sprintf("There is no measurement of %s here. What follows is of %s, whose devices are modelled by the same rules; figures of another machine may be further off.", r.System, quickMachine)
	}
	return &Section{ID: "measured", Title: "Predicted and measured", Text: text, Blocks: scatter(comparisons(), quickMachine, fmt.Sprintf("%d rows, a sample of the shipped tables, kept with this version's source; on the line both are equal. hwsim validate compares all rows, and yours.", len(comparisons())))}
}
