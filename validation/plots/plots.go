package plots

import (
	"fmt"
	"net/url"
	"strings"

	"hwsim/validation"
)

// Plot is one image.
type Plot struct {
	Name string // of its file
	SVG  []byte
}

// Of draws a report: of each table a scatter, and the curves that it has.
func Of(r *validation.Report) (plots []Plot, err error) {
	for _, t := range tables(r) {
		pictures := append([]*picture{t.scatter()}, t.curves()...)
		for _, p := range pictures {
			svg, err := p.draw()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", t.file, err)
			}
			plots = append(plots, Plot{t.plotName(p.name), svg})
		}
	}
	return plots, nil
}

// table is what a report says about one table.
type table struct {
	file, title string
	rows        []validation.Row
	regimes     []validation.Score // in the order of the report
}

// tables returns those of a report that have predictions.
func tables(r *validation.Report) (all []*table) {
	of := map[string]*table{}
	for _, s := range r.Tables {
		t := of[s.File]
		if t == nil {
			t = &table{file: s.File, title: fmt.Sprintf("%s on %s", s.File, r.Config)}
			of[s.File] = t
			all = append(all, t)
			continue // the first score is the whole table's
		}
		t.regimes = append(t.regimes, s)
	}
	for _, row := range r.Rows {
		if t := of[row.File]; t != nil {
			t.rows = append(t.rows, row)
		}
	}
	return all
}

// plotName returns a file name of its own for each plot of any table.
func (t *table) plotName(plot string) string {
	return url.PathEscape(strings.TrimSuffix(t.file, ".csv")+"-"+plot) + ".svg"
}

// scatter shows every row's prediction over its measurement, by regime.
func (t *table) scatter() *picture {
	p := &picture{name: "scatter", title: t.title, x: axis{label: "measured time", ticks: timeTicks, log: true},
		y: axis{label: "predicted time", ticks: timeTicks, log: true}, diagonal: true}
	for _, s := range t.regimes {
		x := series{name: fmt.Sprintf("%s: %.1f %%", s.Bucket, s.MAPE)}
		for _, r := range t.rows {
			if r.Bucket == s.Bucket {
				x.ours = append(x.ours, point{X: r.Measured, Y: r.Ours})
			}
		}
		p.series = append(p.series, x)
	}
	return p
}
