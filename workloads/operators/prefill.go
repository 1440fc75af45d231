package operators

import (
	"context"

	"hwsim/hierarchy"
	"hwsim/workloads/kernels"
)

// PrefillOptions describe a causal attention of prompts in bf16, every query
// head with a KV head of its own.
type PrefillOptions struct{ Heads, Batch, Tokens, Dim int }

// Prefill returns the time of one of a graph's two calls on the same tensors.
func Prefill(ctx context.Context, c *hierarchy.Config, p *kernels.PrefillProfile, o PrefillOptions) (Time, error) {
	const graphCalls = 2
	b, err := newBench(c)
	if err != nil {
		return Time{}, err
	}
	bytes := 2 * uint64(o.Heads*o.Batch*o.Tokens*o.Dim)
	var at [4]uint64
	for i := range at {
		at[i] = b.place("activations", hierarchy.HBM, bytes)
	}
	k, f := p.Build(&c.GPU, o.Heads*o.Batch, o.Tokens, o.Dim, at[0], at[1], at[2], at[3])
	call := kernel{Kernel: k, class: "attention", period: 2 * k.TileChain, flops: f.FLOPs(), bytes: [hierarchy.NumTiers]uint64{4 * bytes}}
	warm := 1
	if bytes > uint64(c.L2.Bytes) {
		warm = 0
	}
	for range warm + 1 {
		b.call(call)
	}
	t, err := b.run(ctx, warm, graphCalls)
	t.Ns += p.StartNs
	return t, err
}
