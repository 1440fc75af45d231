package page

import (
	"fmt"
	"html/template"
	"io"
	"math"
	"strconv"

	"hwsim/cmd/hwsim/internal/units"
	"hwsim/validation"
)

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

// Validation writes the page of a validation: all of the rows that it compared.
func Validation(w io.Writer, r *validation.Report) error {
	layouts := map[string]string{}
	for _, s := range r.Tables {
		layouts[s.File] = s.Layout
	}
	var all []comparison
	for _, row := range r.Rows {
		all = append(all, comparison{layouts[row.File], row.File + " " + row.Row, row.Measured, row.Ours})
	}
	p := &Page{Title: "validate " + r.Config + " - hwsim", Answer: "no row is compared"}
	if len(all) > 0 {
		t := errorTable(all)
		sum := t.Rows[len(t.Rows)-1]
		p.Answer = fmt.Sprintf("times are %s off, mean of %s rows", sum[2], sum[1])
		p.add(&Section{ID: "measured", Title: "Predicted and measured", Blocks: scatter(all, r.Config, "On the line both are equal.")})
		p.add(regimes(r))
	}
	p.Of = []string{"predictions for " + r.Config + " against measured tables"}
	if r.Quick {
		p.Of = append(p.Of, "a sample of the rows")
	}
	if !r.Complete {
		p.Of = append(p.Of, "INTERRUPTED: of the rows until then")
	}
	for _, o := range r.NotSimulated {
		p.Provenance = append(p.Provenance, fmt.Sprintf("without a prediction: %s, %d rows of %s: %s", o.File, o.Rows, o.Layout, o.Reason))
	}
	for _, o := range r.AbovePeak {
		p.Provenance = append(p.Provenance, fmt.Sprintf("faster than the machine can be, left out: %s:%d %s", o.File, o.Line, o.Row))
	}
	return p.Write(w)
}

// regimes are the errors of each table's regimes, with their bounds.
func regimes(r *validation.Report) *Section {
	t := Table{Caption: "Errors by table and regime, in %", Head: []string{"table", "regime", "rows", "of", "MAPE", "median", "p90", "bias", "bound"}}
	for _, s := range r.Tables {
		bound := "-"
		if s.Bound != nil {
			bound = units.Number(*s.Bound)
			if s.Exceeds() {
				bound += ", above"
			}
		}
		t.Rows = append(t.Rows, []string{s.File, s.Bucket, strconv.Itoa(s.N), strconv.Itoa(s.Of), units.Number(s.MAPE), units.Number(s.Median), units.Number(s.P90), fmt.Sprintf("%+.2f", s.Bias), bound})
	}
	return &Section{ID: "regimes", Title: "Regimes", Text: "A regime is rows that one mechanism decides; the bound is on the mean of its errors' sizes.", Blocks: []Block{t}}
}

// scatter draws predictions against measurements.
func scatter(all []comparison, machine, note string) []Block {
	var xs, ys []float64
	for _, c := range all {
		xs, ys = append(xs, c.measured), append(ys, c.ours)
	}
	p := newPlot(append(xs, ys...), append(ys, xs...))
	p.axes("measured", "predicted", func(ns float64) string { return plain(ns) })
	p.line("roof", p.x.least, p.x.least, p.x.most, p.x.most)
	for _, c := range all {
		g := min(groupOf(c.layout), len(shapes)-1)
		p.point(g, g, c.measured, c.ours, fmt.Sprintf("%s, %s: measured %s, predicted %s, %s", c.layout, c.row, units.Duration(c.measured), units.Duration(c.ours), signed(c.error())))
	}
	data := errorTable(all)
	var keys []Key
	for i, g := range groups {
		keys = append(keys, Key{Mark: marks[i], Class: fmt.Sprintf("c%d", i), Text: g.name})
	}
	return []Block{
		Figure{Title: "Times on " + machine + ", predicted against measured", Says: says(&data), Body: p.html(), Wide: true, Keys: keys,
			Note: note},
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
