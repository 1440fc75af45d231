package gpu

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/sim"
)

// looper is a program whose warps each read, and store, pieces of their own.
type looper struct {
	tiles int
	bytes uint32
	store bool // a piece as well
	again bool // every tile reads the same piece
}

func (l *looper) Tiles(int) int                    { return l.tiles }
func (l *looper) Prologue(_ int, runs []Run) []Run { return runs }
func (l *looper) Epilogue(_ int, runs []Run) []Run { return runs }
func (l *looper) Tile(cta, tile int, runs []Run) []Run {
	at := uint64(cta)*ctaStride + uint64(tile)*uint64(l.bytes)
	if l.again {
		at = 0
	}
	if l.store {
		runs = append(runs, Run{Addr: outputs + at, Rows: 1, Bytes: l.bytes, Store: true})
	}
	return append(runs, Run{Addr: at, Rows: 1, Bytes: l.bytes})
}

// ofWarps returns a launch of CTAs of so many warps that compute for a fixed
// time.
func ofWarps(ctas, warps int, chain sim.Time, p Program) *Kernel {
	return &Kernel{Name: "k", CTAs: ctas, Threads: 32 * warps, Stages: 1, Program: p, Warps: &Warps{
		Of:   func(int) int { return warps },
		Time: func(int, int) (sim.Time, sim.Time) { return chain, 0 },
	}}
}

// A round takes a warp the memory's round trip and its instructions, and what
// other warps do is nothing to it.
func TestWarpsGoRoundTheirLoopsIndependently(t *testing.T) {
	const rounds = 50
	for _, warps := range []int{1, 7, MaxStages} {
		g := newRig(t, testConfig(1), memory{latency: 380 * ns})
		k := ofWarps(1, warps, 100*ns, &looper{tiles: rounds * warps, bytes: 128})
		slow := k.Warps.Time
		k.Warps.Time = func(cta, tile int) (sim.Time, sim.Time) {
			if tile == 0 { // the first warp's first
				return 20 * us, 0
			}
			return slow(cta, tile)
		}
		g.run(Op{Kernel: k})
		requireNear(t, rounds*600*ns+20*us, g.span(0), 0.03)
		require.Len(t, g.l2.reads, rounds*warps)
		require.Equal(t, uint64(rounds*warps), g.gpu.Tiles(0))
		require.Equal(t, uint64(rounds*warps*128), g.gpu.Bytes(0))
	}
}

func TestWarpsShareTheirSchedulers(t *testing.T) {
	const rounds = 50
	for _, v := range []struct {
		name               string
		ctas, warps        int
		chain, busy, round sim.Time
	}{
		{"each has one for itself", 1, 4, 200 * ns, 200 * ns, 700 * ns},
		{"CTAs are dealt to other schedulers", 2, 2, 200 * ns, 200 * ns, 700 * ns},
		{"two that wait for their own instructions meet unhindered", 1, 8, 200 * ns, 100 * ns, 700 * ns},
		{"two that do not take twice as long", 1, 8, 200 * ns, 200 * ns, 900 * ns},
		{"many that begin together end together", 2, 32, 200 * ns, 100 * ns, 500*ns + 16*100*ns},
	} {
		t.Run(v.name, func(t *testing.T) {
			g := newRig(t, testConfig(1), memory{latency: 380 * ns})
			k := ofWarps(v.ctas, v.warps, 0, &looper{tiles: rounds * v.warps, bytes: 128})
			k.Warps.Time = func(int, int) (sim.Time, sim.Time) { return v.chain, v.busy }
			g.run(Op{Kernel: k})
			requireNear(t, rounds*v.round, g.span(0), 0.05)
		})
	}
}

// Between two barriers all warps of the grid do as many rounds.
func TestBarrierHoldsTheWholeGrid(t *testing.T) {
	const rounds, each, warps, ctas = 12, 3, 4, 6
	c := testConfig(ctas)
	c.BarrierNs = 1000
	span := func(every int) sim.Time {
		g := newRig(t, c, memory{latency: 380 * ns})
		k := ofWarps(ctas, warps, 100*ns, &looper{tiles: rounds * warps, bytes: 128})
		k.Warps.Barrier = every
		k.Warps.Time = func(cta, tile int) (sim.Time, sim.Time) {
			if tile/warps%ctas == cta { // another CTA is late in each round
				return us, 0
			}
			return 100 * ns, 0
		}
		g.run(Op{Kernel: k})
		require.Equal(t, uint64(ctas*warps*rounds), g.gpu.Tiles(0))
		return g.span(0)
	}
	free, held := span(0), span(1)
	requireNear(t, rounds*(500*ns+us)+rounds*(us+2*crossing), held, 0.03)
	require.Less(t, free, held)
	require.Less(t, span(each), held)
	require.Greater(t, span(each), free)
}

// Stores of a tile are posted, but no more than a window of them.
func TestStoresOfTilesArePostedWithinAWindow(t *testing.T) {
	const rounds = 200
	span := func(store bool, ack sim.Time) sim.Time {
		g := newRig(t, testConfig(1), memory{latency: 380 * ns, ack: ack})
		g.run(Op{Kernel: ofWarps(1, 32, 10*ns, &looper{tiles: rounds * 32, bytes: granule, store: store})})
		if store {
			require.Equal(t, uint64(2*rounds*32*granule), g.gpu.Bytes(0))
		}
		return g.span(0)
	}
	requireNear(t, span(false, 0), span(true, 500*ns), 0.05)
	const slow = 10 * us
	requireNear(t, rounds*32*granule/storeWindow*(slow+2*crossing), span(true, slow), 0.1)
}

func TestLoadsThroughTheL1HitWhatItHolds(t *testing.T) {
	c := testConfig(1)
	c.L1Bytes, c.L1HitNs = 64<<10, 20
	g := newRig(t, c, memory{latency: 380 * ns})
	k := ofWarps(1, 1, 0, &looper{tiles: 1000, bytes: 32, again: true})
	k.Warps.L1 = true
	g.run(Op{Kernel: k})
	require.Len(t, g.l2.reads, 1, "the first load")
	require.Equal(t, 1, g.l2.reads[0])
	requireNear(t, 1000*20*ns, g.span(0), 0.1)
}
