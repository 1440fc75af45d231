package gpu

import (
	"fmt"

	"hwsim/devices"
	"hwsim/sim"
)

// Op is one node of the graph that the front end walks: a kernel, or work
// for another unit such as a copy engine.
type Op struct {
	Kernel *Kernel // run on the SMs, one grid at a time in the order in which they become ready
	Unit   int     // domain that does the work when Kernel is nil
	Work   uint32  // what the unit is told (Message.Tag)
	After  []int   // ops that must have ended

	Start, End sim.Time // set as the op runs; Never until then

	waits int // unfinished ops in After
	next  []int
}

// FrontEnd is the domain that launches ops when what they depend on has
// ended, and hands a kernel's CTAs to SMs as those become free.
type FrontEnd struct {
	port    *sim.Port[devices.Message]
	config  Config
	cross   sim.Time
	kernels *[]*Kernel
	sms     []place // in the order in which a grid fills them
	gpcs    []int   // their domains
	ops     []Op
	ready   []int // kernels whose dependencies are met, oldest first
	ended   int
	running int     // op of the grid on the SMs, -1 when none
	last    *Kernel // that ran before, nil at first
	grid    grid
	barrier barrier
}

// place names an SM: its group's domain and its number there.
type place struct {
	group int
	sm    uint32
}

// grid is the launch on the SMs.
type grid struct {
	kernel  uint32
	next    int // first CTA not yet placed
	left    int // CTAs not yet done
	flushes int // GPCs that have not seen the end of their stores
	nextCTA sim.Time
}

// launch is what the front end schedules for itself: a kernel's dependencies
// are met and the gap is over.
const launch = devices.Local

func newFrontEnd(c Config, port *sim.Port[devices.Message], cross sim.Time, kernels *[]*Kernel) *FrontEnd {
	return &FrontEnd{port: port, config: c, cross: cross, kernels: kernels, running: -1}
}

// Add appends ops to the graph; After refers to op numbers, which count from
// 0 over the front end's life. Those ready at once start at or after now.
// It returns the number of the first. It may be called between windows only.
func (f *FrontEnd) Add(now sim.Time, ops ...Op) int {
	first := len(f.ops)
	for _, op := range ops {
		id := len(f.ops)
		op.Start, op.End, op.waits, op.next = sim.Never, sim.Never, 0, nil
		if op.Kernel != nil {
			op.Kernel.Residency = f.config.resident(op.Kernel)
			op.Work = uint32(len(*f.kernels))
			*f.kernels = append(*f.kernels, op.Kernel)
		}
		f.ops = append(f.ops, op)
		for _, a := range op.After {
			if f.ops[a].End == sim.Never {
				f.ops[a].next = append(f.ops[a].next, id)
				f.ops[id].waits++
			}
		}
		if f.ops[id].waits == 0 {
			f.release(now, id)
		}
	}
	return first
}

// Op returns the op of that number.
func (f *FrontEnd) Op(id int) *Op { return &f.ops[id] }

// Ended returns how many ops have ended.
func (f *FrontEnd) Ended() int { return f.ended }

// Pending says what has not ended, "" when everything has.
func (f *FrontEnd) Pending() string {
	if f.ended == len(f.ops) {
		return ""
	}
	return fmt.Sprintf("%d of %d operations have not ended; the grid has %d CTAs left", len(f.ops)-f.ended, len(f.ops), f.grid.left)
}

// Next returns the earliest time at which the front end can act.
func (f *FrontEnd) Next() sim.Time { return f.port.Next() }

// Run executes everything before the horizon.
func (f *FrontEnd) Run(horizon sim.Time) {
	var m devices.Message
	for f.port.Next() < horizon {
		at := f.port.PopInto(&m)
		switch m.Kind {
		case launch:
			f.ready = append(f.ready, int(m.Tag))
			f.dispatch(at)
		case devices.Done:
			if m.From == devices.NoReply { // a unit, not an SM
				f.end(at, int(m.Tag))
			} else {
				f.ctaDone(at, &m)
			}
		case devices.Write:
			f.arrive(at, &m)
		case devices.Ack:
			f.flushed(at)
		}
	}
}

// release starts an op whose dependencies have ended.
func (f *FrontEnd) release(now sim.Time, id int) {
	gap := sim.FromNanoseconds(f.config.GapNs)
	if k := f.ops[id].Kernel; k != nil {
		if f.again(k) {
			gap = 0
		}
		f.port.Push(now+gap, sim.Arbitrate, devices.Message{Kind: launch, Tag: uint32(id)})
		return
	}
	op := &f.ops[id]
	op.Start = now
	f.port.Send(op.Unit, now+max(gap, f.cross), sim.Deliver, &devices.Message{Kind: devices.Start, Tag: op.Work, Addr: uint64(id), From: uint16(f.port.ID())})
}

// dispatch puts the oldest ready kernel on idle SMs.
func (f *FrontEnd) dispatch(at sim.Time) {
	if f.running >= 0 || len(f.ready) == 0 {
		return
	}
	id := f.ready[0]
	f.ready = f.ready[:copy(f.ready, f.ready[1:])]
	op := &f.ops[id]
	op.Start = at
	f.running = id
	length := f.config.LaunchNs
	if f.again(op.Kernel) {
		length = f.config.AgainNs
	}
	first := at + max(0, sim.FromNanoseconds(length)-4*f.cross) // the rest is the way to an SM and back, and that of the flush
	f.grid = grid{kernel: op.Work, left: op.Kernel.CTAs, nextCTA: first}
	for n := range min(op.Kernel.CTAs, len(f.sms)*op.Kernel.Residency) {
		f.place(at, f.sms[n%len(f.sms)])
	}
	if op.Kernel.CTAs == 0 {
		f.flush(first)
	}
}

// again reports whether a kernel is the one that ran last: what it runs and
// where it stores are at hand, and its launch takes again_ns in all.
func (f *FrontEnd) again(k *Kernel) bool { return f.config.AgainNs > 0 && f.last == k }

// place sends the grid's next CTA to an SM; the dispatcher starts one CTA
// every CTANs.
func (f *FrontEnd) place(at sim.Time, p place) {
	g := &f.grid
	g.nextCTA = max(g.nextCTA, at)
	f.port.Send(p.group, g.nextCTA+f.cross, sim.Deliver, &devices.Message{Kind: devices.Start, Tag: g.kernel, Addr: uint64(g.next), Bytes: p.sm})
	g.nextCTA += sim.FromNanoseconds(f.config.CTANs)
	g.next++
}

// ctaDone refills the SM, or flushes the grid's stores after its last CTA.
func (f *FrontEnd) ctaDone(at sim.Time, m *devices.Message) {
	g := &f.grid
	if g.next < (*f.kernels)[g.kernel].CTAs {
		f.place(at, place{int(m.From), m.Bytes})
	}
	if g.left--; g.left == 0 {
		f.flush(at)
	}
}

// flush asks every GPC for the end of its stores: only then does a grid end.
func (f *FrontEnd) flush(at sim.Time) {
	f.grid.flushes = len(f.gpcs)
	for _, g := range f.gpcs {
		f.port.Send(g, at+f.cross, sim.Deliver, &devices.Message{Kind: devices.Flush, From: uint16(f.port.ID())})
	}
}

// flushed ends the grid after the last GPC's stores.
func (f *FrontEnd) flushed(at sim.Time) {
	if f.grid.flushes--; f.grid.flushes > 0 {
		return
	}
	op := f.running
	f.running, f.last = -1, f.ops[op].Kernel
	f.end(at, op)
	f.dispatch(at)
}

// end closes an op and releases what waited for it.
func (f *FrontEnd) end(at sim.Time, id int) {
	op := &f.ops[id]
	op.End = at
	f.ended++
	for _, n := range op.next {
		if f.ops[n].waits--; f.ops[n].waits == 0 {
			f.release(at, n)
		}
	}
}

// Waiting says what the front end holds, for the watchdog.
func (f *FrontEnd) Waiting() string { return f.Pending() }

// ID returns the front end's domain.
func (f *FrontEnd) ID() int { return f.port.ID() }
