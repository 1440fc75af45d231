package gpu

import (
	"hwsim/devices"
	"hwsim/devices/cache"
	"hwsim/sim"
)

// A transfer's tile when it is not one of the kernel's.
const (
	prologueTile = -1
	epilogueTile = -2
)

// transfer is what a CTA wants to read or write next: a tile, or its first or
// last data.
type transfer struct {
	slot  int32
	tile  int32
	stage int32
	run   int32 // where it goes on after others' turns: run,
	row   uint32
	at    uint32 // byte of the row
}

// evenTurn is how many bytes a CTA whose kernel shares the SM evenly sends before
// others have a turn: a load of 16 B a lane by each of four warps.
const evenTurn = 2048

// issuer is the part of an SM that sends requests, one after the other, for
// its CTAs' transfers in their order. It works a window at a time, so that
// only requests under way exist as messages.
type issuer struct {
	queue []transfer
	head  int
	runs  []Run // of the first transfer
	run   int   // place in runs: run,
	row   uint64
	at    uint64 // byte of the row
	begun bool
	turn  int      // bytes that the first transfer has sent in its turn
	awake bool     // an event will go on with it
	full  bool     // the first transfer waits for stores to be taken
	line  bool     // it waits in line for the GPC's window
	free  sim.Time // when the next request can leave

	stores uint32 // bytes of tiles' stores not yet taken
}

// issue queues a transfer of the CTA.
func (g *Group) issue(at sim.Time, slot, tile, stage int32) {
	c := &g.ctas[slot]
	c.pending[stage] = 1 // until all of it has been sent
	c.ready[stage] = at
	u := &g.sms[c.sm].out
	u.queue = append(u.queue, transfer{slot: slot, tile: tile, stage: stage})
	if !u.awake {
		u.awake = true
		g.local(max(at, u.free), issueMore, c.sm)
	}
}

// pump sends the SM's requests that leave before the horizon.
func (g *Group) pump(at sim.Time, n int32) {
	s := &g.sms[n]
	u := &s.out
	u.free = max(u.free, at)
	for u.head < len(u.queue) {
		if !g.send(s, &u.queue[u.head]) {
			if !u.full && !u.line {
				g.local(u.free, issueMore, n)
			}
			return
		}
		t := u.queue[u.head]
		u.begun = false
		if u.run < len(u.runs) {
			u.yield()
			continue
		}
		if u.head++; 2*u.head >= len(u.queue) {
			u.queue = u.queue[:copy(u.queue, u.queue[u.head:])]
			u.head = 0
		}
		g.sent(u.free, &t)
	}
	u.awake = false
}

// yield puts the transfers of the first one's CTA behind those of others, with
// the first to go on where it is.
func (u *issuer) yield() {
	t := &u.queue[u.head]
	t.run, t.row, t.at = int32(u.run), uint32(u.row), uint32(u.at)
	slot, waiting := t.slot, u.queue[u.head:]
	for _, own := range [...]bool{false, true} {
		for _, t := range waiting {
			if (t.slot == slot) == own {
				u.queue = append(u.queue, t)
			}
		}
	}
	u.queue = u.queue[:copy(u.queue, u.queue[u.head+len(waiting):])]
	u.head = 0
}

// others reports whether another CTA has something to send.
func (u *issuer) others(slot int32) bool {
	for i := u.head + 1; i < len(u.queue); i++ {
		if u.queue[i].slot != slot {
			return true
		}
	}
	return false
}

// send sends what it can of the first transfer before the horizon, as far as
// its stores are taken, and reports whether that was all, or all of its turn.
func (g *Group) send(s *sm, t *transfer) bool {
	u, c := &s.out, &g.ctas[t.slot]
	if !u.begun {
		u.begun, u.turn, u.run, u.row, u.at = true, 0, int(t.run), uint64(t.row), uint64(t.at)
		u.runs = c.runs(t.tile, u.runs[:0])
	}
	m := devices.Message{Tag: uint32(t.slot)<<8 | uint32(t.stage), From: uint16(g.port.ID()), Flow: c.flow}
	if t.tile == epilogueTile {
		m.Kind = devices.Write
	}
	cached := c.throughL1()
	for ; u.run < len(u.runs); u.run, u.row = u.run+1, 0 {
		r := &u.runs[u.run]
		unit := g.unit(c, r.Addr)
		if t.tile != epilogueTile {
			m.Kind = c.reads(r.Addr)
		}
		for store := r.Store && t.tile >= 0; u.row < uint64(r.Rows); u.row, u.at = u.row+1, 0 {
			for u.at < uint64(r.Bytes) {
				if u.free >= g.horizon {
					return false
				}
				m.Addr = r.Addr + u.row*r.Pitch + u.at
				m.Bytes = uint32(min(uint64(r.Bytes)-u.at, unit-m.Addr%unit))
				if store {
					if u.full = u.stores >= storeWindow; u.full {
						return false
					}
					u.at += uint64(m.Bytes)
					g.store(s, c, m)
					continue
				}
				if !(cached && s.l1.holds(m.Addr)) && !g.underWay(c, &m) && g.waits(c.sm, &m) {
					return false
				}
				u.at += uint64(m.Bytes)
				if cached && g.inL1(s, c, t, &m) {
					continue
				}
				g.request(s, c, t.stage, &m)
				if u.turn += int(m.Bytes); u.turn >= evenTurn && c.kernel.Even && u.others(t.slot) {
					return true
				}
			}
		}
	}
	return true
}

// request sends one request.
func (g *Group) request(s *sm, c *cta, stage int32, m *devices.Message) {
	u := &s.out
	u.free += g.asking(c.kernel, m)
	if m.Kind == devices.Write {
		g.post(s, c, m)
	} else {
		c.pending[stage]++
		if c.kernel.Merge && g.window.counts(m) && g.merger.join(m.Addr, int32(m.Tag>>8), stage) {
			return
		}
		g.window.take(m)
	}
	m.Born = u.free + sim.Time(u.run)*c.gap
	g.depart(m)
}

// asking returns how long an SM takes to send a request: of a kernel that
// shares the SM evenly, whose CTAs would be through in no time if the lines of
// a granule counted as one, for each of its lines.
func (g *Group) asking(k *Kernel, m *devices.Message) sim.Time {
	if !k.Even {
		return g.psIssue
	}
	return g.psIssue * sim.Time((m.Bytes+cache.LineBytes-1)/cache.LineBytes)
}

// depart sends a request on its way, which its translation can make longer.
func (g *Group) depart(m *devices.Message) {
	to, flight := g.fabric.route(m.Addr, g.partition)
	wait := g.tlb.wait(m.Addr)
	m.Why[devices.Translate] = int32(wait)
	g.port.Send(int(to), m.Born+flight+wait, sim.Deliver, m)
}

// reads returns how the CTA reads addr. Over a link a warp's loads wait for its
// scheduler; those of a pipeline's tiles have left it, and queue.
func (c *cta) reads(addr uint64) devices.Kind {
	if c.kernel.Warps != nil && devices.Tier(addr) > 0 {
		return devices.Load
	}
	return devices.Read
}

// runs returns what a transfer of the CTA consists of.
func (c *cta) runs(tile int32, runs []Run) []Run {
	switch p := c.kernel.Program; tile {
	case prologueTile:
		return p.Prologue(int(c.id), runs)
	case epilogueTile:
		return p.Epilogue(int(c.id), runs)
	default:
		return p.Tile(int(c.id), int(tile), runs)
	}
}

// sent goes on when the last request of a transfer has left.
func (g *Group) sent(at sim.Time, t *transfer) {
	c := &g.ctas[t.slot]
	if t.tile == epilogueTile {
		g.end(at, t.slot)
		return
	}
	if c.pending[t.stage]--; c.pending[t.stage] == 0 {
		g.complete(max(at, c.ready[t.stage]), t.slot, t.stage)
	}
}
