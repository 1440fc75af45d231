package cache

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices"
	"hwsim/sim"
)

// oneSet returns a set of the given ways that holds nothing.
func oneSet(ways int) *set {
	a := newArray(uint64(ways)*LineBytes, ways, 1, LineBytes)
	return &a.sets[0]
}

// fillSet claims every way, for lines 100, 101, ... in this order.
func fillSet(s *set, ways int) {
	for i := range ways {
		s.claim(s.victim(ways), uint32(100+i))
	}
}

func TestArrayHoldsAllItsBytes(t *testing.T) {
	for _, ways := range []int{1, 2, 3, 16} {
		a := newArray(64*uint64(ways)*LineBytes, ways, 1, LineBytes)
		require.Len(t, a.sets, 64)
	}
}

// A slice sees every n-th granule: any stretch of it fills the sets alike.
func TestAStretchFillsTheSetsAlike(t *testing.T) {
	const slices, granule, sets = 94, 512, 326
	a := newArray(sets*16*LineBytes, 16, slices, granule)
	m := devices.Interleave{Granule: granule, Slices: slices}
	for _, first := range []uint64{0, 7 << 20, 3<<33 + 512} {
		count := map[*set]int{}
		for addr, end := first/(slices*granule)*(slices*granule), uint64(0); end < 5*sets; addr += LineBytes {
			if slice, _ := m.Locate(addr); slice == 11 {
				count[a.of(uint32(addr/LineBytes))]++
				end++
			}
		}
		require.Len(t, count, sets)
		for _, n := range count {
			require.InDelta(t, 5, n, 1, "from %d", first)
		}
	}
}

// Lines a power of two apart may not crowd into few sets.
func TestStridesSpreadOverSets(t *testing.T) {
	for _, sets := range []uint64{100, 128, 326} {
		a := newArray(sets*LineBytes, 1, 94, 512)
		for _, stride := range []uint32{64, 94, 1024, 4096, 16384, 94 * 512} {
			count := map[*set]int{}
			for i := range uint32(10_000) {
				count[a.of(i*stride)]++
			}
			require.GreaterOrEqual(t, len(count), int(sets)*9/10, "stride %d over %d sets", stride, sets)
			for _, n := range count {
				require.LessOrEqual(t, n, 3*10_000/int(sets), "stride %d over %d sets", stride, sets)
			}
		}
	}
}

func TestDivideIsExact(t *testing.T) {
	r := sim.NewRand(1)
	for _, n := range []uint64{1, 2, 3, 94, 326, 4096, 65537, 1<<32 - 1} {
		d := divideBy(n)
		for _, x := range append([]uint32{0, 1, uint32(n) - 1, uint32(n), 1<<32 - 1}, uint32(r.Uint64()), uint32(r.Uint64())) {
			quotient, rest := d.by(x)
			require.Equal(t, uint64(x), uint64(quotient)*n+uint64(rest))
			require.Less(t, uint64(rest), n)
		}
	}
}

func TestFreeWaysAreAllTakenBeforeAnyLineIsEvicted(t *testing.T) {
	for ways := 1; ways <= maxWays; ways++ {
		s := oneSet(ways)
		fillSet(s, ways)
		for i := range ways {
			require.NotEqual(t, noWay, s.find(uint32(100+i)), "%d ways", ways)
		}
		require.Equal(t, noWay, s.find(99))
	}
}

func TestVictimIsLeastRecentlyUsed(t *testing.T) {
	s := oneSet(4)
	fillSet(s, 4)
	s.touch(s.find(100))
	s.touch(s.find(102))
	for _, line := range []uint32{101, 103, 100, 102} { // in order of last use
		way := s.victim(4)
		require.Equal(t, line, s.tag[way])
		s.claim(way, line+100)
	}
}

func TestVictimSkipsWaysThatWaitForData(t *testing.T) {
	s := oneSet(3)
	fillSet(s, 3)
	s.state[s.find(100)].pending = 1
	require.Equal(t, s.find(101), s.victim(3))
	s.state[s.find(101)].pending = 8
	s.state[s.find(102)].pending = 15
	require.Equal(t, noWay, s.victim(3), "every way waits")
}

func TestDroppedWayIsTakenNext(t *testing.T) {
	for drop := range uint32(4) {
		s := oneSet(4)
		fillSet(s, 4)
		way := s.find(100 + drop)
		s.drop(way)
		require.Equal(t, noWay, s.find(100+drop))
		require.Equal(t, way, s.victim(4))
	}
}

func TestClaimedWayHoldsNothing(t *testing.T) {
	s := oneSet(1)
	s.claim(0, 1)
	s.state[0] = state{valid: 15, dirty: 3, copied: true}
	s.claim(0, 2)
	require.Equal(t, state{}, s.state[0])
}

// oracle is a set as a plain list of lines, the most recently used first.
type oracle []oracleWay

type oracleWay struct {
	line    uint32
	pending bool
}

func (o oracle) index(line uint32) int {
	return slices.IndexFunc(o, func(w oracleWay) bool { return w.line == line })
}

// victim returns the index of the way to be taken, -1 when all wait.
func (o oracle) victim() int {
	for i := len(o) - 1; i >= 0; i-- {
		if !o[i].pending {
			return i
		}
	}
	return -1
}

// use makes way i the most recently used, as w.
func (o oracle) use(i int, w oracleWay) {
	copy(o[1:i+1], o[:i])
	o[0] = w
}

// drop makes way i the least recently used, holding nothing.
func (o oracle) drop(i int) {
	copy(o[i:], o[i+1:])
	o[len(o)-1] = oracleWay{line: noTag}
}

func TestSetBehavesAsListInOrderOfUse(t *testing.T) {
	for _, ways := range []int{1, 2, 3, 5, 8, 15, 16} {
		r := sim.NewRand(uint64(ways))
		s := oneSet(ways)
		o := make(oracle, ways)
		for i := range o {
			o[i].line = noTag
		}
		for range 5000 {
			line := uint32(r.IntN(2 * ways))
			i, way := o.index(line), s.find(line)
			require.Equal(t, i >= 0, way != noWay)
			switch op := r.IntN(10); {
			case i >= 0 && op == 0 && !o[i].pending:
				s.drop(way)
				o.drop(i)
			case i >= 0 && op < 4:
				o[i].pending = !o[i].pending
				s.state[way].pending ^= 1
			case i >= 0:
				s.touch(way)
				o.use(i, o[i])
			default:
				i, way = o.victim(), s.victim(ways)
				require.Equal(t, i >= 0, way != noWay)
				if i < 0 {
					continue
				}
				require.Equal(t, o[i].line, s.tag[way])
				s.claim(way, line)
				o.use(i, oracleWay{line: line})
			}
		}
	}
}

func TestMaskNamesTheSectorsThatARequestTouches(t *testing.T) {
	const base = 10 * LineBytes
	for _, c := range []struct {
		from, to uint64 // relative to the line
		want     uint8
	}{
		{0, 128, 0b1111},
		{0, 32, 0b0001},
		{32, 64, 0b0010},
		{96, 128, 0b1000},
		{32, 96, 0b0110},
		{0, 1, 0b0001},
		{31, 33, 0b0011},
		{127, 128, 0b1000},
		{64, 500, 0b1100}, // goes on in later lines
	} {
		require.Equal(t, c.want, mask(base, base+c.from, base+c.to), "%d to %d", c.from, c.to)
	}
	require.Equal(t, uint8(0b0011), mask(base, base-300, base+64), "began in an earlier line")
}

func TestSpanReachesFromFirstToLastSector(t *testing.T) {
	for m := uint8(1); m < 16; m++ {
		from, to := span(m)
		covered := mask(0, from, to)
		require.Equal(t, m, covered&m, "all of %04b", m)
		require.Equal(t, mask(0, from, from+SectorBytes), m&-m, "no further down than %04b", m)
		require.NotZero(t, m&mask(0, to-SectorBytes, to), "no further up than %04b", m)
	}
}

func TestPoolReusesSlots(t *testing.T) {
	var p pool[int]
	a, b := p.take(), p.take()
	require.NotEqual(t, a, b)
	require.Equal(t, 2, p.live())
	p.give(a)
	require.Equal(t, 1, p.live())
	require.Equal(t, a, p.take())
	require.Len(t, p.slots, 2)
}

func TestFIFOKeepsOrderAndStorage(t *testing.T) {
	var q fifo[int]
	next, want := 0, 0
	for range 1000 {
		for range 3 {
			q.push(&next)
			next++
		}
		for range 3 {
			require.Equal(t, want, q.pop())
			want++
		}
	}
	require.Zero(t, q.len())
	require.Less(t, cap(q.items), 16)
}

// Of several lines that the other partition has read last the oldest goes
// first, until this partition reads it again; a single one waits its turn.
func TestLentLinesGoFirst(t *testing.T) {
	s := oneSet(4)
	fillSet(s, 4)
	var way [4]int // from the oldest on
	for i := range way {
		way[i] = s.find(uint32(100 + i))
	}
	s.lent = 1<<way[1] | 1<<way[2] | 1<<way[3]
	require.Equal(t, way[1], s.victim(4))
	s.touch(way[1])
	require.Equal(t, way[2], s.victim(4))
	s.touch(way[2])
	require.Equal(t, way[0], s.victim(4))
	s.lent = 1 << way[3]
	s.drop(way[1])
	require.Equal(t, way[1], s.victim(4), "an empty way goes before all")
}
