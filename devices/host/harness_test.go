package host

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices"
	"hwsim/devices/dram"
	"hwsim/devices/link"
	"hwsim/sim"
)

const (
	us = sim.Microsecond
	ns = sim.Nanosecond

	linkNs   = 400
	fabricNs = 50
	granule  = 256
	ddr      = 1 // tier numbers
	other    = 3
)

// testLink moves so many GB/s each way, before headers.
func testLink(gbps float64) link.Config {
	return link.Config{Kind: "test", RawGBps: gbps, LatencyNs: linkNs, Packets: &link.Packets{RequestHeaderBytes: 24, ReadHeaderBytes: 20,
		WriteHeaderBytes: 24, AckBytes: 16, MaxPayloadBytes: 256, ReadRequestBytes: 256, GranuleBytes: 4}}
}

// rig is a memory behind a link and a requester at the link's other end.
type rig struct {
	t      testing.TB
	engine *sim.Engine[devices.Message]
	memory *Memory
	wire   *link.Link
	port   *requester
}

func newRig(t testing.TB, gbps float64) *rig {
	t.Helper()
	wire, err := link.New(testLink(gbps))
	require.NoError(t, err)
	g := &rig{t: t, engine: sim.NewEngine[devices.Message](20 * ns), wire: wire}
	g.port = &requester{Port: g.engine.Port("requester")}
	g.engine.Attach(g.port.Port, g.port)
	g.memory = New(g.engine, "memory", wire, fabricNs)
	return g
}

// attach puts units behind the link as a tier.
func (g *rig) attach(number int, units ...Unit) *Tier {
	t := &Tier{Interleave: devices.Interleave{Granule: granule, Slices: uint64(len(units))}, Name: "test", Units: units}
	g.memory.Attach(number, t)
	return t
}

// fakes returns units of the given latencies.
func fakes(latencies ...sim.Time) (units []Unit) {
	for _, l := range latencies {
		units = append(units, &fakeUnit{latency: func(dram.Request) sim.Time { return l }})
	}
	return units
}

// channels returns DDR channels; without refresh an idle one is always as fast.
func channels(t testing.TB, n int) (units []Unit) {
	for range n {
		c, err := dram.New(dram.Config{Standard: "ddr5_4800bn", Refresh: "none"})
		require.NoError(t, err)
		units = append(units, c)
	}
	return units
}

// send makes a request reach the memory at the given time.
func (g *rig) send(at sim.Time, kind devices.Kind, tier int, addr uint64, bytes, tag uint32) {
	g.port.Send(g.memory.ID(), at, sim.Deliver, &devices.Message{Kind: kind, Addr: uint64(tier)<<devices.TierShift + addr, Bytes: bytes,
		Tag: tag, Born: at, From: uint16(g.port.ID()), Flow: 9})
}

func (g *rig) run() {
	g.t.Helper()
	require.NoError(g.t, g.engine.Run(nil))
}

// read reads from the first tier on an idle machine and returns how long that
// takes from the request's arrival to the answer's.
func (g *rig) read(addr uint64, bytes uint32) sim.Time {
	g.t.Helper()
	g.send(us, devices.Read, ddr, addr, bytes, 1)
	g.run()
	require.Len(g.t, g.port.got, 1)
	return g.port.at[0] - us
}

// requester notes the answers.
type requester struct {
	*sim.Port[devices.Message]
	got []devices.Message
	at  []sim.Time
}

func (r *requester) Run(horizon sim.Time) {
	for r.Next() < horizon {
		at, m := r.Pop()
		r.got, r.at = append(r.got, m), append(r.at, at)
	}
}

// fakeUnit serves every request at once, and says so long before its data
// have arrived, as a DRAM channel does.
type fakeUnit struct {
	latency func(dram.Request) sim.Time
	queue   []dram.Request
	at      []sim.Time
	seen    []dram.Request
	done    []dram.Completion
}

func (u *fakeUnit) Enqueue(at sim.Time, r dram.Request) {
	u.queue, u.at, u.seen = append(u.queue, r), append(u.at, at), append(u.seen, r)
}

func (u *fakeUnit) Next() sim.Time {
	if len(u.at) == 0 {
		return sim.Never
	}
	return u.at[0]
}

func (u *fakeUnit) Advance(until sim.Time) {
	for len(u.at) > 0 && u.at[0] < until {
		r := u.queue[0]
		last := u.at[0] + u.latency(r)
		c := dram.Completion{Tag: r.Tag, Write: r.Write, First: last, Last: last}
		c.Why.Add(devices.Busy, last-u.at[0])
		u.done = append(u.done, c)
		u.queue, u.at = u.queue[1:], u.at[1:]
	}
}

func (u *fakeUnit) Completions() []dram.Completion { return u.done }

func (u *fakeUnit) Drop() { u.done = u.done[:0] }
