package tlb

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/sim"
)

const shift = 16 // stretches of 64 KiB

// missRatio passes accesses to stretches through the array, and returns the
// share that missed after a first half to fill it.
func missRatio(a *Array[struct{}], accesses int, stretch func(i int) uint64) float64 {
	missed, counted := 0, 0
	for i := range accesses {
		key := Key(0, stretch(i)<<shift, shift)
		hit := a.Lookup(key)
		if !hit {
			a.Insert(key, struct{}{})
		}
		if 2*i >= accesses {
			counted++
			if !hit {
				missed++
			}
		}
	}
	return float64(missed) / float64(counted)
}

func TestReachIsTheEntriesStretches(t *testing.T) {
	for _, ways := range []int{1, 4, 16, 64} {
		c := Config{Entries: 192 * ways, Ways: ways} // as many sets as no power of two
		round := func(n int) func(int) uint64 { return func(i int) uint64 { return uint64(i % n) } }
		require.Zero(t, missRatio(NewArray[struct{}](c), 10*c.Entries, round(c.Entries)), "%d ways hold all that their reach has", ways)
		require.Equal(t, 1.0, missRatio(NewArray[struct{}](c), 10*c.Entries, round(2*c.Entries)), "%d ways, in turn, nothing of twice as much", ways)
	}
}

func TestLeastRecentlyUsedIsReplaced(t *testing.T) {
	a := NewArray[struct{}](Config{Entries: 4, Ways: 4})
	key := func(n int) uint64 { return Key(0, uint64(n)<<shift, shift) }
	for n := range 4 {
		a.Insert(key(n), struct{}{})
	}
	require.True(t, a.Lookup(key(0))) // leaves 1 the oldest
	a.Insert(key(2), struct{}{})      // is there, and is used
	a.Insert(key(4), struct{}{})
	a.Insert(key(5), struct{}{})
	for n, held := range []bool{true, false, true, false, true, true} {
		require.Equal(t, held, a.Lookup(key(n)), "%d", n)
	}
}

// Against a list in order of use.
func TestArrayIsAnLRUListASet(t *testing.T) {
	const sets, ways = 6, 5
	a := NewArray[struct{}](Config{Entries: sets * ways, Ways: ways})
	lists := make([][]uint64, sets)
	rng := sim.NewRand(1)
	for range 20000 {
		n := rng.Uint64() % 64
		list := lists[n%sets]
		at := -1
		for i, v := range list {
			if v == n {
				at = i
			}
		}
		key := Key(0, n<<shift, shift)
		require.Equal(t, at >= 0, a.Lookup(key))
		a.Insert(key, struct{}{})
		if at >= 0 {
			list = append(list[:at], list[at+1:]...)
		} else if len(list) == ways {
			list = list[1:]
		}
		lists[n%sets] = append(list, n)
	}
}

// Random accesses to a range X miss 1-R/X of the time, whatever the ways; with
// hashed sets some sets are crowded before others are full, which costs reach
// only near X = R.
func TestRandomAccessesMissWhatTheReachLeaves(t *testing.T) {
	const entries = 2048
	for _, hashed := range []bool{false, true} {
		for _, ways := range []int{4, 16} {
			for _, times := range []int{2, 4, 16} { // the reach
				t.Run(fmt.Sprint(hashed, " ", ways, " ", times), func(t *testing.T) {
					rng := sim.NewRand(uint64(times))
					a := NewArray[struct{}](Config{Entries: entries, Ways: ways, Hashed: hashed})
					got := missRatio(a, 60*entries*times, func(int) uint64 { return rng.Uint64() % uint64(entries*times) })
					slack := 0.01
					if hashed {
						slack = 0.05 / float64(times)
					}
					require.InDelta(t, 1-1/float64(times), got, slack)
				})
			}
		}
	}
}

func TestStretchesOfOtherSizesAndSpacesAreApart(t *testing.T) {
	const addr = 0x1234_5678_9000
	keys := map[uint64]bool{}
	for _, space := range []uint16{0, 1, 4095} {
		for _, shift := range []uint8{12, 16, 21, 25, 30} {
			k := Key(space, addr, shift)
			require.NotZero(t, k)
			require.Equal(t, k, Key(space, addr|(1<<shift-1), shift), "the whole stretch")
			require.NotEqual(t, k, Key(space, addr+1<<shift, shift), "not the next")
			keys[k] = true
		}
	}
	require.Len(t, keys, 15)
}

func TestValidateNamesEachBadKey(t *testing.T) {
	keys := func(c UnitConfig) (bad []string) {
		c.Validate(func(key, _ string) { bad = append(bad, key) })
		return bad
	}
	good := UnitConfig{Config: Config{Entries: 12, Ways: 4}, Walkers: 1, WalkNs: 1}
	require.Empty(t, keys(good))
	for key, spoil := range map[string]func(*UnitConfig){
		"entries": func(c *UnitConfig) { c.Entries = 13 },
		"ways":    func(c *UnitConfig) { c.Ways = 0 },
		"walkers": func(c *UnitConfig) { c.Walkers = 0 },
		"walk_ns": func(c *UnitConfig) { c.WalkNs = 0 },
	} {
		c := good
		spoil(&c)
		require.Equal(t, []string{key}, keys(c))
	}
}

func TestRemoveWithinDropsWhatBeginsInAStretch(t *testing.T) {
	a := NewArray[int](Config{Entries: 64, Ways: 4})
	for n := range uint64(16) {
		a.Insert(Key(1, n<<12, 12), 0)
		a.Insert(Key(2, n<<12, 12), 0)
	}
	a.Insert(Key(1, 0, 21), 0)     // begins in front
	a.Insert(Key(1, 4<<12, 13), 0) // another size
	a.Insert(Key(1, 1<<30, 12), 0) // far away
	require.Equal(t, 5, a.RemoveWithin(1, 6<<12+5, 14))
	for n := range uint64(16) {
		require.Equal(t, n>>2 != 1, a.Lookup(Key(1, n<<12, 12)), "%d", n)
		require.True(t, a.Lookup(Key(2, n<<12, 12)), "another space's")
	}
	require.False(t, a.Lookup(Key(1, 4<<12, 13)))
	require.True(t, a.Lookup(Key(1, 0, 21)))
	require.True(t, a.Lookup(Key(1, 1<<30, 12)))
	require.Equal(t, 14, a.RemoveSpace(1))
}
