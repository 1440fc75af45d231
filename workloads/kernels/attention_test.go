package kernels

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

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
