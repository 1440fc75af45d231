package offload

import (
	"hwsim/workloads/flexgen"
)

// Result is everything that a run predicts. The same configuration gives the same
// bytes.
type Result struct {
	Schema  int    `json:"schema"`
	Name    string `json:"name"` // of the configuration
	Hash    string `json:"hash"` // of the effective configuration
	System  string `json:"system"`
	Machine string `json:"machine"`
	Model   string `json:"model"`
	Policy  string `json:"policy"` // as FlexGen writes it; empty for systems without
	Found   bool   `json:"found"`  // by search

	Sequences int `json:"sequences"`
	Prompt    int `json:"prompt"`
	Output    int `json:"output"`

	TokensPerSecond float64 `json:"tokens_per_s"`
	TimeNs          float64 `json:"time_ns"`
	PrefillNs       float64 `json:"prefill_ns"`
	DecodeNs        float64 `json:"decode_ns"`

	CacheGBps  float64 `json:"cache_gbps"`  // at which decode loads KV; 0: it loads none
	CacheShare float64 `json:"cache_share"` // of decode, loads of KV, overlapped or not
	CacheBytes float64 `json:"cache_bytes"` // of KV that decode loads
	FileHit    float64 `json:"file_hit"`    // share of decode's reads of files that the page cache has
	SwappedIn  float64 `json:"swapped_in_bytes"`
	Recomputed float64 `json:"recomputed"` // sequences that a step computes anew, mean

	Kinds     []KindRow     `json:"kinds"`
	Resources []ResourceRow `json:"resources"`
	Memories  []MemoryRow   `json:"memories"`
}

// KindRow is the time of a kind of operation, as if each ran alone.
type KindRow struct {
	Kind      string  `json:"kind"`
	PrefillNs float64 `json:"prefill_ns"`
	DecodeNs  float64 `json:"decode_ns"`
}

// ResourceRow is a resource's busy share of each phase.
type ResourceRow struct {
	Resource string  `json:"resource"`
	Prefill  float64 `json:"prefill"`
	Decode   float64 `json:"decode"`
}

// MemoryRow is what lies in a memory, at its most.
type MemoryRow struct {
	Memory        string    `json:"memory"`
	CapacityBytes float64   `json:"capacity_bytes"`
	UsedBytes     float64   `json:"used_bytes"`
	Parts         []PartRow `json:"parts"`
}

// PartRow is a part of a memory.
type PartRow struct {
	Part  string  `json:"part"`
	Bytes float64 `json:"bytes"`
}

// fill takes a run's figures.
func (r *Result) fill(f *flexgen.Result, need *flexgen.Need) {
	p, d := &f.Prefill, &f.Decode
	r.TokensPerSecond = f.TokensPerSecond
	r.PrefillNs, r.DecodeNs = p.Time.Nanoseconds(), d.Time.Nanoseconds()
	r.TimeNs = r.PrefillNs + r.DecodeNs
	r.CacheGBps, r.CacheBytes = f.CacheGBps(), f.CacheRead
	r.FileHit, r.SwappedIn, r.Recomputed = f.FileHit, f.SwappedIn, f.Recomputed
	if d.Time > 0 {
		r.CacheShare = float64(d.Kinds[flexgen.LoadCache]) / float64(d.Time)
	}
	for k := range p.Kinds {
		r.Kinds = append(r.Kinds, KindRow{flexgen.Kind(k).String(), p.Kinds[k].Nanoseconds(), d.Kinds[k].Nanoseconds()})
	}
	for i := range p.Busy {
		r.Resources = append(r.Resources, ResourceRow{flexgen.Resource(i).String(), busy(p, i), busy(d, i)})
	}
	for _, room := range need.Rooms() {
		row := MemoryRow{Memory: room.Name, CapacityBytes: room.Capacity, UsedBytes: room.Used()}
		for _, part := range room.Parts {
			row.Parts = append(row.Parts, PartRow{part.Name, part.Bytes})
		}
		r.Memories = append(r.Memories, row)
	}
}

// busy is a resource's share of a phase.
func busy(p *flexgen.Phase, resource int) float64 {
	if p.Time == 0 {
		return 0
	}
	return float64(p.Busy[resource]) / float64(p.Time)
}
