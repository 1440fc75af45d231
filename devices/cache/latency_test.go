package cache

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices"
	"hwsim/devices/dram"
	"hwsim/sim"
)

// unloaded returns how long an idle channel takes for a read that reaches it
// at the given time.
func unloaded(t *testing.T, at sim.Time, local uint64, bytes uint32) sim.Time {
	c, err := dram.New(testDRAM())
	require.NoError(t, err)
	c.Enqueue(at, dram.Request{Addr: local, Bytes: bytes})
	c.Advance(at + sim.Microsecond)
	require.Len(t, c.Completions(), 1)
	return c.Completions()[0].Last - at
}

// ns adds up parts of a latency.
func ns(parts ...float64) sim.Time {
	sum := 0.0
	for _, p := range parts {
		sum += p
	}
	return sim.FromNanoseconds(sum)
}

func TestHitLatencyIsTheSumOfItsParts(t *testing.T) {
	c := testConfig()
	g := newRig(t, c, 1)
	near, far := g.homeIn(0, 0), g.homeIn(1, 0)
	for _, addr := range []uint64{near, far} {
		g.readers[g.partitionOf(addr)].read(addr, 128) // brings the line to its home
	}
	r := g.readers[0]
	nearHit := ns(c.CrossbarNs, c.HitNs, c.CrossbarNs)
	require.Equal(t, nearHit, r.read(near, 128), "near hit")
	require.Equal(t, nearHit+ns(c.HitNs, 2*c.BridgeNs), r.read(far, 128), "far hit")
	require.Equal(t, nearHit, r.read(far, 128), "copy of a far line")
	require.Equal(t, nearHit, r.write(near, 128), "near write")
	require.Equal(t, nearHit+ns(c.HitNs, c.BridgeNs), r.write(far, 128), "far write; its ack comes straight back")
}

func (g *rig) partitionOf(addr uint64) int {
	home, _ := g.wiring.Locate(addr)
	return g.wiring.Partition(home)
}

func TestMissLatencyAddsMemoryAndUnloadedDRAM(t *testing.T) {
	c := testConfig()
	for _, k := range []struct {
		name           string
		partition      int
		toHome, toSelf []float64 // the way of the request; that of the data
		bytes          uint32
	}{
		{"near line", 0, []float64{c.CrossbarNs}, []float64{c.CrossbarNs}, 128},
		{"near sector", 0, []float64{c.CrossbarNs}, []float64{c.CrossbarNs}, 32},
		{"near granule", 0, []float64{c.CrossbarNs}, []float64{c.CrossbarNs}, 256},
		{"far line", 1, []float64{c.CrossbarNs, c.HitNs, c.BridgeNs}, []float64{c.BridgeNs, c.CrossbarNs}, 128},
	} {
		t.Run(k.name, func(t *testing.T) {
			g := newRig(t, c, 1)
			addr := g.homeIn(k.partition, 3)
			_, local := g.wiring.Locate(addr)
			there := ns(k.toHome...) + ns(c.HitNs)
			want := there + unloaded(t, g.now()+there, local, k.bytes) + ns(c.MemoryNs, c.HitNs) + ns(k.toSelf...)
			require.Equal(t, want, g.readers[0].read(addr, k.bytes))
		})
	}
}

// The causes that the devices charge never exceed what the request took.
func TestMissChargesTheChannelsCauses(t *testing.T) {
	g := newRig(t, testConfig(), 1)
	latency := g.readers[0].read(g.homeIn(0, 0), 128)
	m := g.readers[0].answers[0]
	require.Positive(t, m.Why[devices.RowMiss], "an idle bank needs its row")
	require.Positive(t, m.Why[devices.Busy])
	require.Less(t, m.Why.Total(), latency)
}

func TestSlicePipelineBoundsHitBandwidth(t *testing.T) {
	c := testConfig()
	c.Partitions = 1
	g := newRig(t, c, 1)
	r, addr := g.readers[0], g.homeIn(0, 0)
	r.read(addr, 128)
	r.answers = nil
	const n = 1000
	at := g.now()
	for i := range uint32(n) {
		r.send(at, devices.Read, addr, 128, i)
	}
	g.run()
	require.Len(t, r.answers, n)
	span := r.answers[n-1].at - r.answers[0].at
	require.InEpsilon(t, c.SliceGBps, (n-1)*128/span.Nanoseconds(), 0.001)
	queued := (n - 1) * 128 / c.SliceGBps
	require.InEpsilon(t, queued, r.answers[n-1].Why.Total().Nanoseconds(), 0.001, "the wait is charged")
	require.Equal(t, int32(r.answers[n-1].Why.Total()), r.answers[n-1].Why[devices.Queue])
}
