package gpu

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices/cache"
)

// A chase round and round lines that the L1 does not hold misses those of
// overfull sets, of which each has one line more than ways.
func TestL1BeyondItsSizeMissesWholeSets(t *testing.T) {
	const lines, pass = 128, 3
	for _, v := range []struct{ over, missed int }{{0, 0}, {1, l1Ways + 1}, {10, 10 * (l1Ways + 1)}, {lines / l1Ways, lines + lines/l1Ways}} {
		c := l1{bytes: lines * cache.LineBytes}
		missed := 0
		for n := range pass {
			missed = 0
			for i := range lines + v.over {
				if !c.touch(uint64(i) * cache.LineBytes) {
					missed++
				}
			}
			if n == 0 {
				require.Equal(t, lines+v.over, missed, "it begins empty")
			}
		}
		require.Equal(t, v.missed, missed, "%d lines more", v.over)
	}
}

// linesOf is a program whose tiles load the same places, each after the other.
type linesOf struct {
	oneLine
	places []uint64
	bytes  uint32 // of a load
	tiles  int
}

func (p *linesOf) Tiles(int) int                  { return p.tiles }
func (*linesOf) Epilogue(_ int, runs []Run) []Run { return runs }
func (p *linesOf) Tile(_, _ int, runs []Run) []Run {
	for _, addr := range p.places {
		runs = append(runs, Run{Addr: addr, Rows: 1, Bytes: p.bytes})
	}
	return runs
}

// One warp loads a line, another sector of it, and the line again: it goes on
// when the line has come, and once.
func TestLoadsOfAComingLineWaitForIt(t *testing.T) {
	for _, places := range [][]uint64{{0, 0}, {0, 32}, {0, 32, 0}} {
		c := testConfig(1)
		c.L1Bytes, c.L1HitNs = 64<<10, 20
		g := newRig(t, c, memory{latency: 5 * us})
		k := updates(1, 64, true)
		k.Program = &linesOf{places: places, bytes: 32, tiles: 2}
		k.Warps.Of = func(int) int { return 2 }
		g.gpu.Front.Add(0, Op{Kernel: k})
		g.runUntil(func() bool { return g.gpu.Tiles(0) > 0 })
		require.Greater(t, g.engine.Now(), 5*us)
		g.finish()
		require.Equal(t, uint64(2), g.gpu.Tiles(0))
	}
}
