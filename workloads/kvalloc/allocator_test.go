package kvalloc

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/sim"
)

// small has pages of 8 tokens in 4 buffers.
var small = Shape{Buffers: 4, TokenBytes: 512}

func virtual(t testing.TB, units, slots int, v Virtual) *Allocator {
	t.Helper()
	v.GroupBytes = 4096
	a, err := NewVirtual(small, uint64(units)*4096*4, slots, v)
	require.NoError(t, err)
	return a
}

// each runs a test with every allocator of 100 units of 8 tokens and 12 slots.
func each(t *testing.T, f func(t *testing.T, a *Allocator)) {
	t.Helper()
	paged, err := NewPaged(small, small.Bytes(800), 12, 8)
	require.NoError(t, err)
	contiguous, err := NewContiguous(small, small.Bytes(800), 12, 80)
	require.NoError(t, err)
	for name, a := range map[string]*Allocator{"paged": paged, "contiguous": contiguous,
		"virtual": virtual(t, 100, 12, Virtual{}), "deferred": virtual(t, 100, 12, Virtual{Deferred: true, Overlap: true})} {
		t.Run(name, func(t *testing.T) { f(t, a) })
	}
}

// requireSound checks what holds at any time: every unit given out is in one
// slot or free, and every request has what its tokens need.
func requireSound(t *testing.T, a *Allocator) {
	t.Helper()
	seen := make(map[uint32]bool)
	note := func(u uint32) {
		require.False(t, seen[u], "unit %d twice", u)
		require.Less(t, int(u), a.fresh)
		seen[u] = true
	}
	used, held, units := 0, 0, 0
	for i := range a.slots {
		s := &a.slots[i]
		for _, u := range s.units {
			note(u)
		}
		require.GreaterOrEqual(t, len(s.units), a.needed(s))
		used += s.tokens
		units += len(s.units)
		if !s.active {
			held += len(s.units)
		}
	}
	for _, u := range a.returned {
		note(u)
	}
	require.Len(t, seen, a.fresh)
	require.LessOrEqual(t, a.fresh, a.units)
	require.Equal(t, small.Bytes(used), a.Used())
	require.Equal(t, uint64(units)*a.bytes, a.Mapped())
	require.Equal(t, uint64(held)*a.bytes, a.Held())
	require.GreaterOrEqual(t, a.Mapped(), a.Held()+a.Used(), "what is unused is not negative")
}

func TestRequestsComeGrowAndEndInAnyOrder(t *testing.T) {
	each(t, func(t *testing.T, a *Allocator) {
		r := sim.NewRand(1)
		tokens := map[int]int{}
		for range 3000 {
			slot := r.IntN(len(a.slots))
			switch n, active := tokens[slot], a.slots[slot].active; r.IntN(4) {
			case 0:
				n := Uniform(&r, 1, 80)
				if slot, calls, ok := a.Admit(n, 0); ok {
					require.Zero(t, tokens[slot])
					require.Zero(t, calls%max(1, a.calls))
					tokens[slot] = n
				}
			case 1:
				if more := n + r.IntN(20); active && more > 0 {
					if _, ok := a.Extend(slot, more); ok {
						tokens[slot] = more
					}
				}
			case 2:
				if active && a.overlap {
					a.Prepare(slot, n+r.IntN(20))
				}
			case 3:
				if active {
					a.End(slot)
					delete(tokens, slot)
				}
			}
			requireSound(t, a)
			for slot, n := range tokens {
				require.Equal(t, n, a.slots[slot].tokens)
			}
			require.Equal(t, len(tokens), a.Active())
		}
		a.clear()
		requireSound(t, a)
		require.Zero(t, a.Mapped(), "nothing is mapped after all have ended")
		require.Zero(t, a.Used())
	})
}

func TestAUnitIsMappedByACallForEachBuffer(t *testing.T) {
	a := virtual(t, 100, 2, Virtual{})
	_, calls, ok := a.Admit(17, 0)
	require.True(t, ok)
	require.Equal(t, 3*4, calls)
	calls, ok = a.Extend(0, 24)
	require.True(t, ok)
	require.Zero(t, calls)
	calls, _ = a.Extend(0, 25)
	require.Equal(t, 4, calls)
}

func TestASlotsGroupsServeItsNextRequest(t *testing.T) {
	a := virtual(t, 10, 3, Virtual{Deferred: true})
	a.Admit(40, 0)
	a.End(0)
	require.EqualValues(t, 5*4*4096, a.Held())
	slot, calls, ok := a.Admit(48, 0)
	require.True(t, ok)
	require.Zero(t, slot)
	require.Equal(t, 4, calls, "one more than it has")
}

func TestHeldGroupsAreReclaimedWhenMemoryIsShort(t *testing.T) {
	a := virtual(t, 10, 3, Virtual{Deferred: true})
	a.Admit(8, 0)
	a.Admit(64, 0)
	a.End(1)
	require.EqualValues(t, 8*4*4096, a.Held())
	calls, ok := a.Extend(0, 33)
	require.True(t, ok)
	require.Equal(t, 4*4, calls, "one is free, the others are slot 1's")
	require.Zero(t, a.Held())
	_, _, ok = a.Admit(41, 0)
	require.False(t, ok, "five are left")
	requireSound(t, a)
	_, _, ok = a.Admit(40, 0)
	require.True(t, ok)
}

func TestAdmissionLeavesUnitsFree(t *testing.T) {
	a := virtual(t, 10, 3, Virtual{})
	_, _, ok := a.Admit(72, 2)
	require.False(t, ok)
	_, _, ok = a.Admit(64, 2)
	require.True(t, ok)
	_, ok = a.Extend(0, 80)
	require.True(t, ok, "requests that run may have them")
}

func TestBlockTablesHaveFourBytesABlock(t *testing.T) {
	a, err := NewPaged(small, small.Bytes(800), 4, 8)
	require.NoError(t, err)
	_, calls, _ := a.Admit(17, 0)
	require.Zero(t, calls, "the pool is mapped")
	require.EqualValues(t, 12, a.TableBytes())
	require.EqualValues(t, small.Bytes(7), a.Mapped()-a.Used())
}

func TestAContiguousRequestHoldsTheLongest(t *testing.T) {
	a, err := NewContiguous(small, small.Bytes(800), 20, 80)
	require.NoError(t, err)
	one := func() int { return 1 }
	require.EqualValues(t, 10, MostAtOnce(a, 2, one))
	a.Admit(1, 0)
	require.Equal(t, small.Bytes(80), a.Mapped())
	_, ok := a.Extend(0, 81)
	require.False(t, ok)
}

// Half of the last unit of each buffer is unused in the mean of requests of
// many units.
func TestARequestWastesHalfAUnitOfEachBuffer(t *testing.T) {
	for group := uint64(4096); group <= 65536; group *= 4 {
		a, err := NewVirtual(small, 1<<34, 1000, Virtual{GroupBytes: group})
		require.NoError(t, err)
		r := sim.NewRand(2)
		for range 1000 {
			a.Admit(Uniform(&r, 1, 10*a.tokens), 0)
		}
		require.InEpsilon(t, 1000*4*float64(group-small.TokenBytes)/2, float64(a.Mapped()-a.Used()), 0.05)
	}
}

func TestAnAllocatorInUseAllocatesNothing(t *testing.T) {
	each(t, func(t *testing.T, a *Allocator) {
		cycle := func() {
			for range 6 {
				a.Admit(40, 0)
			}
			for slot := range 6 {
				a.Extend(slot, 60)
				a.Prepare(slot, 61)
			}
			for slot := range 6 {
				a.End(slot)
			}
		}
		cycle()
		a.Reclaim()
		require.Zero(t, testing.AllocsPerRun(10, cycle))
	})
}

func TestWhatCannotBeAnAllocatorIsAnError(t *testing.T) {
	for want, f := range map[string]func() (*Allocator, error){
		"unit of 0 tokens":         func() (*Allocator, error) { return NewPaged(small, 1, 1, 0) },
		"shape of 0 buffers":       func() (*Allocator, error) { return NewPaged(Shape{}, 1, 1, 1) },
		"0 slots":                  func() (*Allocator, error) { return NewContiguous(small, 1, 0, 1) },
		"page group of 4096 bytes": func() (*Allocator, error) { return NewVirtual(Shape{1, 8192}, 1, 1, Virtual{GroupBytes: 4096}) },
		"at most 2147483648 units": func() (*Allocator, error) { return NewPaged(Shape{1, 1}, 1<<40, 1, 1) },
	} {
		_, err := f()
		require.ErrorContains(t, err, want)
	}
}

func TestValidateNamesTheKey(t *testing.T) {
	for key, v := range map[string]Virtual{"group_bytes": {GroupBytes: 5000}, "map_us": {MapUs: -1}, "eager_tokens": {Eager: 5}} {
		var keys []string
		v.Validate(func(key, _ string) { keys = append(keys, key) })
		require.Equal(t, []string{key}, keys)
	}
	(&Virtual{}).Validate(func(key, message string) { t.Error(key, message) })
}
