package operators

import (
	"context"

	"hwsim/devices/gpu"
	"hwsim/hierarchy"
	"hwsim/sim"
	"hwsim/workloads/kernels"
)

// LibraryAttentionOptions describe a serving library's decode attention.
type LibraryAttentionOptions struct {
	kernels.Batch
	Again     bool // it was measured again and again over the same cache: what of it the L2 can hold is there
	Scattered bool // pages lie in random order
}

// LibraryAttention returns the time of a serving library's decode attention:
// new tokens are stored, then all are attended to.
func LibraryAttention(ctx context.Context, c *hierarchy.Config, p *kernels.LibraryProfile, o LibraryAttentionOptions) (Time, error) {
	b, err := newBench(c)
	if err != nil {
		return Time{}, err
	}
	l := b.libraryCall(&c.GPU, p, &o)
	warm := 0
	if b.exact = o.Again && o.Bytes() <= uint64(c.L2.Bytes); b.exact { // else nothing of the last call is left
		warm = 2
	}
	for range warm + 1 {
		b.call(l...)
	}
	t, err := b.run(ctx, warm, 0)
	t.Ns += p.Fixed(&c.GPU, &o.Batch).Nanoseconds()
	return t, err
}

// libraryCall returns the kernels of one call.
func (b *bench) libraryCall(c *gpu.Config, p *kernels.LibraryProfile, o *LibraryAttentionOptions) (call []kernel) {
	row := uint64(o.QHeads*o.Dim) * 2
	rows := func() kernels.Matrix {
		return kernels.At(b.place("activations", hierarchy.HBM, uint64(len(o.Lengths))*row), row)
	}
	given, q, out, result := rows(), rows(), rows(), rows()
	cache := b.pagedCache(p.PageTokens, o)
	fresh := b.place("activations", hierarchy.HBM, uint64(2*len(o.Lengths)*o.KVHeads*o.Dim)*2)
	joined := b.place("activations", hierarchy.HBM, uint64(o.Rows()*(o.Dim+1)*p.MaxParts)*4)
	before, after := p.Copies(&o.Batch, given, q, out, result)
	attend, flash := p.Build(c, &o.Batch, cache, q, out, joined)
	if p.Append.Threads > 0 {
		call = append(call, kernel{Kernel: p.Store(&o.Batch, fresh, cache.last), class: "append"})
	}
	if before != nil {
		call = append(call, kernel{Kernel: before, class: "regroup"})
	}
	call = append(call, kernel{Kernel: attend, class: "attention", period: 2 * attend.TileChain, bytes: [hierarchy.NumTiers]uint64{o.Bytes()}})
	if p.Joins(c, flash) {
		call = append(call, kernel{Kernel: p.Join(flash), class: "attention_reduce"})
	}
	if after != nil {
		call = append(call, kernel{Kernel: after, class: "regroup"})
	}
	return call
}

// pagedCache is a KV cache in pages of tokens, each of which has all heads'
// rows: first every page of keys, then those of values.
type pagedCache struct {
	base   [2]uint64 // keys, values
	tokens int       // of a page
	row    uint64    // bytes of a head's key or value
	heads  int
	first  []int // page of each sequence
	order  []int // where pages lie, as a block table tells; nil: in order
	length []int
}

func (b *bench) pagedCache(tokens int, o *LibraryAttentionOptions) *pagedCache {
	p := &pagedCache{tokens: tokens, row: uint64(o.Dim) * 2, heads: o.KVHeads, length: o.Lengths}
	pages := 0
	for _, n := range o.Lengths {
		p.first = append(p.first, pages)
		pages += (n + tokens - 1) / tokens
	}
	if o.Scattered {
		rng := sim.NewRand(1)
		p.order = rng.Perm(pages)
	}
	for kind := range p.base {
		p.base[kind] = b.place("kv", hierarchy.HBM, uint64(pages*tokens*o.KVHeads)*p.row)
	}
	return p
}

// at returns the address of a token's row of a head.
func (p *pagedCache) at(kind, seq, head, token int) uint64 {
	page := p.first[seq] + token/p.tokens
	if p.order != nil {
		page = p.order[page]
	}
	return p.base[kind] + (uint64(page*p.tokens+token%p.tokens)*uint64(p.heads)+uint64(head))*p.row
}

// Read implements kernels.Cache.
func (p *pagedCache) Read(kind, seq, head, from, to int, runs []gpu.Run) []gpu.Run {
	for from < to {
		n := min(to-from, p.tokens-from%p.tokens)
		r := gpu.Run{Addr: p.at(kind, seq, head, from), Pitch: uint64(p.heads) * p.row, Rows: uint32(n), Bytes: uint32(p.row)}
		if p.heads == 1 {
			r.Rows, r.Bytes = 1, uint32(n)*r.Bytes
		}
		runs = append(runs, r)
		from += n
	}
	return runs
}

// last returns where the rows of a sequence's newest token go.
func (p *pagedCache) last(kind, seq int) uint64 { return p.at(kind, seq, 0, p.length[seq]-1) }
