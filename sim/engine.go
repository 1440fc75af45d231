package sim

import (
	"fmt"
	"runtime"
	"slices"
)

// Domain is a part of the machine that owns its state and shares none of it:
// domains see each other only through messages.
//
// A domain whose devices work without events may also have Work() uint64, the
// steps they have done so far: the engine runs a window in parallel when the
// one before had enough events and steps. One that has Waiting() string is
// asked for it when the simulation hangs.
type Domain interface {
	// Next returns the earliest time, in ps, at which the domain can act on
	// its own, out of its queue or its devices, and Never when it is idle. It
	// changes only while the domain runs or its queue is pushed into.
	Next() Time
	// Run executes everything strictly before horizon.
	Run(horizon Time)
}

// parallelLoad is how many events and steps make it worth waking others: some
// µs of work, where handing it out costs about one.
const parallelLoad = 64

// Engine advances domains together. A window opens at the earliest time at
// which any domain can act and lasts for the lookahead, the least latency
// between any two domains: no message sent inside it can be due inside it, so
// within it domains run in any order and in parallel. Messages are M values,
// delivered at its end. Results do not depend on the number of workers.
type Engine[M any] struct {
	lookahead Time
	ports     []*Port[M]
	workers   int

	start, horizon Time // of the current or last window
	next           []Time
	active         []*Port[M] // those that run in the window, by id
	mailed         []*Port[M] // those with mail
	windows, load  uint64
	parallelLoad   uint64

	pool    pool
	run     func(i int) // window of active[i]
	receive func(i int) // mail of mailed[i]
	watch   watchdog
}

// NewEngine returns an engine without domains. lookahead, in ps and above 0,
// is the least latency of any message.
func NewEngine[M any](lookahead Time) *Engine[M] {
	if lookahead <= 0 {
		panic(fmt.Sprintf("sim: lookahead of %v", lookahead))
	}
	e := &Engine[M]{lookahead: lookahead, parallelLoad: parallelLoad}
	e.watch.perInstant = 1 << 20
	e.run = func(i int) { e.active[i].run(e.horizon) }
	e.receive = func(i int) { e.mailed[i].receive() }
	return e
}

// Port adds a port. All are added before the first Run.
func (e *Engine[M]) Port(name string) *Port[M] {
	p := &Port[M]{engine: e, id: len(e.ports), name: name}
	e.ports = append(e.ports, p)
	for _, q := range e.ports {
		q.lanes = append(q.lanes, make([]lane[M], len(e.ports)-len(q.lanes))...)
	}
	return p
}

// Attach makes d the domain of p.
func (e *Engine[M]) Attach(p *Port[M], d Domain) { p.domain = d }

// SetWorkers sets how many goroutines, the caller of Run among them, execute
// domains; below 1 it means GOMAXPROCS, as without it.
func (e *Engine[M]) SetWorkers(n int) { e.workers = n }

// Now returns the start, in ps, of the current window or else the last.
func (e *Engine[M]) Now() Time { return e.start }

// Lookahead returns the length of a window in ps.
func (e *Engine[M]) Lookahead() Time { return e.lookahead }

// Windows returns the number of windows executed.
func (e *Engine[M]) Windows() uint64 { return e.windows }

// Events returns the number of events popped by all domains.
func (e *Engine[M]) Events() uint64 {
	var n uint64
	for _, p := range e.ports {
		n += p.Popped()
	}
	return n
}

// Run executes windows until all domains are idle or each says stop, and may
// be called again to go on. each, which may be nil, is called on the caller's
// goroutine before every window and once more when idle, with the time up to
// which all domains have executed everything; it may push events at or after
// that time into any port's queue, and send.
//
// The error is an ErrLivelock or ErrDeadlock. A panic inside a domain comes
// out of Run as a panic with a *Fault.
func (e *Engine[M]) Run(each func(now Time) (stop bool)) error {
	if err := e.prepare(); err != nil {
		return err
	}
	e.pool.open(e.workerCount() - 1)
	defer e.pool.close()
	if err := e.ask(); err != nil {
		return err
	}
	for {
		if each != nil {
			if each(e.horizon) {
				return nil
			}
			if err := e.ask(); err != nil {
				return err
			}
		}
		start := slices.Min(e.next)
		if start == Never {
			return e.idle()
		}
		if err := e.progress(start); err != nil {
			return err
		}
		if err := e.window(start); err != nil {
			return err
		}
	}
}

func (e *Engine[M]) prepare() error {
	if len(e.ports) == 0 {
		return fmt.Errorf("sim: no domains")
	}
	e.next = make([]Time, len(e.ports))
	for _, p := range e.ports {
		if p.domain == nil {
			return fmt.Errorf("sim: port %s has no domain", p.name)
		}
		p.w.limit = e.watch.perInstant
		p.steps = p.Popped() + p.work()
	}
	return nil
}

func (e *Engine[M]) workerCount() int {
	if e.workers > 0 {
		return min(e.workers, len(e.ports))
	}
	return min(runtime.GOMAXPROCS(0), len(e.ports))
}

// ask learns what the domains do next after something outside a window may
// have changed it.
func (e *Engine[M]) ask() error {
	if err := e.deliver(e.ports); err != nil {
		return err
	}
	for i, p := range e.ports {
		e.next[i] = p.domain.Next()
	}
	return nil
}

// window executes everything from start to its horizon.
func (e *Engine[M]) window(start Time) error {
	e.start = start
	e.horizon = Never
	if start < Never-e.lookahead {
		e.horizon = start + e.lookahead
	}
	e.windows++
	e.active = e.active[:0]
	for i, next := range e.next {
		if next < e.horizon {
			e.active = append(e.active, e.ports[i])
		}
	}
	e.spread(len(e.active), e.load, e.run)
	e.load = 0
	for _, p := range e.active {
		e.load += p.load
	}
	if err := e.settle(e.active); err != nil {
		return err
	}
	return e.deliver(e.active)
}

// deliver puts what the given ports have sent into the queues it is for.
func (e *Engine[M]) deliver(from []*Port[M]) error {
	e.mailed = e.mailed[:0]
	letters := 0
	for _, p := range from {
		for _, to := range p.sent {
			if len(to.mail) == 0 {
				e.mailed = append(e.mailed, to)
			}
			to.mail = append(to.mail, p)
			letters += len(p.lanes[to.id])
		}
		p.sent = p.sent[:0]
	}
	e.spread(len(e.mailed), uint64(letters)/4, e.receive) // a delivery is a fraction of an event's work
	return e.settle(e.mailed)
}

// spread does n independent jobs, in parallel when the load is worth it.
func (e *Engine[M]) spread(n int, load uint64, job func(i int)) {
	if n > 1 && load >= e.parallelLoad && e.pool.helpers > 0 {
		e.pool.do(n, job)
		return
	}
	for i := range n {
		job(i)
	}
}

// settle notes what ports that have done something do next.
func (e *Engine[M]) settle(ports []*Port[M]) error {
	for _, p := range ports {
		e.next[p.id] = p.next
		if p.fault != nil {
			return e.fail(p)
		}
	}
	return nil
}

// fail reports a port's fault. By walking in order of id the engine reports
// the same one for any number of workers.
func (e *Engine[M]) fail(p *Port[M]) error {
	f := p.fault
	p.fault = nil
	if l, ok := f.Value.(livelock); ok {
		return e.hang(ErrLivelock, l.at, fmt.Sprintf("%s executed %d events in this instant", p.name, e.watch.perInstant))
	}
	panic(f)
}
