package gpu

import (
	"hwsim/devices"
	"hwsim/devices/cache"
)

// l1Ways is the associativity of an L1. Not published; what a chase that
// outgrows the L1 of an H200 misses is what two ways do: between 260 and
// 288 KiB three lines more a pass for each line more (measured).
const l1Ways = 2

// l1 is the tags of an SM's L1, of whole lines in sets with the least recently
// used line replaced. Stores write through it and bring nothing in.
type l1 struct {
	bytes   int
	kernel  uint32           // whose lines it holds
	sets    [][l1Ways]uint64 // line numbers + 1, the most recently used first; nil until the first load
	coming  []coming         // loads that missed, and those that wait for the same
	storing []uint64         // addresses of stores that have not been taken, of kernels that read through the L1
}

// coming is a load that waits for a line to come.
type coming struct {
	addr        uint64
	slot, stage int32 // whose it is; slot -1: the one that has been sent
}

// begin empties the L1 when another kernel comes.
func (c *l1) begin(kernel uint32) {
	if c.kernel != kernel {
		c.kernel = kernel
		clear(c.sets)
	}
}

// holds reports whether the line is there.
func (c *l1) holds(addr uint64) bool {
	if c.sets == nil {
		return false
	}
	line := addr/cache.LineBytes + 1
	for _, l := range c.sets[line%uint64(len(c.sets))] {
		if l == line {
			return true
		}
	}
	return false
}

// comes reports whether a load of addr is under way.
func (c *l1) comes(addr uint64) bool {
	for i := range c.coming {
		if c.coming[i].addr/cache.LineBytes == addr/cache.LineBytes {
			return true
		}
	}
	return false
}

// stores reports whether a store to addr is under way.
func (c *l1) stores(addr uint64) bool {
	for _, a := range c.storing {
		if a == addr {
			return true
		}
	}
	return false
}

// throughL1 reports whether the CTA's loads go through the L1.
func (c *cta) throughL1() bool { return c.kernel.Warps != nil && c.kernel.Warps.L1 }

// inL1 reports whether a request ends in the SM: a load of a line that the L1
// holds or that is coming, or a store to a line that it holds, which merges
// with one that is still on its way.
func (g *Group) inL1(s *sm, c *cta, t *transfer, m *devices.Message) bool {
	u := &s.out
	if m.Kind == devices.Write {
		if merges := s.l1.holds(m.Addr) && s.l1.stores(m.Addr); merges {
			u.free += g.psIssue
			g.flows[c.flow].Written += uint64(m.Bytes)
			return true
		}
		if devices.Tier(m.Addr) == 0 { // others are not acknowledged
			s.l1.storing = append(s.l1.storing, m.Addr)
		}
		return false
	}
	switch hit := s.l1.touch(m.Addr); {
	case !hit:
		s.l1.coming = append(s.l1.coming, coming{addr: m.Addr, slot: -1})
		return false
	case s.l1.comes(m.Addr):
		c.pending[t.stage]++
		s.l1.coming = append(s.l1.coming, coming{m.Addr, t.slot, t.stage})
	default:
		c.ready[t.stage] = max(c.ready[t.stage], u.free+g.psIssue+g.l1Hit)
	}
	u.free += g.psIssue
	return true
}

// landed ends the wait of loads for what an answer has brought.
func (g *Group) landed(s *sm, addr uint64) {
	left := s.l1.coming[:0]
	for _, w := range s.l1.coming {
		switch {
		case w.addr/cache.LineBytes != addr/cache.LineBytes:
			left = append(left, w)
		case w.slot >= 0:
			c := &g.ctas[w.slot]
			c.ready[w.stage] = max(c.ready[w.stage], s.portFree+g.l1Hit)
			if c.pending[w.stage]--; c.pending[w.stage] == 0 {
				g.complete(c.ready[w.stage], w.slot, w.stage)
			}
		}
	}
	s.l1.coming = left
}

// touch looks a load's line up, brings it in, and reports whether it was
// there. Loads of more than a line count as of their first: those of kernels
// that read through the L1 are of one.
func (c *l1) touch(addr uint64) bool {
	if c.sets == nil {
		if c.bytes < l1Ways*cache.LineBytes {
			return false
		}
		c.sets = make([][l1Ways]uint64, c.bytes/cache.LineBytes/l1Ways)
	}
	line := addr/cache.LineBytes + 1
	set := &c.sets[line%uint64(len(c.sets))]
	way := 0
	for way < l1Ways-1 && set[way] != line {
		way++
	}
	hit := set[way] == line
	copy(set[1:way+1], set[:way])
	set[0] = line
	return hit
}
