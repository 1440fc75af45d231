package operators

import (
	"context"

	"hwsim/devices/gpu"
	"hwsim/hierarchy"
	"hwsim/workloads/kernels"
)

// LinearOptions describe y[M, N] = x[M, K] Wᵀ in bf16.
type LinearOptions struct{ M, N, K int }

// rotation is how many bytes of weights the measurement goes through before it
// comes back to the first.
const rotation = 400e6

// Linear returns the time of a matrix product over weights in turn.
func Linear(ctx context.Context, c *hierarchy.Config, p *kernels.Profiles, o LinearOptions) (Time, error) {
	const elem, warm = 2, 1
	b, err := newBench(c)
	if err != nil {
		return Time{}, err
	}
	weights := uint64(o.N) * uint64(o.K) * elem
	copies := max(2, int(rotation/weights)+1)
	x := kernels.At(b.place("activations", hierarchy.HBM, uint64(o.M*o.K)*elem), uint64(o.K)*elem)
	y := kernels.At(b.place("activations", hierarchy.HBM, uint64(o.M*o.N)*elem), uint64(o.N)*elem)
	splits := p.GEMM.Shape(&c.GPU, o.N, o.K, o.M, 1).Splits
	parts := b.place("activations", hierarchy.HBM, uint64(o.M)*uint64(o.N)*uint64(splits)*4)
	var w []kernels.Matrix
	for range min(copies, warm+mostCalls) {
		w = append(w, kernels.At(b.place("weights", hierarchy.HBM, weights), uint64(o.K)*elem))
	}
	for n := range warm + mostCalls {
		b.call(b.product(&c.GPU, p, w[n%len(w)], x, y, parts, o)...)
	}
	return b.run(ctx, warm, copies*max(1, 8/copies))
}

// product returns the kernels of one call: that which sets the library's
// counter of tiles to zero, where it has one, the product, and that which adds
// up its parts.
func (b *bench) product(g *gpu.Config, p *kernels.Profiles, w, x, y kernels.Matrix, parts uint64, o LinearOptions) []kernel {
	k, product := p.GEMM.Build("linear", g, w, x, y, 2, o.N, o.K, []kernels.Group{{M: o.M}}, parts)
	var call []kernel
	if product.Counted() {
		call = append(call, kernel{Kernel: p.Copy.Kernel("memset", 1, &kernels.Rows{Grid: [2]int{1, 1}, Writes: []kernels.Piece{{Addr: parts, Bytes: 8}}}), class: "memset"})
	}
	call = append(call, kernel{Kernel: k, class: "linear", flops: product.FLOPs(), bytes: [hierarchy.NumTiers]uint64{product.WeightBytes() + 2*uint64(o.M)*uint64(o.N+o.K)}})
	if product.Splits > 1 {
		var in []kernels.Matrix
		for s := range uint64(product.Splits) {
			in = append(in, kernels.At(parts+s*uint64(o.M*o.N)*4, uint64(o.N)*4))
		}
		call = append(call, kernel{Kernel: p.SplitReduce.Sum(o.M, o.N, in, kernels.Matrix{}, y), class: "splitk_reduce"})
	}
	return call
}
