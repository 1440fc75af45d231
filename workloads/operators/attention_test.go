package operators

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices/gpu"
	"hwsim/hierarchy"
)

func TestACacheHasEveryRowOnce(t *testing.T) {
	for name, k := range map[string]cache{
		"contiguous":           {page: 100, sequence: 1, heads: 3, row: 256},
		"pages":                {page: 16, sequence: 7, heads: 3, row: 256, order: []int{6, 3, 0, 13, 1, 12, 7, 2, 10, 4, 11, 5, 9, 8}},
		"pages, head by head":  {page: 16, sequence: 7, heads: 3, row: 256, hnd: true, order: []int{6, 3, 0, 13, 1, 12, 7, 2, 10, 4, 11, 5, 9, 8}},
		"bytes with scales":    {page: 100, sequence: 1, heads: 3, row: 128, scales: 1 << 32},
		"tokens, head by head": {page: 100, sequence: 1, heads: 3, row: 256, hnd: true},
	} {
		t.Run(name, func(t *testing.T) {
			k.base = [2]uint64{1 << 20, 1 << 24}
			seen := map[uint64]int{}
			for seq := range 2 {
				for head := range k.heads {
					for from := 0; from < 100; from += 64 {
						for _, r := range k.Read(seq, head, from, min(from+64, 100), nil) {
							touched(seen, &r)
						}
					}
				}
			}
			for _, n := range seen {
				require.Equal(t, 1, n)
			}
			bytes := uint64(2 * k.row)
			if k.scales > 0 {
				bytes += scaleBytes
			}
			require.EqualValues(t, 2*100*3*bytes/4, len(seen))
		})
	}
}

// touched counts how often a run has each four bytes.
func touched(seen map[uint64]int, r *gpu.Run) {
	for row := range uint64(r.Rows) {
		for at := uint64(0); at < uint64(r.Bytes); at += 4 {
			seen[r.Addr+row*r.Pitch+at]++
		}
	}
}

func TestABlockTableIsReadBeforeItsPages(t *testing.T) {
	k := cache{page: 16, sequence: 2, heads: 1, row: 256, table: 64, order: []int{1, 0}}
	runs := k.Read(0, 0, 0, 32, nil)
	require.Equal(t, gpu.Run{Addr: 64, Rows: 1, Bytes: 2 * entryBytes}, runs[0])
	require.Equal(t, uint64(16*256), runs[1].Addr, "the first page lies second")
}

func TestCallsGoRoundAsManyCachesAsExceedTheL2(t *testing.T) {
	for _, test := range []struct {
		o             AttentionOptions
		copies, calls int
	}{
		{AttentionOptions{KVHeads: 8, Dim: 128, Batch: 1, Context: 1024}, 64, 64},
		{AttentionOptions{KVHeads: 8, Dim: 128, Batch: 8, Context: 8192}, 2, 16},
		{AttentionOptions{KVHeads: 8, Dim: 128, Batch: 64, Context: 8192}, 1, 16},
		{AttentionOptions{KVHeads: 8, Dim: 128, Batch: 1, Context: 1024, Tier: hierarchy.DDR}, 1, 2},
	} {
		copies, calls := test.o.calls()
		require.Equal(t, []int{test.copies, test.calls}, []int{copies, calls}, "%+v", test.o)
	}
}

// attendedInPages returns the time of decode attention over keys and values
// that are contiguous and in use for the first time, each in turn, while HBM in
// use exceeds the 2 GiB that a GPC's TLB covers in pages of 64 KiB, and how
// many requests missed it.
func attendedInPages(t *testing.T, system string, o AttentionOptions) (ns float64, misses uint64) {
	t.Helper()
	c, p := onSystem(t, system, "ampere")
	b, err := newBench(c)
	require.NoError(t, err)
	b.place("weights", hierarchy.HBM, 12<<30)
	for range 1 + leastCalls {
		b.call(b.attention(&c.GPU, p, &o)...)
	}
	r, err := b.run(context.Background(), 1, 0)
	require.NoError(t, err)
	_, misses = b.GPU.Translations()
	return r.Ns, misses
}

// Pages of 64 KiB slow attention over virtually contiguous keys and values no
// more than those of 2 MiB (arXiv 2405.04437, figure 14), here with the heads
// of its Yi-6B.
func TestSmallPagesDoNotSlowContiguousAttention(t *testing.T) {
	o := AttentionOptions{QHeads: 32, KVHeads: 4, Dim: 128, Batch: 8, Context: 4096}
	small, misses := attendedInPages(t, "a100_80gb_64k_pages", o)
	large, none := attendedInPages(t, "a100_80gb_2m_pages", o)
	t.Logf("%.0f and %.0f ns, %d misses", small, large, misses)
	require.Zero(t, none, "all of it is within reach")
	require.Positive(t, misses)
	require.InEpsilon(t, large, small, 0.02)
}
