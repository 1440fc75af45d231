package cpucache

import (
	"hwsim/sim"
)

// Waiter is who awaits a line; what the number means is its owner's.
type Waiter uint32

// NoWaiter is nobody: of stores, and of lines fetched for later.
const NoWaiter = ^Waiter(0)

// Request asks for a line.
type Request struct {
	Addr   uint64 // physical
	Kind   Kind
	Write  bool
	From   int    // the first level that is asked
	Waiter Waiter // told when the line comes from memory
}

// Hierarchy is the caches of a core, and its memory.
type Hierarchy struct {
	clock   sim.Clock
	levels  []*level
	perPs   float64 // cycles
	memory  *memory
	blocks  blocks
	fills   fills
	limit   int // of data's fills
	waiting []delayed
	head    int // of waiting
	ready   events
	at      int64 // of the latest request
	soon    int64 // cycle before which nobody gets a line
	arrived func(tag uint32, at sim.Time)
	stats   Stats
}

// delayed is a data request that found all MSHRs taken.
type delayed struct {
	r  Request
	at int64
}

// New returns empty caches of a core of so many Hz.
func New(c *Config, hz uint64) (*Hierarchy, error) {
	m, err := newMemory(&c.Memory)
	if err != nil {
		return nil, err
	}
	h := &Hierarchy{clock: sim.ClockHz(hz), perPs: float64(hz) / float64(sim.Second), memory: m, fills: newFills(), limit: c.MSHRs, blocks: blocks{home: none}}
	h.stats.Levels = make([]LevelStats, len(c.Levels))
	for i, l := range c.Levels {
		h.levels = append(h.levels, newLevel(l, &h.stats.Levels[i]))
	}
	h.arrived = h.arrive
	return h, nil
}

// Depth returns how many levels there are, which is memory's number.
func (h *Hierarchy) Depth() int { return len(h.levels) }

// HitCycles returns a level's.
func (h *Hierarchy) HitCycles(level int) int64 { return h.levels[level].HitCycles }

// Access asks for a line in cycle at. If a cache has it, ready is when the data
// are there and served the level; else ok is false, and its waiter comes out of
// Next when the line does.
func (h *Hierarchy) Access(at int64, r *Request) (ready int64, served int, ok bool) {
	h.at = at
	tag := r.Addr / LineBytes
	if n := h.fills.find(tag); n != none {
		h.merge(n, at, r, tag)
		h.stats.Merged++
		return 0, h.Depth(), false
	}
	served, i := h.locate(tag, r.From)
	for _, l := range h.levels[r.From:served] {
		l.stats.Misses[r.Kind]++
		at += l.MissCycles
	}
	if i == none {
		h.miss(at, r, tag)
		return 0, served, false
	}
	l := h.levels[served]
	l.stats.Hits[r.Kind]++
	l.touch(i)
	h.fill(r, tag, served)
	return at + l.HitCycles, served, true
}

// locate returns the first level from one on that has a line, and where.
func (h *Hierarchy) locate(tag uint64, from int) (level, at int) {
	for n := from; n < len(h.levels); n++ {
		if i := h.levels[n].find(tag); i != none {
			return n, i
		}
	}
	return len(h.levels), none
}

// fill puts the line in the levels from the first asked to before one that has
// it, and notes a store in the first.
func (h *Hierarchy) fill(r *Request, tag uint64, has int) {
	for n := has - 1; n >= r.From; n-- {
		h.insert(n, tag, r.Kind, false)
	}
	if r.Write {
		h.store(r, tag)
	}
}

// store makes a line dirty in the first level asked, which takes it anew if it
// has let go of it.
func (h *Hierarchy) store(r *Request, tag uint64) {
	if i := h.levels[r.From].find(tag); i != none {
		h.levels[r.From].ways[i].dirty = true
		return
	}
	h.insert(r.From, tag, r.Kind, true)
}

// merge lets a request wait for its line's fill. It has the line no earlier than
// its own lookup would hit.
func (h *Hierarchy) merge(n int, at int64, r *Request, tag uint64) {
	h.fills.await(n, r.Waiter, at+h.levels[r.From].HitCycles)
	if r.Write {
		h.store(r, tag)
	}
}

// miss asks memory for a line, once there is an MSHR.
func (h *Hierarchy) miss(at int64, r *Request, tag uint64) {
	if r.Kind == Data && h.fills.data == h.limit {
		h.waiting = append(h.waiting, delayed{*r, at})
		h.stats.Delayed++
		return
	}
	n := h.fills.begin(tag, r.Kind == Data)
	h.fills.await(n, r.Waiter, at)
	h.stats.Reads[r.Kind]++
	h.soon = min(h.soon, at)
	h.memory.send(h.clock.Edge(at), r.Addr&^(LineBytes-1), false, uint32(n))
	h.fill(r, tag, len(h.levels))
}

// insert puts a line in a level, and what goes for it where it belongs.
func (h *Hierarchy) insert(n int, tag uint64, kind Kind, dirty bool) {
	at, out := h.levels[n].insert(tag, kind, dirty, rripData)
	h.evicted(n, at, &out)
}

// evicted writes back a dirty line that has left a way, and lets go of a block.
func (h *Hierarchy) evicted(n, at int, out *line) {
	switch {
	case out.tag == noLine:
	case out.kind.block():
		h.lost(n, out, h.blocks.content[n][at])
	case out.dirty:
		h.writeBack(n+1, out)
	}
}

// writeBack writes a line to a level, or to memory.
func (h *Hierarchy) writeBack(n int, out *line) {
	if n == len(h.levels) {
		h.stats.Writes++
		h.memory.send(h.clock.Edge(max(h.at, h.stats.Cycle)), out.tag*LineBytes, true, 0)
		return
	}
	if i := h.levels[n].find(out.tag); i != none {
		h.levels[n].ways[i].dirty = true
		return
	}
	h.insert(n, out.tag, out.kind, true)
}

// Next returns, in the order of time, who has got a line up to and including
// cycle limit, and when. The core has done all that it does before limit: what
// it asks for from now on is asked for then or later.
func (h *Hierarchy) Next(limit int64) (w Waiter, at int64, ok bool) {
	if limit < h.soon {
		h.stats.Cycle = max(h.stats.Cycle, limit)
		return 0, 0, false
	}
	for {
		if h.ready.len() > 0 {
			if e := h.ready.first(); e.at <= limit && h.settled(e.at) {
				h.ready.pop()
				h.stats.Cycle = max(h.stats.Cycle, e.at)
				return e.w, e.at, true
			}
		}
		next := h.memory.next()
		if next == sim.Never || h.clock.Edge(limit) < next+h.memory.least {
			h.quiet(next, limit)
			return 0, 0, false
		}
		h.memory.advance(h.deaf(next, limit), h.arrived)
	}
}

// deaf returns the time up to which memory can run: the core does nothing before
// it next hears from it, or its limit, and what it asks for then has a way to go.
func (h *Hierarchy) deaf(next sim.Time, limit int64) sim.Time {
	if h.ready.len() > 0 {
		limit = min(limit, h.ready.first().at)
	}
	return min(h.clock.Edge(limit), next+h.memory.least) + h.memory.way
}

// quiet notes that nothing comes up to a cycle, and until when it cannot.
func (h *Hierarchy) quiet(next sim.Time, limit int64) {
	h.soon = Forever
	if next < sim.Never {
		h.soon = int64(float64(next+h.memory.least)*h.perPs) - 1
	}
	if h.ready.len() > 0 {
		h.soon = min(h.soon, h.ready.first().at)
	}
	if limit < Forever {
		h.stats.Cycle = max(h.stats.Cycle, limit)
	}
}

// settled reports whether nothing can come from memory before a cycle any more.
func (h *Hierarchy) settled(at int64) bool {
	next := h.memory.next()
	return next == sim.Never || h.clock.Edge(at) <= next+h.memory.least
}

// Forever is later than every cycle: 51 days at 1 MHz, which is still a sim.Time.
const Forever = int64(1) << 42

// arrive hands a line from memory to those who wait for it.
func (h *Hierarchy) arrive(tag uint32, at sim.Time) {
	cycle := h.clock.At(at)
	h.fills.end(int(tag), func(w Waiter, from int64) { h.ready.push(event{max(cycle, from), w}) })
	h.resume(cycle)
}

// resume lets a data request have the MSHR that came free.
func (h *Hierarchy) resume(at int64) {
	for h.head < len(h.waiting) && h.fills.data < h.limit {
		d := h.waiting[h.head]
		h.head++
		if 2*h.head >= len(h.waiting) {
			h.waiting = h.waiting[:copy(h.waiting, h.waiting[h.head:])]
			h.head = 0
		}
		h.retry(max(at, d.at), &d.r)
	}
}

// retry asks for a line again that was looked for in vain: it may be in a cache
// now, or on its way.
func (h *Hierarchy) retry(at int64, r *Request) {
	h.at = at
	tag := r.Addr / LineBytes
	if n := h.fills.find(tag); n != none {
		h.merge(n, at, r, tag)
		return
	}
	n, i := h.locate(tag, r.From)
	if i == none {
		h.miss(at, r, tag)
		return
	}
	h.levels[n].touch(i)
	h.fill(r, tag, n)
	if r.Waiter != NoWaiter {
		h.ready.push(event{at + h.levels[n].HitCycles, r.Waiter})
	}
}

// Fetch asks memory for a line that nobody waits for and no cache takes.
func (h *Hierarchy) Fetch(at int64, addr uint64, kind Kind) {
	tag := addr / LineBytes
	if h.fills.find(tag) != none {
		return
	}
	n := h.fills.begin(tag, false)
	h.stats.Reads[kind]++
	h.soon = min(h.soon, at)
	h.memory.send(h.clock.Edge(at), addr&^(LineBytes-1), false, uint32(n))
}
