package graph

import (
	"cmp"
	"fmt"
	"slices"

	"hwsim/hierarchy"
	"hwsim/sim"
)

// Timeline is when the ops of the ended spans ran and what the machine moved
// meanwhile, in the time that the report tells: leaps are part of it, spans that
// others stand for are not.
type Timeline struct {
	End     sim.Time // of the last span
	Spans   []SpanEvent
	Kernels []KernelEvent
	Copies  []CopyEvent
	Edges   []sim.Time // at which intervals of the tracks begin
	Tracks  []Track

	ChannelEdges []sim.Time // at which intervals of the channels' tracks begin
	Channels     []ChannelTrack
}

// SpanEvent is a span of the stream.
type SpanEvent struct {
	Span
	Start, End sim.Time
	Leapt      sim.Time // of its time, not simulated in detail
}

// KernelEvent is a kernel on the SMs.
type KernelEvent struct {
	Class      string
	Span       int
	Start, End sim.Time
	Bytes      [hierarchy.NumTiers]uint64 // that it must move from or to each tier
	Copies     []int                      // of the timeline, that it waits for
}

// CopyEvent is a copy, from when its engine is free for it.
type CopyEvent struct {
	Class      string
	Engine     string
	Span       int
	Queued     sim.Time // for which the engine was busy with others
	Start, End sim.Time
	Bytes      [hierarchy.NumTiers]uint64
}

// Track is what a tier or one direction of a link did, by interval.
type Track struct {
	Name string
	GBps []float64 // of a link, payload
	Busy []float64 // share of the interval: of a tier, mean over its data buses
}

// readings are the machine's counters whenever ops have ended.
type readings struct {
	ended int // ops, at the last reading
	list  []reading

	groups []channelGroup
}

type reading struct {
	at      sim.Time // simulated
	machine hierarchy.Counters
	buses   []sim.Time // time for which the groups' buses moved data
}

// Record makes the run keep what a timeline needs.
func (r *Run) Record() { r.readings = &readings{groups: r.channelGroups()} }

// observe is called between windows. Rates over less than a batch would be of
// single requests.
func (s *readings) observe(r *Run, now sim.Time, last bool) {
	ended, before := r.System.GPU.Front.Ended(), sim.Time(0)
	if n := len(s.list); n > 0 {
		before = s.list[n-1].at
	}
	if !last && (ended == s.ended || now-before < batchTime) {
		return
	}
	s.ended = ended
	machine := r.System.CountersAt(now)
	for i, v := range r.extra.machine {
		machine[i] += v
	}
	s.list = append(s.list, reading{now, machine, busTime(s.groups)})
}

// Timeline returns what has been recorded of the ended spans.
func (r *Run) Timeline() *Timeline {
	t := &Timeline{}
	for i := range r.current {
		s := &r.spans[i]
		end := r.reported(r.op(s.Last).End)
		t.Spans = append(t.Spans, SpanEvent{s.Span, t.End, end, s.leapt})
		t.End = end
	}
	r.addEvents(t)
	r.addTracks(t)
	r.addChannels(t)
	return t
}

// addEvents lists the ops that ended before the last span did.
func (r *Run) addEvents(t *Timeline) {
	copies := map[int]int{} // op → event
	for id := range r.Graph.Ops {
		o, state := &r.Graph.Ops[id], r.op(id)
		if o.Span >= r.current {
			break
		}
		if state.End == sim.Never || r.reported(state.End) > t.End {
			continue
		}
		start, end := r.reported(state.Start), r.reported(state.End)
		if o.Copy != nil {
			copies[id] = len(t.Copies)
			t.Copies = append(t.Copies, CopyEvent{Class: o.Class, Engine: r.engine(o), Span: o.Span, Start: start, End: end, Bytes: o.Bytes})
			continue
		}
		k := KernelEvent{Class: o.Class, Span: o.Span, Start: start, End: end, Bytes: o.Bytes}
		for _, a := range o.After {
			if c, ok := copies[a]; ok {
				k.Copies = append(k.Copies, c)
			}
		}
		t.Kernels = append(t.Kernels, k)
	}
	queue(t.Copies)
}

// engine names the copy engine of an op.
func (r *Run) engine(o *Op) string {
	for i, p := range r.ports {
		if p.ID() == o.Unit {
			return fmt.Sprintf("%s %d", r.System.Remote(i), o.Copy.Engine)
		}
	}
	return ""
}

// queue moves the start of copies behind the end of those before them on their
// engine, which does one after the other.
func queue(copies []CopyEvent) {
	order := make([]*CopyEvent, len(copies))
	for i := range copies {
		order[i] = &copies[i]
	}
	slices.SortStableFunc(order, func(a, b *CopyEvent) int { return cmp.Compare(a.End, b.End) })
	free := map[string]sim.Time{}
	for _, c := range order {
		c.Queued = max(0, free[c.Engine]-c.Start)
		c.Start += c.Queued
		free[c.Engine] = c.End
	}
}

// addTracks turns the readings into rates of the tiers and links that moved
// anything.
func (r *Run) addTracks(t *Timeline) {
	all := r.tracks()
	from, before := sim.Time(0), hierarchy.Counters{}
	for _, v := range r.readings.list {
		if from >= t.End {
			break
		}
		to := r.reported(v.at)
		t.Edges = append(t.Edges, from)
		for i := range all {
			all[i].add(&before, &v.machine, (to - from).Nanoseconds())
		}
		from, before = to, v.machine
	}
	for i := range all {
		if slices.ContainsFunc(all[i].Busy, func(v float64) bool { return v > 0 }) {
			t.Tracks = append(t.Tracks, all[i].Track)
		}
	}
}

// meter is a track with how it is read.
type meter struct {
	Track
	buses float64
	read  func(c *hierarchy.Counters) (bytes, busyPs float64)
}

// tracks returns a meter for every tier that holds anything and every direction
// of a link.
func (r *Run) tracks() (all []meter) {
	for id := range hierarchy.NumTiers {
		if r.System.Space.Used(id) == 0 {
			continue
		}
		all = append(all, meter{Track{Name: id.String()}, r.System.Buses(id), func(c *hierarchy.Counters) (bytes, busyPs float64) {
			n := c.Tier(id)
			return n.Read + n.Written, n.BusyPs
		}})
	}
	for i, l := range r.System.Links() {
		all = append(all, meter{Track{Name: l.Name}, 1, func(c *hierarchy.Counters) (bytes, busyPs float64) {
			n := c.Link(i)
			return n.Payload, n.BusyPs
		}})
	}
	return all
}

// add appends an interval of so many ns between two readings.
func (m *meter) add(before, after *hierarchy.Counters, ns float64) {
	bytes, busy := m.read(before)
	moved, used := m.read(after)
	m.GBps = append(m.GBps, (moved-bytes)/ns)
	m.Busy = append(m.Busy, (used-busy)/1e3/m.buses/ns)
}
