package gpu

import (
	"hwsim/devices"
	"hwsim/sim"
)

// merger is where a GPC's reads leave it: SMs that ask for what another has
// asked for and not got wait for the same answer. The L2 sees one request, and
// the answer crosses the GPC's port once.
//
// Source: NVIDIA patents and profiler counters name the unit (LRC, L2 request
// coalescer) of Ampere and later; how much it holds is not published.
type merger struct {
	under   map[uint64]int32 // address under way → first that waits beside the one that asked, none at first
	waiting []waiter
	spare   int32 // first unused of waiting
}

// none ends a list of waiters.
const none = -1

// waiter is a stage that waits for an answer that another asked for.
type waiter struct {
	slot, stage int32
	next        int32
}

func newMerger() merger { return merger{under: map[uint64]int32{}, spare: none} }

// underWay reports whether a CTA's read is on its way for another.
func (g *Group) underWay(c *cta, m *devices.Message) bool {
	if !c.kernel.Merge || !g.window.counts(m) {
		return false
	}
	_, ok := g.merger.under[m.Addr]
	return ok
}

// join makes a stage wait for a read that is under way, or else notes that the
// read is, and reports which.
func (m *merger) join(addr uint64, slot, stage int32) bool {
	first, ok := m.under[addr]
	if !ok {
		m.under[addr] = none
		return false
	}
	n := m.spare
	if n == none {
		m.waiting = append(m.waiting, waiter{})
		n = int32(len(m.waiting) - 1)
	} else {
		m.spare = m.waiting[n].next
	}
	m.waiting[n] = waiter{slot, stage, first}
	m.under[addr] = n
	return true
}

// share brings an answer to all that have joined its request, each through its
// SM's port.
func (g *Group) share(m *devices.Message) {
	u := &g.merger
	n, ok := u.under[m.Addr]
	if !ok {
		return
	}
	delete(u.under, m.Addr)
	for n != none {
		w := u.waiting[n]
		u.waiting[n].next, u.spare, n = u.spare, n, w.next
		c := &g.ctas[w.slot]
		s := &g.sms[c.sm]
		s.portFree = max(s.portFree, g.portFree) + sim.Time(float64(m.Bytes)*g.psByte)
		g.bytes += uint64(m.Bytes)
		g.flows[c.flow].Read += uint64(m.Bytes)
		c.ready[w.stage] = max(c.ready[w.stage], s.portFree)
		if c.pending[w.stage]--; c.pending[w.stage] == 0 {
			g.complete(c.ready[w.stage], w.slot, w.stage)
		}
	}
}
