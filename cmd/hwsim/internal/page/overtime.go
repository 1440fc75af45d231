package page

import (
	"fmt"
	"html/template"
	"slices"
	"strings"

	"hwsim/cmd/hwsim/internal/units"
	"hwsim/sim"
	"hwsim/workloads"
	"hwsim/workloads/graph"
)

// moments is how many columns a lane over time has at most.
const moments = 800

// overTime draws when kernels and copies ran and what tiers and links did meanwhile.
func overTime(r *workloads.Result) *Section {
	t := r.Timeline
	if t == nil || t.End == 0 {
		return nil
	}
	l := lanes{Ticks: timeTicks(t.End.Nanoseconds())}
	data := &Table{Caption: "Tiers and links over time", Head: []string{"of", "GB/s, mean", "GB/s, most", "busy, mean", "busy, most", "intervals"}}
	l.Lanes = append(l.Lanes, ran(t, "kernels", "c0", kernelTimes(t)))
	for _, engine := range engines(t) {
		l.Lanes = append(l.Lanes, ran(t, "copies "+engine, "c5", copyTimes(t, engine)))
	}
	for i := range t.Tracks {
		track := &t.Tracks[i]
		busy, gbps := resample(t, track.Busy), resample(t, track.GBps)
		l.Lanes = append(l.Lanes, lane{Name: track.Name, Figure: units.Percent(mean(t, track.Busy)) + " busy, " + units.Rate(mean(t, track.GBps)) + " GB/s, mean", Box: box(moments, 1),
			Body: heights(busy, gbps)})
		data.Rows = append(data.Rows, []string{track.Name, units.Rate(mean(t, track.GBps)), units.Rate(slices.Max(track.GBps)),
			units.Percent(mean(t, track.Busy)), units.Percent(slices.Max(track.Busy)), fmt.Sprint(len(t.Edges))})
	}
	text := "When kernels and copies ran, and below how busy tiers and links were, from nothing to the height of their strip."
	if r.Fidelity == "sampled" {
		text += " Of alike layers only those that were simulated are shown, with the time that was skipped in them."
	}
	return &Section{ID: "time", Title: "Over time", Text: text, Blocks: []Block{
		Figure{Title: "Kernels, copies, tiers and links", Says: says(data), Body: l.html(), Data: data, Note: spansNote(t) + " trace.json has every kernel, copy and interval, for ui.perfetto.dev."}}}
}

// spansNote says what is shown.
func spansNote(t *graph.Timeline) string {
	return fmt.Sprintf("From %s to %s.", t.Spans[0].Name, t.Spans[len(t.Spans)-1].Name)
}

// stretch is a part of the time.
type stretch struct{ from, to sim.Time }

func kernelTimes(t *graph.Timeline) (all []stretch) {
	for _, k := range t.Kernels {
		all = append(all, stretch{k.Start, k.End})
	}
	return all
}

func copyTimes(t *graph.Timeline, engine string) (all []stretch) {
	for _, c := range t.Copies {
		if c.Engine == engine {
			all = append(all, stretch{c.Start, c.End})
		}
	}
	return all
}

// engines names the copy engines that did anything, in order of their first copy.
func engines(t *graph.Timeline) (names []string) {
	for _, c := range t.Copies {
		if !slices.Contains(names, c.Engine) {
			names = append(names, c.Engine)
		}
	}
	return names
}

// ran is a thin lane of when something ran, drawn by the share of each column.
func ran(t *graph.Timeline, name, class string, all []stretch) lane {
	column := float64(t.End) / moments
	shares := make([]float64, moments)
	total := 0.0
	for _, s := range all {
		total += float64(s.to - s.from)
		for c := int(float64(s.from) / column); c < moments && float64(c)*column < float64(s.to); c++ {
			shares[c] += max(0, min(float64(s.to), float64(c+1)*column)-max(float64(s.from), float64(c)*column)) / column
		}
	}
	return lane{Name: name, Figure: units.Percent(total/float64(t.End)) + " of the time", Class: "thin", Box: box(moments, 1), Body: steps(class, shares)}
}

// resample returns the mean of a track's values in each column.
func resample(t *graph.Timeline, values []float64) []float64 {
	column := float64(t.End) / moments
	out := make([]float64, moments)
	for i, v := range values {
		from, to := float64(t.Edges[i]), float64(t.End)
		if i+1 < len(t.Edges) {
			to = min(to, float64(t.Edges[i+1]))
		}
		for c := int(from / column); c < moments && float64(c)*column < to; c++ {
			out[c] += v * max(0, min(to, float64(c+1)*column)-max(from, float64(c)*column)) / column
		}
	}
	return out
}

// mean is the mean of a track's values over time.
func mean(t *graph.Timeline, values []float64) float64 {
	sum := 0.0
	for i, v := range values {
		to := t.End
		if i+1 < len(t.Edges) {
			to = min(to, t.Edges[i+1])
		}
		sum += v * float64(max(0, to-t.Edges[i]))
	}
	return sum / float64(t.End)
}

// steps draws shares as an area of steps, in a box of height 1.
func steps(class string, shares []float64) template.HTML {
	var path strings.Builder
	path.WriteString("M0 1")
	last := ""
	for i, v := range shares {
		if y := decimal(1-min(1, v), 3); y != last {
			fmt.Fprintf(&path, "H%dV%s", i, y)
			last = y
		}
	}
	fmt.Fprintf(&path, "H%dV1z", len(shares))
	return template.HTML(fmt.Sprintf(`<path class="%s" d="%s"/>`, class, path.String()))
}

// heights draws busy shares, and over each tenth of the time a strip that tells a
// pointer the rates there.
func heights(busy, gbps []float64) template.HTML {
	const strips = 40
	out := steps("f", busy)
	for s := range strips {
		from, to := s*len(busy)/strips, (s+1)*len(busy)/strips
		out += template.HTML(fmt.Sprintf(`<rect x="%d" width="%d" height="1" fill="transparent"><title>%s busy, %s GB/s</title></rect>`,
			from, to-from, units.Percent(average(busy[from:to])), units.Rate(average(gbps[from:to]))))
	}
	return out
}

func average(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}
