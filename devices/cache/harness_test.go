package cache

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices"
	"hwsim/devices/dram"
	"hwsim/sim"
)

// testConfig is an L2 of the H200's latencies, small enough to overflow.
func testConfig() Config {
	return Config{Bytes: 64 << 10, Ways: 4, Partitions: 2, GranuleBytes: 256, SliceGBps: 64, MSHRs: 64,
		HitNs: 26, CrossbarNs: 60, BridgeNs: 62, MemoryNs: 70}
}

// testDRAM moves 32-byte bursts, as a sector; refresh would make latencies
// depend on the time of day.
func testDRAM() dram.Config { return dram.Config{Standard: "hbm2e_3200", Refresh: "none"} }

// rig is an L2 of real groups and channels with one requester in each
// partition.
type rig struct {
	t       testing.TB
	config  Config
	engine  *sim.Engine[devices.Message]
	wiring  *Wiring
	groups  []*Group
	readers []*reader
}

const (
	rigSlices = 6 // even, for two partitions, and no power of two
	lookahead = 20 * sim.Nanosecond
)

// newRig builds an L2 whose partitions are divided into so many groups each.
func newRig(t testing.TB, c Config, groupsPerPartition int) *rig {
	t.Helper()
	c.Validate(func(key, message string) { require.Fail(t, key+" "+message) })
	g := &rig{t: t, config: c, engine: sim.NewEngine[devices.Message](lookahead),
		wiring: &Wiring{Interleave: devices.Interleave{Granule: c.GranuleBytes, Slices: rigSlices}, Port: make([]uint16, rigSlices), Partitions: c.Partitions}}
	for p := range c.Partitions {
		r := &reader{Port: g.engine.Port("reader"), rig: g, partition: p}
		g.engine.Attach(r.Port, r)
		g.readers = append(g.readers, r)
	}
	per := rigSlices / c.Partitions / groupsPerPartition
	for first := 0; first < rigSlices; first += per {
		port := g.engine.Port("l2")
		var ids []int
		for id := first; id < first+per; id++ {
			ids = append(ids, id)
			g.wiring.Port[id] = uint16(port.ID())
		}
		group, err := NewGroup(c, testDRAM(), port, g.wiring, ids, lookahead)
		require.NoError(t, err)
		g.engine.Attach(port, group)
		g.groups = append(g.groups, group)
	}
	return g
}

// run executes everything sent so far.
func (g *rig) run() {
	g.t.Helper()
	require.NoError(g.t, g.engine.Run(nil))
}

// now is a time at which everything sent before has long ended.
func (g *rig) now() sim.Time { return g.engine.Now() + sim.Microsecond }

// stats sums the groups' counters.
func (g *rig) stats() Stats {
	var sum Stats
	for _, group := range g.groups {
		sum.Add(group.Stats())
	}
	return sum
}

// channelBytes sums what the channels moved.
func (g *rig) channelBytes() (read, written uint64) {
	for _, group := range g.groups {
		group.Channels(func(_ int, c *dram.Channel) {
			read += c.Stats().BytesRead
			written += c.Stats().BytesWritten
		})
	}
	return read, written
}

// slice returns a slice by its number.
func (g *rig) slice(id int) *slice {
	for _, group := range g.groups {
		if i := group.local[id]; i >= 0 {
			return &group.slices[i]
		}
	}
	return nil
}

// dirtyBytes counts the dirty sectors that the L2 holds.
func (g *rig) dirtyBytes() uint64 {
	n := uint64(0)
	for id := range rigSlices {
		for i := range g.slice(id).lines.sets {
			for _, st := range g.slice(id).lines.sets[i].state {
				for d := st.dirty; d != 0; d &= d - 1 {
					n += SectorBytes
				}
			}
		}
	}
	return n
}

// homeIn returns the address of the n-th granule whose home lies in the
// partition.
func (g *rig) homeIn(partition, n int) uint64 {
	for addr := uint64(0); ; addr += g.wiring.Granule {
		if home, _ := g.wiring.Locate(addr); g.wiring.Partition(home) == partition {
			if n--; n < 0 {
				return addr
			}
		}
	}
}

// homeAt returns the address of the n-th granule that the slice is home of.
func (g *rig) homeAt(slice, n int) uint64 {
	for addr := uint64(0); ; addr += g.wiring.Granule {
		if home, _ := g.wiring.Locate(addr); home == slice {
			if n--; n < 0 {
				return addr
			}
		}
	}
}

// reader is a domain that sends requests and notes the answers.
type reader struct {
	*sim.Port[devices.Message]
	rig       *rig
	partition int
	answers   []answer
	onAnswer  func(at sim.Time, m *devices.Message) // instead of noting it
	m         devices.Message                       // scratch: a variable would escape to onAnswer
}

// answer is a message and when it came.
type answer struct {
	at sim.Time
	devices.Message
}

func (r *reader) Run(horizon sim.Time) {
	for r.Next() < horizon {
		at := r.PopInto(&r.m)
		if r.onAnswer != nil {
			r.onAnswer(at, &r.m)
			continue
		}
		r.answers = append(r.answers, answer{at, r.m})
	}
}

// send issues a request at the given time.
func (r *reader) send(at sim.Time, kind devices.Kind, addr uint64, bytes, tag uint32) {
	m := devices.Message{Kind: kind, Addr: addr, Bytes: bytes, Tag: tag, Born: at, From: uint16(r.ID()), Flow: 3}
	to := r.rig.wiring.Port[r.rig.wiring.Near(addr, r.partition)]
	r.Send(int(to), at+sim.FromNanoseconds(r.rig.config.CrossbarNs), sim.Deliver, &m)
}

// do sends one request, waits for its answer and returns its latency.
func (r *reader) do(kind devices.Kind, addr uint64, bytes uint32) sim.Time {
	t := r.rig.t
	t.Helper()
	at := r.rig.now()
	r.answers = nil
	r.send(at, kind, addr, bytes, 7)
	r.rig.run()
	require.Len(t, r.answers, 1)
	return r.answers[0].at - at
}

func (r *reader) read(addr uint64, bytes uint32) sim.Time {
	r.rig.t.Helper()
	return r.do(devices.Read, addr, bytes)
}

func (r *reader) write(addr uint64, bytes uint32) sim.Time {
	r.rig.t.Helper()
	return r.do(devices.Write, addr, bytes)
}
