package sim

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSplitDependsOnSeedAndNameOnly(t *testing.T) {
	a, b := NewRand(42), NewRand(42)
	for range 10 {
		a.Uint64()
	}
	x, y := a.Split("dram"), b.Split("dram")
	require.Equal(t, x.Uint64(), y.Uint64())

	seen := map[uint64]bool{}
	for seed := range uint64(10) {
		r := NewRand(seed)
		for _, name := range []string{"", "a", "b", "ab"} {
			s := r.Split(name)
			deep := s.Split("a")
			for _, v := range []uint64{s.Uint64(), deep.Uint64()} {
				require.False(t, seen[v], "streams are distinct")
				seen[v] = true
			}
		}
	}
}

func TestRandCopiesGoOnAlike(t *testing.T) {
	a := NewRand(1)
	b := a
	require.Equal(t, a.Uint64(), b.Uint64())
	require.Equal(t, a.Perm(20), b.Perm(20))
}

func TestRandHasTheMomentsOfItsDistributions(t *testing.T) {
	r := NewRand(3)
	const n = 200_000
	var flat, norm, square float64
	var dice [6]int
	for range n {
		f, z := r.Float64(), r.NormFloat64()
		require.True(t, f >= 0 && f < 1)
		flat += f / n
		norm += z / n
		square += z * z / n
		dice[r.IntN(6)]++
	}
	// Five standard errors.
	require.InDelta(t, 0.5, flat, 5*0.289/447)
	require.InDelta(t, 0, norm, 5*1.0/447)
	require.InDelta(t, 1, square, 5*1.414/447)
	for _, k := range dice {
		require.InDelta(t, n/6, k, 5*167)
	}
	require.Panics(t, func() { r.IntN(0) })
}

func TestPermHoldsEachNumberOnce(t *testing.T) {
	r := NewRand(9)
	p := r.Perm(100)
	require.False(t, slices.IsSorted(p))
	slices.Sort(p)
	for i, v := range p {
		require.Equal(t, i, v)
	}
}

func TestRandAllocatesNothing(t *testing.T) {
	r := NewRand(1)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		s := r.Split("channel")
		s.IntN(10)
		s.NormFloat64()
	}))
}
