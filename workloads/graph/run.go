package graph

import (
	"context"
	"sort"

	"hwsim/devices/dma"
	"hwsim/devices/gpu"
	"hwsim/hierarchy"
	"hwsim/sim"
)

// Span is a stretch of the stream that is accounted for as a whole.
type Span struct {
	Name   string  // layer, or what else it is
	Part   string  // of the whole, under which it is added up
	Weight float64 // how many like it the whole has
	Like   bool    // its time says how much those like it differ
	Last   int     // its last op
}

// Run is one simulation of a graph under way.
type Run struct {
	System *hierarchy.System
	Graph  *Graph

	ports    []*dma.Port
	sampler  *sampler // nil: every request
	spans    []span
	current  int // first span that has not ended
	leaps    []leap
	extra    mark      // what leaps have added to the counters
	readings *readings // for a timeline; nil: none is wanted
	scale    float64   // ns: about how long all of it takes, the scale of what matters
}

// span is a Span with what is known of it.
type span struct {
	Span
	at     mark
	bias   float64 // ps by which all its leaps may err the same way
	chance float64 // ps², by which each may err on its own, 95 %
	leapt  sim.Time
}

// leap is a stretch of time that was not simulated.
type leap struct {
	at    sim.Time // simulated time at which it lies
	total sim.Time // of this and all earlier leaps
}

// Begin returns a run of the graph, of which the spans are all, in exact
// fidelity.
func Begin(s *hierarchy.System, g *Graph, spans []Span) *Run {
	r := &Run{System: s, Graph: g, ports: s.Ports()}
	for _, sp := range spans {
		r.spans = append(r.spans, span{Span: sp})
	}
	ops := make([]gpu.Op, len(g.Ops))
	for i := range g.Ops {
		o := &g.Ops[i]
		if o.Copy != nil {
			o.Work = uint32(len(s.Copies))
			s.Copies = append(s.Copies, o.Copy)
			o.Unit = s.Port(far(o.Copy))
		}
		ops[i] = o.Op
	}
	s.GPU.Front.Add(0, ops...)
	return r
}

// Sample makes the run leap ahead where rates are known to a relative
// half-width of tolerance. The whole takes about so many ns.
func (r *Run) Sample(tolerance, ns float64) {
	r.sampler = newSampler(r, tolerance)
	r.scale = ns
}

// Simulate runs the machine until the graph has ended, ctx is cancelled, or
// enough, if it is not nil, says so of the number of spans that have ended.
func (r *Run) Simulate(ctx context.Context, enough func(spans int) bool) error {
	done := ctx.Done()
	r.extra = r.newMark()
	return r.System.Engine.Run(func(now sim.Time) bool {
		select {
		case <-done:
			return true
		default:
		}
		before := r.current
		for r.current < len(r.spans) && r.op(r.spans[r.current].Last).End != sim.Never {
			r.spans[r.current].at = r.mark()
			r.current++
		}
		if r.sampler != nil {
			r.sampler.observe(now)
		}
		last := r.current > before && enough != nil && enough(r.current) || r.current == len(r.spans)
		if r.readings != nil {
			r.readings.observe(r, now, last)
		}
		return last
	})
}

// Ended returns how many spans have ended.
func (r *Run) Ended() int { return r.current }

// SpanNs returns how long an ended span took, in ns.
func (r *Run) SpanNs(i int) float64 {
	begin := sim.Time(0)
	if i > 0 {
		begin = r.reported(r.op(r.spans[i-1].Last).End)
	}
	return (r.reported(r.op(r.spans[i].Last).End) - begin).Nanoseconds()
}

// Ns returns how long an ended op took, in ns.
func (r *Run) Ns(id int) float64 {
	o := r.op(id)
	return (r.reported(o.End) - r.reported(o.Start)).Nanoseconds()
}

// op returns the state of an op in the machine.
func (r *Run) op(id int) *gpu.Op { return r.System.GPU.Front.Op(id) }

// harmlessShare is the part of the whole run that the error of one leap may
// be, however uncertain the rates it was made at.
const harmlessShare = 1e-4

// harmless returns that error for a leap in the current span, in ps.
func (r *Run) harmless() float64 {
	weight := 1.0
	if r.current < len(r.spans) {
		weight = r.spans[r.current].Weight
	}
	return harmlessShare * r.scale * 1e3 / weight
}

// leapt accounts for a stretch of time that was skipped at now, of which so many
// ps may err one way and so many by chance: the counters go on by factor times
// gain.
func (r *Run) leapt(now, length sim.Time, bias, chance, factor float64, gain mark) {
	total := length
	if n := len(r.leaps); n > 0 {
		total += r.leaps[n-1].total
	}
	r.leaps = append(r.leaps, leap{now, total})
	r.extra.addScaled(&gain, factor)
	r.doubt(length, bias, chance)
}

// correct changes the length of the last leap, by chance known to so many ps.
func (r *Run) correct(by sim.Time, chance float64) {
	r.leaps[len(r.leaps)-1].total += by
	r.doubt(by, 0, chance)
}

// doubt adds to what the current span leaps and may err by.
func (r *Run) doubt(leapt sim.Time, bias, chance float64) {
	if r.current < len(r.spans) {
		s := &r.spans[r.current]
		s.leapt += leapt
		s.bias += bias
		s.chance += chance * chance
	}
}

// reported turns simulated time into the time the report tells: with the
// leaps that lie before it.
func (r *Run) reported(t sim.Time) sim.Time {
	i := sort.Search(len(r.leaps), func(i int) bool { return r.leaps[i].at > t })
	if i == 0 {
		return t
	}
	return t + r.leaps[i-1].total
}
