package dram

import (
	"math"
	"math/bits"

	"hwsim/devices"
	"hwsim/sim"
)

// Request asks for Bytes contiguous bytes from the channel-local address Addr.
type Request struct {
	Addr  uint64
	Bytes uint32
	Write bool
	Tag   uint32 // returned in the Completion
}

// Completion reports one finished request. It is handed out when the last
// column command of the request issues, so Last may lie tCL (tCWL) and a
// burst beyond the time advanced to.
type Completion struct {
	Tag         uint32
	Write       bool
	First, Last sim.Time    // start of its first data beat, end of its last; of data from queued writes arrival and answer
	Why         devices.Why // division of Last - enqueue time
}

// pending is a request in the channel.
type pending struct {
	at         sim.Time // enqueued
	tick       int64    // first edge at or after at
	first      int64    // first data, tick
	last       int64    // end of the last data, tick
	tag        uint32
	parts      int32 // entries not yet finished
	bursts     int32
	why        [3]int64 // ticks, by the why constants
	write      bool
	nextUnused int32
}

// Channel is one DRAM channel with its controller. It is not safe for
// concurrent use.
type Channel struct {
	// Trace, when not nil, is called with every command in issue order.
	Trace func(Command)

	// Arrived, when not nil, is called with every request and its time, in order.
	Arrived func(at sim.Time, r Request)

	spec *Spec
	mapp *addrMap
	pcs  []pseudo
	gaps [2][2][3]int64 // columnGap: by first, second, and place

	actToRead, actToWrite, actToPRE int64 // issue-to-issue distances, command lengths included
	preToACT, preToREF, actToREF    int64
	colToPRE                        [2]int64
	data                            [2]int64    // column command to first data
	busy                            [2]sim.Time // column command to the end of its data
	align                           int64       // row commands other than PRE issue on its multiples

	fcfs      bool
	forward   bool
	hitCap    int32
	closes    bool  // rows that nobody queued wants
	closeWait int64 // so long after their last use
	pageCap   int32 // column commands of a row, or 0
	autoPre   bool  // one more column closes the row itself, if it comes before the PRE
	downAfter int64 // idle ticks to power-down; 0: never
	upTime    int64 // tXP
	holds     bool  // a refresh in preparation holds back all but columns of rows just opened

	busFree  [2]int64 // column bus, row bus: free from this tick
	rowBus   int      // index of the row bus: 0 where there is one bus
	colFirst int64    // taken off a column's key: large where the buses are split

	now     int64 // no command issues before it
	seq     int64
	pending int

	mode      int // direction now served: read, or write while writes drain
	held      int // all-bank refreshes in preparation, see holdAll
	ranks     int
	waiting   [2]int32 // bursts in the window
	depth     [2]int32
	writes    int32 // entries of writes queued
	drainHigh int32
	drainLow  int32

	entries   []entry
	freeEntry int32
	requests  []pending
	freeReq   int32
	door      door

	done  []Completion
	stats Stats
	check checker
}

// New returns an idle channel at time zero.
func New(cfg Config) (*Channel, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	s, err := cfg.spec()
	if err != nil {
		return nil, err
	}
	return newChannelOf(s, cfg)
}

// newChannelOf returns an idle channel of s; cfg has its defaults and is valid.
func newChannelOf(s *Spec, cfg Config) (*Channel, error) {
	m, err := newAddrMap(s, cfg.Map, *cfg.Hash)
	if err != nil {
		return nil, err
	}
	c := &Channel{spec: s, mapp: m, freeEntry: none, freeReq: none,
		fcfs: cfg.Scheduler == "fcfs", forward: cfg.Forward, hitCap: int32(max(cfg.HitCap, 0)),
		closes: cfg.Page != "open", pageCap: int32(cfg.PageCap), autoPre: cfg.AutoPrecharge && cfg.PageCap > 0,
		holds:     s.SplitBuses && (cfg.Refresh == "all_bank" || cfg.RefreshFirst && cfg.Refresh != "staggered"),
		depth:     [2]int32{int32(cfg.QueueDepth), int32(cfg.WriteQueueDepth)},
		drainHigh: int32(cfg.DrainHigh * float64(cfg.WriteQueueDepth)),
		drainLow:  int32(math.Ceil(cfg.DrainLow * float64(cfg.WriteQueueDepth))),
	}
	c.ranks = s.Ranks
	if c.fcfs {
		c.hitCap = 0
	}
	if cfg.Page == "adaptive" {
		c.closeWait = int64(cfg.PageIdleNs * 1000 / s.Tick.Period())
	}
	c.downAfter = int64(cfg.PowerDownNs * 1000 / s.Tick.Period())
	c.upTime = powerUp[s.Family].clocks(s.tCK()) * s.TicksPerCK
	c.setDistances()
	c.pcs = make([]pseudo, s.PseudoChannels)
	for i := range c.pcs {
		c.pcs[i] = newPseudo(s, cfg, i)
	}
	c.check.init(s)
	return c, nil
}

// setDistances derives issue-to-issue distances. A command of several edges
// takes effect at its last: its delay adds to what follows it, and is
// already paid by what it follows.
func (c *Channel) setDistances() {
	s := c.spec
	t := &s.T
	for a := range 2 {
		for b := range 2 {
			c.gaps[a][b][0], c.gaps[a][b][1], c.gaps[a][b][2] = s.columnGap(a, b)
		}
	}
	c.actToRead = t[TRCDRD] + s.ActDelay - s.ColDelay
	c.actToWrite = t[TRCDWR] + s.ActDelay - s.ColDelay
	c.actToPRE = t[TRAS] + s.ActDelay
	c.preToACT = t[TRP] - s.ActDelay
	c.preToREF = t[TRP]
	c.actToREF = t[TRC] + s.ActDelay
	c.data = [2]int64{t[TCL] + s.ColDelay, t[TCWL] + s.ColDelay}
	c.colToPRE = [2]int64{t[TRTP] + s.ColDelay, c.data[write] + s.Burst + t[TWR]}
	for d := range c.busy {
		c.busy[d] = s.Tick.Edge(c.data[d] + s.Burst)
	}
	c.align = 1
	if s.SplitBuses {
		c.rowBus = 1
		c.colFirst = 4 * waitUnit
		c.align = s.TicksPerCK
	}
}

func newPseudo(s *Spec, cfg Config, number int) pseudo {
	scopes := 1
	if s.ActPerRank {
		scopes = s.Ranks
	}
	p := pseudo{banks: make([]bank, s.Banks()), scopes: make([]scope, scopes), lastCol: -never, refs: newRefreshers(s, cfg, number)}
	for i := range p.banks {
		empty := [2]int32{none, none}
		p.banks[i] = bank{row: none, used: -never, head: empty, tail: empty, hit: empty}
		g := i / s.BanksPerGroup
		p.groupOf[i], p.rankOf[i] = uint8(g), uint8(g/s.BankGroups)
		if s.ActPerRank {
			p.scopeOf[i] = p.rankOf[i]
		}
	}
	for i := range p.scopes {
		p.scopes[i].acts = [4]int64{-never, -never, -never, -never}
	}
	p.rechoose()
	return p
}

// Spec returns the standard in use, overrides applied.
func (c *Channel) Spec() *Spec { return c.spec }

// Pending returns the number of requests not yet completed.
func (c *Channel) Pending() int { return c.pending + c.door.len() }

// Completions returns what completed since the last Drop, in issue order of
// the last column command. The slice is reused after Drop.
func (c *Channel) Completions() []Completion { return c.done }

// Drop forgets the completions handed out.
func (c *Channel) Drop() { c.done = c.done[:0] }

// Enqueue adds a request at time at, which may not precede an earlier one's.
// It first issues every command due before at. A request beyond the
// scheduler's window waits at the door, in order.
func (c *Channel) Enqueue(at sim.Time, r Request) {
	c.enqueue(&waiter{r, at, c.spec.Tick.At(at)})
}

// enqueue takes a pointer because a copy of what was just written in parts
// would wait for the stores.
func (c *Channel) enqueue(w *waiter) {
	if c.Arrived != nil {
		c.Arrived(w.at, w.r)
	}
	c.run(w.tick)
	if c.pending == 0 {
		c.wake(w.tick)
	}
	c.now = max(c.now, w.tick)
	if c.door.len() > 0 || !c.Room(w.r.Write) {
		c.door.push(*w)
		return
	}
	c.admit(w)
	c.setMode()
}

// EnqueueAt is Enqueue at the edge of number tick, for who knows it.
func (c *Channel) EnqueueAt(tick int64, r Request) {
	c.enqueue(&waiter{r, c.spec.Tick.Edge(tick), tick})
}

// AwaitRoom issues commands until the window has room for a request of this
// direction, and returns the tick of the last one.
func (c *Channel) AwaitRoom(write bool) (last int64) {
	for !c.Room(write) {
		p, kind, at := c.choose()
		c.issue(p, kind, at)
		last = at
	}
	return last
}

// Advance issues every command that can issue strictly before until.
func (c *Channel) Advance(until sim.Time) {
	if c.pending > 0 {
		c.run(c.spec.Tick.At(until))
	}
}

// Next returns the earliest time at which the channel does anything on its
// own, Never when no request is pending.
func (c *Channel) Next() sim.Time {
	if c.pending == 0 {
		return sim.Never
	}
	_, _, at := c.choose()
	return c.spec.Tick.Edge(at)
}

// Room reports whether the window takes another request of this direction at
// once; Enqueue keeps one that finds none at the door.
func (c *Channel) Room(w bool) bool {
	d := direction(w)
	return c.waiting[d] < c.depth[d]
}

func direction(w bool) int {
	if w {
		return write
	}
	return read
}

// queuedWrites reports whether bursts x to end all lie in queued writes.
func (c *Channel) queuedWrites(x, end uint64) bool {
	for ; x < end; x++ {
		if !c.queued(write, c.mapp.decode(x)) {
			return false
		}
	}
	return true
}

// queued reports whether the burst at waits to be read or written.
func (c *Channel) queued(d int, at place) bool {
	e := c.pcs[at.pc].banks[at.bank].head[d]
	for e != none && !c.entries[e].holds(at) {
		e = c.entries[e].next
	}
	return e != none
}

// answer completes a read from queued writes, a tick after it came.
func (c *Channel) answer(w *waiter, bursts int64) {
	done := Completion{Tag: w.r.Tag, First: w.at, Last: c.spec.Tick.Edge(max(c.now, w.tick) + 1)}
	done.Why.Add(devices.Queue, done.Last-w.at)
	c.done = append(c.done, done)
	c.stats.Reads++
	c.stats.Forwarded += uint64(bursts)
}

// admit splits a request into entries and queues them.
func (c *Channel) admit(w *waiter) {
	m := c.mapp
	x := w.r.Addr >> m.burstShift
	end := (w.r.Addr + max(uint64(w.r.Bytes), 1) + 1<<m.burstShift - 1) >> m.burstShift
	if c.forward && !w.r.Write && c.writes > 0 && c.queuedWrites(x, end) {
		c.answer(w, int64(end-x))
		return
	}
	q := c.newRequest()
	p := &c.requests[q]
	p.at, p.tick, p.tag, p.write = w.at, w.tick, w.r.Tag, w.r.Write
	p.first, p.parts, p.why = never, 0, [3]int64{}
	c.pending++
	d := direction(w.r.Write)
	p.bursts = int32(end - x)
	c.waiting[d] += p.bursts
	if end == x+1 {
		p.parts = 1
		at := m.decode(x)
		c.addEntry(q, d, at, 1)
		if c.spec.InlineECC > 0 {
			c.addChecks(q, d, at, 1)
		}
		return
	}
	block := m.step * m.run
	for x < end {
		stop := end
		if limit := x + block - c.modBlock(x, block); limit < stop {
			stop = limit
		}
		for j := x; j < min(stop, x+m.step); j++ {
			count := (stop - j + m.step - 1) / m.step
			p.parts++
			at := m.decode(j)
			c.addEntry(q, d, at, int32(count))
			if c.spec.InlineECC > 0 {
				c.addChecks(q, d, at, int32(count))
			}
		}
		x = stop
	}
}

func (c *Channel) modBlock(x, block uint64) uint64 {
	if block&(block-1) == 0 {
		return x & (block - 1)
	}
	return x % block
}

func (c *Channel) addEntry(q int32, d int, at place, count int32) {
	e := c.freeEntry
	if e == none {
		e = int32(len(c.entries))
		c.entries = append(c.entries, entry{})
	} else {
		c.freeEntry = c.entries[e].next
	}
	c.seq++
	en := &c.entries[e]
	en.seq, en.req, en.row, en.left, en.col = c.seq, q, at.row, count, at.col
	c.writes += int32(d)
	c.push(&c.pcs[at.pc], at.bank, d, e)
}

func (c *Channel) newRequest() int32 {
	q := c.freeReq
	if q == none {
		c.requests = append(c.requests, pending{})
		return int32(len(c.requests) - 1)
	}
	c.freeReq = c.requests[q].nextUnused
	return q
}

// admitWaiting lets requests in from the door while the window has room.
func (c *Channel) admitWaiting() {
	for c.door.len() > 0 && c.Room(c.door.front().r.Write) {
		w := c.door.pop()
		c.admit(&w)
	}
	c.setMode()
}

// setMode enters write-drain mode at the high watermark or when only writes
// wait, and leaves it at the low one when reads wait.
func (c *Channel) setMode() {
	r, w := c.waiting[read], c.waiting[write]
	mode := read
	if c.mode == read {
		if w > c.drainHigh || r == 0 && w > 0 {
			mode = write
		}
	} else if w >= c.drainLow && w > 0 || r == 0 && w > 0 {
		mode = write
	}
	if mode != c.mode {
		c.mode = mode
		for i := range c.pcs {
			c.pcs[i].rechoose()
		}
	}
}

// waiter is a request at the door.
type waiter struct {
	r    Request
	at   sim.Time
	tick int64
}

// door is a growing ring of waiters.
type door struct {
	ring        []waiter
	first, used int
}

func (d *door) len() int { return d.used }

func (d *door) front() *waiter { return &d.ring[d.first] }

func (d *door) push(w waiter) {
	if d.used == len(d.ring) {
		grown := make([]waiter, max(64, 1<<bits.Len(uint(2*d.used-1))))
		n := copy(grown, d.ring[d.first:])
		copy(grown[n:], d.ring[:d.first])
		d.ring, d.first = grown, 0
	}
	d.ring[(d.first+d.used)&(len(d.ring)-1)] = w
	d.used++
}

func (d *door) pop() waiter {
	w := d.ring[d.first]
	d.first = (d.first + 1) & (len(d.ring) - 1)
	d.used--
	return w
}
