package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"hwsim/workloads"
)

// Text writes r on one screen of 40 lines and 100 columns, the answer first.
func Text(w io.Writer, r *workloads.Result) error { return stepPage(r).write(w) }

// Blocks are the parts of Text: the first is its headline, the last its provenance.
func Blocks(r *workloads.Result) []Block { return stepPage(r).blocks }

func stepPage(r *workloads.Result) *page {
	p := &page{}
	headline(p, r)
	p.line("")
	whereTimeWent(p, r)
	energy(p, r.Energy)
	cost(p, r.Cost)
	policy(p, r.Policy, r.Context)
	tiers(p, r.Tiers)
	links(p, r.Links)
	kernels(p, r)
	p.line("")
	provenance(p, r)
	return p
}

func headline(p *page, r *workloads.Result) {
	mark := ""
	if !r.Complete {
		mark = "INTERRUPTED  "
	}
	p.line("%sstep %s%s   %s tokens/s   bound by %s",
		mark, duration(r.StepNs), margin(r), number(r.TokensPerSecond), r.BoundBy)
	p.line("%s on %s, batch %d, context %d%s", r.Model, r.System, r.Batch, r.Context, profiles(r.Kernels))
}

// margin is the sampling error; an analytic result has none that it knows.
func margin(r *workloads.Result) string {
	if r.Fidelity == "analytic" {
		return ""
	}
	return " ± " + number(100*r.Bound) + " %"
}

// profiles names the kernel profiles: a prediction holds for these only.
func profiles(rows []workloads.KernelRow) string {
	var names []string
	for _, k := range rows {
		if k.Profile != "" && !slices.Contains(names, k.Profile) {
			names = append(names, k.Profile)
		}
	}
	if names == nil {
		return ""
	}
	return ", kernels " + strings.Join(names, ", ")
}

func whereTimeWent(p *page, r *workloads.Result) {
	p.line("%-18s %8s            roofline %s%s", "step", duration(r.StepNs), duration(r.RooflineNs), overRoofline(r))
	part := func(name string, ns float64) {
		share := ratio(ns, r.StepNs)
		p.line("  %-16s %8s  %7s  %s", name, duration(ns), percent(share), bar(share))
	}
	part("kernels", r.KernelNs)
	part("launch gaps", r.GapNs)
	part("exposed transfer", r.ExposedNs)
	p.line("%-18s %8s            copy engines moved %s", "hidden transfer", duration(r.HiddenNs), size(r.TransferBytes))
	if m := r.Mapping; m != nil {
		p.line("%-18s %8s            most %s; %s calls; %s mapped, %s unused", "mapping, beside",
			duration(m.StallNs.Mean), duration(m.StallNs.Max), number(m.CallsPerStep), size(m.Mapped), size(m.Unused))
	}
}

// policy tells what a KV policy keeps and reads, and its largest objects.
func policy(p *page, r *workloads.PolicyRow, context int) {
	if r == nil {
		return
	}
	under := r.Name
	if r.Engine != "" {
		under += ", engine " + r.Engine
	}
	p.line("%-18s %s: of %d tokens a head keeps %s and attends to %s", "policy", under, context, number(r.Kept), number(r.Attended))
	held := slices.Clone(r.Held)
	slices.SortStableFunc(held, func(a, b workloads.HeldRow) int { return cmp.Compare(b.Bytes, a.Bytes) })
	var parts []string
	for _, h := range held {
		parts = append(parts, fmt.Sprintf("%s %s in %s", size(uint64(h.Bytes)), h.Object, h.Tier))
	}
	p.line("  %-16s %s", "keeps", strings.Join(parts, ", "))
}

func overRoofline(r *workloads.Result) string {
	if r.RooflineNs == 0 {
		return ""
	}
	return "; the step takes " + number(r.StepNs/r.RooflineNs) + " times that"
}

const barColumns = 40

func bar(share float64) string {
	return strings.Repeat("#", int(min(1, max(0, share))*barColumns+0.5))
}

// ratio is a/b, and 0 where there is no b.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

func provenance(p *page, r *workloads.Result) {
	detail := "no sampling"
	switch r.Fidelity {
	case "sampled":
		detail = percent(r.Simulated) + " of the time simulated in detail"
	case "analytic":
		detail = "nothing simulated"
	}
	p.line("%s: %s; seed %d; config %s (%s)", r.Fidelity, detail, r.Seed, r.Hash, r.Name)
}
