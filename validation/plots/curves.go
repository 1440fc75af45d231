package plots

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hwsim/validation"
)

// curve is a kind of plot whose points are rows of a table.
type curve struct {
	name, title string
	x, y        axis
	series      func(r *validation.Row) string // that a row is on; "": it is not on the curve
	at          func(r *validation.Row) (measured, ours point)
}

// The axes of curves.
var (
	workingSet = axis{label: "working set", ticks: byteTicks, log: true}
	copySize   = axis{label: "size of a copy", ticks: byteTicks, log: true}
	rate       = axis{label: "GB/s", ticks: decimalTicks, log: true}
	latency    = axis{label: "ns an access", ticks: decimalTicks, log: true}
	loadedRate = axis{label: "GB/s of load"}
	loadedTime = axis{label: "latency in ns"}
)

// curves are all kinds.
var curves = []curve{
	{"latency", "dependent accesses", workingSet, latency, chased, timeOver("range_bytes")},
	{"reread", "the same bytes read again and again", workingSet, rate, tested("read_vs_range", constant("read again")), rateOver("range_bytes")},
	{"hbm-gather", "random pieces from HBM", workingSet, rate, tested("hbm_span", pieces), rateOver("range_bytes")},
	{"host-gather", "random pieces from host memory", workingSet, rate, tested("host_span", pieces), rateOver("range_bytes")},
	{"peer-gather", "random pieces from the peer", workingSet, rate, tested("peer_span", pieces), rateOver("range_bytes")},
	{"copies", "copies one after the other", copySize, rate, copied, rateOver("param")},
	{"loaded", "latency under load", loadedRate, loadedTime, loaders, underLoad},
}

// curves returns the plots of those curves that the table has two points of.
func (t *table) curves() (plots []*picture) {
	for i := range curves {
		c := &curves[i]
		p := &picture{name: c.name, title: t.title + ": " + c.title, x: c.x, y: c.y}
		points := 0
		for j := range t.rows {
			if name := c.series(&t.rows[j]); name != "" {
				measured, ours := c.at(&t.rows[j])
				p.add(name, measured, ours)
				points++
			}
		}
		if points > 1 {
			plots = append(plots, p)
		}
	}
	return plots
}

// add puts a row's points on a series, which the first of them begins.
func (p *picture) add(name string, measured, ours point) {
	i := slices.IndexFunc(p.series, func(s series) bool { return s.name == name })
	if i < 0 {
		i = len(p.series)
		p.series = append(p.series, series{name: name})
	}
	s := &p.series[i]
	s.ours = append(s.ours, ours)
	s.measured = append(s.measured, measured)
	slices.SortFunc(s.measured, func(a, b point) int { return cmp.Or(cmp.Compare(a.X, b.X), cmp.Compare(a.Y, b.Y)) })
}

// timeOver places times over the number in a column.
func timeOver(column string) func(r *validation.Row) (measured, ours point) {
	return func(r *validation.Row) (measured, ours point) {
		x := number(r, column)
		return point{X: x, Y: r.Measured}, point{X: x, Y: r.Ours}
	}
}

// rateOver places rates in GB/s over the number in a column.
func rateOver(column string) func(r *validation.Row) (measured, ours point) {
	return func(r *validation.Row) (measured, ours point) {
		x := number(r, column)
		return point{X: x, Y: r.Bytes / r.Measured}, point{X: x, Y: r.Bytes / r.Ours}
	}
}

// underLoad places latencies over the load that there was; a prediction has a
// load of its own.
func underLoad(r *validation.Row) (measured, ours point) {
	return point{X: r.Load, Y: r.Measured}, point{X: r.OurLoad, Y: r.Ours}
}

// number returns a cell that is known to be one.
func number(r *validation.Row, column string) float64 {
	v, _ := strconv.ParseFloat(r.Keys[column], 64)
	return v
}

// tested picks the rows of one test.
func tested(test string, name func(r *validation.Row) string) func(r *validation.Row) string {
	return func(r *validation.Row) string {
		if r.Keys["test"] != test {
			return ""
		}
		return name(r)
	}
}

func constant(name string) func(r *validation.Row) string {
	return func(*validation.Row) string { return name }
}

func pieces(r *validation.Row) string { return r.Keys["param"] + " B" }

// chased names the memory that a chase goes over.
func chased(r *validation.Row) string {
	switch r.Keys["test"] {
	case "chase_random":
		return map[string]string{"ca": "HBM, through the L1", "cg": "HBM"}[r.Keys["cache_op"]]
	case "chase_host":
		return "host memory"
	case "chase_peer":
		return "peer's HBM"
	}
	return ""
}

// copied names the way of copies whose number is given.
func copied(r *validation.Row) string {
	return map[string]string{"memcpy_h2d": "host to GPU", "memcpy_d2h": "GPU to host", "memcpy_both": "both ways", "memcpy_peer": "peer to GPU"}[r.Keys["test"]]
}

// loaders names those who load the memory while a latency is taken.
func loaders(r *validation.Row) string {
	writes, mixed := strings.CutSuffix(strings.TrimPrefix(r.Keys["writes"], "w"), "of4")
	if r.Bytes > 0 || !mixed || number(r, "streaming_sms") == 0 {
		return ""
	}
	return fmt.Sprintf("%s SMs, %s of 4 write", r.Keys["streaming_sms"], writes)
}
