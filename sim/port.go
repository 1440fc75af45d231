package sim

import "fmt"

// Port is a domain's place in the engine: the queue of its own events, and the
// way for messages to other domains. Only its domain uses it during a window.
type Port[M any] struct {
	Queue[M]
	engine *Engine[M]
	id     int
	name   string
	domain Domain

	lanes []lane[M]  // messages sent, by destination
	sent  []*Port[M] // destinations whose lane is not empty
	mail  []*Port[M] // sources whose lane to here is not empty, by id

	next  Time   // domain.Next() after the latest step
	steps uint64 // what steps() said then
	load  uint64 // steps in the latest window
	fault *Fault
}

// lane holds messages from one source to one destination in sequence.
type lane[M any] []letter[M]

// ID returns the number by which other domains address this one: ports are
// numbered from 0 in order of creation.
func (p *Port[M]) ID() int { return p.id }

// Name returns the name given to Engine.Port.
func (p *Port[M]) Name() string { return p.name }

// Send copies *m to arrive at domain to at the time at, in ps, which is not
// before the end of the current window: whoever sends from time t to a time no
// earlier than t plus the engine's lookahead keeps to that.
func (p *Port[M]) Send(to int, at Time, ph Phase, m *M) {
	if invariants && at < p.engine.horizon {
		panic(fmt.Sprintf("sim: %s sends to %s for %v, within the window up to %v",
			p.name, p.engine.ports[to].name, at, p.engine.horizon))
	}
	l := &p.lanes[to]
	if len(*l) == 0 {
		p.sent = append(p.sent, p.engine.ports[to])
	}
	*l = append(*l, letter[M]{orderOf(at, ph), *m})
}

// run lets the domain execute a window.
func (p *Port[M]) run(horizon Time) {
	defer p.catch()
	p.domain.Run(horizon)
	p.next = p.domain.Next()
	steps := p.Popped() + p.work()
	p.load, p.steps = steps-p.steps, steps
}

func (p *Port[M]) work() uint64 {
	if w, ok := p.domain.(interface{ Work() uint64 }); ok {
		return w.Work()
	}
	return 0
}

// receive moves the mail into the queue. Sources come in order of id and a
// lane in sequence, so the queue, first in first out, makes the order (time,
// phase, source, sequence) among the messages of a window.
func (p *Port[M]) receive() {
	defer p.catch()
	for _, from := range p.mail {
		l := from.lanes[p.id]
		for i := range l {
			*p.w.put(l[i].key) = l[i].e
		}
		from.lanes[p.id] = l[:0]
	}
	p.mail = p.mail[:0]
	p.next = p.domain.Next()
}
