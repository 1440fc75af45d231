package report

import (
	"io"
	"reflect"
	"slices"

	"hwsim/workloads/offload"
)

// OffloadText writes r on about a screen of 40 lines and 100 columns, the answer
// first.
func OffloadText(w io.Writer, r *offload.Result) error { return offloadPage(r).write(w) }

// OffloadBlocks is Blocks for offloaded generation.
func OffloadBlocks(r *offload.Result) []Block { return offloadPage(r).blocks }

func offloadPage(r *offload.Result) *page {
	p := &page{}
	p.line("%s tokens/s   prefill %s, decode %s", number(r.TokensPerSecond), duration(r.PrefillNs), duration(r.DecodeNs))
	p.line("%s by %s on %s, %d sequences, %d + %d tokens%s", r.Model, r.System, r.Machine, r.Sequences, r.Prompt, r.Output, policyText(r))
	if r.InStorage != nil {
		p.line("%s", attention(r.InStorage))
	}
	p.line("")
	phases(p, r)
	p.line("")
	p.table(operations(r))
	p.line("")
	if len(r.Resources) > 0 {
		p.table(busyShares(r))
		p.line("")
	}
	if r.InStorage != nil {
		inStorage(p, r, r.InStorage)
	} else {
		cacheLoads(p, r)
	}
	p.table(memories(r))
	p.line("")
	p.line("%s; config %s (%s)", howFar(r.InStorage), r.Hash, r.Name)
	return p
}

func policyText(r *offload.Result) string {
	switch {
	case r.Policy == "":
		return ""
	case r.Found:
		return ", policy found " + r.Policy
	}
	return ", policy " + r.Policy
}

func phases(p *page, r *offload.Result) {
	p.line("%-18s %8s", "time", duration(r.TimeNs))
	part := func(name string, ns float64) {
		share := ratio(ns, r.TimeNs)
		p.line("  %-16s %8s  %7s  %s", name, duration(ns), percent(share), bar(share))
	}
	part("prefill", r.PrefillNs)
	part("decode", r.DecodeNs)
}

// operations are rows of what was done, as if each ran alone: they overlap.
func operations(r *offload.Result) [][]string {
	table := [][]string{{"operations, alone", "prefill", "decode", "of decode"}}
	for _, k := range r.Kinds {
		if k.PrefillNs+k.DecodeNs > 0 {
			table = append(table, []string{k.Kind, duration(k.PrefillNs), duration(k.DecodeNs), percent(ratio(k.DecodeNs, r.DecodeNs))})
		}
	}
	return table
}

func busyShares(r *offload.Result) [][]string {
	table := [][]string{{"busy", "prefill", "decode"}}
	for _, b := range r.Resources {
		table = append(table, []string{b.Resource, percent(b.Prefill), percent(b.Decode)})
	}
	return table
}

// cacheLoads says what decode's loads of KV are and where they come from.
func cacheLoads(p *page, r *offload.Result) {
	if r.CacheBytes > 0 {
		p.line("decode loads %s of KV at %s GB/s, %s of its time", size(uint64(r.CacheBytes)), rate(r.CacheGBps), percent(r.CacheShare))
	}
	if r.FileHit > 0 {
		p.line("of what it reads of files the page cache has %s", percent(r.FileHit))
	}
	if r.SwappedIn > 0 {
		p.line("%s of KV are swapped in", size(uint64(r.SwappedIn)))
	}
	if r.Recomputed > 0 {
		p.line("a step computes %s sequences anew, mean", number(r.Recomputed))
	}
	if r.CacheBytes+r.FileHit+r.SwappedIn+r.Recomputed > 0 {
		p.line("")
	}
}

// memories are rows of what lies where, and columns of memories.
func memories(r *offload.Result) [][]string {
	table := [][]string{{"at most"}}
	used, capacity := []string{"in all"}, []string{"capacity"}
	rows := map[string][]string{}
	for i, m := range r.Memories {
		table[0] = append(table[0], m.Memory)
		for _, part := range m.Parts {
			if rows[part.Part] == nil {
				rows[part.Part] = append([]string{part.Part}, slices.Repeat([]string{"-"}, len(r.Memories))...)
				table = append(table, rows[part.Part])
			}
			rows[part.Part][i+1] = size(uint64(part.Bytes))
		}
		used, capacity = append(used, size(uint64(m.UsedBytes))), append(capacity, size(uint64(m.CapacityBytes)))
	}
	return append(table, used, capacity)
}

// OffloadJSON is JSON for offloaded generation.
func OffloadJSON(w io.Writer, r *offload.Result) error {
	full := *r
	full.Kinds = append([]offload.KindRow{}, r.Kinds...)
	full.Resources = append([]offload.ResourceRow{}, r.Resources...)
	full.Memories = append([]offload.MemoryRow{}, r.Memories...)
	for i := range full.Memories {
		full.Memories[i].Parts = append([]offload.PartRow{}, full.Memories[i].Parts...)
	}
	return writeJSON(w, full)
}

// OffloadCSV is CSV for offloaded generation.
func OffloadCSV(w io.Writer, r *offload.Result) error {
	t := newLong(w)
	t.fields("run", r.Name, "", reflect.ValueOf(*r))
	for _, k := range r.Kinds {
		t.fields("operation", k.Kind, "", reflect.ValueOf(k))
	}
	for _, b := range r.Resources {
		t.fields("busy", b.Resource, "", reflect.ValueOf(b))
	}
	for _, m := range r.Memories {
		t.fields("memory", m.Memory, "", reflect.ValueOf(m))
		for _, p := range m.Parts {
			t.fields("memory", p.Part+" in "+m.Memory, "", reflect.ValueOf(p))
		}
	}
	if r.InStorage != nil {
		t.fields("in storage", r.InStorage.Device, "", reflect.ValueOf(*r.InStorage))
	}
	return t.flush()
}
