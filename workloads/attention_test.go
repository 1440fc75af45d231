package workloads

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices/gpu"
	"hwsim/sim"
	"hwsim/workloads/internal/touch"
	"hwsim/workloads/kernels"
)

// The kernel reads exactly its cache, its queries once a split, and block
// tables; the reduction reads what the splits have left.
func TestAttentionReadsItsCacheAndTheReductionItsParts(t *testing.T) {
	for _, sets := range [][]string{nil, paged, with(paged, "kv.layout=hnd"), {"workload.contexts=[100,1000,3]"}} {
		t.Run(fmt.Sprint(sets), func(t *testing.T) {
			d := place(t, sets...)
			c, m, kv := d.config, d.model, &d.layout.kv.layers[1]
			k, a := c.Kernels.Attention.Build(&c.System.GPU, m.Attention(), kv, d.lengths, kernels.At(d.layout.act.q, uint64(m.QHeads*m.HeadDim)*2), d.layout.act.partial)
			group := m.QHeads / m.KVHeads
			var cache, tables, queries, parts uint64
			touch.Walk(k, func(r gpu.Run, write bool) {
				switch {
				case write:
					parts += r.Total()
				case r.Addr >= d.layout.act.q && r.Addr < d.layout.act.q+2<<20:
					queries += r.Total()
				case d.layout.kv.paged && r.Addr >= d.layout.kv.tables && r.Addr < d.layout.kv.tables+2<<20:
					tables += r.Total()
				default:
					cache += r.Total()
				}
			})
			tokens := 0
			for _, n := range d.lengths {
				tokens += n
			}
			require.EqualValues(t, int64(tokens)*m.KVBytesPerToken(2), cache)
			require.Equal(t, cache, kv.read(d.lengths)[0])
			require.EqualValues(t, k.CTAs*group*m.HeadDim*2, queries)
			require.Equal(t, d.layout.kv.paged, tables > 0)
			require.EqualValues(t, a.PartialBytes(), parts)
			joined := uint64(0)
			touch.Walk(a.Reduce(&c.Kernels.AttnReduce, kernels.At(1<<32, 0)), func(r gpu.Run, write bool) {
				if !write {
					joined += r.Total()
				}
			})
			require.EqualValues(t, k.CTAs*group*(m.HeadDim*4+8), joined)
		})
	}
}

// Narrow elements cost attention their conversion.
func TestNarrowKVHasAKernelOfItsOwn(t *testing.T) {
	chain := func(dtype string) sim.Time {
		r := begin(t, "exact", "kv.dtype="+dtype, "kv.page_tokens=0", "workload.context=4096")
		for _, o := range r.graph.Graph.Ops {
			if o.Class == "attention" {
				return o.Kernel.TileChain
			}
		}
		t.Fatal("no attention")
		return 0
	}
	p := place(t).config.Kernels.Attention
	require.Equal(t, sim.FromNanoseconds(p.ChainNs), chain("bf16"))
	for _, dtype := range []string{"int8", "fp8", "int4"} {
		require.Equal(t, sim.FromNanoseconds(p.Int8.ChainNs), chain(dtype), dtype)
	}
}
