package cxl

import (
	"fmt"

	"hwsim/devices"
	"hwsim/devices/dram"
	"hwsim/devices/link"
	"hwsim/sim"
)

// Expander is the state of one device. Requests and completions are timed at
// the host's root port. It works lazily, as a DRAM channel does: Enqueue only
// takes a request in, Advance does the work.
type Expander struct {
	wire     *link.Link
	half     sim.Time // the controller's latency, one way
	line     uint32
	psByte   float64  // of the read path
	pathFree sim.Time // end of what the read path has accepted

	spread   devices.Interleave
	channels []*dram.Channel

	queues   [2]queue // of reads and of writes
	returns  timeline // read parts by the time at which their data leave the DRAM
	requests pool[request]
	parts    pool[part]
	done     []dram.Completion
	stats    Stats
}

// The two queues.
const (
	reads = iota
	writes
)

// queue is the controller's queue for one kind of request.
type queue struct {
	entries link.Window
	blocked bool     // the first of waiting found too few entries
	freed   sim.Time // when entries were last given back
	waiting timeline // parts by their time at the queue's door
	leaving timeline // parts by the time at which they give back their entries
}

// request is one request of the host.
type request struct {
	dram.Request
	at          sim.Time // issued by the root port
	first, last sim.Time // completed there
	why         devices.Why
	parts       int // not yet complete
}

// part is what one granule of the interleave holds of a request. It takes
// queue entries, crosses the link, and is served on its own.
type part struct {
	request uint32
	bytes   uint32
	addr    uint64 // within the channel
	channel int
	ready   sim.Time // at the queue's door
	last    sim.Time // data complete at the DRAM
	why     devices.Why
}

// Stats counts an expander's work.
type Stats struct {
	ReadBytes, WrittenBytes uint64
	ReadWaits, WriteWaits   uint64 // parts held up by a full queue
	ReadPeak, WritePeak     int    // most queue entries in use
}

// New returns an idle expander.
func New(cfg Config) (*Expander, error) {
	if err := cfg.validated(); err != nil {
		return nil, err
	}
	wire, err := link.New(cfg.Link)
	if err != nil {
		return nil, fmt.Errorf("cxl: %w", err)
	}
	e := &Expander{
		wire:   wire,
		half:   sim.FromNanoseconds(cfg.ControllerNs / 2),
		line:   uint32(cfg.LineBytes),
		spread: devices.Interleave{Granule: uint64(cfg.GranuleBytes), Slices: uint64(cfg.Channels)},
	}
	if cfg.ReadGBps > 0 {
		e.psByte = 1e3 / cfg.ReadGBps
	}
	e.queues[reads].entries = link.NewWindow(cfg.ReadQueue)
	e.queues[writes].entries = link.NewWindow(cfg.WriteQueue)
	for range cfg.Channels {
		ch, err := dram.New(cfg.DRAM)
		if err != nil {
			return nil, fmt.Errorf("cxl: dram channel: %w", err)
		}
		e.channels = append(e.channels, ch)
	}
	return e, nil
}

// Enqueue sends a request from the root port at the given time, which must
// not decrease from call to call.
func (e *Expander) Enqueue(at sim.Time, r dram.Request) {
	packet, kind := link.ReadRequest, reads
	if r.Write {
		packet, kind = link.WriteData, writes
		e.stats.WrittenBytes += uint64(r.Bytes)
	} else {
		e.stats.ReadBytes += uint64(r.Bytes)
	}
	id := e.requests.take(request{Request: r, at: at, first: sim.Never})
	addr := r.Addr
	for left := uint64(r.Bytes); left > 0; {
		k := min(left, e.spread.Granule-addr%e.spread.Granule)
		ch, local := e.spread.Locate(addr)
		_, arrived := e.wire.Reserve(at, link.Down, packet, uint32(k))
		p := part{request: id, bytes: uint32(k), channel: ch, addr: local, ready: arrived + e.half}
		p.why.Add(devices.Serialise, arrived-at-e.wire.Latency())
		e.queues[kind].waiting.insert(event{p.ready, e.parts.take(p)})
		e.requests.slots[id].parts++
		addr, left = addr+k, left-k
	}
}

// action is what the expander does next.
type action int

const (
	freeRead action = iota
	freeWrite
	returnRead
	admitRead
	admitWrite
	serve // serve+i: channel i
)

// Next returns the earliest time at which the expander can act.
func (e *Expander) Next() sim.Time {
	t, _ := e.earliest()
	return t
}

// earliest returns the next action and its time. At equal times entries are
// given back before they are taken.
func (e *Expander) earliest() (sim.Time, action) {
	t, a := e.queues[reads].leaving.next(), freeRead
	sooner := func(u sim.Time, b action) {
		if u < t {
			t, a = u, b
		}
	}
	sooner(e.queues[writes].leaving.next(), freeWrite)
	sooner(max(e.returns.next(), e.pathFree), returnRead)
	sooner(e.queues[reads].admissible(), admitRead)
	sooner(e.queues[writes].admissible(), admitWrite)
	for i, ch := range e.channels {
		sooner(ch.Next(), serve+action(i))
	}
	return t, a
}

// admissible returns when the first waiting part can try for its entries.
func (q *queue) admissible() sim.Time {
	if q.blocked || q.waiting.empty() {
		return sim.Never
	}
	return max(q.waiting.next(), q.freed)
}

// Advance does everything that happens before until.
func (e *Expander) Advance(until sim.Time) {
	for {
		t, a := e.earliest()
		if t >= until {
			return
		}
		switch a {
		case freeRead:
			e.free(t, reads)
		case freeWrite:
			e.free(t, writes)
		case returnRead:
			e.sendBack(t)
		case admitRead:
			e.admit(t, reads)
		case admitWrite:
			e.admit(t, writes)
		default:
			e.collect(e.channels[a-serve], t)
		}
	}
}

// admit gives the first waiting part its entries and hands it to its channel,
// or leaves the queue blocked until entries are given back.
func (e *Expander) admit(t sim.Time, kind int) {
	q := &e.queues[kind]
	id := q.waiting.first().part
	p := &e.parts.slots[id]
	if !q.entries.Take(e.lines(p.bytes)) {
		q.blocked = true
		return
	}
	q.waiting.pop()
	p.why.Add(devices.Credit, t-p.ready)
	e.channels[p.channel].Enqueue(t, dram.Request{Addr: p.addr, Bytes: p.bytes, Write: kind == writes, Tag: id})
	if kind == writes {
		leaves := t + e.half
		first, last := e.wire.Reserve(leaves, link.Up, link.WriteAck, p.bytes)
		p.why.Add(devices.Serialise, last-leaves-e.wire.Latency())
		e.complete(p, first, last)
	}
}

// collect lets a channel act at t and takes over what it has served.
func (e *Expander) collect(ch *dram.Channel, t sim.Time) {
	ch.Advance(t + sim.Picosecond)
	for _, c := range ch.Completions() {
		if c.Write {
			e.queues[writes].leaving.insert(event{c.Last, c.Tag})
			continue
		}
		p := &e.parts.slots[c.Tag]
		p.last = c.Last
		p.why.Merge(&c.Why)
		e.returns.insert(event{c.First, c.Tag})
	}
	ch.Drop()
}

// sendBack streams the first served read through the read path and over the
// link: each passes data on as they come, and ends after their last byte.
func (e *Expander) sendBack(t sim.Time) {
	served := e.returns.pop()
	p := &e.parts.slots[served.part]
	p.why.Add(devices.Queue, t-served.at)
	e.pathFree = t + sim.Time(float64(p.bytes)*e.psByte+0.5)
	end := max(e.pathFree, p.last)
	e.queues[reads].leaving.insert(event{end, served.part})
	leaves := t + e.half
	first, last := e.wire.Reserve(leaves, link.Up, link.ReadData, p.bytes)
	p.why.Add(devices.Serialise, last-leaves-e.wire.Latency())
	e.complete(p, first, max(last, end+e.half+e.wire.Latency()))
}

// free gives back the entries of the first part that leaves.
func (e *Expander) free(t sim.Time, kind int) {
	q := &e.queues[kind]
	id := q.leaving.pop().part
	q.entries.Give(e.lines(e.parts.slots[id].bytes))
	q.freed, q.blocked = t, false
	e.parts.give(id)
}

// complete counts a part whose answer reaches the root port from first to
// last; the request is complete with its last part, whose causes it takes.
func (e *Expander) complete(p *part, first, last sim.Time) {
	r := &e.requests.slots[p.request]
	r.first = min(r.first, first)
	if last >= r.last {
		r.last, r.why = last, p.why
	}
	if r.parts--; r.parts > 0 {
		return
	}
	r.why.Add(devices.Busy, r.last-r.at-r.why.Total()) // the fixed latencies, and data on their way
	e.done = append(e.done, dram.Completion{Tag: r.Tag, First: r.first, Last: r.last, Write: r.Write, Why: r.why})
	e.requests.give(p.request)
}

// lines returns the queue entries that bytes take.
func (e *Expander) lines(bytes uint32) int { return int((bytes + e.line - 1) / e.line) }

// Completions returns what has completed since the last Drop.
func (e *Expander) Completions() []dram.Completion { return e.done }

// Drop forgets the completions.
func (e *Expander) Drop() { e.done = e.done[:0] }

// Pending returns the requests not yet complete.
func (e *Expander) Pending() int { return e.requests.live() }

// Link returns the expander's link, for its counters.
func (e *Expander) Link() *link.Link { return e.wire }

// Channels returns the DRAM channels, for their counters.
func (e *Expander) Channels() []*dram.Channel { return e.channels }

// Stats returns the expander's counters.
func (e *Expander) Stats() Stats {
	s := e.stats
	s.ReadWaits, s.ReadPeak = e.queues[reads].entries.Waits(), e.queues[reads].entries.Peak()
	s.WriteWaits, s.WritePeak = e.queues[writes].entries.Waits(), e.queues[writes].entries.Peak()
	return s
}
