package sim

import "fmt"

// Phase orders events of equal time, so that an arbiter sees every request
// that arrives at the instant at which it decides.
type Phase uint8

// Phases, in their order within an instant.
const (
	Deliver   Phase = iota // arrivals and completions
	Arbitrate              // choices among what has arrived
)

// Queue holds pending events of type E and yields them in order of (time,
// phase), those of equal order first in, first out. The zero value is ready
// for use. Pushing and popping allocate nothing once the queue has held as
// many events, spread over time alike, before.
type Queue[E any] struct {
	w wheel[E]
}

// Push adds e at the time at, in ps, which is not before that of the last
// event popped, nor negative, nor Never.
func (q *Queue[E]) Push(at Time, ph Phase, e E) {
	*q.w.put(orderOf(at, ph)) = e
}

// Next returns the time of the earliest event, Never when there is none. It
// only looks: earlier events may still be pushed.
func (q *Queue[E]) Next() Time {
	if q.w.n == 0 {
		return Never
	}
	return Time(q.w.next >> 1)
}

// Pop removes the earliest event. It panics when the queue is empty.
func (q *Queue[E]) Pop() (Time, E) {
	var e E
	at := q.PopInto(&e)
	return at, e
}

// PopInto is Pop, but copies the event only once, to e.
func (q *Queue[E]) PopInto(e *E) Time {
	if q.w.n == 0 {
		panic("sim: pop from an empty queue")
	}
	*e = *q.w.take()
	return Time(q.w.last >> 1)
}

// Len returns the number of pending events.
func (q *Queue[E]) Len() int { return q.w.n }

// Popped returns the number of events popped so far.
func (q *Queue[E]) Popped() uint64 { return q.w.taken }

// orderOf returns the key of an event.
func orderOf(at Time, ph Phase) uint64 {
	if invariants && (at < 0 || at == Never || ph > Arbitrate) {
		panic(fmt.Sprintf("sim: no event can be at %v, phase %d", at, ph))
	}
	return uint64(at)<<1 | uint64(ph)
}
