package kernels

import (
	"slices"

	"hwsim/devices/gpu"
	"hwsim/models"
	"hwsim/sim"
)

// KV is a KV cache as a kernel finds it.
type KV interface {
	// Read appends the reads of tokens [from, to) of one KV head of a sequence:
	// block-table entries if it is paged, keys and values.
	Read(seq, head, from, to int, runs []gpu.Run) []gpu.Run
	// Where names the memory, or the mixture of memories, that a sequence's tokens
	// lie in, from one on, and returns the first token that does not.
	Where(seq, token int) (memory, until int)
}

// Attention is split-KV decode Attention: a CTA for each (sequence, KV head,
// part of the context), which streams its keys and values tile by tile.
type Attention struct {
	kv       KV
	kvHeads  int
	group    int // query heads of a KV head
	pad      int // rows the group is padded to
	batch    int
	lengths  []int
	tile     int // tokens
	splits   int
	chunk    int // tokens of a split
	qBytes   uint64
	q        Matrix // [batch, heads·dim]
	partial  uint64 // [batch·kv heads, splits, pad, dim] fp32, then all rows' running maximum and sum
	rowBytes uint64 // fp32 bytes of one partial row
}

// AttentionLoop is the kernel as compiled for one kind of KV cache.
type AttentionLoop struct {
	Launch
	Stages    int       `toml:"stages"`     // tiles in flight
	ChainNs   float64   `toml:"chain_ns"`   // least time from tile to tile in a CTA
	SMNs      float64   `toml:"sm_ns"`      // of which the tile has the SM to itself
	CrowdedNs []float64 `toml:"crowded_ns"` // chain_ns by the CTAs on the SM, from one up; empty: chain_ns
	Aged      []float64 `toml:"aged"`       // share of that time by age of the CTA among as many on the SM, oldest first; empty: all alike
	FixedSM   bool      `toml:"fixed_sm"`   // prologue and epilogue take the SM
	InStep    int       `toml:"in_step"`    // tiles up to which CTAs of an SM stay in step and share it evenly; longer ones take turns
}

// validate reports values that no loop has.
func (l *AttentionLoop) validate(table string, report func(key, message string)) {
	switch n := len(l.Aged); {
	case n > 0 && slices.Min(l.Aged) <= 0:
		report(table+".aged", "must be positive")
	case n > 0 && n != len(l.CrowdedNs):
		report(table+".aged", "must have as many values as crowded_ns")
	}
}

// For returns the profile of the kernel compiled for a cache in pages, or of
// narrow elements, which it turns into bf16; a library with one kernel for all
// leaves the others out.
func (p *AttentionProfile) For(paged, narrow bool) *AttentionProfile {
	q := *p
	switch {
	case narrow && p.Int8.Threads > 0:
		q.AttentionLoop = p.Int8
	case paged && p.Paged.Threads > 0:
		q.AttentionLoop = p.Paged
	}
	return &q
}

// Split returns how many parts the context is cut into and how many tokens
// each has: enough CTAs for CTAsPerSM a SM, whole tiles, at most MaxSplits.
func (p *AttentionProfile) Split(c *gpu.Config, sequences, kvHeads, tokens int) (splits, chunk int) {
	tiles := (tokens + p.TileTokens - 1) / p.TileTokens
	want := 1
	if n := sequences * kvHeads; p.CTAsPerSM > 0 {
		want = max(1, (c.SMs*p.CTAsPerSM+n-1)/n)
	}
	splits = max(1, min(tiles, want, p.MaxSplits))
	chunk = (tiles + splits - 1) / splits * p.TileTokens
	return (tokens + chunk - 1) / chunk, chunk
}

func (p *AttentionProfile) Build(c *gpu.Config, a models.Attention, kv KV, lengths []int, q Matrix, partial uint64) (*gpu.Kernel, *Attention) {
	longest := 0
	for _, n := range lengths {
		longest = max(longest, n)
	}
	t := &Attention{kv: kv, kvHeads: a.KVHeads, group: a.QHeads / a.KVHeads, batch: len(lengths), lengths: lengths, tile: p.TileTokens, q: q,
		partial: partial, rowBytes: uint64(a.VDim) * 4, qBytes: uint64(a.QKDim) * 2}
	t.pad = (t.group + p.GroupPad - 1) / p.GroupPad * p.GroupPad
	t.splits, t.chunk = p.Split(c, len(lengths), a.KVHeads, longest)
	k := p.Kernel("attention", t.batch*t.kvHeads*t.splits, t)
	k.Stages, k.Where = p.Stages, t.where
	math := tensorTime(c, 2*float64(t.pad)*float64(t.tile)*float64(a.QKDim+a.VDim))
	k.TileChain = max(sim.FromNanoseconds(p.ChainNs), math)
	k.TileSM = max(sim.FromNanoseconds(p.SMNs), math)
	for _, ns := range p.CrowdedNs {
		k.Crowded = append(k.Crowded, max(sim.FromNanoseconds(ns), math))
	}
	k.Aged = p.Aged
	k.FixedSM, k.Even = p.FixedSM, t.chunk <= p.InStep*t.tile
	return k, t
}

// tensorTime is how long one SM's tensor cores take for so many FLOP.
func tensorTime(c *gpu.Config, flops float64) sim.Time {
	return sim.FromNanoseconds(flops / (c.TensorTFLOPS * 1e3 / float64(c.SMs)))
}

// place returns the CTA's sequence, head and token range.
func (t *Attention) place(cta int) (seq, head, from, to int) {
	bh := cta % (t.batch * t.kvHeads)
	seq, head = bh/t.kvHeads, bh%t.kvHeads
	from = min(cta/(t.batch*t.kvHeads)*t.chunk, t.lengths[seq])
	return seq, head, from, min(from+t.chunk, t.lengths[seq])
}

// Tiles implements gpu.Program.
func (t *Attention) Tiles(cta int) int {
	_, _, from, to := t.place(cta)
	return (to - from + t.tile - 1) / t.tile
}

// Prologue implements gpu.Program: the group's queries.
func (t *Attention) Prologue(cta int, runs []gpu.Run) []gpu.Run {
	seq, head, _, _ := t.place(cta)
	n := uint64(t.group) * t.qBytes
	return append(runs, gpu.Run{Addr: t.q.Addr + uint64(seq)*t.q.Pitch + uint64(head)*n, Rows: 1, Bytes: uint32(n)})
}

// Tile implements gpu.Program.
func (t *Attention) Tile(cta, tile int, runs []gpu.Run) []gpu.Run {
	seq, head, from, to := t.place(cta)
	from += tile * t.tile
	return t.kv.Read(seq, head, from, min(from+t.tile, to), runs)
}

// where is the kernel's Where. A tile in two memories goes by its first token, and
// is alone.
func (t *Attention) where(cta, tile int) (memory, until int) {
	seq, _, from, _ := t.place(cta)
	memory, until = t.kv.Where(seq, from+tile*t.tile)
	return memory, max(tile+1, (until-from)/t.tile)
}

// Epilogue implements gpu.Program: the partial result in fp32, and its running
// maxima and sums.
func (t *Attention) Epilogue(cta int, runs []gpu.Run) []gpu.Run {
	part := uint64(cta%(t.batch*t.kvHeads)*t.splits + cta/(t.batch*t.kvHeads))
	return append(runs, t.row(part, 0, t.pad), t.stat(part, 0, t.pad))
}

// row returns n partial rows of a part from the given one on.
func (t *Attention) row(part uint64, from, n int) gpu.Run {
	return gpu.Run{Addr: t.partial + (part*uint64(t.pad)+uint64(from))*t.rowBytes, Rows: 1, Bytes: uint32(uint64(n) * t.rowBytes)}
}

// stat returns their maxima and sums.
func (t *Attention) stat(part uint64, from, n int) gpu.Run {
	all := uint64(t.batch*t.kvHeads*t.splits*t.pad) * t.rowBytes
	return gpu.Run{Addr: t.partial + all + (part*uint64(t.pad)+uint64(from))*statBytes, Rows: 1, Bytes: uint32(n * statBytes)}
}

// statBytes is what a row's running maximum and sum have.
const statBytes = 8

// join is the kernel that joins the parts: a CTA for each query head, which
// goes through the splits, a few at a time.
type join struct {
	*Attention
	out    Matrix
	unroll int // splits whose loads leave together
}

// Tiles implements gpu.Program.
func (j join) Tiles(int) int { return (j.splits + j.unroll - 1) / j.unroll }

// Prologue implements gpu.Program.
func (j join) Prologue(_ int, runs []gpu.Run) []gpu.Run { return runs }

// Tile implements gpu.Program.
func (j join) Tile(cta, tile int, runs []gpu.Run) []gpu.Run {
	for split := tile * j.unroll; split < min((tile+1)*j.unroll, j.splits); split++ {
		part := uint64(cta/j.group*j.splits + split)
		runs = append(runs, j.row(part, cta%j.group, 1), j.stat(part, cta%j.group, 1))
	}
	return runs
}

// Epilogue implements gpu.Program.
func (j join) Epilogue(cta int, runs []gpu.Run) []gpu.Run {
	seq, head := cta/j.group/j.kvHeads, cta/j.group%j.kvHeads*j.group+cta%j.group
	width := j.out.Pitch / uint64(j.kvHeads*j.group)
	return append(runs, gpu.Run{Addr: j.out.Addr + uint64(seq)*j.out.Pitch + uint64(head)*width, Rows: 1, Bytes: uint32(width)})
}

// Reduce builds the kernel that joins the partial results into rows of out.
func (t *Attention) Reduce(p *RowProfile, out Matrix) *gpu.Kernel {
	unroll := max(1, min(p.Unroll, t.splits))
	k := p.Kernel("attention_reduce", t.batch*t.kvHeads*t.group, join{t, out, unroll})
	k.Stages = max(1, p.Stages)
	k.TileChain, k.TileSM = sim.FromNanoseconds(p.ChainNs*float64(unroll)), sim.FromNanoseconds(p.SMNs*float64(unroll))
	return k
}

// PartsAt says where the splits leave their parts.
func (t *Attention) PartsAt(addr uint64) { t.partial = addr }

// PartialBytes returns the bytes of the parts that the splits leave, of all
// CTAs.
func (t *Attention) PartialBytes() uint64 {
	return uint64(t.batch*t.kvHeads*t.splits*t.pad) * (t.rowBytes + statBytes)
}
