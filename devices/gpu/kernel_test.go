package gpu

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/sim"
)

func TestResidencyIsBoundByTheScarcestResource(t *testing.T) {
	c := testConfig(1)
	for _, k := range []struct {
		name                       string
		threads, registers, shared int
		want                       int
	}{
		{"CTA slots", 32, 0, 0, 32},
		{"threads", 1024, 0, 0, 2},
		{"threads, ragged", 768, 0, 0, 2},
		{"registers", 256, 128, 0, 2},
		{"registers come in units of 256 a warp", 256, 33, 0, 6},
		{"registers of a partial warp count in full", 48, 255, 0, 4},
		{"shared memory", 128, 0, 100 << 10, 2},
		{"shared memory with CUDA's own KiB", 128, 0, 227 << 9, 1},
		{"the least of all", 256, 64, 60 << 10, 3},
		{"one CTA always runs", 128, 0, 500 << 10, 1},
	} {
		t.Run(k.name, func(t *testing.T) {
			require.Equal(t, k.want, c.resident(&Kernel{Threads: k.threads, Registers: k.registers, Shared: k.shared}))
		})
	}
}

// One CTA keeps stages × bytes in flight, and the memory answers after a round
// trip: Little's law gives its bandwidth.
func TestOneCTAsBandwidthIsBytesInFlightOverLatency(t *testing.T) {
	const tiles = 2000
	for _, k := range []struct {
		stages  int
		bytes   uint32
		latency sim.Time
	}{{1, 256, 300 * ns}, {2, 256, 300 * ns}, {4, 4096, 300 * ns}, {3, 1024, us}, {MaxStages, 2048, 500 * ns}} {
		g := newRig(t, testConfig(1), memory{latency: k.latency})
		g.run(Op{Kernel: kernel(1, k.stages, &streamer{tiles: tiles, bytes: k.bytes})})
		rate := tiles * float64(k.bytes) / g.span(0).Nanoseconds()
		want := float64(k.stages) * float64(k.bytes) / (k.latency + 2*crossing).Nanoseconds()
		require.InEpsilon(t, want, rate, 0.05, "%+v", k)
	}
}

func TestMoreCTAsThanOneAddTheirBandwidth(t *testing.T) {
	span := func(ctas int) sim.Time {
		g := newRig(t, testConfig(2), memory{latency: 400 * ns})
		g.run(Op{Kernel: kernel(ctas, 2, &streamer{tiles: 200, bytes: 512})})
		return g.span(0)
	}
	requireNear(t, span(1), span(4), 0.01)
}

func TestKernelWithoutTilesTakesLaunchPrologueAndEpilogue(t *testing.T) {
	for ctas := 1; ctas <= 4; ctas++ {
		c := testConfig(2)
		g := newRig(t, c, memory{})
		k := kernel(ctas, 1, &streamer{})
		g.run(Op{Kernel: k})
		dispatch := sim.Time(ctas-1) * sim.FromNanoseconds(c.CTANs) // of the last
		output := g.gpu.Groups[0].psIssue
		require.Equal(t, 500*ns+k.Prologue+k.Epilogue+dispatch+output, g.span(0))
		requireEveryCTAOnce(t, g, ctas)
	}
}

func TestEmptyGridEnds(t *testing.T) {
	g := newRig(t, testConfig(2), memory{})
	g.run(Op{Kernel: kernel(0, 1, &streamer{})}, Op{Kernel: kernel(1, 1, &streamer{}), After: []int{0}})
	require.Equal(t, 2, g.gpu.Front.Ended())
	require.Equal(t, 500*ns-2*crossing, g.span(0), "its launch, without the way to a SM and back")
	requireEveryCTAOnce(t, g, 1)
}

func TestLargeGridRunsInWaves(t *testing.T) {
	const slots, tiles = 8, 10 // of 4 SMs, two CTAs each
	one := sim.Time(0)
	for _, waves := range []float64{1, 2, 3.5} {
		g := newRig(t, testConfig(4), memory{latency: 400 * ns})
		ctas := int(waves * slots)
		g.gpu.Front.Add(0, Op{Kernel: kernel(ctas, 2, &streamer{tiles: tiles, bytes: 256})})
		require.NoError(t, g.engine.Run(func(sim.Time) bool {
			require.LessOrEqual(t, g.resident(), slots)
			return false
		}))
		requireEveryCTAOnce(t, g, ctas)
		require.Len(t, g.l2.reads, ctas*tiles)
		for _, n := range g.l2.reads {
			require.Equal(t, 1, n, "every tile is read once")
		}
		if one == 0 {
			one = g.span(0)
		}
		requireNear(t, one*sim.Time(waves+0.5), g.span(0), 0.25)
	}
}

func TestComputeBoundTilesHaveTheSMInTurn(t *testing.T) {
	const tiles = 200
	for _, k := range []struct {
		name      string
		ctas      int
		chain, sm sim.Time
		want      sim.Time // of all tiles on the one SM
	}{
		{"one CTA is bound by its chain", 1, 150 * ns, 100 * ns, tiles * 150 * ns},
		{"two CTAs by the SM", 2, 150 * ns, 100 * ns, 2 * tiles * 100 * ns},
		{"two CTAs overlap what needs no SM", 2, 200 * ns, 50 * ns, tiles * 200 * ns},
		{"SM and chain alike", 2, 100 * ns, 100 * ns, 2 * tiles * 100 * ns},
	} {
		t.Run(k.name, func(t *testing.T) {
			g := newRig(t, testConfig(1), memory{})
			kn := kernel(k.ctas, 4, &streamer{tiles: tiles, bytes: 64})
			kn.TileChain, kn.TileSM = k.chain, k.sm
			g.run(Op{Kernel: kn})
			requireNear(t, k.want, g.span(0), 0.05)
			require.GreaterOrEqual(t, g.span(0), k.want)
		})
	}
}

// Loads of later tiles hide behind the computing of earlier ones.
func TestStagesOverlapLoadsWithComputing(t *testing.T) {
	span := func(stages int) sim.Time {
		g := newRig(t, testConfig(1), memory{latency: 380 * ns}) // 500 with the crossings
		k := kernel(1, stages, &streamer{tiles: 100, bytes: 256})
		k.TileChain = 500 * ns
		g.run(Op{Kernel: k})
		return g.span(0)
	}
	requireNear(t, 100*us, span(1), 0.03) // load, then compute
	requireNear(t, 50*us, span(2), 0.03)  // load while computing
}

func TestTilesWaitForThePrologue(t *testing.T) {
	g := newRig(t, testConfig(1), memory{latency: 500 * ns})
	p := &streamer{tiles: 3, bytes: 256, prologue: 600}
	k := kernel(1, 2, p)
	g.gpu.Front.Add(0, Op{Kernel: k})
	g.runUntil(func() bool { return g.l2.reads[0] > 0 }) // the first tile's address
	tile := g.engine.Now()
	require.Equal(t, 1, g.l2.reads[prologueAt], "the prologue was read")
	require.GreaterOrEqual(t, tile-g.l2.first, 500*ns+crossing, "and had arrived")
	g.finish()
	require.Equal(t, uint64(600+3*256), g.l2.bytes)
}

func TestCTAsOfUnequalLengthAllFinish(t *testing.T) {
	g := newRig(t, testConfig(3), memory{latency: 300 * ns})
	p := &streamer{tiles: 5, bytes: 128, special: map[int]int{0: 100, 7: 0, 11: 1, 19: 60}}
	g.run(Op{Kernel: kernel(20, 3, p)})
	requireEveryCTAOnce(t, g, 20)
	require.Len(t, g.l2.reads, 16*5+100+1+60)
	require.Equal(t, uint64(16*5+100+1+60), g.gpu.Flow(0).Tiles)
}

func TestEveryRequestLiesInOneGranule(t *testing.T) {
	g := newRig(t, testConfig(1), memory{})
	p := &streamer{tiles: 7, bytes: 1000, rows: 5, base: 72}
	g.run(Op{Kernel: kernel(2, 2, p)})
	require.Equal(t, uint64(2*7*5*1000), g.l2.bytes, "no byte twice, none forgotten")
	require.LessOrEqual(t, g.l2.longest, uint32(granule))
	f := g.gpu.Flow(0)
	require.Equal(t, g.l2.bytes, f.Read)
	require.Equal(t, g.l2.bytes, g.gpu.Progress().Bytes)
	require.Equal(t, uint64(2*32), f.Written)
	require.Zero(t, f.Remote)
	require.Equal(t, int64(f.Requests), f.Latency.Count())
}

func TestSMPortBoundsItsBandwidth(t *testing.T) {
	c := testConfig(1)
	c.PortBytesPerClk = 64 // GB/s, at 1 GHz
	g := newRig(t, c, memory{latency: 300 * ns})
	g.run(Op{Kernel: kernel(2, 8, &streamer{tiles: 100, bytes: 8192})})
	requireNear(t, 2*100*8192/64*ns, g.span(0), 0.05)
}

func TestSMSendsSoManyRequestsPerClock(t *testing.T) {
	c := testConfig(1)
	c.RequestsPerClock = 0.25
	g := newRig(t, c, memory{latency: 300 * ns})
	g.run(Op{Kernel: kernel(2, 8, &streamer{tiles: 100, bytes: 8192})})
	requireNear(t, 2*100*8192/granule*4*ns, g.span(0), 0.05)
}

func TestRemoteAddressesGoToTheirTiersPort(t *testing.T) {
	g := newRig(t, testConfig(1), memory{})
	k := kernel(1, 1, &streamer{tiles: 10, bytes: 256, base: 1 << 44})
	k.Flow = 2
	g.run(Op{Kernel: k})
	require.Equal(t, uint64(2560), g.remote.bytes)
	require.Zero(t, g.l2.bytes)
	f := g.gpu.Flow(2)
	require.Equal(t, uint64(2560), f.Remote)
	requireNear(t, us+2*remoteIn, f.Latency.Mean(), 0.001)
}

// Reports add up causes: together they are the requests' whole time.
func TestCausesSumToTheLatencies(t *testing.T) {
	g := newRig(t, testConfig(3), memory{latency: 300 * ns, psByte: 5})
	k := kernel(9, 2, &streamer{tiles: 20, bytes: 700, prologue: 100})
	k.Flow = 1
	g.run(Op{Kernel: k})
	f := g.gpu.Flow(1)
	sum := sim.Time(0)
	for _, v := range f.Why {
		sum += sim.Time(v)
	}
	require.NotZero(t, f.Requests)
	require.Equal(t, f.Latency.Mean(), sum/sim.Time(f.Requests))
	for _, other := range []uint8{0, 9} {
		require.Zero(t, g.gpu.Flow(other).Requests)
	}
}

func TestResultsDoNotDependOnEngineWorkers(t *testing.T) {
	play := func(workers int) (ops [3]Op, flow FlowStats) {
		g := newRig(t, testConfig(40), memory{latency: 300 * ns, psByte: 1})
		g.engine.SetWorkers(workers)
		p := &streamer{tiles: 6, bytes: 2048, prologue: 64, special: map[int]int{3: 1, 50: 11}}
		g.run(Op{Kernel: kernel(130, 3, p)}, Op{Kernel: kernel(10, 1, p)}, Op{Kernel: kernel(30, 2, p), After: []int{0, 1}})
		for i := range ops {
			ops[i] = *g.gpu.Front.Op(i)
			ops[i].Kernel = nil // the same but for its address
		}
		return ops, g.gpu.Flow(0)
	}
	ops1, flow1 := play(1)
	ops2, flow2 := play(2)
	require.Equal(t, ops1, ops2)
	require.Equal(t, flow1, flow2)
}

func TestValidateNamesEveryBadKey(t *testing.T) {
	keys := func(c Config) (bad []string) {
		c.Validate(func(key, _ string) { bad = append(bad, key) })
		return bad
	}
	require.Empty(t, keys(testConfig(1)))
	require.ElementsMatch(t, []string{"sms", "clock_mhz", "registers", "shared_bytes", "threads", "ctas", "tensor_tflops", "vector_tflops",
		"port_bytes_per_clock", "requests_per_clock"}, keys(Config{}))
	c := testConfig(1)
	c.LaunchNs, c.GapNs, c.CTANs, c.RemoteNs = -1, -1, -1, -1
	require.ElementsMatch(t, []string{"launch_ns", "gap_ns", "cta_ns", "remote_ns"}, keys(c))
}

// Of two CTAs the older takes half the time a tile and the younger half as
// much again; once alone it takes the plain time.
func TestTheOldestCTAOfAFullSMIsTheQuickest(t *testing.T) {
	const tiles = 300
	span := func(aged ...float64) float64 {
		k := kernel(2, 2, &streamer{tiles: tiles, bytes: 128})
		k.TileChain, k.Aged = us, aged
		g := newRig(t, testConfig(1), memory{latency: 100 * ns})
		g.run(Op{Kernel: k})
		return g.span(0).Nanoseconds()
	}
	require.InEpsilon(t, tiles*1000, span(), 0.01)
	done := tiles * 0.5 / 1.5 // by the younger when the older ends
	require.InEpsilon(t, tiles*500+(tiles-done)*1000, span(0.5, 1.5), 0.01)
	require.Equal(t, span(), span(0.5, 1, 1.5), "the SM is not that full")
}
