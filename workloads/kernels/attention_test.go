package kernels

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices/gpu"
	"hwsim/models"
)

func TestSplitsFollowTheProfilesRule(t *testing.T) {
	p := library(t, "hopper_triton").Attention
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
		splits, chunk := p.Split(part(132), test.sequences, test.heads, test.tokens)
		require.Equal(t, []int{test.splits, test.chunk}, []int{splits, chunk}, "%+v", test)
	}
	p.CTAsPerSM = 0
	splits, _ := p.Split(part(132), 1, 8, 1<<20)
	require.Equal(t, 1, splits, "a profile that never splits")
}

func TestSplitsCoverEachSequenceOnce(t *testing.T) {
	for _, lengths := range [][]int{{1}, {64, 65}, {1000, 1}, {17, 300, 4096, 2}, {5000, 5000, 4999}} {
		t.Run(fmt.Sprint(lengths), func(t *testing.T) {
			heads := models.Attention{QHeads: 8, KVHeads: 4, QKDim: 64, VDim: 64}
			p := library(t, "hopper_triton").Attention
			k, a := p.Build(part(8), heads, nil, lengths, Matrix{}, 0)
			seen := map[[3]int]int{}
			for cta := range k.CTAs {
				seq, head, from, to := a.place(cta)
				require.Equal(t, (to-from+a.tile-1)/a.tile, a.Tiles(cta))
				for token := from; token < to; token++ {
					seen[[3]int{seq, head, token}]++
				}
			}
			all := 0
			for seq, n := range lengths {
				for head := range heads.KVHeads {
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

func TestAKernelIsCompiledForItsCache(t *testing.T) {
	p := library(t, "hopper_triton").Attention
	for _, test := range []struct {
		paged, int8 bool
		want        AttentionLoop
	}{{false, false, p.AttentionLoop}, {true, false, p.Paged}, {false, true, p.Int8}, {true, true, p.Int8}} {
		require.Equal(t, test.want, p.For(test.paged, test.int8).AttentionLoop)
	}
	p.Paged = AttentionLoop{}
	require.Equal(t, p.AttentionLoop, p.For(true, false).AttentionLoop, "a library with one kernel for all")
}

func TestPartsAreWrittenAndJoinedOnce(t *testing.T) {
	p := library(t, "hopper_triton")
	const partial, out = 1 << 30, 1 << 20
	heads := models.Attention{QHeads: 8, KVHeads: 2, QKDim: 64, VDim: 64}
	k, a := p.Attention.Build(part(8), heads, nil, []int{1000, 1000, 1000}, Matrix{}, partial)
	require.Greater(t, a.splits, 1)
	written := map[uint64]int{}
	for cta := range k.CTAs {
		count(written, a.Epilogue(cta, nil))
	}
	require.Len(t, written, int(a.PartialBytes())/4)
	reduce := a.Reduce(&p.AttnReduce, At(out, 8*64*2))
	read, results := map[uint64]int{}, map[uint64]int{}
	for cta := range reduce.CTAs {
		for tile := range reduce.Program.Tiles(cta) {
			count(read, reduce.Program.Tile(cta, tile, nil))
		}
		count(results, reduce.Program.Epilogue(cta, nil))
	}
	require.Len(t, read, int(a.PartialBytes())/4*a.group/a.pad, "rows of padding are left")
	require.Len(t, results, 3*8*64*2/4)
	for _, all := range []map[uint64]int{written, read, results} {
		for addr, n := range all {
			if n != 1 {
				t.Fatalf("%#x: %d times", addr, n)
			}
		}
	}
	for addr := range read {
		if written[addr] == 0 {
			t.Fatalf("%#x is read but not written", addr)
		}
	}
}

// count adds up how often runs have each four bytes.
func count(times map[uint64]int, runs []gpu.Run) {
	for _, r := range runs {
		for row := range uint64(r.Rows) {
			for at := uint64(0); at < uint64(r.Bytes); at += 4 {
				times[r.Addr+row*r.Pitch+at]++
			}
		}
	}
}

func TestAgesGoWithCrowding(t *testing.T) {
	for _, test := range []struct {
		aged, crowded []float64
		want          []string
	}{
		{nil, nil, nil},
		{[]float64{0.5, 1.5}, []float64{100, 150}, nil},
		{[]float64{0, 1.5}, []float64{100, 150}, []string{"x.aged must be positive"}},
		{[]float64{0.5, 1.5}, []float64{100}, []string{"x.aged must have as many values as crowded_ns"}},
	} {
		var got []string
		l := AttentionLoop{Aged: test.aged, CrowdedNs: test.crowded}
		l.validate("x", func(key, message string) { got = append(got, key+" "+message) })
		require.Equal(t, test.want, got)
	}
}
