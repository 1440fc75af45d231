package operators

import (
	"context"

	"hwsim/devices/gpu"
	"hwsim/hierarchy"
	"hwsim/models"
	"hwsim/workloads/kernels"
)

// LatentAttentionOptions describe a serving library's decode attention over a
// compressed KV cache (MLA).
type LatentAttentionOptions struct {
	models.MLA
	QHeads  int
	Lengths []int // tokens of each sequence
	Calls   int   // that the measurement had the host submit at a time; 0: the host's time is not in it
}

// shape returns the shape of the attention in absorbed form.
func (o *LatentAttentionOptions) shape() models.Attention {
	m := models.Model{QHeads: o.QHeads, MLA: &o.MLA}
	return m.Attention()
}

// Bytes returns what the cache has.
func (o *LatentAttentionOptions) Bytes() (n uint64) {
	for _, tokens := range o.Lengths {
		n += uint64(tokens * (o.KVLoraRank + o.QKRopeDim) * 2)
	}
	return n
}

// activations returns the bytes of the queries, of the output and of a part
// of it in fp32.
func (o *LatentAttentionOptions) activations() uint64 {
	a := o.shape()
	return uint64(len(o.Lengths)*o.QHeads) * uint64(2*(a.QKDim+a.VDim)+4*a.VDim)
}

// LatentAttention returns the time of a serving library's decode attention
// over a compressed cache: new tokens are stored, queries brought into the
// cache's space, all tokens attended to and the results brought back.
func LatentAttention(ctx context.Context, c *hierarchy.Config, p *kernels.Profiles, o LatentAttentionOptions) (Time, error) {
	b, err := newBench(c)
	if err != nil {
		return Time{}, err
	}
	call := b.latentCall(&c.GPU, p, &o)
	warm := 0
	if b.exact = o.Bytes()+o.activations() <= uint64(c.L2.Bytes); b.exact { // else nothing of the last call is left
		warm = 2
	}
	for range warm + 1 {
		b.call(call...)
	}
	t, err := b.run(ctx, warm, 0)
	if o.Calls > 0 {
		t.Ns = p.Latent.Submitted(o.Calls, t.Ns)
	}
	return t, err
}

// latentCall returns the kernels of one call.
func (b *bench) latentCall(c *gpu.Config, p *kernels.Profiles, o *LatentAttentionOptions) []kernel {
	const elem = 2
	l, a, n := p.Latent, o.shape(), len(o.Lengths)
	place := func(width int) kernels.Matrix { // a row for each sequence
		return kernels.At(b.place("activations", hierarchy.HBM, uint64(n*width)*elem), uint64(width)*elem)
	}
	given, absorbed, q := place(o.QHeads*(o.QKNopeDim+o.QKRopeDim)), place(o.QHeads*a.QKDim), place(o.QHeads*a.QKDim)
	out, result, fresh, sums := place(o.QHeads*a.VDim), place(o.QHeads*o.VDim), place(a.QKDim), place(o.QHeads)
	cache := latentCache{b.pagedCache(l.PageTokens, &LibraryAttentionOptions{Scattered: true, Batch: kernels.Batch{QHeads: o.QHeads, KVHeads: 1, Dim: a.QKDim, Lengths: o.Lengths}})}
	attend, latent := l.Build(c, a, o.Lengths, cache, q, out, b.place("activations", hierarchy.HBM, l.JoinedBytes(c, a, n)))

	call := []kernel{{Kernel: l.Store(cache.row, n, fresh.Addr, cache.newest), class: "append"}}
	call = append(call, b.perHead(c, p, o, given, absorbed, o.QKNopeDim, o.QKNopeDim+o.QKRopeDim, o.KVLoraRank, a.QKDim)...)
	call = append(call, kernel{Kernel: l.Concat.Elementwise("", n, o.QHeads*a.QKDim, elem, []kernels.Matrix{absorbed}, q), class: "copy"})
	if l.Fill.Threads > 0 {
		call = append(call, kernel{Kernel: l.Fill.Elementwise("", n, o.QHeads*a.VDim, elem, nil, out), class: "copy"},
			kernel{Kernel: l.Fill.Elementwise("", n, o.QHeads, elem, nil, sums), class: "copy"})
	}
	call = append(call, kernel{Kernel: attend, class: "attention", period: attend.TileChain, bytes: [hierarchy.NumTiers]uint64{o.Bytes()}},
		kernel{Kernel: l.Join(latent), class: "attention_reduce"})
	return append(call, b.perHead(c, p, o, out, result, o.KVLoraRank, a.VDim, o.VDim, o.VDim)...)
}

// perHead returns the kernels of a product of each head's rows, k wide, by
// weights of the head's own; from and to are the elements from head to head of
// x and y.
func (b *bench) perHead(c *gpu.Config, p *kernels.Profiles, o *LatentAttentionOptions, x, y kernels.Matrix, k, from, rows, to int) []kernel {
	const elem = 2
	n, weights := len(o.Lengths), uint64(rows*k)*elem
	w := kernels.At(b.place("weights", hierarchy.HBM, uint64(o.QHeads)*weights), uint64(k)*elem)
	splits := uint64(p.GEMM.Shape(c, rows, k, n, o.QHeads).Splits)
	all := uint64(n * o.QHeads * rows)
	parts := b.place("activations", hierarchy.HBM, all*splits*4)
	product, g := p.GEMM.Build("linear", c, w, x, y, elem, rows, k, kernels.Heads(o.QHeads, n, weights, uint64(from)*elem, uint64(to)*elem), parts)
	call := []kernel{{Kernel: product, class: "linear", flops: g.FLOPs(), bytes: [hierarchy.NumTiers]uint64{g.WeightBytes()}}}
	if splits > 1 {
		var in []kernels.Matrix
		for s := range splits {
			in = append(in, kernels.At(parts+s*all*4, uint64(o.QHeads*rows)*4))
		}
		call = append(call, kernel{Kernel: p.SplitReduce.Sum(n, o.QHeads*rows, in, kernels.Matrix{}, y), class: "splitk_reduce"})
	}
	return call
}

// latentCache is a compressed cache in pages: that of one head's keys.
type latentCache struct{ *pagedCache }

// Rows implements kernels.LatentCache.
func (c latentCache) Rows(seq, from, to int, runs []gpu.Run) []gpu.Run {
	return c.Read(0, seq, 0, from, to, runs)
}

// newest returns where the row of a sequence's newest token goes.
func (c latentCache) newest(seq int) uint64 { return c.last(0, seq) }
