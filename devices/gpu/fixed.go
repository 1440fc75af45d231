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
		g.plan(&s.even, fixedDone, c.sm)
	case k.FixedSM:
		s.coreFree = max(at, s.coreFree) + length
		g.local(s.coreFree, end, slot)
	default:
		g.local(at+length, end, slot)
	}
}

// fixedDone ends the fixed parts that are over.
func (g *Group) fixedDone(at sim.Time, sm int32) {
	s := &g.sms[sm].even
	if !s.woken(at) {
		return
	}
	for p, ok := s.through(at); ok; p, ok = s.through(at) {
		g.local(at, devices.Kind(p.warp), p.slot)
	}
	g.plan(s, fixedDone, sm)
}
