package page

import (
	"io"

	"hwsim/cmd/hwsim/internal/report"
	"hwsim/workloads"
)

// stepSections are the sections of a decode step, in order. Each returns nil if the
// result has nothing for it.
var stepSections = []func(*workloads.Result) *Section{
	parts, policy, kernels, roofline, memories, overTime, latencies, banks, placement, energy, measured,
}

// Step writes the page of a decode step. What a run without Options.Detail does not
// know is left out.
func Step(w io.Writer, r *workloads.Result) error {
	p := newPage(r.Name+" - hwsim", report.Blocks(r))
	for _, section := range stepSections {
		p.add(section(r))
	}
	return p.Write(w)
}
