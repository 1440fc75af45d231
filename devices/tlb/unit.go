package tlb

import (
	"fmt"

	"hwsim/sim"
)

// UnitConfig describes a TLB and what serves its misses.
type UnitConfig struct {
	Config
	Walkers int     `toml:"walkers"` // walks under way at once
	WalkNs  float64 `toml:"walk_ns"` // length of a walk
}

// Validate reports values that no unit can have.
func (c *UnitConfig) Validate(report func(key, message string)) {
	c.Config.Validate(report)
	if c.Walkers < 1 || c.Walkers > 256 {
		report("walkers", "must be 1 to 256")
	}
	if c.WalkNs <= 0 {
		report("walk_ns", "must be positive")
	}
}

// Stats counts what a unit has done.
type Stats struct {
	Hits   uint64
	Merged uint64        // misses that waited for another's walk
	Walks  uint64        // begun
	Queued uint64        // requests that waited for one before them to get a walker
	Queue  sim.Time      // for how long, all together
	Waits  sim.Histogram // from a miss's arrival to its translation, queue included
}

// Misses returns how many lookups found no entry.
func (s *Stats) Misses() uint64 { return s.Merged + s.Walks }

// Lookups returns how many requests have been looked up.
func (s *Stats) Lookups() uint64 { return s.Hits + s.Misses() }

// Add adds another unit's counters to these.
func (s *Stats) Add(o *Stats) {
	s.Hits += o.Hits
	s.Merged += o.Merged
	s.Walks += o.Walks
	s.Queued += o.Queued
	s.Queue += o.Queue
	s.Waits.Merge(&o.Waits)
}

// Unit translates requests, each of which carries a W of its owner's.
type Unit[W any] struct {
	tlb    *Array[struct{}]
	walk   sim.Time
	done   func(at sim.Time, w W)
	begin  func(end sim.Time, walker int)
	walks  []walk
	misses []miss[W] // waiting for a walk, in lists
	spare  int32     // list of unused misses
	queue  []request[W]
	head   int
	stats  Stats
}

// request waits to be looked up.
type request[W any] struct {
	key   uint64
	since sim.Time
	w     W
}

// walk is what a walker does; key 0: nothing. Its misses are a list.
type walk struct {
	key         uint64
	first, last int32
}

type miss[W any] struct {
	request[W]
	next int32
}

const none = -1 // the end of a list

// NewUnit builds a unit. It calls done when a request is translated, and
// begin when a walk starts, whose owner then calls End at its end.
func NewUnit[W any](c UnitConfig, done func(at sim.Time, w W), begin func(end sim.Time, walker int)) *Unit[W] {
	return &Unit[W]{tlb: NewArray[struct{}](c.Config), walk: sim.FromNanoseconds(c.WalkNs), done: done, begin: begin, walks: make([]walk, c.Walkers), spare: none}
}

// Access translates a request, at once or when its turn and its walk come.
func (u *Unit[W]) Access(at sim.Time, key uint64, w W) {
	r := request[W]{key, at, w}
	if u.Queued() > 0 || !u.lookup(at, &r) {
		u.queue = append(u.queue, r)
		u.stats.Queued++
	}
}

// End ends a walk.
func (u *Unit[W]) End(at sim.Time, walker int) {
	w := &u.walks[walker]
	u.tlb.Insert(w.key, struct{}{})
	w.key = 0
	for n := w.first; n != none; {
		m := u.misses[n]
		u.misses[n] = miss[W]{next: u.spare}
		n, u.spare = m.next, n
		u.stats.Waits.Add(at - m.since)
		u.done(at, m.w)
	}
	u.drain(at)
}

// drain looks up what has waited, as far as there are walkers.
func (u *Unit[W]) drain(at sim.Time) {
	for u.head < len(u.queue) && u.lookup(at, &u.queue[u.head]) {
		u.stats.Queue += at - u.queue[u.head].since
		u.head++
	}
	if 2*u.head >= len(u.queue) {
		u.queue = u.queue[:copy(u.queue, u.queue[u.head:])]
		u.head = 0
	}
}

// lookup looks a request up; it reports false if that needs a walker and
// there is none.
func (u *Unit[W]) lookup(at sim.Time, r *request[W]) bool {
	if u.tlb.Lookup(r.key) {
		u.stats.Hits++
		u.done(at, r.w)
		return true
	}
	if n := u.walker(r.key); n != none {
		u.stats.Merged++
		u.await(n, r)
		return true
	}
	n := u.walker(0)
	if n == none {
		return false
	}
	u.stats.Walks++
	u.walks[n] = walk{r.key, none, none}
	u.await(n, r)
	u.begin(at+u.walk, n)
	return true
}

// walker returns the walker that walks for the key, or for 0 one that is idle.
func (u *Unit[W]) walker(key uint64) int {
	for n := range u.walks {
		if u.walks[n].key == key {
			return n
		}
	}
	return none
}

// await puts a request behind a walk.
func (u *Unit[W]) await(walker int, r *request[W]) {
	n := u.spare
	if n == none {
		n = int32(len(u.misses))
		u.misses = append(u.misses, miss[W]{})
	} else {
		u.spare = u.misses[n].next
	}
	u.misses[n] = miss[W]{*r, none}
	w := &u.walks[walker]
	if w.first == none {
		w.first = n
	} else {
		u.misses[w.last].next = n
	}
	w.last = n
}

// Touch leaves the TLB as it is after an access to the key, for time that is
// not simulated.
func (u *Unit[W]) Touch(key uint64) { u.tlb.Insert(key, struct{}{}) }

// Queued returns how many requests wait to be looked up.
func (u *Unit[W]) Queued() int { return len(u.queue) - u.head }

// Stats returns the unit's counters.
func (u *Unit[W]) Stats() *Stats { return &u.stats }

// Waiting says what the unit holds, for the watchdog.
func (u *Unit[W]) Waiting() string {
	walking := 0
	for i := range u.walks {
		if u.walks[i].key != 0 {
			walking++
		}
	}
	return fmt.Sprintf("%d walks under way, %d requests behind them", walking, u.Queued())
}
