package page

import (
	"fmt"

	"hwsim/cmd/hwsim/internal/units"
	"hwsim/workloads"
)

// parts divides the step.
func parts(r *workloads.Result) *Section {
	s := divided("Where the step goes", r.StepNs, []span{{"kernels", "c0", r.KernelNs}, {"launch gaps", "c1", r.GapNs}, {"exposed transfer", "c5", r.ExposedNs}})
	s.Text = "Kernels run on the SMs; transfers are exposed while kernels wait for them, and hidden while kernels run."
	s.Blocks = append(s.Blocks, Table{Caption: "Beside it", Head: []string{"figure", "value", "of the step"}, Rows: [][]string{
		{"roofline of the same step", units.Duration(r.RooflineNs), units.Percent(ratio(r.RooflineNs, r.StepNs))},
		{"hidden transfer", units.Duration(r.HiddenNs), units.Percent(ratio(r.HiddenNs, r.StepNs))},
		{"moved by copies", units.Size(r.TransferBytes), ""},
	}})
	return s
}

// span is a part of a time, in ns.
type span struct {
	name, class string
	ns          float64
}

// divided draws the parts of a time.
func divided(title string, ns float64, spans []span) *Section {
	whole := bar{Name: "time", Figure: units.Duration(ns)}
	data := &Table{Caption: title, Head: []string{"part", "time", "share"}}
	var keys []Key
	for _, p := range spans {
		share := ratio(p.ns, ns)
		text := figureOf(p.name, p.ns, share)
		whole.Parts = append(whole.Parts, part{p.class, share, p.name, text})
		keys = append(keys, Key{Class: p.class, Text: text})
		data.Rows = append(data.Rows, []string{p.name, units.Duration(p.ns), units.Percent(share)})
	}
	return &Section{ID: "parts", Title: title, Blocks: []Block{Figure{Title: "The time and its parts", Says: says(data), Body: bars([]bar{whole}), Keys: keys, Data: data}}}
}

// figureOf is what a pointer is told of a share.
func figureOf(name string, ns, share float64) string {
	return fmt.Sprintf("%s: %s, %s", name, units.Duration(ns), units.Percent(share))
}

// says reads the first rows of a table out.
func says(t *Table) string {
	text := t.Caption + ":"
	for i, row := range t.Rows {
		if i == 4 {
			return text + " and more, as the table below says."
		}
		if i > 0 {
			text += ";"
		}
		text += " " + row[0]
		for c, cell := range row[1:min(3, len(row))] {
			text += ", " + t.Head[c+1] + " " + cell
		}
	}
	return text + "."
}

// ratio is a/b, and 0 where there is no b.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// policy tells what a policy of the KV cache keeps and moves.
func policy(r *workloads.Result) *Section {
	p := r.Policy
	if p == nil {
		return nil
	}
	held := Table{Caption: "What is kept", Head: []string{"object", "tier", "bytes"}}
	for _, h := range p.Held {
		held.Rows = append(held.Rows, []string{h.Object, h.Tier, units.Size(uint64(h.Bytes))})
	}
	flows := Table{Caption: "What a step moves, as the policy counts it", Head: []string{"object", "stage", "tier", "read", "written"}}
	for _, f := range p.Flows {
		flows.Rows = append(flows.Rows, []string{f.Object, f.Stage, f.Tier, units.Size(uint64(f.Read)), units.Size(uint64(f.Written))})
	}
	return &Section{ID: "policy", Title: "Policy of the KV cache",
		Text: fmt.Sprintf("Under %s, of %d tokens a KV head keeps %s and attends to %s, mean; a step moves %s from and to memories beyond HBM.",
			p.Name, r.Context, units.Number(p.Kept), units.Number(p.Attended), units.Size(uint64(p.LinkBytes))),
		Blocks: []Block{held, flows}}
}
