package page

import (
	"io"
	"slices"

	"hwsim/cmd/hwsim/internal/report"
	"hwsim/cmd/hwsim/internal/units"
	"hwsim/workloads/offload"
	"hwsim/workloads/program"
)

// Program writes the page of a program on a core.
func Program(w io.Writer, r *program.Result) error {
	blocks := report.ProgramBlocks(r)
	p := newPage(r.Name+" - hwsim", blocks)
	if r.Accesses > 0 {
		p.add(divided("Where the time goes", r.TimeNs, []span{{"translation", "c5", r.Translating * r.TimeNs}, {"data", "c0", r.Waiting * r.TimeNs}, {"the rest", "c7", max(0, 1-r.Translating-r.Waiting) * r.TimeNs}}))
		p.add(figures(drawn(blocks)))
	}
	return p.Write(w)
}

// Offload writes the page of offloaded generation.
func Offload(w io.Writer, r *offload.Result) error {
	blocks := report.OffloadBlocks(r)
	p := newPage(r.Name+" - hwsim", blocks)
	p.add(divided("Where the time goes", r.TimeNs, []span{{"prefill", "c0", r.PrefillNs}, {"decode", "c1", r.DecodeNs}}))
	p.add(busyResources(r))
	p.add(rooms(r))
	p.add(figures(drawn(blocks)))
	return p.Write(w)
}

// drawn leaves out the block after the head, which says where the time goes.
func drawn(blocks []report.Block) []report.Block { return slices.Delete(slices.Clone(blocks), 1, 2) }

// busyResources draws each resource's busy share of both phases.
func busyResources(r *offload.Result) *Section {
	if len(r.Resources) == 0 {
		return nil
	}
	data := Table{Caption: "Busy share", Head: []string{"resource", "prefill", "decode"}}
	var all []bar
	for _, b := range r.Resources {
		data.Rows = append(data.Rows, []string{b.Resource, units.Percent(b.Prefill), units.Percent(b.Decode)})
		all = append(all, bar{b.Resource + ", prefill", units.Percent(b.Prefill), []part{{"c0", min(1, b.Prefill), "", b.Resource + " in prefill: " + units.Percent(b.Prefill)}}},
			bar{b.Resource + ", decode", units.Percent(b.Decode), []part{{"c1", min(1, b.Decode), "", b.Resource + " in decode: " + units.Percent(b.Decode)}}})
	}
	return &Section{ID: "resources", Title: "What is busy", Blocks: []Block{Figure{Title: "Busy share of each phase", Says: says(&data), Body: bars(all), Keys: []Key{{"c0", "", "prefill"}, {"c1", "", "decode"}}, Data: &data}}}
}

// rooms draws what lies in each memory at its most.
func rooms(r *offload.Result) *Section {
	if len(r.Memories) == 0 {
		return nil
	}
	f := filling{caption: "What lies in the memories, at most"}
	for _, m := range r.Memories {
		for _, p := range m.Parts {
			f.add(p.Part, m.Memory, uint64(p.Bytes), uint64(m.CapacityBytes))
		}
	}
	return &Section{ID: "memories", Title: "What lies where", Blocks: []Block{f.figure("Memories and what lies in them, at most")}}
}
