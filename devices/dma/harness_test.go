package dma

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices"
	"hwsim/devices/cache"
	"hwsim/devices/link"
	"hwsim/sim"
)

const (
	us = sim.Microsecond
	ns = sim.Nanosecond

	cross   = 60 * ns
	home    = 75 * ns // port to SM
	linkNs  = 400
	granule = 256
	remote  = 1 << devices.TierShift // where the far memory begins
)

func testConfig() Config {
	return Config{Engines: 2, CopyNs: 1000, WindowBytes: 64 << 10, ChunkBytes: 1024, Tags: 64}
}

// testLink moves so many GB/s each way, before headers.
func testLink(gbps float64) link.Config {
	return link.Config{Kind: "test", RawGBps: gbps, LatencyNs: linkNs, Packets: &link.Packets{RequestHeaderBytes: 24, ReadHeaderBytes: 20,
		WriteHeaderBytes: 24, MaxPayloadBytes: 256, ReadRequestBytes: 256, GranuleBytes: 4}}
}

// rig is a port between fake L2 slices, a fake far memory, a fake front end
// and a fake SM.
type rig struct {
	t      testing.TB
	engine *sim.Engine[devices.Message]
	port   *Port
	wire   *link.Link
	l2     []*slice
	far    *far
	front  *front
	sm     *sm
	copies []*Copy
}

func newRig(t testing.TB, c Config, l link.Config, farLatency sim.Time) *rig {
	t.Helper()
	c.Validate(func(key, message string) { require.Fail(t, key+" "+message) })
	wire, err := link.New(l)
	require.NoError(t, err)
	g := &rig{t: t, engine: sim.NewEngine[devices.Message](20 * ns), wire: wire}
	w := &cache.Wiring{Interleave: devices.Interleave{Granule: granule, Slices: 6}, Partitions: 2}
	for i := range 6 {
		s := &slice{Port: g.engine.Port("slice"), id: i, wiring: w, latency: sim.Time(100+50*i) * ns}
		g.engine.Attach(s.Port, s)
		w.Port = append(w.Port, uint16(s.ID()))
		g.l2 = append(g.l2, s)
	}
	g.far = &far{Port: g.engine.Port("far"), wire: wire, latency: farLatency}
	g.engine.Attach(g.far.Port, g.far)
	g.front = &front{Port: g.engine.Port("front"), ended: map[uint32]sim.Time{}}
	g.engine.Attach(g.front.Port, g.front)
	g.sm = &sm{Port: g.engine.Port("sm")}
	g.engine.Attach(g.sm.Port, g.sm)
	g.port = New(c, g.engine, "port", wire, w, cross, home, &g.copies)
	g.port.Connect(g.far.ID(), g.front.ID())
	g.engine.SetPending(func() string {
		if len(g.front.ended) < len(g.copies) {
			return "copies have not ended"
		}
		return ""
	})
	return g
}

// start tells the port to do the copy at the given time. Its op is a hundred
// more than its place in the table.
func (g *rig) start(at sim.Time, c *Copy) (op uint32) {
	id := uint32(len(g.copies))
	g.copies = append(g.copies, c)
	g.front.Send(g.port.ID(), at, sim.Deliver, &devices.Message{Kind: devices.Start, Tag: id, Addr: uint64(id + 100), From: uint16(g.front.ID())})
	return id + 100
}

func (g *rig) run() {
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

// time runs one copy on an idle port and returns how long it took.
func (g *rig) time(c *Copy) sim.Time {
	g.t.Helper()
	op := g.start(us, c)
	g.run()
	return g.front.ended[op] - us
}

// l2Pieces gathers what the slices were asked.
func (g *rig) l2Pieces(kind devices.Kind) (all []piece) {
	for _, s := range g.l2 {
		for _, p := range s.asked {
			require.False(g.t, s.strayed, "a request came to a slice that is not its home")
			if p.kind == kind {
				all = append(all, p)
			}
		}
	}
	return all
}

// piece is a request that a fake memory has seen.
type piece struct {
	kind  devices.Kind
	addr  uint64
	bytes uint32
	at    sim.Time
}

// requireTiled checks that the pieces cover the segments' bytes, each once.
func requireTiled(t *testing.T, pieces []piece, segments []Segment, at func(Segment) uint64) {
	t.Helper()
	count := map[uint64]int{}
	for _, p := range pieces {
		for b := range uint64(p.bytes) {
			count[p.addr+b]++
		}
	}
	for _, s := range segments {
		for b := range s.Bytes {
			require.Equal(t, 1, count[at(s)+b], "byte %d of segment %+v", b, s)
			delete(count, at(s)+b)
		}
	}
	require.Empty(t, count, "bytes beyond the segments")
}

func src(s Segment) uint64 { return s.Src }
func dst(s Segment) uint64 { return s.Dst }

// slice is a fake L2 slice: it answers reads after its own latency.
type slice struct {
	*sim.Port[devices.Message]
	id      int
	wiring  *cache.Wiring
	latency sim.Time
	asked   []piece
	strayed bool
}

func (s *slice) Run(horizon sim.Time) {
	for s.Next() < horizon {
		at, m := s.Pop()
		s.asked = append(s.asked, piece{m.Kind, m.Addr, m.Bytes, at})
		first, _ := s.wiring.Locate(m.Addr)
		last, _ := s.wiring.Locate(m.Addr + uint64(m.Bytes) - 1)
		s.strayed = s.strayed || first != s.id || last != s.id
		if m.Kind == devices.Read {
			m.Kind = devices.Data
			s.Send(int(m.From), at+s.latency+cross, sim.Deliver, &m)
		}
	}
}

// far is a fake remote memory of a fixed latency behind the link.
type far struct {
	*sim.Port[devices.Message]
	wire    *link.Link
	latency sim.Time
	asked   []piece
	// arrivals at the port
	lastAck, lastRead sim.Time
}

// of returns the requests of a kind.
func (f *far) of(kind devices.Kind) (all []piece) {
	for _, p := range f.asked {
		if p.kind == kind {
			all = append(all, p)
		}
	}
	return all
}

func (f *far) Run(horizon sim.Time) {
	for f.Next() < horizon {
		at, m := f.Pop()
		f.asked = append(f.asked, piece{m.Kind, m.Addr, m.Bytes, at})
		if m.From == devices.NoReply {
			continue
		}
		packet := link.ReadData
		if m.Kind == devices.Write {
			packet = link.WriteAck
		}
		_, last := f.wire.Reserve(at+f.latency, link.Up, packet, m.Bytes)
		if m.Kind == devices.Write {
			m.Kind, f.lastAck = devices.Ack, last
		} else {
			m.Kind, f.lastRead = devices.Data, last
		}
		m.Why.Add(devices.Busy, f.latency)
		f.Send(int(m.From), last, sim.Deliver, &m)
	}
}

// front notes when ops end.
type front struct {
	*sim.Port[devices.Message]
	ended map[uint32]sim.Time
	twice bool
}

func (f *front) Run(horizon sim.Time) {
	for f.Next() < horizon {
		at, m := f.Pop()
		_, known := f.ended[m.Tag]
		f.twice = f.twice || known || m.Kind != devices.Done || m.From != devices.NoReply
		f.ended[m.Tag] = at
	}
}

// sm notes the answers to its reads.
type sm struct {
	*sim.Port[devices.Message]
	got []devices.Message
	at  []sim.Time
}

func (s *sm) Run(horizon sim.Time) {
	for s.Next() < horizon {
		at, m := s.Pop()
		s.got, s.at = append(s.got, m), append(s.at, at)
	}
}

// read asks for remote bytes; the request leaves the SM at the given time.
func (s *sm) read(g *rig, at sim.Time, addr uint64, bytes, tag uint32) {
	s.Send(g.port.ID(), at+home, sim.Deliver, &devices.Message{Kind: devices.Read, Addr: addr, Bytes: bytes, Born: at, Tag: tag, From: uint16(s.ID()), Flow: 5})
}
