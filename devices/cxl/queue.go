package cxl

import "hwsim/sim"

// event is a part at a time.
type event struct {
	at   sim.Time
	part uint32
}

// timeline holds events in order of time, equal times in order of insertion.
type timeline struct {
	events []event
	head   int
}

func (q *timeline) empty() bool { return q.head == len(q.events) }

func (q *timeline) first() event { return q.events[q.head] }

// next returns the time of the first event.
func (q *timeline) next() sim.Time {
	if q.empty() {
		return sim.Never
	}
	return q.events[q.head].at
}

// insert adds an event; most come last or nearly so.
func (q *timeline) insert(e event) {
	if q.head > len(q.events)/2 { // reuse the space of what was popped
		q.events = q.events[:copy(q.events, q.events[q.head:])]
		q.head = 0
	}
	q.events = append(q.events, e)
	for i := len(q.events) - 1; i > q.head && q.events[i-1].at > e.at; i-- {
		q.events[i-1], q.events[i] = q.events[i], q.events[i-1]
	}
}

func (q *timeline) pop() event {
	e := q.events[q.head]
	q.head++
	return e
}

// pool hands out slots of a growing array and takes them back.
type pool[T any] struct {
	slots []T
	spare []uint32
}

func (p *pool[T]) take(v T) uint32 {
	if k := len(p.spare); k > 0 {
		id := p.spare[k-1]
		p.spare = p.spare[:k-1]
		p.slots[id] = v
		return id
	}
	p.slots = append(p.slots, v)
	return uint32(len(p.slots) - 1)
}

func (p *pool[T]) give(id uint32) { p.spare = append(p.spare, id) }

func (p *pool[T]) live() int { return len(p.slots) - len(p.spare) }
