package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"

	"hwsim/cmd/hwsim/internal/sweep"
	"hwsim/cmd/hwsim/internal/sweep/store"
)

var sweepFormats = []format[*sweep.Analysis]{{"text", SweepText}, {"json", SweepJSON}, {"csv", SweepCSV}}

// WriteSweep is Write for the outcomes of a sweep.
func WriteSweep(w io.Writer, format string, a *sweep.Analysis) error {
	return writeAs(w, sweepFormats, format, a)
}

// The rows that a sweep's tables get, and the columns of an objective's name.
const (
	maxFront       = 12
	maxProblems    = 4
	objectiveWidth = 28
)

// SweepText writes the front, and what the design tells of the axes.
func SweepText(w io.Writer, a *sweep.Analysis) error { return sweepPage(a).write(w) }

// SweepBlocks is Blocks for the outcomes of a sweep.
func SweepBlocks(a *sweep.Analysis) []Block { return sweepPage(a).blocks }

func sweepPage(a *sweep.Analysis) *page {
	p := &page{}
	if a.Finished < a.Points {
		p.line("%d of %d points are finished", a.Finished, a.Points)
	}
	if len(a.Objectives) > 0 {
		front(p, a)
		effects(p, a.Effects)
		indices(p, a)
		p.line("")
	}
	p.line("%s: %d points of %d configurations, %d of them run; %d more break a constraint", a.Design, a.Points, a.Distinct, a.Run, a.Dropped)
	problems(p, a.Problems)
	p.line("%s; seed %d (%s)", a.Fidelity, a.Seed, a.Name)
	return p
}

func front(p *page, a *sweep.Analysis) {
	p.line("%d points are best: none beats them in every objective", len(a.Front))
	if len(a.Front) == 0 {
		return
	}
	firsts, equal := distinct(a.Front)
	shown, rest := split(firsts, maxFront)
	table := [][]string{{"point", "equal"}}
	for _, o := range a.Objectives {
		table[0] = append(table[0], clip(o, objectiveWidth))
	}
	table[0] = append(table[0], a.Axes...)
	for i, r := range shown {
		row := []string{strconv.Itoa(r.Point), strconv.Itoa(equal[i])}
		for _, v := range r.Objectives {
			row = append(row, figure(v))
		}
		for _, v := range r.Values {
			row = append(row, value(v))
		}
		table = append(table, row)
	}
	p.line("")
	p.table(table)
	if len(rest) > 0 {
		p.line("and %d more", len(rest))
	}
	p.line("")
	p.line("hypervolume %s of the box from best to reference", percent(a.Hypervolume))
	for i, o := range a.Objectives {
		p.line("  %-*s  best %s, reference %s", objectiveWidth, clip(o, objectiveWidth), figure(a.Best[i]), figure(a.Reference[i]))
	}
}

// distinct returns the first of the points that are equal in all objectives, and how
// many others there are.
func distinct(front []sweep.Row) (firsts []sweep.Row, equal []int) {
	for _, r := range front {
		if last := len(firsts) - 1; last >= 0 && slices.Equal(firsts[last].Objectives, r.Objectives) {
			equal[last]++
			continue
		}
		firsts, equal = append(firsts, r), append(equal, 0)
	}
	return firsts, equal
}

// effects writes what each axis does alone.
func effects(p *page, all []sweep.Effect) {
	if len(all) == 0 {
		return
	}
	table := [][]string{{"axis", "objective", "centre", "least", "at", "most", "at", "swing"}}
	for _, e := range all {
		table = append(table, []string{clip(e.Axis, nameWidth), clip(e.Objective, objectiveWidth), figure(e.Centre),
			figure(e.Least), value(e.LeastAt), figure(e.Most), value(e.MostAt), percent(ratio(e.Most-e.Least, math.Abs(e.Centre)))})
	}
	p.line("")
	p.table(table)
}

// indices writes Sobol indices.
func indices(p *page, a *sweep.Analysis) {
	if len(a.Indices) == 0 {
		return
	}
	table := [][]string{{"axis", "objective", "first order", "total"}}
	for _, i := range a.Indices {
		table = append(table, []string{clip(i.Axis, nameWidth), clip(i.Objective, objectiveWidth), fmt.Sprintf("%.3f", i.First), fmt.Sprintf("%.3f", i.Total)})
	}
	p.line("")
	p.table(table)
	p.line("Sobol indices: shares of the variance, of %d whole rows", a.Whole)
}

func problems(p *page, all []sweep.Problem) {
	shown, rest := split(all, maxProblems)
	for _, one := range shown {
		p.line("  %d: %s", one.Points, one.Text)
	}
	if len(rest) > 0 {
		p.line("  and %d more problems", len(rest))
	}
}

// SweepJSON writes a under the names of its tags.
func SweepJSON(w io.Writer, a *sweep.Analysis) error {
	full := *a
	full.Objectives, full.Axes = append([]string{}, a.Objectives...), append([]string{}, a.Axes...)
	full.Best, full.Reference = append([]float64{}, a.Best...), append([]float64{}, a.Reference...)
	full.Front = append([]sweep.Row{}, a.Front...)
	full.Effects = append([]sweep.Effect{}, a.Effects...)
	full.Indices = append([]sweep.Index{}, a.Indices...)
	full.Problems = append([]sweep.Problem{}, a.Problems...)
	return writeJSON(w, full)
}

// SweepCSV writes a line for each finished point: the keys it sets, and its metrics.
func SweepCSV(w io.Writer, a *sweep.Analysis) error {
	keys := columnsOf(a.Records, func(r store.Record) map[string]any { return r.Set })
	metrics := columnsOf(a.Records, func(r store.Record) map[string]float64 { return r.Metrics })
	rows := [][]string{slices.Concat([]string{"point", "config"}, keys, metrics, []string{"problem"})}
	for _, r := range a.Records {
		row := []string{strconv.Itoa(r.Point), r.Config}
		for _, k := range keys {
			row = append(row, cell(r.Set[k]))
		}
		for _, k := range metrics {
			if v, ok := r.Metrics[k]; ok {
				row = append(row, cell(v))
			} else {
				row = append(row, "")
			}
		}
		rows = append(rows, append(row, r.Problem))
	}
	out := csv.NewWriter(w)
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("write csv: %w", err)
	}
	return nil
}

// columnsOf returns the keys that any record has.
func columnsOf[V any](records []store.Record, of func(store.Record) map[string]V) []string {
	keys := map[string]bool{}
	for _, r := range records {
		for k := range of(r) {
			keys[k] = true
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

// cell writes a value with all its digits, nothing as nothing.
func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case map[string]any:
		return value(v)
	}
	return fmt.Sprint(v)
}
