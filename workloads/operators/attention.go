package operators

import (
	"context"
	"math"

	"hwsim/devices/gpu"
	"hwsim/hierarchy"
	"hwsim/models"
	"hwsim/sim"
	"hwsim/workloads/kernels"
)

// AttentionOptions describe decode attention over a KV cache of equal
// sequences.
type AttentionOptions struct {
	QHeads, KVHeads, Dim int
	Batch, Context       int
	Page                 int  // tokens; 0: contiguous
	HND                  bool // a page has its heads one after the other, else its tokens
	Int8                 bool // bytes, with a float for each token and head, else bf16
	Tier                 hierarchy.TierID
}

// Attention returns the time of a call over caches in turn: as many as exceed
// any L2, or in a far tier, of which no cache keeps anything, one.
func Attention(ctx context.Context, c *hierarchy.Config, p *kernels.Profiles, o AttentionOptions) (Time, error) {
	const warm = 1
	b, err := newBench(c)
	if err != nil {
		return Time{}, err
	}
	copies, calls := o.calls()
	var call [][]kernel
	for range min(copies, warm+mostCalls) {
		call = append(call, b.attention(&c.GPU, p, &o))
	}
	for n := range warm + mostCalls {
		b.call(call[n%len(call)]...)
	}
	return b.run(ctx, warm, calls)
}

// calls returns how many caches the measurement takes in turn, and how many
// calls its graph has.
func (o *AttentionOptions) calls() (copies, calls int) {
	const beyondL2, most, least, far = 300e6, 64, 16, 2
	if o.Tier != hierarchy.HBM {
		return 1, far
	}
	copies = max(1, min(most, int(beyondL2/float64(o.Bytes()))+1))
	return copies, copies * max(1, least/copies)
}

// Bytes returns what keys, values and scales have.
func (o *AttentionOptions) Bytes() uint64 {
	row := 2 * o.Dim
	if o.Int8 {
		row = o.Dim + scaleBytes
	}
	return 2 * uint64(o.Batch) * uint64(o.Context) * uint64(o.KVHeads) * uint64(row)
}

// attention places a cache with all that a call needs, and returns its kernels.
func (b *bench) attention(g *gpu.Config, p *kernels.Profiles, o *AttentionOptions) []kernel {
	const elem = 2
	kv := b.cache(o)
	heads := models.Attention{QHeads: o.QHeads, KVHeads: o.KVHeads, QKDim: o.Dim, VDim: o.Dim}
	row := uint64(o.QHeads*o.Dim) * elem
	lengths := make([]int, o.Batch)
	for i := range lengths {
		lengths[i] = o.Context
	}
	q := kernels.At(b.place("activations", hierarchy.HBM, uint64(o.Batch)*row), row)
	out := kernels.At(b.place("activations", hierarchy.HBM, uint64(o.Batch)*row), row)
	profile := p.Attention.For(o.Page > 0, o.Int8)
	k, a := profile.Build(g, heads, kv, lengths, q, 0)
	a.PartsAt(b.place("activations", hierarchy.HBM, a.PartialBytes()))
	attend := kernel{Kernel: k, class: "attention"}
	attend.bytes[o.Tier] = o.Bytes()
	return []kernel{attend, {Kernel: a.Reduce(&p.AttnReduce, out), class: "attention_reduce"}}
}

// cache is a KV cache of equal sequences: pages of keys and of values, found
// through a block table in random order, or one page a sequence.
type cache struct {
	base     [2]uint64 // keys, values
	scales   uint64    // of keys, which the measurement takes for values as well; 0: none
	table    uint64    // of 4 bytes a page; 0: none
	page     int       // tokens
	sequence int       // pages of one
	heads    int
	row      uint64 // bytes of a head's key or value
	hnd      bool
	order    []int // where pages lie; nil: in order
}

const (
	scaleBytes = 4
	entryBytes = 4 // of a block table
)

func (b *bench) cache(o *AttentionOptions) *cache {
	k := &cache{page: o.Page, heads: o.KVHeads, row: uint64(o.Dim) * 2, hnd: o.HND}
	if o.Page == 0 {
		k.page = o.Context
	}
	if o.Int8 {
		k.row = uint64(o.Dim)
	}
	k.sequence = (o.Context + k.page - 1) / k.page
	pages := o.Batch * k.sequence
	if o.Page > 0 {
		k.table = b.place("kv", hierarchy.HBM, uint64(pages)*entryBytes)
		rng := sim.NewRand(k.table)
		k.order = rng.Perm(pages)
	}
	rows := uint64(pages) * uint64(k.page*k.heads)
	for i := range k.base {
		k.base[i] = b.place("kv", o.Tier, rows*k.row)
	}
	if o.Int8 {
		k.scales = b.place("kv", o.Tier, rows*scaleBytes)
	}
	return k
}

// Read implements kernels.KV.
func (k *cache) Read(seq, head, from, to int, runs []gpu.Run) []gpu.Run {
	if k.table > 0 {
		first, last := from/k.page, (to-1)/k.page
		runs = append(runs, gpu.Run{Addr: k.table + uint64(seq*k.sequence+first)*entryBytes, Rows: 1, Bytes: uint32((last - first + 1) * entryBytes)})
	}
	for _, base := range k.base {
		runs = k.rows(base, k.row, seq, head, from, to, runs)
	}
	if k.scales > 0 {
		runs = k.rows(k.scales, scaleBytes, seq, head, from, to, runs)
	}
	return runs
}

// Where implements kernels.KV: all of it lies in one memory.
func (*cache) Where(int, int) (memory, until int) { return 0, math.MaxInt32 }

// rows appends the reads of a head's rows of so many bytes, one a token.
func (k *cache) rows(base, row uint64, seq, head, from, to int, runs []gpu.Run) []gpu.Run {
	for from < to {
		page, within := seq*k.sequence+from/k.page, from%k.page
		if k.order != nil {
			page = k.order[page]
		}
		n := min(to-from, k.page-within)
		start := base + uint64(page)*uint64(k.page*k.heads)*row
		r := gpu.Run{Addr: start + uint64(within*k.heads+head)*row, Pitch: uint64(k.heads) * row, Rows: uint32(n), Bytes: uint32(row)}
		if k.hnd {
			r = gpu.Run{Addr: start + uint64(head*k.page+within)*row, Rows: 1, Bytes: uint32(uint64(n) * row)}
		}
		runs = append(runs, r)
		from += n
	}
	return runs
}
