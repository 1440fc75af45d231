package flash

import (
	"math/bits"

	"hwsim/sim"
)

const (
	maxPlanes = 16 // of a die
	lookAhead = 64 // operations of a queue that are searched for a multi-plane command
)

// Array is the state of the flash. It works lazily: Submit only takes an
// operation in, Advance does the work.
type Array struct {
	config  Config
	times   [2][]sim.Time // of a page by its place in the block: tR, tPROG
	erase   sim.Time
	byteClk sim.Clock // of a channel
	command [numKinds][maxPlanes + 1]sim.Time
	dataOut sim.Time
	suspend [numKinds]sim.Time // 0: such a command is not suspended
	retry   sim.Time
	rand    sim.Rand

	events    sim.Queue[event]
	channels  []channel
	units     []unit
	perChan   int // units
	slots     []slot
	free      []uint32
	done      []Completion
	planePage uint32 // pages of a plane
	stats     Stats
}

type event struct {
	what eventKind
	gen  uint32 // of the unit's command
	id   uint32
}

type eventKind uint8

const (
	arbitrate eventKind = iota // channel id may have something to send
	busFree                    // channel id has sent its command
	ready                      // unit id's die is ready
	dataSent                   // slot id's data have left
)

// channel is a bus and what waits for it.
type channel struct {
	busy, asked bool
	out         [numClasses]list // read data, waiting
	able        uint64           // units that could start a command, by bit
	turn        uint             // the unit to be asked first
}

// unit runs one command at a time.
type unit struct {
	queues    [numKinds][numClasses]list
	waiting   [numKinds]int
	active    group // in the cells
	suspended group
	leaving   int // pages of the last read whose data are still to go
	busy      bool
	held      bool // the active read waits for the register
}

// group is the operations of one command.
type group struct {
	ops  [maxPlanes]uint32
	n    int
	kind Kind
	end  sim.Time
	left sim.Time // when suspended
	gen  uint32
}

// New returns idle flash.
func New(c Config) (*Array, error) {
	if err := c.validated(); err != nil {
		return nil, err
	}
	bits := cellBits[c.Cell]
	a := &Array{
		config:    c,
		times:     [2][]sim.Time{pageTimes(c.ReadUs, bits, c.Pages), pageTimes(c.ProgramUs, bits, c.Pages)},
		erase:     micros(c.EraseUs),
		byteClk:   sim.ClockHz(uint64(c.ChannelGBs*1e9 + 0.5)),
		dataOut:   sim.FromNanoseconds(c.DataOutNs),
		retry:     micros(c.RetryUs),
		rand:      sim.NewRand(c.Seed),
		perChan:   c.Units() / c.Channels,
		planePage: uint32(c.PlanePages()),
	}
	a.suspend[Program], a.suspend[Erase] = micros(c.SuspendProgramUs), micros(c.SuspendEraseUs)
	for n := 1; n <= maxPlanes; n++ {
		more := float64(n - 1)
		a.command[Read][n] = sim.FromNanoseconds(c.ReadCommandNs + more*c.ReadPlaneNs)
		a.command[Program][n] = sim.FromNanoseconds(c.ProgramCommandNs + more*c.ProgramPlaneNs)
		a.command[Erase][n] = sim.FromNanoseconds(c.EraseCommandNs + more*c.ErasePlaneNs)
	}
	a.idle()
	return a, nil
}

// idle empties all queues.
func (a *Array) idle() {
	a.units = make([]unit, a.config.Units())
	for i := range a.units {
		for k := range a.units[i].queues {
			for l := range a.units[i].queues[k] {
				a.units[i].queues[k][l] = list{none, none}
			}
		}
	}
	a.channels = make([]channel, a.config.Channels)
	for i := range a.channels {
		for l := range a.channels[i].out {
			a.channels[i].out[l] = list{none, none}
		}
	}
}

// PowerCut drops all operations. What they were doing to their pages and blocks
// is for the caller to know.
func (a *Array) PowerCut() {
	a.events = sim.Queue[event]{}
	a.slots, a.free, a.done = a.slots[:0], a.free[:0], a.done[:0]
	a.idle()
}

// Submit takes in an operation at the given time, which is not before that of
// the last event done.
func (a *Array) Submit(at sim.Time, op Op) {
	c := &a.config
	plane, offset := op.Page/a.planePage, op.Page%a.planePage
	die := plane / uint32(c.Planes)
	s := slot{Op: op, plane: uint8(plane % uint32(c.Planes)), page: uint16(offset % uint32(c.Pages)), die: uint8(die % uint32(c.Dies))}
	if c.DieInterleave {
		s.unit = uint16(die)
	} else {
		s.unit = uint16(die / uint32(c.Dies))
	}
	u := &a.units[s.unit]
	a.push(&u.queues[op.Kind][op.Class], a.take(s))
	u.waiting[op.Kind]++
	a.see(int(s.unit))
	a.ask(at, int(s.unit)/a.perChan)
}

// Next returns the time of the next event.
func (a *Array) Next() sim.Time { return a.events.Next() }

// Advance does everything that happens before until.
func (a *Array) Advance(until sim.Time) {
	for a.events.Next() < until {
		a.Step()
	}
}

// Step does the next event only. What ends at a time ends before channels look
// for work at that time, so operations that are submitted upon a completion are
// among those the idle unit chooses from.
func (a *Array) Step() {
	var e event
	at := a.events.PopInto(&e)
	switch e.what {
	case arbitrate:
		a.channels[e.id].asked = false
		a.serve(at, int(e.id))
	case busFree:
		a.channels[e.id].busy = false
		a.serve(at, int(e.id))
	case ready:
		a.ready(at, int(e.id), e.gen)
	case dataSent:
		a.sent(at, e.id)
	}
}

// Completions returns what has ended since Drop, in the order of its end.
func (a *Array) Completions() []Completion { return a.done }

// Drop forgets the completions.
func (a *Array) Drop() { a.done = a.done[:0] }

// Stats returns the counters.
func (a *Array) Stats() Stats { return a.stats }

// ask has a channel look for work once all that happens at this time has.
func (a *Array) ask(at sim.Time, ch int) {
	if c := &a.channels[ch]; !c.busy && !c.asked {
		c.asked = true
		a.events.Push(at, sim.Arbitrate, event{what: arbitrate, id: uint32(ch)})
	}
}

// see notes whether a unit could start a command.
func (a *Array) see(i int) {
	bit := uint64(1) << (i % a.perChan)
	if a.units[i].able(a) {
		a.channels[i/a.perChan].able |= bit
	} else {
		a.channels[i/a.perChan].able &^= bit
	}
}

// able reports whether the unit could start a command, or resume one.
func (u *unit) able(a *Array) bool {
	switch {
	case u.busy:
		return u.waiting[Read] > 0 && u.interruptible(a)
	case u.suspended.n > 0:
		return true
	case u.leaving > 0: // the register is in use: only a cache read can go on
		return u.waiting[Read] > 0
	}
	return u.waiting[Read]+u.waiting[Program]+u.waiting[Erase] > 0
}

// interruptible reports whether the running command may be suspended.
func (u *unit) interruptible(a *Array) bool {
	return u.active.n > 0 && u.suspended.n == 0 && a.suspend[u.active.kind] > 0
}

// serve gives a free channel its next work: read data first, then a command, or
// the other way round.
func (a *Array) serve(at sim.Time, ch int) {
	c := &a.channels[ch]
	for !c.busy {
		data := !a.config.CommandsFirst || c.able == 0
		if data && (a.readAhead(at, c, ch) || a.sendData(at, c)) {
			return
		}
		if c.able == 0 {
			return
		}
		i := c.first(a.perChan)
		c.turn = uint(i+1) % uint(a.perChan)
		a.start(at, ch, ch*a.perChan+i)
	}
}

// first returns the unit whose turn it is among those that can start.
func (c *channel) first(units int) int {
	if later := c.able >> c.turn << c.turn; later != 0 {
		return bits.TrailingZeros64(later)
	}
	return bits.TrailingZeros64(c.able)
}

// readAhead has the unit whose data are next start its next read before they
// leave, if it can.
func (a *Array) readAhead(at sim.Time, c *channel, ch int) bool {
	if !a.config.CacheRead {
		return false
	}
	for l := range c.out {
		if c.out[l].empty() {
			continue
		}
		i := int(a.slots[c.out[l].head].unit)
		if u := &a.units[i]; u.busy || u.waiting[Read] == 0 {
			return false
		}
		a.start(at, ch, i)
		return true
	}
	return false
}

// sendData sends the first page of read data that waits, if any.
func (a *Array) sendData(at sim.Time, c *channel) bool {
	for l := range c.out {
		q := &c.out[l]
		if q.empty() {
			continue
		}
		id := q.head
		a.cut(q, none, id)
		t := a.dataOut + a.byteClk.Edge(int64(a.slots[id].Bytes))
		a.occupy(c, t)
		a.stats.BytesOut += uint64(a.slots[id].Bytes)
		a.events.Push(at+t, sim.Deliver, event{what: dataSent, id: id})
		return true
	}
	return false
}

func (a *Array) occupy(c *channel, t sim.Time) {
	c.busy = true
	a.stats.Busy += t
}

// start issues the next command of an able unit, or resumes its suspended one.
func (a *Array) start(at sim.Time, ch, i int) {
	u := &a.units[i]
	kind := u.nextKind()
	if kind == numKinds {
		a.resume(at, i)
		return
	}
	var pause sim.Time
	if u.busy {
		pause = a.pause(at, u)
	}
	a.gather(u, kind)
	bus, cells := a.durations(u)
	u.busy = true
	u.active.end = at + bus + pause + cells
	a.occupy(&a.channels[ch], bus)
	a.stats.CellBusy += cells
	a.events.Push(at+bus, sim.Arbitrate, event{what: busFree, id: uint32(ch)})
	a.events.Push(u.active.end, sim.Deliver, event{ready, u.active.gen, uint32(i)})
	a.count(u)
	a.see(i)
}

// nextKind returns what the unit does next; numKinds: it resumes.
func (u *unit) nextKind() Kind {
	switch {
	case u.waiting[Read] > 0:
		return Read
	case u.suspended.n > 0:
		return numKinds
	case u.waiting[Program] > 0:
		return Program
	}
	return Erase
}

// pause suspends the running command and returns how long that takes.
func (a *Array) pause(at sim.Time, u *unit) sim.Time {
	gen := u.active.gen
	u.suspended = u.active
	u.suspended.left = u.active.end - at
	u.active.n, u.active.gen = 0, gen+1
	a.stats.Suspended++
	return a.suspend[u.suspended.kind]
}

// resume goes on with the suspended command.
func (a *Array) resume(at sim.Time, i int) {
	u := &a.units[i]
	gen := u.active.gen + 1
	u.active = u.suspended
	u.active.gen, u.active.end = gen, at+u.suspended.left
	u.suspended.n = 0
	u.busy = true
	a.events.Push(u.active.end, sim.Deliver, event{ready, gen, uint32(i)})
	a.see(i)
}

// gather makes the first operation of a kind active, with those that other
// planes of its die can do at once. A plane's operations keep their order.
func (a *Array) gather(u *unit, kind Kind) {
	g := &u.active
	g.n, g.kind = 0, kind
	g.gen++
	q := &u.queues[kind][0]
	for l := 1; q.empty(); l++ {
		q = &u.queues[kind][l]
	}
	first := a.slots[q.head]
	var seen uint32 // planes
	prev := none
	for id, n := q.head, 0; id != none && n < lookAhead && g.n < a.config.Planes; n++ {
		s := &a.slots[id]
		next := s.next
		if s.die != first.die || seen>>s.plane&1 != 0 {
			prev, id = id, next
			continue
		}
		if s.page == first.page || kind == Erase {
			a.cut(q, prev, id)
			g.ops[g.n] = id
			g.n++
			seen |= 1 << s.plane
		} else {
			if kind == Program && !a.config.AnyOrder {
				seen |= 1 << s.plane
			}
			prev = id
		}
		id = next
	}
	u.waiting[kind] -= g.n
}

// durations returns how long the active command takes the channel and then
// the cells.
func (a *Array) durations(u *unit) (bus, cells sim.Time) {
	g := &u.active
	bus = a.command[g.kind][g.n]
	first := a.slots[g.ops[0]]
	switch g.kind {
	case Read:
		cells = a.times[0][first.page] + a.retries(g.n)
	case Program:
		for _, id := range g.ops[:g.n] {
			bus += a.byteClk.Edge(int64(a.slots[id].Bytes))
			a.stats.BytesIn += uint64(a.slots[id].Bytes)
		}
		cells = a.times[1][first.page]
	case Erase:
		cells = a.erase
	}
	return bus, cells
}

// retries returns the time of the longest of n pages' retries.
func (a *Array) retries(n int) sim.Time {
	if a.config.RetryProbability == 0 {
		return 0
	}
	most := 0
	for range n {
		if a.rand.Float64() < a.config.RetryProbability {
			a.stats.Retried++
			most = max(most, 1+a.rand.IntN(a.config.RetrySteps))
		}
	}
	return sim.Time(most) * a.retry
}

func (a *Array) count(u *unit) {
	g := &u.active
	a.stats.Ops[g.kind] += uint64(g.n)
	a.stats.Commands[g.kind]++
	if g.n > 1 {
		a.stats.MultiPlane[g.kind]++
	}
}

// ready ends the cells' part of a unit's command.
func (a *Array) ready(at sim.Time, i int, gen uint32) {
	u := &a.units[i]
	g := &u.active
	if g.n == 0 || g.gen != gen {
		return // it was suspended meanwhile
	}
	ch := i / a.perChan
	if g.kind == Read {
		if u.leaving > 0 {
			u.held = true
			return
		}
		a.release(u, ch)
	} else {
		for _, id := range g.ops[:g.n] {
			a.complete(at, id)
		}
		g.n, u.busy = 0, false
	}
	a.see(i)
	a.ask(at, ch)
}

// release moves the active read's pages to the register they leave by.
func (a *Array) release(u *unit, ch int) {
	g := &u.active
	for _, id := range g.ops[:g.n] {
		a.push(&a.channels[ch].out[a.slots[id].Class], id)
	}
	u.leaving, g.n = g.n, 0
	u.held = false
	u.busy = !a.config.CacheRead
}

// sent ends a read whose data have left.
func (a *Array) sent(at sim.Time, id uint32) {
	i := int(a.slots[id].unit)
	u, ch := &a.units[i], i/a.perChan
	a.channels[ch].busy = false
	u.leaving--
	if u.leaving == 0 {
		if u.held {
			a.release(u, ch)
		} else if !a.config.CacheRead {
			u.busy = false
		}
		a.see(i)
	}
	a.complete(at, id)
	a.ask(at, ch)
}

func (a *Array) complete(at sim.Time, id uint32) {
	a.done = append(a.done, Completion{a.slots[id].Op, at})
	a.free = append(a.free, id)
}
