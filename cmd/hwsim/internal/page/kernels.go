package page

import (
	"fmt"

	"hwsim/cmd/hwsim/internal/report"
	"hwsim/cmd/hwsim/internal/units"
	"hwsim/devices"
	"hwsim/workloads"
)

// kernels divides kernels' time by what their requests spent theirs on.
func kernels(r *workloads.Result) *Section {
	if len(r.Kernels) == 0 {
		return nil
	}
	var all, whole []bar
	data := &Table{Caption: "Kernels and the causes of their requests' time", Head: []string{"kernel", "calls", "time", "of the step", "GB/s", "p50", "p99", "main cause"}}
	var keys []Key
	for c := range devices.NumCauses {
		data.Head = append(data.Head, c.String())
		keys = append(keys, Key{Class: causeClass(c), Text: c.String()})
	}
	longest := r.Kernels[0].Ns
	for _, k := range r.Kernels {
		row := []string{k.Class, fmt.Sprint(k.Calls), units.Duration(k.Ns), units.Percent(ratio(k.Ns, r.StepNs)), units.Rate(k.GBps), units.Duration(k.LatencyNs.P50), units.Duration(k.LatencyNs.P99), report.MainCause(k.Causes)}
		scaled, full := bar{Name: k.Class, Figure: units.Duration(k.Ns) + ", " + units.Percent(ratio(k.Ns, r.StepNs)) + " of the step"}, bar{Name: k.Class, Figure: report.MainCause(k.Causes)}
		for c := range devices.NumCauses {
			share := k.Causes[c.String()]
			row = append(row, units.Percent(share))
			if share == 0 {
				continue
			}
			what := figureOf(k.Class+", "+c.String(), k.Ns*share, share)
			scaled.Parts = append(scaled.Parts, part{causeClass(c), share * ratio(k.Ns, longest), c.String(), what})
			full.Parts = append(full.Parts, part{causeClass(c), share, c.String(), what})
		}
		all, whole = append(all, scaled), append(whole, full)
		data.Rows = append(data.Rows, row)
	}
	return &Section{ID: "kernels", Title: "Time by kernel and cause",
		Text: "A kernel's time, all calls, divided as the time of its requests is: queues, translation, caches and the crossbar, occupying a link, waiting for its credits, opening rows, refresh, turning the bus around, and moving the data.",
		Blocks: []Block{
			Figure{Title: "By time", Says: says(data), Body: bars(all), Keys: keys, Data: data},
			Figure{Title: "By share", Says: "The same causes, each kernel at full width; the table above has the figures.", Body: bars(whole), Keys: keys},
		}}
}

// causeClass is the colour of a cause.
func causeClass(c devices.Cause) string { return fmt.Sprintf("c%d", int(c)) }
