package host

import (
	"cmp"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices"
	"hwsim/devices/cxl"
	"hwsim/devices/dram"
	"hwsim/devices/link"
	"hwsim/sim"
)

func TestRequestIsSplitOverUnits(t *testing.T) {
	for _, r := range []struct {
		name  string
		addr  uint64
		bytes uint32
		parts int
	}{
		{"within a granule", 64, 128, 1},
		{"a granule", 512, 256, 1},
		{"across a boundary", 200, 100, 2},
		{"four granules", 0, 1024, 4},
		{"ragged at both ends", 100, 2000, 9},
	} {
		t.Run(r.name, func(t *testing.T) {
			g := newRig(t, 50)
			tier := g.attach(ddr, fakes(100*ns, 100*ns, 100*ns)...)
			g.send(us, devices.Read, ddr, r.addr, r.bytes, 7)
			g.run()
			require.Len(t, g.port.got, 1, "one answer")
			require.Equal(t, r.bytes, g.port.got[0].Bytes)
			type part struct {
				unit  int
				local uint64
			}
			seen := map[part]bool{} // bytes by place
			parts := 0
			for i, u := range tier.Units {
				for _, q := range u.(*fakeUnit).seen {
					parts++
					for b := range uint64(q.Bytes) {
						require.False(t, seen[part{i, q.Addr + b}])
						seen[part{i, q.Addr + b}] = true
					}
				}
			}
			require.Equal(t, r.parts, parts)
			require.Len(t, seen, int(r.bytes))
			for b := range uint64(r.bytes) {
				var p part
				p.unit, p.local = tier.Locate(r.addr + b)
				require.True(t, seen[p], "byte %d", b)
			}
		})
	}
}

func TestAnswerWaitsForTheSlowestPart(t *testing.T) {
	g := newRig(t, 1e6)
	g.attach(ddr, fakes(100*ns, 900*ns, 300*ns)...)
	require.InDelta(t, int64(900*ns+2*fabricNs*ns+linkNs*ns), int64(g.read(0, 3*granule)), float64(ns))
	require.Equal(t, int32(900*ns), g.port.got[0].Why[devices.Busy], "its time is that of the slowest")
}

// Answers leave in the order in which they are ready, whatever the order of
// the requests, and each waits for those before it.
func TestAnswersShareTheWayBackInOrderOfTime(t *testing.T) {
	g := newRig(t, 10)
	r := sim.NewRand(1)
	latency := map[uint64]sim.Time{} // by local address
	unit := func() Unit {
		return &fakeUnit{latency: func(q dram.Request) sim.Time { return latency[q.Addr/granule] }}
	}
	tier := g.attach(ddr, unit(), unit(), unit())
	type ready struct {
		at  sim.Time
		tag uint32
	}
	var want []ready
	const n = 500
	for i := range uint32(n) {
		addr := uint64(i) * granule
		_, local := tier.Locate(addr)
		if latency[local/granule] == 0 {
			latency[local/granule] = sim.Time(50+r.IntN(2000)) * ns
		}
		at := us + sim.Time(i)*7*ns
		g.send(at, devices.Read, ddr, addr, granule, i)
		want = append(want, ready{at + 2*fabricNs*ns + latency[local/granule], i})
	}
	g.run()
	slices.SortStableFunc(want, func(a, b ready) int { return cmp.Compare(a.at, b.at) })
	require.Len(t, g.port.got, n)
	wire, err := link.New(testLink(10))
	require.NoError(t, err)
	var tags []uint32
	for i, w := range want {
		_, last := wire.Reserve(w.at, link.Up, link.ReadData, granule)
		require.Equal(t, last, g.port.at[i], "answer %d", i)
		tags = append(tags, g.port.got[i].Tag)
		if i > 0 {
			require.Greater(t, g.port.at[i], g.port.at[i-1])
		}
	}
	var wanted []uint32
	for _, w := range want {
		wanted = append(wanted, w.tag)
	}
	require.Equal(t, wanted, tags)
}

// unloaded returns how long an idle unit takes for a read.
func unloaded(t *testing.T, u Unit, at sim.Time, local uint64, bytes uint32) sim.Time {
	u.Enqueue(at, dram.Request{Addr: local, Bytes: bytes})
	u.Advance(at + 10*us)
	require.Len(t, u.Completions(), 1)
	return u.Completions()[0].Last - at
}

func TestFarReadTakesLinkFabricAndDRAM(t *testing.T) {
	for _, bytes := range []uint32{64, 128, 256} {
		g := newRig(t, 50)
		tier := g.attach(ddr, channels(t, 4)...)
		const addr = 5 * granule
		_, local := tier.Locate(addr)
		idle := unloaded(t, channels(t, 1)[0], us+fabricNs*ns, local, bytes)
		_, back := g.wire.Reserve(0, link.Down, link.ReadData, bytes) // as long as Up
		require.InDelta(t, int64(2*fabricNs*ns+idle+back), int64(g.read(addr, bytes)), 1, "%d bytes", bytes)
		require.Equal(t, 2*fabricNs*ns+idle, tier.Latency.Mean(), "the tier's own latency has no link in it")
	}
}

func TestExpanderReadAddsItsOwnLink(t *testing.T) {
	expander := func() Unit {
		c, ok := cxl.Preset(cxl.Presets()[0])
		require.True(t, ok)
		e, err := cxl.New(c)
		require.NoError(t, err)
		return e
	}
	g := newRig(t, 1e6)
	g.attach(other, expander(), expander())
	g.send(us, devices.Read, other, 0, 64, 1)
	g.run()
	idle := unloaded(t, expander(), us+fabricNs*ns, 0, 64)
	require.InDelta(t, int64(us+2*fabricNs*ns+idle+linkNs*ns), int64(g.port.at[0]), float64(ns))
}

func TestEveryRequestIsAnsweredOnceWithItsOwnTag(t *testing.T) {
	g := newRig(t, 50)
	tiers := map[int]*Tier{ddr: g.attach(ddr, channels(t, 3)...), other: g.attach(other, channels(t, 2)...)}
	r := sim.NewRand(7)
	type request struct {
		at    sim.Time
		kind  devices.Kind
		tier  int
		bytes uint32
		addr  uint64
	}
	var sent []request
	read, written := map[int]uint64{}, map[int]uint64{}
	at := us
	for i := range uint32(3000) {
		at += sim.Time(r.IntN(30_000))
		q := request{at, devices.Read, ddr, uint32(1+r.IntN(32)) * 64, uint64(r.IntN(1<<14)) * 64}
		if r.IntN(3) == 0 {
			q.tier = other
		}
		if r.IntN(3) == 0 {
			q.kind = devices.Write
			written[q.tier] += uint64(q.bytes)
		} else {
			read[q.tier] += uint64(q.bytes)
		}
		g.send(q.at, q.kind, q.tier, q.addr, q.bytes, i)
		sent = append(sent, q)
	}
	g.run()
	require.Len(t, g.port.got, len(sent))
	seen := make([]bool, len(sent))
	for i, m := range g.port.got {
		q := sent[m.Tag]
		require.False(t, seen[m.Tag], "answered twice")
		seen[m.Tag] = true
		require.Equal(t, q.kind == devices.Write, m.Kind == devices.Ack)
		require.Equal(t, q.kind == devices.Read, m.Kind == devices.Data)
		require.Equal(t, q.bytes, m.Bytes)
		require.Equal(t, q.addr, m.Addr&(1<<devices.TierShift-1))
		require.Equal(t, q.tier, devices.Tier(m.Addr))
		require.Equal(t, uint8(9), m.Flow)
		require.LessOrEqual(t, m.Why.Total(), g.port.at[i]-q.at, "no more is charged than was spent")
		require.GreaterOrEqual(t, m.Why.Total(), g.port.at[i]-q.at-2*fabricNs*ns, "all but the fabric is charged")
	}
	for number, tier := range tiers {
		require.Equal(t, read[number], tier.Read)
		require.Equal(t, written[number], tier.Written)
		var moved dram.Stats
		for _, u := range tier.Units {
			s := u.(*dram.Channel).Stats()
			moved.BytesRead += s.BytesRead
			moved.BytesWritten += s.BytesWritten
		}
		require.Equal(t, read[number], moved.BytesRead, "requests are whole bursts")
		require.Equal(t, written[number], moved.BytesWritten)
	}
	require.Equal(t, read[ddr]+read[other], g.wire.Stats(link.Up).PayloadBytes)
	require.Equal(t, uint64(len(sent)), g.wire.Stats(link.Up).Messages)
	require.Equal(t, "0 requests in its units", g.memory.Waiting())
	require.Nil(t, g.memory.Tiers()[2], "nothing was attached there")
}

func TestPostedWriteGetsNoAnswer(t *testing.T) {
	g := newRig(t, 50)
	tier := g.attach(ddr, channels(t, 1)...)
	g.port.Send(g.memory.ID(), us, sim.Deliver, &devices.Message{Kind: devices.Write, Addr: ddr << devices.TierShift, Bytes: 4096, From: devices.NoReply})
	g.run()
	require.Empty(t, g.port.got)
	require.Equal(t, uint64(4096), tier.Written)
	require.Zero(t, g.wire.Stats(link.Up).Messages)
	require.Equal(t, "0 requests in its units", g.memory.Waiting())
}

func TestLinkBackBoundsReadBandwidth(t *testing.T) {
	g := newRig(t, 20)
	g.attach(ddr, channels(t, 4)...) // 150 GB/s
	const n, bytes = 1000, 1024
	for i := range uint64(n) {
		g.send(us, devices.Read, ddr, i*bytes, bytes, uint32(i))
	}
	g.run()
	span := (g.port.at[n-1] - g.port.at[0]).Nanoseconds()
	require.InEpsilon(t, 20*256/276.0, (n-1)*bytes/span, 0.005)
	last := g.port.got[n-1]
	require.Greater(t, last.Why[devices.Serialise], last.Why[devices.Queue], "the wait is the link's")
}

func TestResultsDoNotDependOnEngineWorkers(t *testing.T) {
	play := func(workers int) *requester {
		g := newRig(t, 50)
		g.engine.SetWorkers(workers)
		g.attach(ddr, channels(t, 4)...)
		r := sim.NewRand(3)
		for i := range uint32(2000) {
			kind := devices.Read
			if r.IntN(4) == 0 {
				kind = devices.Write
			}
			g.send(us+sim.Time(i)*10*ns, kind, ddr, uint64(r.IntN(1<<16))*64, 512, i)
		}
		g.run()
		return g.port
	}
	one, two := play(1), play(2)
	require.Equal(t, one.at, two.at)
	require.Equal(t, one.got, two.got)
}

// lateness returns how late each of n reads of so many bytes is, one every gap.
func lateness(t *testing.T, meanNs float64, n int, bytes uint32, gap sim.Time) (late []float64) {
	g := newRig(t, 1e6)
	g.attach(ddr, fakes(100*ns)...)
	g.memory.Jitter(meanNs, true)
	for i := range n {
		g.send(us+sim.Time(i)*gap, devices.Read, ddr, 0, bytes, uint32(i))
	}
	g.run()
	require.Len(t, g.port.got, n)
	plain := newRig(t, 1e6)
	plain.attach(ddr, fakes(100*ns)...)
	alone := plain.read(0, bytes)
	for i, m := range g.port.got {
		require.Equal(t, uint32(i), m.Tag, "reads leave in order")
		late = append(late, (g.port.at[i] - m.Born - alone).Nanoseconds())
	}
	return late
}

func TestReadsAreLateByTheLastOfTheirLines(t *testing.T) {
	const mean = 50.0
	for lines, harmonic := range map[uint32]float64{1: 1, 2: 1.5, 4: 25.0 / 12} {
		sum := 0.0
		late := lateness(t, mean, 4000, lines*lineBytes, us)
		for _, l := range late {
			sum += l
		}
		require.InEpsilon(t, mean*harmonic, sum/float64(len(late)), 0.05)
	}
}

// Reads that come often are late by about mean × log(1 + reads in the mean).
func TestLateReadsHoldUpThoseBehind(t *testing.T) {
	const mean = 50.0
	sum := 0.0
	late := lateness(t, mean, 4000, lineBytes, ns)
	for _, l := range late {
		sum += l
	}
	require.InEpsilon(t, mean*math.Log(1+mean), sum/float64(len(late)), 0.15)
}

func TestWritesAreNotLate(t *testing.T) {
	g := newRig(t, 1e6)
	g.attach(ddr, fakes(100*ns)...)
	g.memory.Jitter(1000, true)
	g.send(us, devices.Write, ddr, 0, 128, 1)
	g.run()
	plain := newRig(t, 1e6)
	plain.attach(ddr, fakes(100*ns)...)
	plain.send(us, devices.Write, ddr, 0, 128, 1)
	plain.run()
	require.Equal(t, plain.port.at, g.port.at)
}
