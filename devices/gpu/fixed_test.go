package gpu

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/sim"
)

func TestFixedPartsTakeTheSMAsTheKernelSays(t *testing.T) {
	const part, ctas = 100 * ns, 2
	reads := func(fixed, even bool) (first, last sim.Time) {
		c := testConfig(1)
		c.CTANs = 0
		g := newRig(t, c, memory{latency: us})
		k := kernel(ctas, 1, &streamer{tiles: 1, bytes: 64})
		k.Prologue, k.FixedSM, k.Even = part, fixed, even
		g.gpu.Front.Add(0, Op{Kernel: k})
		require.NoError(t, g.engine.Run(func(now sim.Time) bool {
			if last == 0 && len(g.l2.reads) == ctas {
				last = now
			}
			return false
		}))
		return g.l2.first, last
	}
	first, last := reads(false, false)
	for _, test := range []struct {
		name        string
		even        bool
		first, last sim.Time // later than without
	}{
		{"one after the other", false, 0, part},
		{"shared evenly", true, part, part},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, l := reads(true, test.even)
			require.InDelta(t, test.first.Nanoseconds(), (f - first).Nanoseconds(), 20)
			require.InDelta(t, test.last.Nanoseconds(), (l - last).Nanoseconds(), 20)
		})
	}
}

func TestCTAsThatShareEvenlySendInTurn(t *testing.T) {
	for even, order := range map[bool][]int32{false: {0, 0, 0, 0, 1, 1, 1, 1}, true: {0, 1, 0, 1, 0, 1, 0, 1}} {
		u := issuer{queue: []transfer{{slot: 0}, {slot: 1}}}
		var sent []int32
		left := map[int32]int{0: 4, 1: 4}
		for u.head < len(u.queue) {
			slot := u.queue[u.head].slot
			sent = append(sent, slot)
			if left[slot]--; left[slot] == 0 {
				u.head++
			} else if even && u.others(slot) {
				u.yield()
			}
		}
		require.Equal(t, order, sent)
	}
}

func TestACTAsOwnTransfersStayInOrder(t *testing.T) {
	u := issuer{queue: []transfer{{slot: 0, tile: 0}, {slot: 0, tile: 1}, {slot: 1, tile: 0}, {slot: 0, tile: 2}}, run: 3, row: 2, at: 64}
	u.yield()
	var tiles [][2]int32
	for _, x := range u.queue[u.head:] {
		tiles = append(tiles, [2]int32{x.slot, x.tile})
	}
	require.Equal(t, [][2]int32{{1, 0}, {0, 0}, {0, 1}, {0, 2}}, tiles)
	require.Equal(t, []uint32{3, 2, 64}, []uint32{uint32(u.queue[u.head+1].run), u.queue[u.head+1].row, u.queue[u.head+1].at}, "the first goes on where it was")
}

func TestEvenCTAsAskForALineARequest(t *testing.T) {
	const tiles, bytes = 100, 2 * granule
	span := func(even bool) sim.Time {
		c := testConfig(1)
		c.RequestsPerClock = 0.1
		g := newRig(t, c, memory{})
		k := kernel(1, MaxStages, &streamer{tiles: tiles, bytes: bytes})
		k.Even = even
		g.run(Op{Kernel: k})
		return g.span(0)
	}
	const extra = tiles * (bytes/128 - bytes/granule) * 10 * ns
	requireNear(t, extra, span(true)-span(false), 0.05)
}

func TestOnlyALaunchsFirstCTAsWaitForCode(t *testing.T) {
	const code = 3 * us
	c := testConfig(1)
	ends := func(code sim.Time) (ends []sim.Time) {
		g := newRig(t, c, memory{})
		k := kernel(6, 1, &streamer{})
		k.Code = code
		g.run(Op{Kernel: k}, Op{Kernel: k, After: []int{0}}, Op{Kernel: k, After: []int{1}})
		for op := range 3 {
			ends = append(ends, g.gpu.Front.Op(op).End)
		}
		return ends
	}
	without := ends(0)
	for n, end := range ends(code) {
		require.InDelta(t, float64(n+1)*code.Nanoseconds(), (end - without[n]).Nanoseconds(), 5, "three waves of two CTAs wait once a launch")
	}
}
