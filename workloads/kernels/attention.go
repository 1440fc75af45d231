package kernels

import (
	"hwsim/devices/gpu"
	"hwsim/models"
	"hwsim/sim"
)

// KV is a KV cache as a kernel finds it.
type KV interface {
	// Read appends the reads of tokens [from, to) of one KV head of a sequence:
	// block-table entries if it is paged, keys and values.
	Read(seq, head, from, to int, runs []gpu.Run) []gpu.Run
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
	partial  uint64 // [batch·kv heads, splits, pad, dim] fp32, then two floats a row
	rowBytes uint64 // fp32 bytes of one partial row
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
	k.Stages = p.Stages
	math := tensorTime(c, 2*float64(t.pad)*float64(t.tile)*float64(a.QKDim+a.VDim))
	k.TileChain = max(sim.FromNanoseconds(p.ChainNs), math)
	k.TileSM = max(sim.FromNanoseconds(p.SMNs), math)
	for _, ns := range p.CrowdedNs {
		k.Crowded = append(k.Crowded, max(sim.FromNanoseconds(ns), math))
	}
	k.FixedSM = p.FixedSM
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

// Epilogue implements gpu.Program: the partial result in fp32 with its
// running maximum and sum.
func (t *Attention) Epilogue(cta int, runs []gpu.Run) []gpu.Run {
	bh, split := cta%(t.batch*t.kvHeads), cta/(t.batch*t.kvHeads)
	n := t.partBytes()
	return append(runs, gpu.Run{Addr: t.partial + uint64(bh*t.splits+split)*n, Rows: 1, Bytes: uint32(n)})
}

// Reduce builds the kernel that joins the partial results: a CTA for each
// query head, which loops over the splits.
func (t *Attention) Reduce(p *RowProfile, out Matrix, elem uint64) *gpu.Kernel {
	n := t.partBytes()
	r := &Rows{Grid: [2]int{t.batch * t.kvHeads, t.group}, Loop: t.splits,
		LoopRead: Piece{Addr: t.partial, Outer: uint64(t.splits) * n, Inner: t.rowBytes + 8, Step: n, Bytes: t.rowBytes + 8}}
	width := t.rowBytes / 4 * elem
	r.Writes = append(r.Writes, Piece{Addr: out.Addr, Outer: width * uint64(t.group), Inner: width, Bytes: width})
	k := p.Kernel("attention_reduce", r.Grid[0]*r.Grid[1], r)
	k.Stages = max(1, p.Stages)
	k.TileChain, k.TileSM = sim.FromNanoseconds(p.ChainNs), sim.FromNanoseconds(p.SMNs)
	return k
}

// PartialBytes returns the bytes of the parts that the splits leave, of all
// CTAs.
func (t *Attention) PartialBytes() uint64 {
	return uint64(t.batch*t.kvHeads*t.splits) * t.partBytes()
}

// partBytes returns those of one CTA: rows of fp32, each with its running
// maximum and sum.
func (t *Attention) partBytes() uint64 { return uint64(t.pad) * (t.rowBytes + 8) }
