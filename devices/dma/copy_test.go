package dma

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices"
	"hwsim/devices/link"
	"hwsim/devices/tlb"
	"hwsim/sim"
)

// layouts are segments whose ends are not those of granules or chunks.
var layouts = map[string][]Segment{
	"one line":     {{Src: remote, Dst: 0, Bytes: 128}},
	"one chunk":    {{Src: remote, Dst: 4096, Bytes: 1024}},
	"ragged":       {{Src: remote + 12, Dst: 100, Bytes: 10_007}},
	"many":         {{Src: remote, Dst: 0, Bytes: 3000}, {Src: remote + 9000, Dst: 8192, Bytes: 5000}, {Src: remote + 20_000, Dst: 50_000, Bytes: 1}},
	"over windows": {{Src: remote, Dst: 777, Bytes: 100_001}},
}

// mirrored turns a copy in into the copy out of the same bytes.
func mirrored(in []Segment) (out []Segment) {
	for _, s := range in {
		out = append(out, Segment{Src: s.Dst, Dst: s.Src, Bytes: s.Bytes})
	}
	return out
}

func total(segments []Segment) (n uint64) {
	for _, s := range segments {
		n += s.Bytes
	}
	return n
}

func TestCopyInBringsEveryByteOnce(t *testing.T) {
	for name, segments := range layouts {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, testConfig(), testLink(50), 100*ns)
			op := g.start(us, &Copy{Segments: segments})
			g.run()
			require.False(t, g.front.twice)
			requireTiled(t, g.far.asked, segments, src)
			written := g.l2Pieces(devices.Write)
			requireTiled(t, written, segments, dst)
			for _, p := range written {
				require.LessOrEqual(t, p.at, g.front.ended[op], "the op ends when all is stored")
			}
			require.Equal(t, Stats{CopiedIn: total(segments), Copies: uint64(len(segments))}, *g.port.Stats())
			requireIdle(t, g)
		})
	}
}

func TestCopyOutReadsTheL2AndWritesFar(t *testing.T) {
	for name, in := range layouts {
		t.Run(name, func(t *testing.T) {
			segments := mirrored(in)
			g := newRig(t, testConfig(), testLink(50), 100*ns)
			op := g.start(us, &Copy{Segments: segments, Out: true, Engine: 1})
			g.run()
			require.False(t, g.front.twice)
			read, written := g.l2Pieces(devices.Read), g.far.of(devices.Write)
			requireTiled(t, read, segments, src)
			requireTiled(t, written, segments, dst)
			require.Equal(t, moved(segments, read), sizes(written), "what was read here is written there")
			require.Len(t, g.far.of(devices.Read), len(segments), "a read behind every copy")
			require.Equal(t, g.far.lastRead+cross, g.front.ended[op], "whose answer ends the op")
			require.Equal(t, Stats{CopiedOut: total(segments), Copies: uint64(len(segments))}, *g.port.Stats())
			requireIdle(t, g)
		})
	}
}

// moved returns where pieces of the segments' sources belong, with their sizes.
func moved(segments []Segment, pieces []piece) map[uint64]uint32 {
	to := map[uint64]uint32{}
	for _, p := range pieces {
		for _, s := range segments {
			if p.addr >= s.Src && p.addr < s.Src+s.Bytes {
				to[s.Dst+p.addr-s.Src] = p.bytes
			}
		}
	}
	return to
}

func sizes(pieces []piece) map[uint64]uint32 {
	m := map[uint64]uint32{}
	for _, p := range pieces {
		m[p.addr] = p.bytes
	}
	return m
}

// requireIdle checks that nothing is left over.
func requireIdle(t *testing.T, g *rig) {
	t.Helper()
	require.Len(t, g.port.spare, len(g.port.trans))
	require.Equal(t, g.port.config.Tags, g.port.tags)
	for n := range g.port.engines {
		_, busy := g.port.Moved(n)
		require.False(t, busy)
		require.Zero(t, g.port.engines[n].inflight)
	}
	require.Equal(t, "0 transactions, 0 reads without a tag, 0 copies queued", g.port.Waiting())
}

func TestEverySegmentCostsACopysStart(t *testing.T) {
	for _, segments := range []int{1, 2, 17} {
		time := func(copyNs float64) sim.Time {
			c := testConfig()
			c.CopyNs = copyNs
			g := newRig(t, c, testLink(50), 100*ns)
			cp := &Copy{}
			for i := range uint64(segments) {
				cp.Segments = append(cp.Segments, Segment{Src: remote + i<<16, Dst: i << 16, Bytes: 4096})
			}
			return g.time(cp)
		}
		require.Equal(t, sim.Time(segments)*1500*ns, time(2500)-time(1000))
	}
}

// A copy alone takes its start, one trip there and back, and the wire's time.
func TestCopyRunsAtTheLinksRate(t *testing.T) {
	const bytes = 4 << 20
	for _, out := range []bool{false, true} {
		c := testConfig()
		c.WindowBytes = 256 << 10 // more than rate × round trip
		l := testLink(50)
		g := newRig(t, c, l, 100*ns)
		s := Segment{Src: remote, Dst: 0, Bytes: bytes}
		ceiling := g.wire.Ceiling(1)
		if out {
			s, ceiling = mirrored([]Segment{s})[0], g.wire.Ceiling(0)
		}
		took := g.time(&Copy{Segments: []Segment{s}, Out: out}).Nanoseconds()
		require.InEpsilon(t, 1000+2*linkNs+100+bytes/ceiling, took, 0.02, "out: %v", out)
	}
}

func TestWindowBoundsBytesInFlight(t *testing.T) {
	for _, window := range []uint32{1024, 4096, 5000} {
		c := testConfig()
		c.WindowBytes = window
		g := newRig(t, c, testLink(1e4), 100*ns) // the wire takes no time
		const bytes = 256 << 10
		op := g.start(us, &Copy{Segments: []Segment{{Src: remote, Dst: 0, Bytes: bytes}}})
		require.NoError(t, g.engine.Run(func(sim.Time) bool {
			require.LessOrEqual(t, g.port.engines[0].inflight, uint64(window))
			return false
		}))
		const roundTrip = 2*linkNs + 100
		inFlight := window / c.ChunkBytes * c.ChunkBytes // whole chunks
		want := 1000 + roundTrip*bytes/float64(inFlight)
		require.InEpsilon(t, want, (g.front.ended[op] - us).Nanoseconds(), 0.02)
	}
}

func TestEnginesShareTheLinkFairly(t *testing.T) {
	const bytes = 2 << 20
	c := testConfig()
	alone := newRig(t, c, testLink(50), 100*ns).time(&Copy{Segments: []Segment{{Src: remote, Dst: 0, Bytes: bytes}}})
	g := newRig(t, c, testLink(50), 100*ns)
	first := g.start(us, &Copy{Segments: []Segment{{Src: remote, Dst: 0, Bytes: bytes}}})
	second := g.start(us, &Copy{Segments: []Segment{{Src: remote + bytes, Dst: bytes, Bytes: bytes}}, Engine: 1})
	require.NoError(t, g.engine.Run(func(sim.Time) bool {
		a, _ := g.port.Moved(0)
		b, _ := g.port.Moved(1)
		require.InDelta(t, float64(a), float64(b), float64(c.WindowBytes)+c.CopyNs*50, "the second starts after the first")
		return false
	}))
	took := (g.front.ended[first] - us).Nanoseconds()
	require.InEpsilon(t, took, (g.front.ended[second] - us).Nanoseconds(), 0.02)
	require.InEpsilon(t, 2*alone.Nanoseconds(), took, 0.05)
}

func TestDirectionsOfTheLinkDoNotSlowEachOther(t *testing.T) {
	const bytes = 1 << 20
	in := &Copy{Segments: []Segment{{Src: remote, Dst: 0, Bytes: bytes}}}
	out := &Copy{Segments: []Segment{{Src: bytes, Dst: remote + bytes, Bytes: bytes}}, Out: true, Engine: 1}
	aloneIn := newRig(t, testConfig(), testLink(50), 100*ns).time(in).Nanoseconds()
	aloneOut := newRig(t, testConfig(), testLink(50), 100*ns).time(out).Nanoseconds()
	g := newRig(t, testConfig(), testLink(50), 100*ns)
	i, o := g.start(us, in), g.start(us, out)
	g.run()
	// but for the requests of the copy in, a tenth of the wire out
	require.InEpsilon(t, aloneIn, (g.front.ended[i] - us).Nanoseconds(), 0.1)
	require.InEpsilon(t, aloneOut, (g.front.ended[o] - us).Nanoseconds(), 0.15)
}

func TestEngineDoesItsCopiesInTurn(t *testing.T) {
	g := newRig(t, testConfig(), testLink(50), 100*ns)
	var ops []uint32
	for i := range uint64(5) {
		c := &Copy{Segments: []Segment{{Src: remote + i<<20, Dst: i << 20, Bytes: 50_000}}}
		if i%2 == 1 {
			c.Out, c.Segments = true, mirrored(c.Segments)
		}
		ops = append(ops, g.start(us, c))
	}
	g.run()
	alone := newRig(t, testConfig(), testLink(50), 100*ns).time(g.copies[0])
	for i, op := range ops[1:] {
		require.GreaterOrEqual(t, g.front.ended[op]-g.front.ended[ops[i]], alone*9/10, "copy %d", i+1)
	}
	requireIdle(t, g)
}

func TestCopyOfNothingEnds(t *testing.T) {
	for name, segments := range map[string][]Segment{
		"no segments":      nil,
		"empty segments":   {{Src: remote}, {Src: remote}},
		"empty ones first": {{Src: remote}, {Src: remote, Dst: 0, Bytes: 5000}},
		"empty ones among": {{Src: remote, Dst: 0, Bytes: 300}, {Src: remote}, {Src: remote}, {Src: remote + 1000, Dst: 1000, Bytes: 5000}, {Src: remote}},
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, testConfig(), testLink(50), 100*ns)
			g.start(us, &Copy{Segments: segments})
			g.start(us, &Copy{Segments: []Segment{{Src: remote, Dst: 1 << 20, Bytes: 64}}})
			g.run()
			require.Len(t, g.front.ended, 2)
			require.Equal(t, total(segments)+64, g.port.Stats().CopiedIn)
		})
	}
}

func TestSMReadsAreLimitedByTags(t *testing.T) {
	const reads, bytes = 1000, 128
	for _, tags := range []int{1, 4, 64} {
		c := testConfig()
		c.Tags = tags
		g := newRig(t, c, testLink(1e4), 500*ns)
		for i := range uint32(reads) {
			g.sm.read(g, us, remote+uint64(i)*bytes, bytes, i)
		}
		g.run()
		require.Len(t, g.sm.got, reads)
		rate := (reads - 1) * bytes / (g.sm.at[reads-1] - us - 2*home).Nanoseconds()
		require.InEpsilon(t, float64(tags)*bytes/(2*linkNs+500), rate, 0.05)
		require.Equal(t, uint64(reads-tags), g.port.Stats().TagWaits)
		require.Equal(t, uint64(reads*bytes), g.port.Stats().SMRead)
		for i, m := range g.sm.got {
			require.Equal(t, uint32(i), m.Tag, "each gets its own tag back, in turn")
			require.Equal(t, devices.Data, m.Kind)
			require.Equal(t, uint8(5), m.Flow)
			waited := g.sm.at[i] - us - (2*home + 2*linkNs*ns + 500*ns)
			require.InDelta(t, int64(waited), int64(m.Why[devices.Credit]), float64(ns), "waiting for a tag is charged")
		}
		requireIdle(t, g)
	}
}

// Unloaded, a zero-copy read takes the way to the port, the link and the far
// memory, and back.
func TestSMReadLatencyIsTheSumOfItsParts(t *testing.T) {
	g := newRig(t, testConfig(), testLink(1e6), 500*ns)
	g.sm.read(g, us, remote, 128, 7)
	g.run()
	require.InDelta(t, int64(us+2*home+2*linkNs*ns+500*ns), int64(g.sm.at[0]), float64(ns))
}

func TestSMWritesArePosted(t *testing.T) {
	g := newRig(t, testConfig(), testLink(50), 500*ns)
	for i := range uint64(10) {
		g.sm.Send(g.port.ID(), us, sim.Deliver, &devices.Message{Kind: devices.Write, Addr: remote + i*128, Bytes: 128, From: devices.NoReply})
	}
	g.run()
	require.Empty(t, g.sm.got)
	require.Len(t, g.far.asked, 10)
	require.Equal(t, uint64(1280), g.port.Stats().SMWritten)
	require.Equal(t, uint64(1280), g.wire.Stats(link.Down).PayloadBytes)
}

func TestResultsDoNotDependOnEngineWorkers(t *testing.T) {
	play := func(workers int) (map[uint32]sim.Time, []sim.Time, Stats) {
		g := newRig(t, testConfig(), testLink(50), 300*ns)
		g.engine.SetWorkers(workers)
		for i := range uint64(6) {
			s := []Segment{{Src: remote + i<<20, Dst: i << 20, Bytes: 100_000 + i*777}, {Src: remote + i<<21, Dst: i<<20 + 500_000, Bytes: 5000}}
			c := &Copy{Segments: s, Engine: int(i % 2)}
			if i%3 == 0 {
				c.Out, c.Segments = true, mirrored(s)
			}
			g.start(us+sim.Time(i)*3*us, c)
		}
		for i := range uint32(500) {
			g.sm.read(g, us+sim.Time(i)*17*ns, remote+uint64(i)*128, 128, i)
		}
		g.run()
		return g.front.ended, g.sm.at, *g.port.Stats()
	}
	ended1, at1, stats1 := play(1)
	ended2, at2, stats2 := play(2)
	require.Equal(t, ended1, ended2)
	require.Equal(t, at1, at2)
	require.Equal(t, stats1, stats2)
}

func TestValidateNamesEveryBadKey(t *testing.T) {
	keys := func(c Config) (bad []string) {
		c.Validate(func(key, _ string) { bad = append(bad, key) })
		return bad
	}
	require.Empty(t, keys(testConfig()))
	require.ElementsMatch(t, []string{"engines", "chunk_bytes", "tags"}, keys(Config{}))
	require.ElementsMatch(t, []string{"engines", "copy_ns", "copy_out_ns", "window_bytes"}, keys(Config{Engines: 17, CopyNs: -1, CopyOutNs: -1, ChunkBytes: 128, WindowBytes: 64, Tags: 1}))
	c := testConfig()
	c.SwitchNs, c.WalkNs = -1, -1
	require.ElementsMatch(t, []string{"switch_ns", "walk_ns"}, keys(c))
}

func TestPortHasItsEngines(t *testing.T) {
	for n := 1; n <= 3; n++ {
		c := testConfig()
		c.Engines = n
		g := newRig(t, c, testLink(50), 100*ns)
		require.Equal(t, n, g.port.Engines(), fmt.Sprint(n))
	}
}

// Starts go through one front end, which takes its time to turn to another
// engine.
func TestEnginesStartInTurn(t *testing.T) {
	c := testConfig()
	c.SwitchNs = 300
	alone := newRig(t, c, testLink(50), 100*ns).time(&Copy{Segments: []Segment{{Src: remote, Bytes: 64}}})
	g := newRig(t, c, testLink(50), 100*ns)
	var ops []uint32
	for n := range 2 {
		ops = append(ops, g.start(us, &Copy{Segments: []Segment{{Src: remote + uint64(n)<<20, Dst: uint64(n) << 20, Bytes: 64}}, Engine: n}))
	}
	g.run()
	require.Equal(t, us+alone, g.front.ended[ops[0]])
	require.Equal(t, us+alone+1300*ns, g.front.ended[ops[1]])
}

// A posted write is known to have arrived when a read behind it is answered,
// which takes its turn on the way back.
func TestEndOfACopyOutWaitsBehindWhatIsRead(t *testing.T) {
	time := func(reads uint32) sim.Time {
		g := newRig(t, testConfig(), testLink(10), 100*ns)
		for i := range reads {
			g.sm.read(g, us+500*ns, remote+uint64(i)*4096, 4096, i)
		}
		op := g.start(us, &Copy{Segments: []Segment{{Src: 0, Dst: remote + 1<<20, Bytes: 64}}, Out: true})
		g.run()
		return g.front.ended[op] - us
	}
	require.Greater(t, time(10)-time(0), 2*us, "up to 4 µs of data")
}

func TestAcknowledgedWritesNeedNoReadBehind(t *testing.T) {
	l := testLink(50)
	l.Packets.AckBytes = 16
	g := newRig(t, testConfig(), l, 100*ns)
	op := g.start(us, &Copy{Segments: []Segment{{Src: 0, Dst: remote, Bytes: 10_000}}, Out: true})
	g.run()
	require.Empty(t, g.far.of(devices.Read))
	require.Equal(t, g.far.lastAck+cross, g.front.ended[op])
	requireIdle(t, g)
}

// batch is a batch of so many segments, the remote ends so many bytes apart.
func batch(segments int, bytes, apart uint64, out bool) *Copy {
	c := &Copy{Batch: true, Out: out}
	for i := range uint64(segments) {
		c.Segments = append(c.Segments, Segment{Src: remote + i*apart, Dst: i << 16, Bytes: bytes})
	}
	if out {
		c.Segments = mirrored(c.Segments)
	}
	return c
}

func TestBatchMovesEveryByteOnce(t *testing.T) {
	for _, out := range []bool{false, true} {
		for _, bytes := range []uint64{64, 5000, 100_001} {
			g := newRig(t, testConfig(), testLink(50), 100*ns)
			c := batch(7, bytes, 1<<20, out)
			c.Segments[3].Bytes, c.Segments[6].Bytes = 0, 0
			g.start(us, c)
			g.run()
			if out {
				requireTiled(t, g.far.of(devices.Write), c.Segments, dst)
				require.Len(t, g.far.of(devices.Read), 1, "one read behind all")
			} else {
				requireTiled(t, g.far.asked, c.Segments, src)
			}
			require.Equal(t, uint64(5), g.port.Stats().Copies)
			requireIdle(t, g)
		}
	}
}

// Segments of a batch follow one another at the link's rate.
func TestBatchStartsOnce(t *testing.T) {
	const bytes = 4096
	for _, out := range []bool{false, true} {
		few := newRig(t, testConfig(), testLink(50), 100*ns).time(batch(10, bytes, 1<<20, out))
		more := newRig(t, testConfig(), testLink(50), 100*ns).time(batch(50, bytes, 1<<20, out))
		ceiling := newRig(t, testConfig(), testLink(50), 100*ns).wire.Ceiling(1)
		require.InEpsilon(t, 40*bytes/ceiling, (more - few).Nanoseconds(), 0.03, "out: %v", out)
	}
}

func TestScatteredCopiesWaitForTheirTranslation(t *testing.T) {
	c := testConfig()
	c.TLB, c.WalkNs = &tlb.Config{Entries: 64, Ways: 4}, 350
	rig := func() *rig { return newTranslatingRig(t, c, 1) } // an entry covers 64 KiB
	segments := func(bytes, apart uint64, out bool) *Copy {
		c := batch(10, bytes, apart, out)
		c.Batch = false
		return c
	}
	for _, out := range []bool{false, true} {
		for _, bytes := range []uint64{4096, 64 << 10} {
			near := rig().time(segments(bytes, bytes, out)) // walks run ahead
			require.Equal(t, 9*350*ns, rig().time(segments(bytes, 1<<20, out))-near, "but the first, which neither has")
		}
	}
	scattered, contiguous := rig().time(batch(10, 4096, 1<<20, false)), rig().time(batch(10, 4096, 4096, false))
	require.Greater(t, scattered-contiguous, 8*300*ns, "a batch's, too")
}
