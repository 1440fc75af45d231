package operators

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/configs"
	"hwsim/devices/gpu"
	"hwsim/hierarchy"
	"hwsim/workloads/kernels"
)

// onSystem reads a system and the profiles of a library.
func onSystem(t *testing.T, system, library string) (*hierarchy.Config, *kernels.Profiles) {
	t.Helper()
	var c hierarchy.Config
	d, err := configs.Load("systems/"+system, nil)
	require.NoError(t, err)
	require.NoError(t, d.Decode(&c))
	var p kernels.Profiles
	d, err = configs.Load("kernels/"+library, nil)
	require.NoError(t, err)
	require.NoError(t, d.Decode(&p))
	return &c, &p
}

// attended returns the time of a library's attention of equal sequences.
func attended(t *testing.T, system, library string, again bool, sequences, q, kv, tokens int) float64 {
	t.Helper()
	c, p := onSystem(t, system, library)
	o := LibraryAttentionOptions{Batch: kernels.Batch{QHeads: q, KVHeads: kv, Dim: 128}, Again: again, Scattered: again}
	for range sequences {
		o.Lengths = append(o.Lengths, tokens)
	}
	r, err := LibraryAttention(context.Background(), c, p.Library, o)
	require.NoError(t, err)
	return r.Ns
}

// What is not cut is bound by a CTA's chain, 23 ns a token, however few the
// CTAs are.
func TestUncutContextsTakeAsLongAsTheirLongest(t *testing.T) {
	one := attended(t, "a100_80gb_sxm", "flash_attention_2", true, 1, 1, 1, 4096)
	eight := attended(t, "a100_80gb_sxm", "flash_attention_2", true, 8, 1, 1, 4096)
	require.InEpsilon(t, 100.8e3, one, 0.05)
	require.InEpsilon(t, one, eight, 0.02)
}

// Of 128 contexts that are not cut 108 have an SM, and 20 wait for one: two
// rounds, whatever was leapt in the first.
func TestASecondRoundTakesAsLongAsTheFirst(t *testing.T) {
	require.InEpsilon(t, 352.6e3, attended(t, "a100_80gb_sxm", "flash_attention_3_ampere", false, 16, 32, 8, 4096), 0.03)
}

// A cache that the L2 holds is read from there when the measurement comes
// again and again.
func TestARepeatedCallFindsItsCacheInTheL2(t *testing.T) {
	again := attended(t, "l40s", "flash_attention_2_ada", true, 4, 32, 8, 2048)
	once := attended(t, "l40s", "flash_attention_2_ada", false, 4, 32, 8, 2048)
	require.InEpsilon(t, 26.2e3, again, 0.12)
	require.Greater(t, once, 1.5*again)
}

func TestPagesOfACacheDoNotOverlap(t *testing.T) {
	c, _ := onSystem(t, "l40s", "flash_attention_2_ada")
	b, err := newBench(c)
	require.NoError(t, err)
	o := LibraryAttentionOptions{Batch: kernels.Batch{QHeads: 4, KVHeads: 2, Dim: 64, Lengths: []int{33, 1, 64}}, Scattered: true}
	p := b.pagedCache(16, &o)
	seen := map[uint64]bool{}
	for seq, n := range o.Lengths {
		for head := range o.KVHeads {
			for kind := range 2 {
				var runs []gpu.Run
				for _, r := range p.Read(kind, seq, head, 0, n, runs) {
					for row := range uint64(r.Rows) {
						addr := r.Addr + row*r.Pitch
						require.False(t, seen[addr])
						seen[addr] = true
					}
				}
			}
		}
	}
	require.Len(t, seen, 2*2*(33+1+64))
}

func TestPrefillIsBoundByItsSteps(t *testing.T) {
	c, p := onSystem(t, "h200_sxm", "cudnn_attention")
	r, err := Prefill(context.Background(), c, p.Prefill, PrefillOptions{Heads: 32, Batch: 1, Tokens: 1024, Dim: 128})
	require.NoError(t, err)
	require.InEpsilon(t, 33.65e3, r.Ns, 0.08)
}
