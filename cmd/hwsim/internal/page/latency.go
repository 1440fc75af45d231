package page

import (
	"fmt"
	"html/template"
	"math"
	"strings"

	"hwsim/cmd/hwsim/internal/units"
	"hwsim/sim"
	"hwsim/workloads"
)

// latencies draws how long requests took, by tier and by class of kernels.
func latencies(r *workloads.Result) *Section {
	least, most := math.Inf(1), 0.0
	for _, row := range r.Latency {
		if n := len(row.Bins); n > 0 {
			least, most = min(least, max(1, float64(row.Bins[0].From))), max(most, float64(row.Bins[n-1].To))
		}
	}
	if most == 0 {
		return nil
	}
	span := axis{least, most, 0, 1000}
	s := &Section{ID: "latencies", Title: "Latencies", Text: "How long single requests took, on a logarithmic axis; a strip's height is the share of its requests. Counted while the machine was simulated in detail."}
	s.addLatencies("By tier", span, r, true)
	s.addLatencies("By kernel", span, r, false)
	return s
}

// addLatencies draws the rows of tiers, or those of kernels.
func (s *Section) addLatencies(title string, span axis, r *workloads.Result, tiers bool) {
	l := lanes{Ticks: latencyTicks(span)}
	data := &Table{Caption: "Latencies " + strings.ToLower(title), Head: []string{"of", "p50", "p99", "most", "mean", "requests"}}
	for _, row := range r.Latency {
		if row.Tier != tiers || len(row.Bins) == 0 {
			continue
		}
		q := quantilesOf(r, row)
		l.Lanes = append(l.Lanes, lane{Name: row.Of, Figure: fmt.Sprintf("p50 %s, p99 %s", units.Duration(q.P50), units.Duration(q.P99)), Box: box(1000, 1), Body: histogram(span, row.Bins, q)})
		data.Rows = append(data.Rows, []string{row.Of, units.Duration(q.P50), units.Duration(q.P99), units.Duration(q.Max), units.Duration(q.Mean), units.Count(requests(row.Bins))})
	}
	if l.Lanes != nil {
		s.Blocks = append(s.Blocks, Figure{Title: title, Says: says(data), Body: l.html(), Keys: []Key{{"fill", "", "requests"}, {"", "|", "p50 and p99"}}, Data: data})
	}
}

// quantilesOf finds a row's quantiles among the result's.
func quantilesOf(r *workloads.Result, row workloads.LatencyRow) workloads.Quantiles {
	for _, k := range r.Kernels {
		if !row.Tier && k.Class == row.Of {
			return k.LatencyNs
		}
	}
	for _, t := range r.Tiers {
		if row.Tier && t.Tier == row.Of {
			return t.LatencyNs
		}
	}
	return workloads.Quantiles{}
}

func requests(bins []sim.Bin) (n uint64) {
	for _, b := range bins {
		n += uint64(b.Count)
	}
	return n
}

// histogram draws bins as high as their count in an equal part of the axis, against
// the highest.
func histogram(span axis, bins []sim.Bin, q workloads.Quantiles) template.HTML {
	density := make([]float64, len(bins))
	most := 0.0
	for i, b := range bins {
		density[i] = float64(b.Count) / (span.at(float64(b.To)) - span.at(max(span.least, float64(b.From))))
		most = max(most, density[i])
	}
	var path strings.Builder
	for i, b := range bins {
		fmt.Fprintf(&path, "M%s 1V%sH%sV1z", decimal(span.at(max(span.least, float64(b.From))), 1), decimal(1-0.95*density[i]/most, 3), decimal(span.at(float64(b.To)), 1))
	}
	out := fmt.Sprintf(`<path class="f" d="%s"/>`, path.String())
	for _, ns := range []float64{q.P50, q.P99} {
		if ps := ns * 1e3; ps >= span.least && ps <= span.most {
			out += fmt.Sprintf(`<path class="tick" d="M%s 0V1"/>`, decimal(span.at(ps), 1))
		}
	}
	return template.HTML(out)
}

// latencyTicks are the powers of ten within the axis, and its ends if these are few.
func latencyTicks(span axis) (ticks []tick) {
	for _, ps := range span.decades() {
		ticks = append(ticks, tick{Share: span.at(ps) / 1000, Text: plain(ps / 1e3)})
	}
	if len(ticks) < 2 {
		return []tick{{Share: 0, Text: units.Duration(span.least / 1e3)}, {Share: 1, Text: units.Duration(span.most / 1e3)}}
	}
	return ticks
}

// plain writes a power of ten of ns without a point.
func plain(ns float64) string {
	for _, u := range []string{"ns", "µs", "ms"} {
		if ns < 1000 {
			return decimal(ns, 3) + " " + u
		}
		ns /= 1000
	}
	return decimal(ns, 3) + " s"
}
