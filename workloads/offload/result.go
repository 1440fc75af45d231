package offload

import (
	"hwsim/devices/csd"
	"hwsim/sim"
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

	InStorage *InStorageRow `json:"in_storage,omitempty"` // of attention on drives
}

// InStorageRow is what attention on drives adds to a result. A layer's bytes are
// those of all drives; lifetimes and DRAM are those of the drive with most heads.
type InStorageRow struct {
	Device string  `json:"device"`
	Drives int     `json:"drives"`
	GPUs   int     `json:"gpus"`
	Sparse float64 `json:"sparse"` // share of channels and tokens that are chosen; 0: all

	AccessGBps         float64 `json:"access_gbps"`         // of all drives, while flash is read
	Amplification      float64 `json:"amplification"`       // bytes read for each that is wanted
	WriteAmplification float64 `json:"write_amplification"` // bytes of pages programmed for each of keys and values in them; 0: not flash

	PrefillWriteBytes float64 `json:"prefill_write_bytes"` // of a layer, without second copies
	DecodeReadBytes   float64 `json:"decode_read_bytes"`   // of a layer
	DecodeWriteBytes  float64 `json:"decode_write_bytes"`  // of a layer, with second copies

	GatheredBytes     float64 `json:"gathered_bytes"` // in a drive's DRAM, mean of the steps
	GatheredMostBytes float64 `json:"gathered_most_bytes"`
	DRAMBytes         float64 `json:"dram_bytes"` // that the real drive has; 0: not flash

	EnduranceTokens       float64 `json:"endurance_tokens"`        // until blocks are worn, each byte written once; 0: not flash
	EnduranceCopiedTokens float64 `json:"endurance_copied_tokens"` // and second copies
	EnduranceErasedTokens float64 `json:"endurance_erased_tokens"` // and what stays empty in a sequence's blocks; 0: no page is filled
	EnduranceYears        float64 `json:"endurance_years"`         // likewise, one such run after the other

	StepsError   float64 `json:"steps_error"`   // of decode, from the contexts that stand for all
	SampledError float64 `json:"sampled_error"` // half of the 95 % interval of the simulated heads
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
	r.memories(need)
}

// memories takes what lies where.
func (r *Result) memories(need *flexgen.Need) {
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

// year is in seconds.
const year = 365.25 * 86400

// fillInStorage takes the figures of a run with attention on drives. Parts of
// decode follow each other; of the prefill they overlap.
func (r *Result) fillInStorage(f *flexgen.InStorageResult, o *Offload, c *csd.Config, layers float64) {
	p, d, kept := &f.Prefill, &f.Decode, &f.Stored
	r.TokensPerSecond = f.TokensPerSecond
	r.PrefillNs, r.DecodeNs = p.Time.Nanoseconds(), d.Time.Nanoseconds()
	r.TimeNs = r.PrefillNs + r.DecodeNs
	r.Kinds = []KindRow{
		{"cache access", 0, d.Access.Nanoseconds()},
		{"engine, exposed", 0, d.Exposed.Nanoseconds()},
		{"attend commands", 0, d.Command.Nanoseconds()},
		{"transfers", layers * p.Push.Nanoseconds(), d.Transfer.Nanoseconds()},
		{"compute", layers * p.Compute.Nanoseconds(), d.GPU.Nanoseconds()},
	}
	r.CacheBytes = layers * d.Layer.Bytes()
	r.CacheGBps = gbps(r.CacheBytes, d.Access+d.Exposed)
	r.CacheShare = float64(d.Access) / float64(d.Time)
	r.memories(&f.Need)
	r.InStorage = &InStorageRow{
		Device: o.CSD, Drives: o.Drives, GPUs: max(1, o.GPUs), Sparse: o.Sparse,
		AccessGBps: gbps(r.CacheBytes, d.Access), Amplification: d.Layer.Amplification(),
		PrefillWriteBytes: p.Bytes, DecodeReadBytes: d.Layer.Bytes(), DecodeWriteBytes: f.Written + f.Copied,
		GatheredBytes: kept.Gathered, GatheredMostBytes: kept.GatheredMost, DRAMBytes: c.DRAMGiB * (1 << 30),
		EnduranceTokens: kept.Lifetime.Once, EnduranceCopiedTokens: kept.Lifetime.Copied, EnduranceErasedTokens: kept.Lifetime.Erased,
		EnduranceYears: kept.Lifetime.Runs * f.Seconds() / year,
		StepsError:     d.Error, SampledError: d.Layer.Bound,
	}
	if kept.Programmed > 0 {
		r.InStorage.WriteAmplification = kept.Programmed / (kept.Programmed - kept.Copied)
	}
}

// gbps is a rate, 0 of nothing.
func gbps(bytes float64, t sim.Time) float64 {
	if t == 0 {
		return 0
	}
	return bytes / t.Nanoseconds()
}
