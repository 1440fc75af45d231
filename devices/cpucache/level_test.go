package cpucache

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/sim"
)

func testLevel(sets, ways int, replacement string) *level {
	return newLevel(LevelConfig{Bytes: uint64(sets*ways) * LineBytes, Ways: ways, HitCycles: 4, Replacement: replacement}, &LevelStats{})
}

// Against a list in order of use.
func TestLRUReplacesTheLeastRecentlyUsed(t *testing.T) {
	const sets, ways = 4, 5
	l, r := testLevel(sets, ways, "lru"), sim.NewRand(1)
	var lists [sets][]uint64 // the most recent last
	for range 20000 {
		tag := uint64(r.IntN(2 * sets * ways))
		list := &lists[tag%sets]
		held := -1
		for i, t := range *list {
			if t == tag {
				held = i
			}
		}
		i := l.find(tag)
		require.Equal(t, held >= 0, i != none)
		if i != none {
			l.touch(i)
			*list = append(append((*list)[:held:held], (*list)[held+1:]...), tag)
			continue
		}
		_, out := l.insert(tag, Data, false, rripData)
		want := noLine
		if len(*list) == ways {
			want = (*list)[0]
			*list = (*list)[1:]
		}
		require.Equal(t, want, out.tag)
		*list = append(*list, tag)
	}
}

func TestLRUSurvivesItsCounterComingRound(t *testing.T) {
	l := testLevel(1, 2, "lru")
	l.clock = ^uint32(0) - 1
	l.insert(1, Data, false, 0)
	for tag := uint64(2); tag < 6; tag++ { // it comes round at the first
		_, out := l.insert(tag, Data, false, 0)
		if tag > 2 {
			require.Equal(t, tag-2, out.tag)
		}
	}
}

// slot is a way of the reference.
type slot struct {
	tag           uint64
	rrip          int
	block, spared bool
}

// reference is SRRIP as Jaleel et al. have it, step by step: while no line is at 3
// all age by one; the first that is goes. With spare, a block that would go and has not
// been passed over since its last hit lets the next one go if that is a line.
type reference struct {
	sets  [][]slot
	ways  int
	spare bool
}

func (r *reference) find(tag uint64) *slot {
	set := r.sets[tag%uint64(len(r.sets))]
	for i := range set {
		if set[i].tag == tag {
			return &set[i]
		}
	}
	return nil
}

func (r *reference) hit(s *slot) {
	switch {
	case s.block:
		s.rrip, s.spared = 0, false
	case s.rrip > 0:
		s.rrip--
	}
}

// choose ages a set until a way that may go, among all but one, has 3.
func choose(set []slot, but int) int {
	for {
		for i := range set {
			if i != but && set[i].rrip == 3 {
				return i
			}
		}
		for i := range set {
			set[i].rrip = min(3, set[i].rrip+1)
		}
	}
}

func (r *reference) insert(n slot) (out uint64, spared bool) {
	set := &r.sets[n.tag%uint64(len(r.sets))]
	if len(*set) < r.ways {
		*set = append(*set, n)
		return noLine, false
	}
	at := choose(*set, none)
	if c := &(*set)[at]; r.spare && c.block && !c.spared {
		trial := append([]slot{}, *set...)
		if other := choose(trial, at); !trial[other].block {
			trial[at].spared = true
			*set, at, spared = trial, other, true
		}
	}
	out, (*set)[at] = (*set)[at].tag, n
	return out, spared
}

// New lines come in at 2, a hit takes one off, the first of the most distant goes, all age
// by what it lacks; blocks go to the front at a hit and are spared once between hits.
func TestSRRIPAgainstItsSteps(t *testing.T) {
	for _, spare := range []bool{false, true} {
		const sets, ways = 4, 6
		l, r := testLevel(sets, ways, "srrip"), sim.NewRand(2)
		l.spare = spare
		ref := &reference{sets: make([][]slot, sets), ways: ways, spare: spare}
		spared := uint64(0)
		for range 50000 {
			tag := uint64(r.IntN(2 * sets * ways))
			block := tag%5 < 2
			at := l.find(tag)
			s := ref.find(tag)
			require.Equal(t, s != nil, at != none)
			if s != nil {
				l.touch(at)
				ref.hit(s)
				require.Equal(t, s.rrip, int(l.ways[at].rrip))
				continue
			}
			kind, rrip := Data, uint8(rripData)
			if block {
				kind, rrip = Translations, []uint8{0, rripData, rripMax}[r.IntN(3)]
			}
			_, out := l.insert(tag, kind, false, rrip)
			want, passed := ref.insert(slot{tag: tag, rrip: int(rrip), block: block})
			require.Equal(t, want, out.tag)
			if passed {
				spared++
			}
		}
		require.Equal(t, spared, l.stats.Spared)
		require.Equal(t, spare, spared > 1000)
	}
}

// A set of one block at 3 and lines at 3: every new line asks for the block's way first.
func TestABlockIsSparedOnceBetweenHits(t *testing.T) {
	l := testLevel(1, 4, "srrip")
	l.spare = true
	l.insert(100, Translations, false, rripMax)
	for tag := range uint64(3) {
		l.insert(tag, Data, false, rripMax)
	}
	next := uint64(10)
	evict := func() uint64 {
		next++
		_, out := l.insert(next, Data, false, rripMax)
		return out.tag
	}
	require.Equal(t, uint64(0), evict(), "the line after it goes in its stead")
	require.Equal(t, uint64(1), l.stats.Spared)
	l.touch(l.find(100))
	l.ways[l.find(100)].rrip = rripMax
	require.NotEqual(t, uint64(100), evict(), "a hit gives it another chance")
	require.Equal(t, uint64(100), evict(), "once")
	require.Equal(t, uint64(2), l.stats.Spared)

	l = testLevel(1, 2, "srrip")
	l.spare = true
	l.insert(100, Translations, false, rripMax)
	l.insert(101, Translations, false, rripMax)
	require.Equal(t, uint64(100), evict(), "not for another block")
	require.Zero(t, l.stats.Spared)
}

func TestReuseIsCountedWhenALineGoes(t *testing.T) {
	for hits, class := range map[int]int{0: 0, 1: 1, 5: 1, 6: 2, 10: 2, 11: 3, 20: 3, 21: 4, 1000: 4} {
		l := testLevel(1, 1, "lru")
		l.insert(1, PageTable, false, 0)
		for range hits {
			l.touch(0)
		}
		l.insert(2, Data, false, 0)
		var want [ReuseClasses]uint64
		want[class] = 1
		require.Equal(t, want, l.stats.Reuse[PageTable], "%d hits", hits)
	}
}
