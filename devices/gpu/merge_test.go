package gpu

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// same is a program whose CTAs all read the same tiles.
type same struct{ *streamer }

func (s same) Tile(_, tile int, runs []Run) []Run { return s.streamer.Tile(0, tile, runs) }

// SMs of a GPC that read the same at the same time ask the L2 once, if their
// kernel says so, and all get it.
func TestReadsUnderWayAreMergedInAGPC(t *testing.T) {
	const tiles, ctas = 40, 8
	for _, merge := range []bool{false, true} {
		g := newRig(t, testConfig(ctas), memory{latency: 500 * ns})
		k := kernel(ctas, 4, nil)
		k.Program, k.Merge = same{&streamer{tiles: tiles, bytes: 1024}}, merge
		g.run(Op{Kernel: k})
		want := ctas
		if merge {
			want = 1
		}
		require.Len(t, g.l2.reads, tiles*1024/granule)
		for addr, n := range g.l2.reads {
			require.Equal(t, want, n, "address %#x", addr)
		}
		require.EqualValues(t, ctas*tiles*1024+ctas*32, g.gpu.Bytes(0))
		require.EqualValues(t, ctas*tiles, g.gpu.Tiles(0))
		require.Empty(t, g.gpu.Groups[0].merger.under)
		requireEveryCTAOnce(t, g, ctas)
	}
}

// Answers that have come are not kept: who asks later asks the L2 again.
func TestReadsThatHaveComeAreAskedForAgain(t *testing.T) {
	g := newRig(t, testConfig(1), memory{latency: 500 * ns})
	k := kernel(1, 1, nil)
	k.Program, k.Merge = same{&streamer{tiles: 3, bytes: granule}}, true
	again := *k
	g.run(Op{Kernel: k}, Op{Kernel: &again, After: []int{0}})
	for _, n := range g.l2.reads {
		require.Equal(t, 2, n)
	}
}

// Between two results of a CTA, and not after the last, the accumulators drain.
func TestEveryResultButTheLastDrains(t *testing.T) {
	span := func(tiles, every int) int64 {
		g := newRig(t, testConfig(1), memory{})
		k := kernel(1, 4, &streamer{tiles: tiles, bytes: granule})
		k.TileChain, k.Drain, k.DrainEvery = us, 700*ns, every
		g.run(Op{Kernel: k})
		return int64(g.span(0))
	}
	require.EqualValues(t, 0, span(12, 12)-span(12, 0))
	require.EqualValues(t, 2*700*ns, span(12, 4)-span(12, 0))
	require.EqualValues(t, 2*700*ns, span(11, 4)-span(11, 0))
}

// In the mean a tile takes what power allows; after a pause as many run at the
// peak as the pause would have allowed, up to power_ns.
func TestPowerBoundsTilesInTheMean(t *testing.T) {
	span := func(tiles int, power float64) int64 {
		c := testConfig(1)
		c.PowerNs = power
		g := newRig(t, c, memory{})
		k := kernel(1, 4, &streamer{tiles: tiles, bytes: granule})
		k.TileChain, k.TilePower = us, us*5/4
		g.run(Op{Kernel: k})
		return int64(g.span(0))
	}
	require.EqualValues(t, 10*us*5/4, span(30, 0)-span(20, 0), "the mean")
	require.EqualValues(t, us, 2*(span(30, 0)-span(30, 500)), "a pause makes up for as much")
	require.EqualValues(t, us, span(3, 1e6)-span(2, 1e6), "the peak")
}
