package workloads

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices/gpu"
)

func TestSplitsFollowTheProfilesRule(t *testing.T) {
	h200 := load(t, "system.gpu.sms=132")
	for _, test := range []struct {
		sequences, heads, tokens int
		splits, chunk            int
	}{
		{1, 8, 8192, 64, 128},   // 66 wanted, of 2 tiles each
		{8, 8, 8192, 9, 960},    // NS = 132·4/64 = 8.25
		{32, 8, 8192, 3, 2752},  // 2.06: 128 tiles in three parts of 43
		{128, 8, 8192, 1, 8192}, // more sequences than places
		{1, 1, 64, 1, 64},       // one tile cannot be split
		{1, 1, 65, 2, 64},       //
		{1, 1, 1 << 20, 128, 8192},
	} {
		splits, chunk := h200.Kernels.Attention.split(&h200.System.GPU, test.sequences, test.heads, test.tokens)
		require.Equal(t, []int{test.splits, test.chunk}, []int{splits, chunk}, "%+v", test)
	}
	h200.Kernels.Attention.CTAsPerSM = 0
	splits, _ := h200.Kernels.Attention.split(&h200.System.GPU, 1, 8, 1<<20)
	require.Equal(t, 1, splits, "a profile that never splits")
}

func TestSplitsCoverEachSequenceOnce(t *testing.T) {
	for _, contexts := range []string{"[1]", "[64,65]", "[1000,1]", "[17,300,4096,2]", "[5000,5000,4999]"} {
		t.Run(contexts, func(t *testing.T) {
			d := place(t, "workload.contexts="+contexts)
			c := d.config
			k, a := c.Kernels.Attention.build(&c.System.GPU, d.model.Attention(), &d.layout.kv.layers[0], d.lengths, matrix{}, 0)
			seen := map[[3]int]int{}
			for cta := range k.CTAs {
				seq, head, from, to := a.place(cta)
				require.Equal(t, (to-from+a.tile-1)/a.tile, a.Tiles(cta))
				for token := from; token < to; token++ {
					seen[[3]int{seq, head, token}]++
				}
			}
			all := 0
			for seq, n := range d.lengths {
				for head := range d.model.KVHeads {
					for token := range n {
						require.Equal(t, 1, seen[[3]int{seq, head, token}], "sequence %d head %d token %d", seq, head, token)
						all++
					}
				}
			}
			require.Len(t, seen, all)
		})
	}
}

// The kernel reads exactly its cache, its queries once a split, and block
// tables; the reduction reads what the splits have left.
func TestAttentionReadsItsCacheAndTheReductionItsParts(t *testing.T) {
	for _, sets := range [][]string{nil, paged, with(paged, "kv.layout=hnd"), {"workload.contexts=[100,1000,3]"}} {
		t.Run(fmt.Sprint(sets), func(t *testing.T) {
			d := place(t, sets...)
			c, m, kv := d.config, d.model, &d.layout.kv.layers[1]
			k, a := c.Kernels.Attention.build(&c.System.GPU, m.Attention(), kv, d.lengths, matrix{d.layout.act.q, uint64(m.QHeads*m.HeadDim) * 2}, d.layout.act.partial)
			var cache, tables, queries, parts uint64
			walk(k, func(r gpu.Run, write bool) {
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
			require.Equal(t, cache, a.tiersRead()[0])
			require.EqualValues(t, k.CTAs*a.group*m.HeadDim*2, queries)
			require.Equal(t, d.layout.kv.paged, tables > 0)
			require.EqualValues(t, k.CTAs*a.pad*(m.HeadDim*4+8), parts)
			joined := uint64(0)
			walk(a.reduce(&c.Kernels.AttnReduce, matrix{1 << 32, 0}, 2), func(r gpu.Run, write bool) {
				if !write {
					joined += r.Total()
				}
			})
			require.EqualValues(t, k.CTAs*a.group*(m.HeadDim*4+8), joined)
		})
	}
}
