package report

import (
	"cmp"
	"fmt"
	"slices"

	"hwsim/workloads"
)

// The rows that fit one screen, and the columns that names get.
const (
	maxTiers   = 4
	maxLinks   = 7
	maxKernels = 11
	nameWidth  = 24
	tierWidth  = 12
)

// tiers keeps the machine's order, nearest first.
func tiers(p *page, rows []workloads.TierRow) {
	if len(rows) == 0 {
		return
	}
	shown, rest := split(rows, maxTiers)
	table := [][]string{{"tier", "used", "capacity", "read", "written", "GB/s", "of peak", "busy", "row hits", "p50", "p99"}}
	for _, t := range shown {
		table = append(table, []string{
			clip(t.Tier, tierWidth), size(t.Used), size(t.Capacity), size(t.Read), size(t.Written), rate(t.GBps),
			rate(t.PeakGBps), percent(t.Busy), percent(t.RowHits), duration(t.LatencyNs.P50), duration(t.LatencyNs.P99),
		})
	}
	p.line("")
	p.table(more(table, len(rest), "tiers"))
}

// links writes the busiest first.
func links(p *page, rows []workloads.LinkRow) {
	if len(rows) == 0 {
		return
	}
	rows = busiest(rows, func(l workloads.LinkRow) float64 { return l.Busy })
	shown, rest := split(rows, maxLinks)
	table := [][]string{{"link", "payload", "on the wire", "GB/s", "of peak", "busy"}}
	for _, l := range shown {
		table = append(table, []string{
			clip(l.Link, nameWidth), size(l.Bytes), size(l.Wire), rate(l.GBps), rate(l.PeakGBps), percent(l.Busy),
		})
	}
	p.line("")
	p.table(more(table, len(rest), "links"))
}

// kernels writes the slowest first.
func kernels(p *page, r *workloads.Result) {
	if len(r.Kernels) == 0 {
		return
	}
	rows := busiest(r.Kernels, func(k workloads.KernelRow) float64 { return k.Ns })
	shown, rest := split(rows, maxKernels)
	table := [][]string{{"kernel", "calls", "time", "share", "GB/s", "p50", "p99", "main cause"}}
	for _, k := range shown {
		table = append(table, []string{
			clip(k.Class, nameWidth), fmt.Sprint(k.Calls), duration(k.Ns), percent(ratio(k.Ns, r.StepNs)),
			rate(k.GBps), duration(k.LatencyNs.P50), duration(k.LatencyNs.P99), MainCause(k.Causes),
		})
	}
	p.line("")
	p.table(more(table, len(rest), "kernels"))
}

// busiest returns the rows ordered by a figure, the largest first; equal ones
// stay as they are.
func busiest[T any](rows []T, figure func(T) float64) []T {
	return slices.SortedStableFunc(slices.Values(rows), func(a, b T) int {
		return cmp.Compare(figure(b), figure(a))
	})
}

// split returns what fits n lines, one of which says how many do not.
func split[T any](rows []T, n int) (shown, rest []T) {
	if len(rows) <= n {
		return rows, nil
	}
	return rows[:n-1], rows[n-1:]
}

// more adds the line that says how many rows are left out.
func more(table [][]string, n int, what string) [][]string {
	if n == 0 {
		return table
	}
	return append(table, []string{fmt.Sprintf("and %d more %s", n, what)})
}

// MainCause names the largest share, of equal ones the first by name.
func MainCause(causes map[string]float64) string {
	best := ""
	for cause, share := range causes {
		if best == "" || share > causes[best] || share == causes[best] && cause < best {
			best = cause
		}
	}
	if best == "" {
		return "-"
	}
	return best + " " + percent(causes[best])
}
