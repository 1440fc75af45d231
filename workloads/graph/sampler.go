package graph

import (
	"math"

	"hwsim/devices/gpu"
	"hwsim/sim"
)

// Batches of a rate: their length, how many it takes to judge, and how long
// after a change of the active flows the first begins.
const (
	batchTime    = 500 * sim.Nanosecond
	minBatches   = 16
	maxBatches   = 64 // after which a drifting rate starts over without them, at most
	maxTolerance = 0.05
	reachFactor  = 4
	grossError   = 0.25 // of a leap: a choice, far above leapBias
	// leapBias is what leaps within a grid have been found to err by beyond
	// their rates' scatter, of their length: the difference of sampled from
	// exact kernels over the configurations of the tests, but for the head's.
	leapBias   = 0.005
	warmUp     = 2 * sim.Microsecond
	confidence = 0.95
	leastLeap  = 4 * sim.Microsecond // shorter leaps are not worth their bound
)

// sampler watches the rates of the flows that are active together (the grid
// on the SMs, the copies) and leaps ahead once all have converged.
type sampler struct {
	run       *Run
	tolerance float64
	set       string  // the active flows
	flows     []*flow // of set
	from      sim.Time
	due       sim.Time // end of the current batch
	start     mark     // counters when the first batch began
	last      struct { // the last leap within a grid
		op          int
		bytes, rate float64 // rate in bytes a ps
	}
	patience int // batches after which a drifting rate starts over without them
}

// flow is one rate, in bytes: of the grid's reads, or of a copy engine.
type flow struct {
	port, engine int // -1: the grid
	last         float64
	batches      sim.Batches
}

// newSampler returns a sampler for the run.
func newSampler(r *Run, tolerance float64) *sampler { return &sampler{run: r, tolerance: tolerance} }

// observe is called between windows. It leaps when it can.
func (s *sampler) observe(now sim.Time) {
	set := s.active()
	if set != s.set {
		s.set = set
		s.patience = minBatches
		s.restart(now)
		return
	}
	if now < s.due || len(s.flows) == 0 {
		return
	}
	if s.due == s.from { // the first batch begins
		s.from, s.due = now, now
		s.start = s.run.mark()
		s.run.System.GPU.Mark(now)
		s.read(nil)
	} else {
		length := float64(now-s.due+batchTime) / float64(batchTime)
		s.read(func(f *flow, moved float64) { f.batches.Add(moved / length) })
	}
	s.due = now + batchTime
	if n := s.flows[0].batches.Count(); n >= minBatches && n%4 == 0 {
		s.consider(now)
	}
}

// consider leaps if that is worth it and the rates are known well enough.
func (s *sampler) consider(now sim.Time) {
	s.review()
	room, grid := s.room(now)
	if room < float64(leastLeap) {
		return
	}
	switch s.judge(s.allowed(room)) {
	case converged:
		if s.leap(now, room, grid) {
			s.restart(now)
		}
	case drifting: // what it had to settle from may be in the first batches
		s.patience = min(2*s.patience, maxBatches)
		s.restart(now)
	}
}

// restart forgets the batches and waits for the flows to settle.
func (s *sampler) restart(now sim.Time) {
	for _, f := range s.flows {
		f.batches = sim.Batches{}
	}
	s.from = now + warmUp
	s.due = s.from
}

// active names the flows under way, and lists them when the name changes. A
// grid's CTAs coming and going changes it only when none waits for a place.
func (s *sampler) active() string {
	var name [64]byte
	n := name[:0]
	p := s.run.System.GPU.Progress()
	if p.Op >= 0 {
		n = appendInt(n, p.Op)
		if p.Total-p.Placed < p.Left-(p.Total-p.Placed) {
			n = appendInt(n, p.Left)
		}
	}
	for i, port := range s.run.ports {
		for e := range port.Engines() {
			if _, busy := port.Moved(e); busy {
				n = append(n, byte('a'+i), byte('0'+e))
				op, segment := port.Phase(e)
				n = appendInt(appendInt(n, op), segment)
			}
		}
	}
	if string(n) == s.set {
		return s.set
	}
	s.flows = s.flows[:0]
	if p.Op >= 0 {
		s.flows = append(s.flows, &flow{port: -1})
	}
	for i, port := range s.run.ports {
		for e := range port.Engines() {
			if _, busy := port.Moved(e); busy {
				s.flows = append(s.flows, &flow{port: i, engine: e})
			}
		}
	}
	return string(n)
}

func appendInt(b []byte, v int) []byte {
	for ; v > 0; v /= 10 {
		b = append(b, byte('0'+v%10))
	}
	return append(b, ' ')
}

// read passes what each flow has moved since the last read to f.
func (s *sampler) read(f func(fl *flow, moved float64)) {
	for _, fl := range s.flows {
		v := 0.0
		if fl.port < 0 {
			v = float64(s.run.System.GPU.Progress().Bytes)
		} else {
			b, _ := s.run.ports[fl.port].Moved(fl.engine)
			v = float64(b)
		}
		if f != nil {
			f(fl, v-fl.last)
		}
		fl.last = v
	}
}

type verdict int

const (
	unsure verdict = iota
	converged
	drifting
)

// judge says whether every flow's rate is known as well as tolerance asks.
func (s *sampler) judge(tolerance float64) verdict {
	v := converged
	for _, f := range s.flows {
		mean, width, trend := f.batches.Mean(), f.batches.HalfWidth(confidence), math.Abs(f.batches.Trend())
		switch {
		case mean > 0 && width <= tolerance*mean && trend <= 2*tolerance*mean:
		case trend > max(2*tolerance*mean, width) && f.batches.Count() >= s.patience: // by chance it seldom is more than the width
			return drifting
		default:
			v = unsure
		}
	}
	return v
}

// allowed returns the relative half-width that a leap may have: the
// configured one, or as much as leaves its error small beside the whole run.
func (s *sampler) allowed(leap float64) float64 {
	harmless := s.run.harmless() / leap
	return max(s.tolerance, min(harmless, maxTolerance))
}

// room returns how far all flows can be moved ahead together, in ps.
func (s *sampler) room(now sim.Time) (dt float64, grid gpu.Leap) {
	dt = math.Inf(1)
	for _, f := range s.flows {
		bytes := 0.0
		if f.port < 0 {
			grid = s.run.System.GPU.Leap(now, f.batches.Mean()/float64(batchTime))
			bytes = grid.Bytes
		} else {
			b, _ := s.run.ports[f.port].Leap(f.engine)
			bytes = float64(b)
		}
		dt = min(dt, bytes/f.batches.Mean())
	}
	dt *= float64(batchTime)
	if s.flows[0].port < 0 {
		dt = min(dt, s.reach(now, dt))
	}
	return dt, grid
}

// reach limits a leap within a grid: rates that have converged still drift,
// as CTAs fall out of step and rows are shared less or more. A leap is only so
// many times as long as what has been simulated of the grid, and a long one
// leaves enough of it to see what the rate has become; but for those so short
// beside the whole run that even a gross error is harmless.
func (s *sampler) reach(now sim.Time, room float64) float64 {
	if grossError*room <= s.run.harmless() {
		return room
	}
	seen := float64(now - s.run.op(s.run.System.GPU.Progress().Op).Start)
	const long = 6 * minBatches * batchTime
	if room > float64(long) {
		room -= float64(minBatches*batchTime + warmUp)
	}
	return min(room, reachFactor*seen)
}

// review corrects the last leap, if the same grid is still running, for the
// rate that is found after it: the rate in between is taken for the mean of
// both, and half of the difference for uncertain.
func (s *sampler) review() {
	l := &s.last
	f := s.flows[0]
	if l.bytes == 0 || f.port >= 0 || l.op != s.run.System.GPU.Progress().Op {
		return
	}
	was, is := l.rate, f.batches.Mean()/float64(batchTime)
	correction := l.bytes/((was+is)/2) - l.bytes/was
	s.run.correct(sim.Time(correction), math.Abs(correction)/2)
	l.bytes = 0
}

// leap moves every flow ahead at its mean rate to just before the first of
// them ends, and reports whether it did.
func (s *sampler) leap(now sim.Time, dt float64, grid gpu.Leap) bool {
	dt /= float64(batchTime)
	bound := 0.0
	for _, f := range s.flows {
		bound = max(bound, f.batches.HalfWidth(confidence)/f.batches.Mean())
		if f.port < 0 {
			grid = s.run.System.GPU.Upto(grid, dt*f.batches.Mean())
			if grid.Bytes == 0 {
				return false
			}
			dt = grid.Bytes / f.batches.Mean()
			s.last.op, s.last.bytes, s.last.rate = s.run.System.GPU.Progress().Op, grid.Bytes, f.batches.Mean()/float64(batchTime)
			s.run.System.GPU.Apply(grid, now, sim.Time(dt*float64(batchTime)))
		}
	}
	s.applyCopies(dt)
	span := sim.Time(dt * float64(batchTime))
	if grid.Bytes > 0 {
		bound += leapBias
	}
	s.run.leapt(now, span, bound*float64(span)+grid.Tail, float64(span)/float64(now-s.from), s.start)
	return true
}

// applyCopies moves the copies ahead by so many batches. Of each the L2 keeps
// the last part, as large as the copy is among all that passes through.
func (s *sampler) applyCopies(batches float64) {
	all := 0.0
	for _, f := range s.flows {
		all += f.batches.Mean()
		if f.port < 0 && s.run.System.Config.L2.Partitions > 1 {
			all += f.batches.Mean() / 2 // every other line read is far, and its near slice keeps a copy
		}
	}
	for _, f := range s.flows {
		if f.port < 0 {
			continue
		}
		room, unit := s.run.ports[f.port].Leap(f.engine)
		bytes := min(room, uint64(batches*f.batches.Mean()/float64(unit)+0.5)*unit)
		kept := uint64(float64(s.run.System.Config.L2.Bytes) * f.batches.Mean() / all)
		passed := bytes - min(bytes, kept)
		s.run.ports[f.port].Apply(f.engine, bytes, func(dst, n uint64) {
			over := min(passed, n)
			passed -= over
			s.run.System.Stored(dst+over, n-over)
		})
	}
}
