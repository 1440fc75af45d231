package gpu

import (
	"hwsim/devices"
	"hwsim/sim"
)

// schedulers of an SM, among which warps are dealt in turn.
const schedulers = 4

// scheduler issues the instructions of warps whose loads are here. A warp by
// itself leaves it idle where an instruction waits for another; of several each
// goes on as if alone while that is all that they take, and beyond it all are
// slower in proportion.
type scheduler struct {
	warps  []issuing
	demand int64    // what they would take of it if each went on as if alone, in parts of whole
	since  sim.Time // until when their progress is counted
	wake   sim.Time // when it next looks whether one is through; 0: nothing is planned
}

// issuing is a warp between its loads' arrival and its next request.
type issuing struct {
	slot, warp int32
	left       sim.Time // if it went on as if alone
	demand     int64
}

// whole is all of a scheduler's cycles.
const whole = 1 << 20

// pace is how much longer than alone the warps take, in parts of whole.
func (s *scheduler) pace() int64 { return max(whole, s.demand) }

// advance counts the warps' progress up to a time.
func (s *scheduler) advance(at sim.Time) {
	done := sim.Time(int64(at-s.since) * whole / s.pace())
	for i := range s.warps {
		s.warps[i].left -= done
	}
	s.since = at
}

// first returns the warp that is next through, and when if no other comes.
func (s *scheduler) first() (n int, at sim.Time) {
	for i := range s.warps {
		if s.warps[i].left < s.warps[n].left {
			n = i
		}
	}
	left := int64(max(0, s.warps[n].left))
	return n, s.since + sim.Time((left*s.pace()+whole-1)/whole)
}

// through takes out the next warp that is through at the given time, if one is.
func (s *scheduler) through(at sim.Time) (w issuing, ok bool) {
	if len(s.warps) == 0 {
		return w, false
	}
	n, due := s.first()
	if due > at {
		return w, false
	}
	w = s.warps[n]
	s.demand -= w.demand
	s.warps = append(s.warps[:n], s.warps[n+1:]...)
	return w, true
}

// woken reports whether the scheduler was to look now, and counts progress up
// to now if so: else another look was sooner.
func (s *scheduler) woken(at sim.Time) bool {
	if at != s.wake {
		return false
	}
	s.wake = 0
	s.advance(at)
	return true
}

// lane returns the scheduler of a CTA's warp, as a number in the group.
func (c *cta) lane(warp int32) int32 { return c.sm*schedulers + (c.dealt+warp)%schedulers }

// runWarp issues a warp's instructions once its bytes are here.
func (g *Group) runWarp(at sim.Time, slot, warp int32) {
	c := &g.ctas[slot]
	lane := c.lane(warp)
	s := &g.lanes[lane]
	s.advance(at)
	chain, busy := c.kernel.Warps.Time(int(c.id), int(c.warp[warp]))
	chain = max(chain, busy, 1)
	w := issuing{slot, warp, chain, int64(busy) * whole / int64(chain)}
	s.warps = append(s.warps, w)
	s.demand += w.demand
	g.plan(s, warpDone, lane)
}

// plan has a scheduler look, by an event of that kind and number, when its
// first warp is through.
func (g *Group) plan(s *scheduler, kind devices.Kind, n int32) {
	if len(s.warps) == 0 {
		return
	}
	if _, at := s.first(); s.wake == 0 || at < s.wake {
		s.wake = at
		g.local(at, kind, n)
	}
}

// look takes on the warps that are through.
func (g *Group) look(at sim.Time, lane int32) {
	s := &g.lanes[lane]
	if !s.woken(at) {
		return
	}
	for w, ok := s.through(at); ok; w, ok = s.through(at) {
		g.warpDone(at, w.slot, w.warp)
	}
	g.plan(s, warpDone, lane)
}
