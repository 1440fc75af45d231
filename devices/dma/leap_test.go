package dma

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/sim"
)

// All that a leap leaves of a copy is moved, in and out, batched or not.
func TestLeapsLeaveTheRestOfAnyCopy(t *testing.T) {
	for _, out := range []bool{false, true} {
		for _, batched := range []bool{false, true} {
			for _, n := range []int{1, 2, 200} {
				bytes := uint64(8 << 20)
				if n > 2 {
					bytes = 16 << 10
				}
				for _, most := range []uint64{16 << 10, 1 << 20, 1 << 30} {
					c := batch(n, bytes, bytes, out)
					c.Batch = batched
					took, over := leapt(t, c, 5*16<<10, most)
					require.NotZero(t, over)
					c = batch(n, bytes, bytes, out)
					c.Batch = batched
					require.Less(t, took, newRig(t, testConfig(), testLink(50), 100*ns).time(c))
				}
			}
		}
	}
}

// leapCopy is a copy of so many equal segments.
func leapCopy(segments int, bytes uint64) *Copy {
	c := &Copy{}
	for i := range uint64(segments) {
		c.Segments = append(c.Segments, Segment{Src: remote + i*bytes, Dst: i * bytes, Bytes: bytes})
	}
	return c
}

// leapt runs a copy, leaping over at most so many bytes once the engine has
// moved some, and returns how long it took and what it leapt over.
func leapt(t *testing.T, c *Copy, after, most uint64) (took sim.Time, bytes uint64) {
	g := newRig(t, testConfig(), testLink(50), 100*ns)
	op := g.start(us, c)
	g.runUntil(func() bool {
		moved, _ := g.port.Moved(0)
		room, _ := g.port.Leap(0)
		return moved >= after && room > 0
	})
	room, unit := g.port.Leap(0)
	require.Zero(t, room%unit)
	bytes = min(most, room) / unit * unit
	landed := map[uint64]uint64{}
	sum := uint64(0)
	g.port.Apply(0, bytes, func(dst, bytes uint64) {
		require.Zero(t, landed[dst])
		landed[dst] = bytes
		sum += bytes
	})
	require.Equal(t, bytes, sum, "all of it landed somewhere")
	g.run()
	moved, busy := g.port.Moved(0)
	require.False(t, busy)
	require.Equal(t, total(c.Segments)-bytes, moved, "the rest was moved")
	return g.front.ended[op] - us, bytes
}

func TestLeapShortensALongSegmentByItsBytes(t *testing.T) {
	const bytes = 8 << 20
	plain := newRig(t, testConfig(), testLink(50), 100*ns).time(leapCopy(1, bytes))
	for _, most := range []uint64{1024, 1 << 20, 1 << 30} {
		took, over := leapt(t, leapCopy(1, bytes), 1<<20, most)
		rest := newRig(t, testConfig(), testLink(50), 100*ns).time(leapCopy(1, bytes-over))
		chunk := 1024 / 46.0 // ns
		require.InDelta(t, rest.Nanoseconds(), took.Nanoseconds(), chunk, "as a copy of so much less")
		require.Less(t, took, plain)
		if most > bytes {
			require.Greater(t, over, uint64(bytes/2), "most of it can be skipped")
			require.Less(t, over, uint64(bytes-1<<20), "but not its end")
		}
	}
}

func TestLeapShortensARowOfSegmentsByWholeOnes(t *testing.T) {
	const segments, bytes = 200, 16 << 10
	plain := newRig(t, testConfig(), testLink(50), 100*ns).time(leapCopy(segments, bytes))
	for _, most := range []uint64{bytes, 10*bytes + 5, 1 << 30} {
		took, over := leapt(t, leapCopy(segments, bytes), 5*bytes, most)
		require.Zero(t, over%bytes)
		require.InEpsilon(t, float64(over)/(segments*bytes), float64(plain-took)/float64(plain), 0.01)
	}
}

func TestLeapStaysWithinEqualSegments(t *testing.T) {
	c := leapCopy(20, 4096)
	c.Segments[10].Bytes = 2048
	g := newRig(t, testConfig(), testLink(50), 100*ns)
	g.start(us, c)
	g.runUntil(func() bool { moved, _ := g.port.Moved(0); return moved > 4096 })
	at := g.port.engines[0].segment
	room, unit := g.port.Leap(0)
	require.Equal(t, uint64(4096), unit)
	require.Equal(t, uint64(9-at-1)*4096, room, "up to the last but one of those like it")
	g.port.Apply(0, room, func(_, _ uint64) {})
	g.run()
	require.Len(t, g.front.ended, 1)
}

func TestNoLeapWithoutACopy(t *testing.T) {
	g := newRig(t, testConfig(), testLink(50), 100*ns)
	room, unit := g.port.Leap(0)
	require.Zero(t, room)
	require.NotZero(t, unit)
	g.start(us, leapCopy(1, 4096))
	require.NoError(t, g.engine.Run(func(sim.Time) bool {
		room, _ := g.port.Leap(0)
		require.Zero(t, room, "too short")
		return false
	}))
}

func TestPhaseIsALongSegmentOrARowOfShortOnes(t *testing.T) {
	for _, c := range []struct {
		bytes  uint64
		phases int
	}{{1 << 20, 3}, {4096, 1}} {
		t.Run(fmt.Sprint(c.bytes), func(t *testing.T) {
			g := newRig(t, testConfig(), testLink(50), 100*ns)
			op := g.start(us, leapCopy(3, c.bytes))
			seen := map[int]bool{}
			require.NoError(t, g.engine.Run(func(sim.Time) bool {
				if _, busy := g.port.Moved(0); busy {
					phase, segment := g.port.Phase(0)
					require.Equal(t, int(op), phase)
					seen[segment] = true
				}
				return false
			}))
			require.Len(t, seen, c.phases)
		})
	}
}
