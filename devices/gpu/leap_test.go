package gpu

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/sim"
)

const (
	leapSMs  = 4
	resident = 2 * leapSMs // CTAs
	tileSize = 1024
	psByte   = 10 // 100 GB/s
)

// fixedRate is a memory that 8 tiles in flight a CTA keep busy.
func fixedRate() memory { return memory{latency: 300 * ns, psByte: psByte} }

// leapKernel is bound by that memory or by computing.
func leapKernel(ctas, tiles int, compute sim.Time) *Kernel {
	k := kernel(ctas, 8, &streamer{tiles: tiles, bytes: tileSize})
	k.TileChain = compute
	return k
}

// offered tells whether a leap can be taken now.
// leap asks for a leap at so high a rate that it takes no time: CTAs come no
// further apart.
func (g *rig) leap() Leap { return g.gpu.Leap(g.engine.Now(), 1e12) }

func (g *rig) offered() bool { return g.leap() != Leap{} }

func TestLeapOfStepsShortensTheKernelByTheirTime(t *testing.T) {
	const tiles = 400
	for _, c := range []struct {
		name    string
		compute sim.Time
		step    sim.Time // one tile of all resident CTAs
	}{
		{"bound by memory", 0, resident * tileSize * psByte},
		{"bound by computing", 400 * ns, 400 * ns},
	} {
		plain := newRig(t, testConfig(leapSMs), fixedRate())
		plain.run(Op{Kernel: leapKernel(resident, tiles, c.compute)})
		for _, steps := range []int{1, 3, 8, 100, 240, 0} { // 0: all that is offered
			t.Run(fmt.Sprintf("%s, %d steps", c.name, steps), func(t *testing.T) {
				g := newRig(t, testConfig(leapSMs), fixedRate())
				g.gpu.Front.Add(0, Op{Kernel: leapKernel(resident, tiles, c.compute)})
				g.runUntil(g.offered)
				l := g.leap()
				require.Greater(t, l.Steps, tiles/2)
				require.Equal(t, float64(l.Steps*resident*tileSize), l.Bytes)
				if steps > 0 {
					l = g.gpu.Upto(l, float64(steps*resident*tileSize))
					require.Equal(t, steps, l.Steps)
				}
				g.gpu.Apply(l, g.engine.Now(), 0)
				g.finish()
				if l.Steps%8 == 0 { // else the last round of the pipeline has fewer tiles, and idles the memory
					require.InDelta(t, int64(sim.Time(l.Steps)*c.step), int64(plain.span(0)-g.span(0)), float64(c.step))
				}
				short := newRig(t, testConfig(leapSMs), fixedRate())
				short.run(Op{Kernel: leapKernel(resident, tiles-l.Steps, c.compute)})
				require.InDelta(t, int64(short.span(0)), int64(g.span(0)), float64(c.step), "as a kernel of so many tiles less")
				requireEveryCTAOnce(t, g, resident)
				require.Equal(t, resident*tiles*tileSize-uint64(l.Bytes), g.l2.bytes, "what was leapt over is not read")
				require.Equal(t, resident*tiles*tileSize-uint64(l.Bytes), g.gpu.Progress().Bytes)
			})
		}
	}
}

func TestSeveralLeapsAddUp(t *testing.T) {
	const tiles, times = 1000, 5
	plain := newRig(t, testConfig(leapSMs), fixedRate())
	plain.run(Op{Kernel: leapKernel(resident, tiles, 0)})
	g := newRig(t, testConfig(leapSMs), fixedRate())
	g.gpu.Front.Add(0, Op{Kernel: leapKernel(resident, tiles, 0)})
	const steps = 101 // no multiple of the stages
	for range times {
		g.runUntil(g.offered)
		g.gpu.Apply(g.gpu.Upto(g.leap(), steps*resident*tileSize), g.engine.Now(), 0)
		pause := g.engine.Now() + 3*us
		g.runUntil(func() bool { return g.engine.Now() >= pause })
	}
	g.finish()
	const step = resident * tileSize * psByte
	require.InDelta(t, times*steps*step, int64(plain.span(0)-g.span(0)), step)
	requireEveryCTAOnce(t, g, resident)
}

// A leap over waves leaves the kernel as a grid that much smaller would be.
func TestLeapOfWavesShortensTheKernelByTheirTime(t *testing.T) {
	const tiles, waves = 40, 12
	for _, leapt := range []int{1, 5, 0} { // 0: all that is offered
		t.Run(fmt.Sprintf("%d waves", leapt), func(t *testing.T) {
			g := newRig(t, testConfig(leapSMs), fixedRate())
			g.gpu.Front.Add(0, Op{Kernel: leapKernel(waves*resident, tiles, 0)})
			g.runUntil(g.offered)
			l := g.leap()
			require.Greater(t, l.Waves, waves/2)
			const wave = resident * tiles * tileSize
			require.Equal(t, float64(l.Waves*wave), l.Bytes)
			if leapt > 0 {
				l = g.gpu.Upto(l, float64(leapt*wave))
				require.Equal(t, leapt, l.Waves)
			}
			g.gpu.Apply(l, g.engine.Now(), 0)
			g.finish()

			small := newRig(t, testConfig(leapSMs), fixedRate())
			small.run(Op{Kernel: leapKernel((waves-l.Waves)*resident, tiles, 0)})
			require.InDelta(t, int64(small.span(0)), int64(g.span(0)), resident*tileSize*psByte)
			requireEveryCTAOnce(t, g, (waves-l.Waves)*resident)
			for cta := l.Waves * resident; cta < waves*resident; cta++ {
				require.Contains(t, g.l2.writes, uint64(outputs+cta*64), "those leapt over are the earliest")
			}
			require.Equal(t, small.l2.bytes, g.l2.bytes)
		})
	}
}

// A wave's bytes are those of its prologues too.
func TestLeapOfWavesCountsPrologues(t *testing.T) {
	k := leapKernel(10*resident, 40, 0)
	k.Program.(*streamer).prologue = 512
	g := newRig(t, testConfig(leapSMs), fixedRate())
	g.gpu.Front.Add(0, Op{Kernel: k})
	g.runUntil(g.offered)
	l := g.leap()
	require.NotZero(t, l.Waves)
	require.Equal(t, float64(l.Waves*resident*(40*tileSize+512)), l.Bytes)
}

// In later waves some CTA always starts: whole waves can be exchanged then,
// but resident CTAs cannot move on by equal steps.
func TestNoLeapWhileCTAsAreInTheirPrologue(t *testing.T) {
	for _, ctas := range []int{resident, resident - 3, 6 * resident} {
		for _, ctaNs := range []float64{1, 1000} {
			t.Run(fmt.Sprintf("%d CTAs, one every %g ns", ctas, ctaNs), func(t *testing.T) {
				c := testConfig(leapSMs)
				c.CTANs = ctaNs
				g := newRig(t, c, fixedRate())
				k := leapKernel(ctas, 100, 0)
				k.Prologue = us / 2
				g.gpu.Front.Add(0, Op{Kernel: k})
				seen, first := 0, min(ctas, resident)
				require.NoError(t, g.engine.Run(func(now sim.Time) bool {
					l, starting := g.leap(), g.starting()
					if starting {
						seen++
						require.Zero(t, l.Steps, "at %v", now)
					}
					if p := g.gpu.Progress(); p.Left == p.Total && (starting || g.resident() < first) {
						require.Zero(t, l, "at %v, in the first wave", now)
					}
					return false
				}))
				require.NotZero(t, seen)
			})
		}
	}
}

// starting tells whether a CTA is resident but not yet past its prologue.
func (g *rig) starting() bool {
	for _, group := range g.gpu.Groups {
		for i := range group.ctas {
			if c := &group.ctas[i]; c.kernel != nil && !c.live {
				return true
			}
		}
	}
	return false
}

func TestNoLeapWithoutWork(t *testing.T) {
	g := newRig(t, testConfig(leapSMs), fixedRate())
	require.Zero(t, g.leap(), "nothing runs")
	require.Equal(t, -1, g.gpu.Progress().Op)
	g.gpu.Front.Add(0, Op{Kernel: leapKernel(5, 0, 0)}, Op{Kernel: leapKernel(resident, 9, 0)})
	require.NoError(t, g.engine.Run(func(sim.Time) bool {
		require.False(t, g.offered(), "no tiles, or too few of them")
		return false
	}))
	require.Zero(t, g.leap(), "all has ended")
}

// The CTA with the fewest tiles bounds the leap: its end is simulated.
func TestLeapEndsBeforeTheShortestCTA(t *testing.T) {
	g := newRig(t, testConfig(leapSMs), fixedRate())
	k := leapKernel(resident, 400, 0)
	k.Program.(*streamer).special = map[int]int{3: 50, 5: 120}
	g.gpu.Front.Add(0, Op{Kernel: k})
	g.runUntil(g.offered)
	l := g.leap()
	require.Less(t, l.Steps, 50)
	g.gpu.Apply(l, g.engine.Now(), 0)
	g.finish()
	requireEveryCTAOnce(t, g, resident)
	require.Equal(t, (6*400+50+120)*tileSize-uint64(l.Bytes), g.l2.bytes)
}

// What the rates are in another memory is not known before CTAs are there.
func TestLeapEndsBeforeAnotherMemory(t *testing.T) {
	const tiles, border = 400, 150
	g := newRig(t, testConfig(leapSMs), fixedRate())
	k := leapKernel(resident, tiles, 0)
	k.Where = func(_, tile int) (memory, until int) {
		if tile < border {
			return 0, border
		}
		return 1, math.MaxInt
	}
	g.gpu.Front.Add(0, Op{Kernel: k})
	g.runUntil(g.offered)
	l := g.leap()
	require.Less(t, l.Steps, border)
	require.Greater(t, l.Steps, border/2)
	require.Zero(t, g.gpu.Progress().Crossings)
	g.gpu.Apply(l, g.engine.Now(), 0)
	g.runUntil(func() bool { return g.gpu.Progress().Crossings == resident })
	require.False(t, g.offered(), "no pace is known there")
	for _, p := range g.gpu.drift(k, g.engine.Now(), 0).paces {
		require.Zero(t, p.done, "tiles under way from the memory before do not count")
	}
	g.runUntil(g.offered)
	require.Greater(t, g.leap().Steps, tiles/2)
	g.finish()
	requireEveryCTAOnce(t, g, resident)
	require.Equal(t, resident, g.gpu.Progress().Crossings)
}

// Waves are exchanged for others in the same memory only.
func TestLeapOfWavesStaysInAMemory(t *testing.T) {
	const waves, border = 12, 7
	g := newRig(t, testConfig(leapSMs), fixedRate())
	k := leapKernel(waves*resident, 40, 0)
	k.Where = func(cta, _ int) (memory, until int) { return cta / (border * resident), math.MaxInt }
	g.gpu.Front.Add(0, Op{Kernel: k})
	g.runUntil(g.offered)
	require.Equal(t, border-2, g.leap().Waves) // one has begun, one stays behind
}

func TestCTAsLeapAtThePaceOfTheirMemory(t *testing.T) {
	d := &drift{mean: 3, paces: []pace{{memory: 0, ctas: 2, done: 500, age: 100}, {memory: 1, ctas: 2, done: 100, age: 100}}}
	near, far := &cta{memory: 0}, &cta{memory: 1}
	require.InDelta(t, 5.0/3, d.share(near), 1e-9)
	require.InDelta(t, 1.0/3, d.share(far), 1e-9)
	sum := int32(0)
	for range 30 {
		sum += d.takes(far, 10)
	}
	require.EqualValues(t, 100, sum, "whole tiles add up")
}

// A CTA without tiles among others must not be asked for one.
func TestLeapPassesOverCTAsWithoutTiles(t *testing.T) {
	g := newRig(t, testConfig(leapSMs), fixedRate())
	k := leapKernel(resident, 100, 0)
	k.Program.(*streamer).special = map[int]int{2: 0}
	g.gpu.Front.Add(0, Op{Kernel: k})
	require.NoError(t, g.engine.Run(func(sim.Time) bool {
		g.leap()
		return false
	}))
	requireEveryCTAOnce(t, g, resident)
}

func TestUptoNeverExceedsTheLeapOrTheBytes(t *testing.T) {
	g := newRig(t, testConfig(leapSMs), fixedRate())
	g.gpu.Front.Add(0, Op{Kernel: leapKernel(resident, 400, 0)})
	g.runUntil(g.offered)
	l := g.leap()
	require.Equal(t, l, g.gpu.Upto(l, 2*l.Bytes))
	require.Equal(t, Leap{}, g.gpu.Upto(Leap{}, 1e9))
	for bytes := 0.0; bytes < l.Bytes; bytes += 5000 {
		cut := g.gpu.Upto(l, bytes)
		require.LessOrEqual(t, cut.Bytes, bytes)
		require.Greater(t, cut.Bytes, bytes-resident*tileSize)
		require.Equal(t, float64(cut.Steps*resident*tileSize), cut.Bytes)
	}
}

func TestProgressFollowsTheGrid(t *testing.T) {
	g := newRig(t, testConfig(leapSMs), fixedRate())
	g.gpu.Front.Add(0, Op{Kernel: leapKernel(3*resident, 20, 0)})
	g.runUntil(func() bool { return g.gpu.Progress().Op == 0 })
	require.Equal(t, Progress{Op: 0, Placed: resident, Left: 3 * resident, Total: 3 * resident}, g.gpu.Progress())
	g.runUntil(func() bool { return g.gpu.Progress().Left == resident })
	require.Equal(t, 3*resident, g.gpu.Progress().Placed)
	g.finish()
	require.Equal(t, Progress{Op: -1, Bytes: 3 * resident * 20 * tileSize}, g.gpu.Progress())
}
