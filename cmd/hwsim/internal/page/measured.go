package page

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"

	"hwsim/cmd/hwsim/internal/units"
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

// groups are the layouts of measured tables, by what they tell of.
var groups = []struct {
	name    string
	layouts []string
}{
	{"kernels", []string{"kernels of decode steps", "decode attention", "prefill attention", "linear layers", "landmark retrieval", "decode attention over remote KV", "decode attention on the host"}},
	{"transfers", []string{"transfers", "collectives", "interference"}},
	{"latencies", []string{"pointer chases", "loaded latency", "launch costs"}},
	{"whole steps", []string{"decode steps", "decode with offloaded KV"}},
}

// groupOf returns the number of a layout's group, the number of groups for others.
func groupOf(layout string) int {
	for i, g := range groups {
		for _, l := range g.layouts {
			if l == layout {
				return i
			}
		}
	}
	return len(groups)
}

// measured says how far predictions are from measurements, and of which machine these
// are.
func measured(r *workloads.Result) *Section {
	text := "These predictions have been compared with measurements of this kind of machine, though not of this very step."
	if r.System != quickMachine {
		text = fmt.Sprintf("There is no measurement of %s here. What follows is of %s, whose devices are modelled by the same rules; figures of another machine may be further off.", r.System, quickMachine)
	}
	return &Section{ID: "measured", Title: "Predicted and measured", Text: text, Blocks: scatter(comparisons(), quickMachine)}
}

// scatter draws predictions against measurements.
func scatter(all []comparison, machine string) []Block {
	var xs, ys []float64
	for _, c := range all {
		xs, ys = append(xs, c.measured), append(ys, c.ours)
	}
	p := newPlot(append(xs, ys...), append(ys, xs...))
	p.axes("measured", "predicted", func(ns float64) string { return plain(ns) })
	p.line("roof", p.x.least, p.x.least, p.x.most, p.x.most)
	for _, c := range all {
		g := groupOf(c.layout)
		p.point(g, g, c.measured, c.ours, fmt.Sprintf("%s, %s: measured %s, predicted %s, %s", c.layout, c.row, units.Duration(c.measured), units.Duration(c.ours), signed(c.error())))
	}
	data := errorTable(all)
	var keys []Key
	for i, g := range groups {
		keys = append(keys, Key{Mark: marks[i], Class: fmt.Sprintf("c%d", i), Text: g.name})
	}
	return []Block{
		Figure{Title: "Times on " + machine + ", predicted against measured", Says: says(&data), Body: p.html(), Wide: true, Keys: keys,
			Note: fmt.Sprintf("%d rows, a sample of the shipped tables, kept with this version's source; on the line both are equal. hwsim validate compares all rows, and yours.", len(all))},
		Figure{Title: "Errors, by what was measured", Says: "The same errors as in the table below, a mark for each row.", Body: errorLanes(all).html(),
			Note: "A mark for each row: to the left of the middle the prediction is too fast, to its right too slow."},
		data,
	}
}

// errorLanes draws the error of every row, a lane for each layout, over an axis that
// reaches as far to both sides.
func errorLanes(all []comparison) lanes {
	most := 0.05
	for _, c := range all {
		most = max(most, math.Abs(c.error()))
	}
	most = math.Ceil(most*20) / 20
	at := func(e float64) float64 { return 500 * (1 + e/most) }
	var l lanes
	for _, layout := range layoutsOf(all) {
		body, n, size := `<path class="grid" d="M500 0V1"/>`, 0, 0.0
		for _, c := range all {
			if c.layout == layout {
				body += fmt.Sprintf(`<path class="tick" d="M%[1]s .15V.85"/>`, decimal(at(c.error()), 1))
				n, size = n+1, size+math.Abs(c.error())
			}
		}
		l.Lanes = append(l.Lanes, lane{Name: layout, Figure: fmt.Sprintf("%s, mean of %d", units.Percent(size/float64(n)), n), Class: "thin", Box: box(1000, 1), Body: template.HTML(body)})
	}
	for _, share := range []float64{-1, -0.5, 0, 0.5, 1} {
		l.Ticks = append(l.Ticks, tick{Share: (1 + share) / 2, Text: signed(share * most)})
	}
	return l
}

// errorTable sums up the errors of each layout.
func errorTable(all []comparison) Table {
	t := Table{Caption: "Errors of the times, by what was measured", Head: []string{"of", "rows", "mean error", "greatest", "mean with sign"}}
	for _, g := range append(layoutsOf(all), "") {
		n, size, most, bias := 0, 0.0, 0.0, 0.0
		for _, c := range all {
			if g == "" || c.layout == g {
				e := c.error()
				n, size, most, bias = n+1, size+math.Abs(e), max(most, math.Abs(e)), bias+e
			}
		}
		name := g
		if g == "" {
			name = "all"
		}
		t.Rows = append(t.Rows, []string{name, strconv.Itoa(n), units.Percent(size / float64(n)), units.Percent(most), signed(bias / float64(n))})
	}
	return t
}

// layoutsOf lists the layouts in the order of groups, then of the rows.
func layoutsOf(all []comparison) (names []string) {
	seen := map[string]bool{}
	for g := range len(groups) + 1 {
		for _, c := range all {
			if groupOf(c.layout) == g && !seen[c.layout] {
				seen[c.layout] = true
				names = append(names, c.layout)
			}
		}
	}
	return names
}

// signed writes a relative error.
func signed(e float64) string { return fmt.Sprintf("%+.1f %%", 100*e) }
