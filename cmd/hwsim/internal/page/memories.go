package page

import (
	"hwsim/cmd/hwsim/internal/units"
	"hwsim/workloads"
)

// memories are the tiers and links over the whole step.
func memories(r *workloads.Result) *Section {
	if len(r.Tiers) == 0 && len(r.Links) == 0 {
		return nil
	}
	tiers := Table{Caption: "Tiers", Head: []string{"tier", "used", "capacity", "read", "written", "GB/s", "of peak", "busy", "row hits", "p50", "p99"}}
	links := Table{Caption: "Links", Head: []string{"link", "payload", "on the wire", "GB/s", "of peak", "busy"}}
	var all []bar
	busy := func(name, class string, share, gbps, peak float64) {
		figure := units.Percent(share) + " busy, " + units.Rate(gbps) + " of " + units.Rate(peak) + " GB/s"
		all = append(all, bar{name, figure, []part{{class, min(1, share), "", name + ": " + figure}}})
	}
	for _, t := range r.Tiers {
		tiers.Rows = append(tiers.Rows, []string{t.Tier, units.Size(t.Used), units.Size(t.Capacity), units.Size(t.Read), units.Size(t.Written), units.Rate(t.GBps),
			units.Rate(t.PeakGBps), units.Percent(t.Busy), units.Percent(t.RowHits), units.Duration(t.LatencyNs.P50), units.Duration(t.LatencyNs.P99)})
		busy(t.Tier, "c0", t.Busy, t.GBps, t.PeakGBps)
	}
	for _, l := range r.Links {
		links.Rows = append(links.Rows, []string{l.Link, units.Size(l.Bytes), units.Size(l.Wire), units.Rate(l.GBps), units.Rate(l.PeakGBps), units.Percent(l.Busy)})
		busy(l.Link, "c2", l.Busy, l.GBps, l.PeakGBps)
	}
	return &Section{ID: "memories", Title: "Tiers and links",
		Text:   "Of a tier busy is the mean share of the step for which its data buses move data, of a link that for which it sends.",
		Blocks: []Block{Figure{Title: "Busy share of the step", Says: says(&tiers), Body: bars(all), Keys: []Key{{"c0", "", "tier"}, {"c2", "", "link"}}}, tiers, links}}
}
