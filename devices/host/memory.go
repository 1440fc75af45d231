package host

import (
	"fmt"
	"math"

	"hwsim/devices"
	"hwsim/devices/dram"
	"hwsim/devices/link"
	"hwsim/sim"
)

// Unit is a piece of memory with a queue of its own: a DRAM channel, or an
// expander with its link and controller. Calls come in time order; Advance
// serves everything before its argument.
type Unit interface {
	Enqueue(at sim.Time, r dram.Request)
	Advance(until sim.Time)
	Next() sim.Time
	Completions() []dram.Completion
	Drop()
}

// Tier is one kind of memory behind the link.
type Tier struct {
	devices.Interleave
	Name  string
	Units []Unit

	Read, Written uint64 // bytes
	Latency       sim.Histogram
}

// Memory is the domain of everything behind one link.
type Memory struct {
	port    *sim.Port[devices.Message]
	wire    *link.Link
	delay   sim.Time   // link to a unit's queue, or back
	late    []sim.Time // quantiles of how late a line of a read is beyond that
	reads   uint64     // lines read
	ordered bool       // reads are no less late than those before
	inOrder sim.Time   // when the last of them is, if so
	tiers   []*Tier    // by tier number, nil where the link does not lead
	open    []request
	spare   []uint32
	done    []answer // served but not yet on the wire, by time
	next    sim.Time
}

// request is one message split over units.
type request struct {
	msg   devices.Message
	tier  int
	parts int
	last  sim.Time
	late  sim.Time
	why   devices.Why
}

// answer is a request all of whose parts are served.
type answer struct {
	at sim.Time
	id uint32
}

// New builds the domain; delayNs is the fabric's time from the link to a
// unit's queue, one way. Tiers are added by Attach.
func New(e *sim.Engine[devices.Message], name string, wire *link.Link, delayNs float64) *Memory {
	h := &Memory{port: e.Port(name), wire: wire, delay: sim.FromNanoseconds(delayNs), next: sim.Never}
	e.Attach(h.port, h)
	return h
}

// Attach puts a tier behind the link under the given number.
func (h *Memory) Attach(number int, t *Tier) {
	for len(h.tiers) <= number {
		h.tiers = append(h.tiers, nil)
	}
	h.tiers[number] = t
}

// Jitter makes every line of a read late, beside all else, by a time that is
// exponential with the given mean. If they are ordered, a late one makes those
// that come after it late as well; units can still overtake.
func (h *Memory) Jitter(meanNs float64, ordered bool) {
	h.late, h.ordered = nil, ordered
	for i := range quantiles {
		h.late = append(h.late, sim.FromNanoseconds(-meanNs*math.Log1p(-(float64(i)+0.5)/quantiles)))
	}
}

const (
	quantiles = 1024
	lineBytes = 128 // of the reads of SMs
)

// wait returns how late a read that comes now will be.
func (h *Memory) wait(at sim.Time, m *devices.Message) sim.Time {
	if h.late == nil || m.Kind == devices.Write {
		return 0
	}
	if !h.ordered {
		h.inOrder = at
	}
	for n := uint64(0); n < uint64(m.Bytes); n += lineBytes {
		h.reads++
		h.inOrder = max(h.inOrder, at+h.late[devices.Mix(h.reads)%quantiles])
	}
	return max(0, h.inOrder-at)
}

// ID returns the domain's number.
func (h *Memory) ID() int { return h.port.ID() }

// Next returns the earliest time at which the memory can act.
func (h *Memory) Next() sim.Time { return min(h.port.Next(), h.next) }

// Run executes everything before the horizon.
func (h *Memory) Run(horizon sim.Time) {
	var m devices.Message
	for h.port.Next() < horizon {
		at := h.port.PopInto(&m)
		h.accept(at, &m)
	}
	h.next = sim.Never
	for _, t := range h.tiers {
		if t != nil {
			h.serve(t, horizon)
		}
	}
	h.reply(horizon)
}

// accept splits a request over its tier's units.
func (h *Memory) accept(at sim.Time, m *devices.Message) {
	n := devices.Tier(m.Addr)
	t := h.tiers[n]
	var id uint32
	if k := len(h.spare); k > 0 {
		id, h.spare = h.spare[k-1], h.spare[:k-1]
	} else {
		h.open = append(h.open, request{})
		id = uint32(len(h.open) - 1)
	}
	r := &h.open[id]
	*r = request{msg: *m, tier: n, late: h.wait(at, m)}
	addr := m.Addr & (1<<devices.TierShift - 1)
	for left := uint64(m.Bytes); left > 0; {
		k := min(left, t.Granule-addr%t.Granule)
		unit, local := t.Locate(addr)
		t.Units[unit].Enqueue(at+h.delay, dram.Request{Addr: local, Bytes: uint32(k), Write: m.Kind == devices.Write, Tag: id})
		r.parts++
		addr, left = addr+k, left-k
	}
	if m.Kind == devices.Write {
		t.Written += uint64(m.Bytes)
	} else {
		t.Read += uint64(m.Bytes)
	}
}

// serve runs a tier's units up to the horizon and collects what is complete.
func (h *Memory) serve(t *Tier, horizon sim.Time) {
	for _, u := range t.Units {
		if u.Next() < horizon {
			u.Advance(horizon)
		}
		if done := u.Completions(); len(done) > 0 { // also from while requests were handed to it
			for i := range done {
				h.part(t, &done[i])
			}
			u.Drop()
		}
		h.next = min(h.next, u.Next())
	}
}

// part counts one served part of a request.
func (h *Memory) part(t *Tier, c *dram.Completion) {
	r := &h.open[c.Tag]
	r.parts--
	if c.Last > r.last {
		r.last, r.why = c.Last, c.Why
	}
	if r.parts == 0 {
		ready := r.last + h.delay + r.late
		t.Latency.Add(ready - r.msg.Born)
		h.insert(answer{ready, c.Tag})
	}
}

// insert keeps the finished answers in order of time, then of completion.
func (h *Memory) insert(a answer) {
	h.done = append(h.done, a)
	for i := len(h.done) - 1; i > 0 && h.done[i-1].at > h.done[i].at; i-- {
		h.done[i-1], h.done[i] = h.done[i], h.done[i-1]
	}
}

// reply puts the answers finished before the horizon on the way back; later
// ones may still be overtaken.
func (h *Memory) reply(horizon sim.Time) {
	n := 0
	for n < len(h.done) && h.done[n].at < horizon {
		a := h.done[n]
		n++
		r := &h.open[a.id]
		h.spare = append(h.spare, a.id)
		if r.msg.From == devices.NoReply {
			continue
		}
		m := r.msg
		packet := link.ReadData
		m.Kind = devices.Data
		if r.msg.Kind == devices.Write {
			packet, m.Kind = link.WriteAck, devices.Ack
		}
		_, last := h.wire.Reserve(a.at, link.Up, packet, m.Bytes)
		m.Why.Merge(&r.why)
		m.Why.Add(devices.Queue, r.late)
		m.Why.Add(devices.Serialise, last-a.at)
		h.port.Send(int(m.From), last, sim.Deliver, &m)
	}
	h.done = h.done[:copy(h.done, h.done[n:])]
	if len(h.done) > 0 {
		h.next = min(h.next, h.done[0].at)
	}
}

// Tiers returns the tiers by number; entries may be nil.
func (h *Memory) Tiers() []*Tier { return h.tiers }

// Waiting says what the memory holds, for the watchdog.
func (h *Memory) Waiting() string {
	return fmt.Sprintf("%d requests in its units", len(h.open)-len(h.spare))
}
