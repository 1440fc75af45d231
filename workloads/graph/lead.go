package graph

import (
	"math"

	"hwsim/hierarchy"
	"hwsim/sim"
)

// Two copy engines that share a link each fetch their part of a layer. The one
// whose memory answers sooner gets more of the link and runs ahead, a little more
// with each layer. Over a whole step the link moves no more than the step's copies:
// what the one is ahead the other gets back, when the first waits for a free buffer
// or has finished, and the link is the other's alone. A few simulated layers that
// stand for many see the lead grow, and it is paid back once. So what such a layer
// moved beyond its own copies is taken out of those that it stands for, the bytes
// and the time that the slower engine would not have needed.

// Only the end of the last copies shows how fast the slower engine is alone.
// leadDoubt is the part of the time taken out that is then uncertain, all of it
// where for less than leastAlone of the last copy it was alone: both are choices.
const (
	leadDoubt  = 0.25
	leastAlone = 0.02
)

// lead is how those that a span stands for differ from it.
type lead struct {
	port  int
	link  float64                     // of what the span moved over the port's link, the share that they move
	tiers [hierarchy.NumTiers]float64 // likewise of what each tier moved, 0: all
	ns    float64                     // by which they are shorter
	doubt float64                     // ns by which that may err, all spans' the same way
}

// leads returns the leads of those ended spans that have one.
func (r *Run) leads() map[int]lead {
	all := map[int]lead{}
	if !r.folded() {
		return all
	}
	for port := range r.ports {
		engines := r.copiers(port)
		if len(engines) != 2 {
			continue
		}
		for i := range r.current {
			if l, ok := r.lead(port, engines, i); ok {
				all[i] = l
			}
		}
	}
	return all
}

// lead compares what a span moved over a port's link with its copies. Had the
// faster engine not copied so many bytes beyond the span's, for so long the slower
// would have had the link alone.
func (r *Run) lead(port int, engines []copier, i int) (l lead, ok bool) {
	slow, fast := &engines[0], &engines[1]
	s, f := slow.spans[i], fast.spans[i]
	did := r.did(i)
	moved := did.Link(2*port + 1).Payload
	if r.spans[i].Weight == 1 || s == nil || f == nil || moved == 0 {
		return l, false
	}
	if f.end > s.end {
		slow, fast, s, f = fast, slow, f, s
	}
	shared := r.shared(slow)
	alone := shared + f.rate() // the most: what limits both is the link
	doubt := 1.0
	if v, known := slow.alone(fast, shared); known && r.current == len(r.spans) {
		alone, doubt = min(max(v, shared), alone), leadDoubt
	}
	over := moved - s.bytes - f.bytes
	ns := min(over/f.rate()*(1-shared/alone), r.exposed(i))
	l = lead{port: port, link: 1 - over/moved, ns: ns, doubt: doubt * ns}
	for _, e := range engines {
		if read := did.Tier(e.tier).Read; read > 0 {
			l.tiers[e.tier] += e.spans[i].bytes / read
		}
	}
	return l, true
}

// did returns what the machine did in an ended span.
func (r *Run) did(i int) hierarchy.Counters {
	c := r.spans[i].at.machine
	if i > 0 {
		for f, v := range r.spans[i-1].at.machine {
			c[f] -= v
		}
	}
	return c
}

// spread corrects the counters of a span that stands for so many, itself included.
func (l *lead) spread(c *hierarchy.Counters, weight float64) {
	mean := func(share float64) float64 { return (1 + (weight-1)*share) / weight }
	c.ScaleLink(l.port, mean(l.link))
	for t, share := range l.tiers {
		if share > 0 {
			c.ScaleTier(hierarchy.TierID(t), mean(share))
		}
	}
}

// copier is what one engine copies.
type copier struct {
	engine int
	tier   hierarchy.TierID // from which
	spans  map[int]*copying
	last   copying
}

// copying is what an engine does for a span, or a copy.
type copying struct {
	bytes, ns  float64
	start, end sim.Time // of its last copy
}

// rate is in bytes a ns.
func (c *copying) rate() float64 { return c.bytes / c.ns }

// copiers returns the engines that fetch for ended spans over a port's link, none
// if anything else crosses it.
func (r *Run) copiers(port int) (engines []copier) {
	for id := range r.Graph.Ops {
		o := &r.Graph.Ops[id]
		if o.Span >= r.current {
			break
		}
		if !r.crosses(o, port) {
			continue
		}
		if o.Copy == nil || o.Copy.Out {
			return nil
		}
		n := 0
		for n < len(engines) && engines[n].engine != o.Copy.Engine {
			n++
		}
		if n == len(engines) {
			engines = append(engines, copier{engine: o.Copy.Engine, tier: far(o.Copy), spans: map[int]*copying{}})
		}
		engines[n].add(r, id)
	}
	return engines
}

// crosses reports whether an op moves anything over a port's link.
func (r *Run) crosses(o *Op, port int) bool {
	for t := hierarchy.DDR; t < hierarchy.NumTiers; t++ {
		if o.Bytes[t] > 0 && r.System.LinkFrom(t) == 2*port+1 {
			return true
		}
	}
	return false
}

// add adds a copy, which begins when those before it have ended.
func (c *copier) add(r *Run, id int) {
	o := &r.Graph.Ops[id]
	one := copying{start: max(c.last.end, r.reported(r.op(id).Start)), end: r.reported(r.op(id).End)}
	one.ns = (one.end - one.start).Nanoseconds()
	for _, b := range o.Bytes {
		one.bytes += float64(b)
	}
	c.last = one
	s := c.spans[o.Span]
	if s == nil {
		s = &copying{}
		c.spans[o.Span] = s
	}
	s.bytes, s.ns, s.start, s.end = s.bytes+one.bytes, s.ns+one.ns, one.start, one.end
}

// shared returns an engine's rate while the other copies too, in bytes a ns: its
// least over a span that stands for others.
func (r *Run) shared(c *copier) float64 {
	least := math.Inf(1)
	for i, s := range c.spans {
		if r.spans[i].Weight > 1 {
			least = min(least, s.rate())
		}
	}
	return least
}

// alone returns an engine's rate in its last copy once the other has finished, in
// bytes a ns, if it shows. Until then its rate is shared.
func (c *copier) alone(other *copier, shared float64) (rate float64, known bool) {
	before := max(0, other.last.end-c.last.start).Nanoseconds()
	if c.last.ns-before < leastAlone*c.last.ns {
		return 0, false
	}
	return (c.last.bytes - shared*before) / (c.last.ns - before), true
}

// exposed returns the ns for which a span's kernels waited for copies.
func (r *Run) exposed(i int) (ns float64) {
	ended := sim.Time(0)
	if i > 0 {
		ended = r.op(r.spans[i-1].Last).End
	}
	for id := range r.Graph.Ops {
		if o := &r.Graph.Ops[id]; o.Span == i && o.Copy == nil {
			_, waited := r.idle(r.reported(ended), r.reported(r.op(id).Start))
			ns += waited
			ended = r.op(id).End
		}
	}
	return ns
}
