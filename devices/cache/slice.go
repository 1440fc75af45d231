package cache

import (
	"hwsim/devices"
	"hwsim/devices/dram"
	"hwsim/sim"
)

// maxLines is the most lines of a request: those of the largest granule.
const maxLines = 4

// slice is one L2 slice with the memory channel behind it. It holds lines
// whose home it is, which it fills from the channel, and copies of lines of
// its mirror in the other partition.
type slice struct {
	id      int
	lines   array
	channel *dram.Channel
	handed  []arrival // requests for the channel, until it is next run
	free    sim.Time  // when the pipeline can take the next request
	looked  sim.Time  // last look-up that led to the channel, whose clock never goes back
	fetches pool[fetch]
	waiters pool[waiter]
	stalled fifo[stalled]
	refused fifo[stalled] // stores that wait for the channel to take dirty lines
	backs   uint32        // bytes of dirty lines that the channel has yet to write
}

// stalled is a request that found no MSHR.
type stalled struct {
	msg devices.Message
	at  sim.Time // when it looked
}

// fetch is an MSHR: one run of missing sectors on its way from the channel.
type fetch struct {
	msg    devices.Message // the request it serves, if that waits for nothing else
	addr   uint64
	bytes  uint32
	others int32 // list of waiters
	serves bool  // msg is to be answered
	way    [maxLines]int8
}

// waiter is a request that waits for several fetches, or for one that another
// request has started.
type waiter struct {
	msg    devices.Message
	at     sim.Time // when it came
	parts  int32
	replay bool // look up again: the fetches do not cover all it wants
	links  int32
	link   [2 * maxLines]struct{ fetch, next int32 }
}

// pool hands out the slots of a growing slice by index.
type pool[T any] struct {
	slots []T
	spare []int32
}

func (p *pool[T]) take() int32 {
	if n := len(p.spare); n > 0 {
		i := p.spare[n-1]
		p.spare = p.spare[:n-1]
		return i
	}
	var zero T
	p.slots = append(p.slots, zero)
	return int32(len(p.slots) - 1)
}

func (p *pool[T]) give(i int32) { p.spare = append(p.spare, i) }

func (p *pool[T]) live() int { return len(p.slots) - len(p.spare) }

// fifo is a queue that reuses its storage.
type fifo[T any] struct {
	items []T
	head  int
}

func (q *fifo[T]) push(v *T) { q.items = append(q.items, *v) }

func (q *fifo[T]) len() int { return len(q.items) - q.head }

func (q *fifo[T]) pop() T {
	v := q.items[q.head]
	q.head++
	if q.head*2 >= len(q.items) {
		q.items = q.items[:copy(q.items, q.items[q.head:])]
		q.head = 0
	}
	return v
}

// admit passes a request of the given size through the slice's pipeline and
// returns when it is looked up.
func (s *slice) admit(at sim.Time, bytes uint32, psPerByte float64) sim.Time {
	begin := max(at, s.free)
	s.free = begin + sim.Time(float64(bytes)*psPerByte)
	return begin
}

// arrival is a request on its way to the channel.
type arrival struct {
	at sim.Time
	dram.Request
}

// enqueue sends a run to the slice's channel, delay after a look-up at the
// given time but no earlier than the last one.
func (s *slice) enqueue(at, delay sim.Time, local uint64, bytes uint32, write bool, tag uint32) {
	s.looked = max(s.looked, at)
	s.handed = append(s.handed, arrival{s.looked + delay, dram.Request{Addr: local, Bytes: bytes, Write: write, Tag: tag}})
}

// due returns the earliest time at which the channel can act, Never when it
// has nothing to do.
func (s *slice) due() sim.Time {
	if len(s.handed) > 0 {
		return min(s.handed[0].at, s.channel.Next())
	}
	return s.channel.Next()
}

// serve runs the channel up to the horizon.
func (s *slice) serve(horizon sim.Time) {
	for i := range s.handed {
		s.channel.Enqueue(s.handed[i].at, s.handed[i].Request)
	}
	s.handed = s.handed[:0]
	s.channel.Advance(horizon)
}

// join makes the waiter wait for the fetch as well, once.
func (s *slice) join(w, f int32) {
	wt := &s.waiters.slots[w]
	for i := range wt.links {
		if wt.link[i].fetch == f {
			return
		}
	}
	wt.link[wt.links] = struct{ fetch, next int32 }{f, s.fetches.slots[f].others}
	wt.links++
	wt.parts++
	s.fetches.slots[f].others = w
}

// next returns the waiter behind w in a fetch's list.
func (w *waiter) next(f int32) int32 {
	for i := range w.links {
		if w.link[i].fetch == f {
			return w.link[i].next
		}
	}
	return -1
}
