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
	leastReach   = 4    // times what has been seen of a grid a leap within it goes,
	mostReach    = 64   // four times as far after each that proved right
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
	set       string   // the active flows
	flows     []*flow  // of set
	known     []*flow  // what must be known of them: each, but beside a grid a port's copies together
	batch     sim.Time // length of a batch
	from      sim.Time
	due       sim.Time // end of the current batch
	start     mark     // counters when the first batch began
	last      struct { // the last leap within a grid
		op          int
		bytes, rate float64 // rate in bytes a ps
	}
	reaches  map[string]float64 // by class of kernels
	patience int                // batches after which a drifting rate starts over without them
}

// flow is one rate, in bytes: of the grid's reads, of a copy engine, or of all
// copies of a port. Engines of a port share its link: what one gets more,
// another gets less, chunk by chunk, so that it takes long to know the one but
// not the sum; beside a grid, which is short and costs much to simulate, that is
// enough.
type flow struct {
	port, engine int // port -1: the grid; engine -1: all
	last         float64
	batches      sim.Batches
}

// newSampler returns a sampler for the run.
func newSampler(r *Run, tolerance float64) *sampler {
	return &sampler{run: r, tolerance: tolerance, reaches: map[string]float64{}}
}

// observe is called between windows. It leaps when it can.
func (s *sampler) observe(now sim.Time) {
	set := s.active()
	if set != s.set {
		s.set = set
		s.last.bytes = 0 // rates of other flows tell nothing about the last leap
		s.batch = s.run.batch()
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
		length := float64(now-s.due+s.batch) / float64(s.batch)
		s.read(func(f *flow, moved float64) { f.batches.Add(moved / length) })
	}
	s.due = now + s.batch
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

// batch returns how long a batch of the grid on the SMs is: where CTAs go in
// step, whole periods of theirs.
func (r *Run) batch() sim.Time {
	if op := r.System.GPU.Progress().Op; op >= 0 && r.Graph.Ops[op].Period > 0 {
		period := r.Graph.Ops[op].Period
		return (batchTime + period - 1) / period * period
	}
	return batchTime
}

// restart forgets the batches and waits for the flows to settle.
func (s *sampler) restart(now sim.Time) {
	for _, list := range [][]*flow{s.flows, s.known} {
		for _, f := range list {
			f.batches = sim.Batches{}
		}
	}
	s.from = now + warmUp
	s.due = s.from
}

// active names the flows under way, and lists them when the name changes. A
// grid's CTAs coming, going, and reading from another memory change it only while
// fewer wait for a place than have one.
func (s *sampler) active() string {
	var name [64]byte
	n := name[:0]
	p := s.run.System.GPU.Progress()
	if p.Op >= 0 {
		n = appendInt(n, p.Op)
		if p.Total-p.Placed < p.Left-(p.Total-p.Placed) {
			n = appendInt(appendInt(n, p.Left), p.Crossings)
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
	s.flows, s.known = s.flows[:0], s.known[:0]
	if p.Op >= 0 {
		s.flows = append(s.flows, &flow{port: -1})
		s.known = append(s.known, s.flows[0])
	}
	for i, port := range s.run.ports {
		before := len(s.flows)
		for e := range port.Engines() {
			if _, busy := port.Moved(e); busy {
				s.flows = append(s.flows, &flow{port: i, engine: e})
			}
		}
		if len(s.flows) > before && p.Op >= 0 {
			s.known = append(s.known, &flow{port: i, engine: -1})
		}
	}
	if p.Op < 0 {
		s.known = append(s.known, s.flows...)
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
	note := func(fl *flow) {
		v := s.moved(fl)
		if f != nil {
			f(fl, v-fl.last)
		}
		fl.last = v
	}
	for _, fl := range s.flows {
		note(fl)
	}
	for _, fl := range s.known {
		if fl.engine < 0 {
			note(fl)
		}
	}
}

// moved returns the bytes that a flow has moved since the simulation began.
func (s *sampler) moved(f *flow) float64 {
	if f.port < 0 {
		return float64(s.run.System.GPU.Progress().Bytes)
	}
	port, sum := s.run.ports[f.port], uint64(0)
	for e := range port.Engines() {
		if f.engine < 0 || f.engine == e {
			b, _ := port.Moved(e)
			sum += b
		}
	}
	return float64(sum)
}

type verdict int

const (
	unsure verdict = iota
	converged
	drifting
)

// judge says whether every rate is known as well as tolerance asks.
func (s *sampler) judge(tolerance float64) verdict {
	v := converged
	for _, f := range s.known {
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
			grid = s.run.System.GPU.Leap(now, f.batches.Mean()/float64(s.batch))
			bytes = grid.Bytes
		} else {
			b, _ := s.run.ports[f.port].Leap(f.engine)
			bytes = float64(b)
		}
		dt = min(dt, bytes/f.batches.Mean())
	}
	dt *= float64(s.batch)
	if s.flows[0].port < 0 {
		dt = min(dt, s.reach(now, dt))
	}
	return dt, grid
}

// reach limits a leap within a grid: rates that have converged still drift,
// as CTAs fall out of step and rows are shared less or more. A leap is only so
// many times as long as what has been simulated of the grid, more when the leaps
// before it in such kernels have proved right, and a long one leaves enough of
// it to see what the rate has become; but for those so short beside the whole
// run that even a gross error is harmless.
func (s *sampler) reach(now sim.Time, room float64) float64 {
	if grossError*room <= s.run.harmless() {
		return room
	}
	seen := float64(now - s.run.op(s.run.System.GPU.Progress().Op).Start)
	long := 6 * minBatches * s.batch
	if room > float64(long) {
		room -= float64(minBatches*s.batch + warmUp)
	}
	return min(room, max(leastReach, s.reaches[s.class()])*seen)
}

// class names the kind of kernel on the SMs.
func (s *sampler) class() string { return s.run.Graph.Ops[s.run.System.GPU.Progress().Op].Class }

// review corrects the last leap, if the same grid is still running, for the
// rate that is found after it: the rate in between is taken for the mean of
// both, and half of the difference for uncertain.
func (s *sampler) review() {
	l := &s.last
	f := s.flows[0]
	if l.bytes == 0 || f.port >= 0 || l.op != s.run.System.GPU.Progress().Op {
		return
	}
	was, is := l.rate, f.batches.Mean()/float64(s.batch)
	correction := l.bytes/((was+is)/2) - l.bytes/was
	s.run.correct(sim.Time(correction), math.Abs(correction)/2)
	l.bytes = 0
	c := s.class()
	if math.Abs(is/was-1) <= 2*s.tolerance {
		s.reaches[c] = min(mostReach, max(leastReach, s.reaches[c])*4)
	} else {
		s.reaches[c] = leastReach
	}
}

// leap moves every flow ahead at its mean rate to just before the first of
// them ends, and reports whether it did.
func (s *sampler) leap(now sim.Time, dt float64, grid gpu.Leap) bool {
	dt /= float64(s.batch)
	bound := 0.0
	for _, f := range s.known {
		bound = max(bound, f.batches.HalfWidth(confidence)/f.batches.Mean())
	}
	for _, f := range s.flows {
		if f.port < 0 {
			grid = s.run.System.GPU.Upto(grid, dt*f.batches.Mean())
			if grid.Bytes == 0 {
				return false
			}
			dt = grid.Bytes / f.batches.Mean()
			s.last.op, s.last.bytes, s.last.rate = s.run.System.GPU.Progress().Op, grid.Bytes, f.batches.Mean()/float64(s.batch)
			s.run.System.GPU.Apply(grid, now, sim.Time(dt*float64(s.batch)))
		}
	}
	s.applyCopies(dt)
	span := sim.Time(dt * float64(s.batch))
	bias := 0.0
	if grid.Bytes > 0 {
		bias = leapBias
	}
	gain := s.run.mark()
	gain.sub(&s.start)
	s.land(&gain, now)
	s.run.leapt(now, span, bias*float64(span), bound*float64(span)+grid.Tail, float64(span)/float64(now-s.from), gain)
	return true
}

// land takes from what links and memories behind them have gained what they sent
// ahead of the copies: a copy begins with many reads at once, and a leap is not to
// begin it again and again. Beside a grid that reads there itself it is not known.
func (s *sampler) land(gain *mark, now sim.Time) {
	if p := s.run.System.GPU.Progress(); p.Op >= 0 && s.run.Graph.Ops[p.Op].far() {
		return
	}
	for i := range s.run.ports {
		landed := 0.0
		for _, f := range s.flows {
			if f.port == i {
				landed += f.batches.Mean() * float64(now-s.from) / float64(s.batch)
			}
		}
		to, from := gain.machine.Link(2*i), gain.machine.Link(2*i+1)
		if sent := to.Payload + from.Payload; landed > 0 && sent > 0 {
			s.run.System.ScaleRemote(&gain.machine, i, landed/sent)
		}
	}
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
