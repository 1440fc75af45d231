package gpu

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices"
	"hwsim/devices/cache"
	"hwsim/sim"
)

const (
	us = sim.Microsecond
	ns = sim.Nanosecond

	crossing = 60 * ns
	remoteIn = 75 * ns
	granule  = 256
)

// testConfig is a GPU whose ports and issue take next to no time.
func testConfig(sms int) Config {
	return Config{SMs: sms, ClockMHz: 1000, Registers: 65536, SharedBytes: 227 << 10, Threads: 2048, CTAs: 32,
		TensorTFLOPS: 1, VectorTFLOPS: 1, PortBytesPerClk: 1e6, RequestsPerClock: 1000,
		LaunchNs: 500, GapNs: 300, CTANs: 1, RemoteNs: 75}
}

// rig is a GPU in front of fake memories: the L2 and one remote tier.
type rig struct {
	t          testing.TB
	engine     *sim.Engine[devices.Message]
	gpu        *GPU
	l2, remote *memory
}

func newRig(t testing.TB, c Config, l2 memory) *rig {
	t.Helper()
	c.Validate(func(key, message string) { require.Fail(t, key+" "+message) })
	g := &rig{t: t, engine: sim.NewEngine[devices.Message](20 * ns), l2: &l2, remote: &memory{latency: us, wayBack: remoteIn}}
	g.l2.wayBack = crossing
	for _, m := range []*memory{g.l2, g.remote} {
		m.Port = g.engine.Port("memory")
		m.reads, m.writes = map[uint64]int{}, map[uint64]int{}
		g.engine.Attach(m.Port, m)
	}
	wiring := &cache.Wiring{Interleave: devices.Interleave{Granule: granule, Slices: 2}, Partitions: 2,
		Port: []uint16{uint16(g.l2.ID()), uint16(g.l2.ID())}}
	g.gpu = New(c, g.engine, &Fabric{L2: wiring, Remote: []uint16{0, uint16(g.remote.ID())}, Crossbar: crossing, RemoteIn: remoteIn})
	g.engine.SetPending(g.gpu.Front.Pending)
	return g
}

// run adds the ops and runs to the end.
func (g *rig) run(ops ...Op) {
	g.t.Helper()
	g.gpu.Front.Add(g.engine.Now(), ops...)
	g.finish()
}

func (g *rig) finish() {
	g.t.Helper()
	require.NoError(g.t, g.engine.Run(nil))
}

// runUntil runs until the condition holds between two windows.
func (g *rig) runUntil(ready func() bool) {
	g.t.Helper()
	holds := false
	require.NoError(g.t, g.engine.Run(func(sim.Time) bool {
		holds = ready()
		return holds
	}))
	require.True(g.t, holds, "the simulation ended first")
}

// span returns how long an op took.
func (g *rig) span(op int) sim.Time {
	o := g.gpu.Front.Op(op)
	return o.End - o.Start
}

// resident counts the CTAs that SMs hold.
func (g *rig) resident() (n int) {
	for _, group := range g.gpu.Groups {
		n += len(group.ctas) - len(group.spare)
	}
	return n
}

// requireNear checks a time to within a fraction of the one wanted.
func requireNear(t *testing.T, want, got sim.Time, fraction float64) {
	t.Helper()
	require.InEpsilon(t, want.Nanoseconds(), got.Nanoseconds(), fraction)
}

// memory is a domain that answers every read after a fixed latency, at no
// more than a fixed rate, and notes what is asked.
type memory struct {
	*sim.Port[devices.Message]
	latency sim.Time // in the memory
	wayBack sim.Time // to the SM
	ack     sim.Time // to take a store
	psByte  sim.Time // 0: any rate
	free    sim.Time
	reads   map[uint64]int // by address
	writes  map[uint64]int
	bytes   uint64 // read
	longest uint32 // request
	first   sim.Time
}

func (m *memory) Run(horizon sim.Time) {
	for m.Next() < horizon {
		at, q := m.Pop()
		m.longest = max(m.longest, q.Bytes)
		if q.Kind == devices.Write {
			m.writes[q.Addr]++
			if q.From != devices.NoReply {
				q.Kind = devices.Ack
				m.Send(int(q.From), at+m.ack+m.wayBack, sim.Deliver, &q)
			}
			continue
		}
		if len(m.reads) == 0 {
			m.first = at
		}
		m.reads[q.Addr]++
		m.bytes += uint64(q.Bytes)
		m.free = max(m.free, at) + sim.Time(q.Bytes)*m.psByte
		q.Kind = devices.Data
		q.Why.Add(devices.Busy, m.latency)
		m.Send(int(q.From), m.free+m.latency+m.wayBack, sim.Deliver, &q)
	}
}

// streamer is a program whose every CTA reads its own tiles, one after the
// other in memory, and writes 32 bytes at the end.
type streamer struct {
	tiles    int // of CTAs without a number of their own
	bytes    uint32
	prologue uint32      // bytes to read first
	special  map[int]int // CTA → tiles
	base     uint64      // of all addresses
	rows     uint32      // of a tile; 0: one
}

const (
	ctaStride  = 1 << 24 // from CTA to CTA
	outputs    = 1 << 40 // where epilogues write
	prologueAt = 1 << 41
)

func (s *streamer) Tiles(cta int) int {
	if n, ok := s.special[cta]; ok {
		return n
	}
	return s.tiles
}

func (s *streamer) Prologue(cta int, runs []Run) []Run {
	if s.prologue == 0 {
		return runs
	}
	return append(runs, Run{Addr: prologueAt + uint64(cta)*ctaStride, Rows: 1, Bytes: s.prologue})
}

func (s *streamer) Tile(cta, tile int, runs []Run) []Run {
	if tile < 0 || tile >= s.Tiles(cta) {
		panic("no such tile")
	}
	rows := max(s.rows, 1)
	size := uint64(rows) * uint64(s.bytes)
	return append(runs, Run{Addr: s.base + uint64(cta)*ctaStride + uint64(tile)*size, Pitch: uint64(s.bytes), Rows: rows, Bytes: s.bytes})
}

func (s *streamer) Epilogue(cta int, runs []Run) []Run {
	return append(runs, Run{Addr: outputs + uint64(cta)*64, Rows: 1, Bytes: 32})
}

// kernel returns a launch of the program's CTAs of 1024 threads: two fit a SM.
func kernel(ctas, stages int, p *streamer) *Kernel {
	return &Kernel{Name: "k", CTAs: ctas, Threads: 1024, Stages: stages, Program: p, Prologue: 200 * ns, Epilogue: 100 * ns}
}

// requireEveryCTAOnce checks by their outputs that all CTAs ran, each once.
func requireEveryCTAOnce(t *testing.T, g *rig, ctas int) {
	t.Helper()
	require.Len(t, g.l2.writes, ctas)
	for addr, n := range g.l2.writes {
		require.Equal(t, 1, n, "CTA %d", (addr-outputs)/64)
	}
}
