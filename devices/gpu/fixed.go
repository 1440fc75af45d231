package gpu

import (
	"hwsim/devices"
	"hwsim/sim"
)

// fixed begins a fixed part of a CTA, which ends with the given event: at once
// beside others, one CTA after the other, or shared evenly with others.
func (g *Group) fixed(at sim.Time, slot int32, length sim.Time, end devices.Kind) {
	c := &g.ctas[slot]
	s := &g.sms[c.sm]
	switch k := c.kernel; {
	case k.FixedSM && k.Even && length > 0:
		s.even.advance(at)
		s.even.warps = append(s.even.warps, issuing{slot: slot, warp: int32(end), left: length, demand: whole})
		s.even.demand += whole
		g.planFixed(c.sm)
	case k.FixedSM:
		s.coreFree = max(at, s.coreFree) + length
		g.local(s.coreFree, end, slot)
	default:
		g.local(at+length, end, slot)
	}
}

// planFixed has the SM look when the first of its fixed parts is over.
func (g *Group) planFixed(sm int32) {
	s := &g.sms[sm].even
	if len(s.warps) == 0 {
		return
	}
	if _, at := s.first(); s.wake == 0 || at < s.wake {
		s.wake = at
		g.local(at, fixedDone, sm)
	}
}

// fixedDone ends the fixed parts that are over.
func (g *Group) fixedDone(at sim.Time, sm int32) {
	s := &g.sms[sm].even
	if at != s.wake {
		return // another was sooner
	}
	s.wake = 0
	s.advance(at)
	for len(s.warps) > 0 {
		n, due := s.first()
		if due > at {
			break
		}
		p := s.warps[n]
		s.demand -= p.demand
		s.warps = append(s.warps[:n], s.warps[n+1:]...)
		g.local(at, devices.Kind(p.warp), p.slot)
	}
	g.planFixed(sm)
}
