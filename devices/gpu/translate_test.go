package gpu

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices"
	"hwsim/devices/cache"
	"hwsim/devices/tlb"
	"hwsim/sim"
)

const (
	missTime = 50 * ns
	page     = 1 << 21 // bytes that an entry of HBM covers
	reach    = 8 * page
)

// newTranslatingRig is a rig whose groups have a TLB of eight entries, with so
// much HBM in use.
func newTranslatingRig(t *testing.T, c Config, inUse uint64) *rig {
	g := newRig(t, c, memory{latency: 380 * ns})
	x := &Translation{TLB: tlb.Config{Entries: 8, Ways: 8}, Shifts: []uint8{21, 16}, Miss: missTime, InUse: &inUse}
	for _, group := range g.gpu.Groups {
		group.tlb = newGroupTLB(x)
	}
	return g
}

// chaser is a program that reads one piece of each of so many stretches in
// turn, over and over.
type chaser struct {
	looper
	base, stretch uint64
	stretches     int
}

func (c *chaser) Tile(_, tile int, runs []Run) []Run {
	return append(runs, Run{Addr: c.base + uint64(tile%c.stretches)*c.stretch, Rows: 1, Bytes: 128})
}

// meanOf runs a chase and returns the mean latency of its reads.
func meanOf(g *rig, p *chaser) sim.Time {
	p.tiles = 100
	g.run(Op{Kernel: ofWarps(1, 1, ns, p)})
	f := g.gpu.Flow(0)
	return f.Latency.Mean()
}

func TestHBMWithinTheReachIsNotLookedUp(t *testing.T) {
	g := newTranslatingRig(t, testConfig(1), reach)
	require.Equal(t, meanOf(newRig(t, testConfig(1), memory{latency: 380 * ns}), &chaser{stretch: page, stretches: 9}), meanOf(g, &chaser{stretch: page, stretches: 9}))
	hits, misses := g.gpu.Translations()
	require.Zero(t, hits+misses)
}

func TestHBMBeyondTheReachMissesWhatItsTLBDoesNotHold(t *testing.T) {
	held := newTranslatingRig(t, testConfig(1), reach+1)
	thrash := newTranslatingRig(t, testConfig(1), reach+1)
	fast, slow := meanOf(held, &chaser{stretch: page, stretches: 8}), meanOf(thrash, &chaser{stretch: page, stretches: 9})
	require.Equal(t, missTime, slow-fast+missTime*8/100, "the eight first touches miss in any case")
	hits, misses := held.gpu.Translations()
	require.Equal(t, []uint64{92, 8}, []uint64{hits, misses})
	hits, misses = thrash.gpu.Translations()
	require.Equal(t, []uint64{0, 100}, []uint64{hits, misses})
	require.Equal(t, uint64(100*missTime), thrash.gpu.Flow(0).Why[devices.Translate], "and are charged")
}

func TestRemoteTiersAreAlwaysLookedUp(t *testing.T) {
	g := newTranslatingRig(t, testConfig(1), 0)
	meanOf(g, &chaser{base: 1 << devices.TierShift, stretch: 1 << 16, stretches: 4})
	hits, misses := g.gpu.Translations()
	require.Equal(t, []uint64{96, 4}, []uint64{hits, misses})
}

func TestTouchFillsTheGroupsTLBs(t *testing.T) {
	g := newTranslatingRig(t, testConfig(13), 0) // two groups
	g.gpu.TouchTLBs(1 << devices.TierShift)
	g.gpu.TouchTLBs(0) // HBM within the reach is not held
	for _, group := range g.gpu.Groups {
		require.Zero(t, group.tlb.wait(1<<devices.TierShift))
		group.tlb.beyond = true
		require.Equal(t, missTime, group.tlb.wait(0))
	}
}

// A link's port tells loads that one warp awaits from a pipeline's reads. Both go
// over links line by line.
func TestSMsLoadLinesFromRemoteTiers(t *testing.T) {
	const far = 1 << devices.TierShift
	g := newRig(t, testConfig(1), memory{}).gpu.Groups[0]
	for kind, k := range map[devices.Kind]*Kernel{devices.Load: ofWarps(1, 1, ns, nil), devices.Read: kernel(1, 1, nil)} {
		c := &cta{kernel: k}
		require.Equal(t, kind, c.reads(far))
		require.EqualValues(t, cache.LineBytes, g.unit(c, far))
		require.Equal(t, devices.Read, c.reads(0))
		require.EqualValues(t, granule, g.unit(c, 0))
	}
}
