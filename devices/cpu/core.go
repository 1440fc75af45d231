package cpu

import (
	"context"
	"fmt"
	"math/bits"

	"hwsim/devices/cpucache"
	"hwsim/devices/mmu"
	"hwsim/devices/pagetable"
)

// MaxSpaces bounds the number of an address space.
const MaxSpaces = 2048

// Core is a core in the course of a stream. Time is in cycles.
type Core struct {
	cfg    Config
	MMU    *mmu.MMU
	Caches *cpucache.Hierarchy
	pager  *pagetable.Pager
	host   *mmu.Dimension
	spaces [MaxSpaces]*mmu.Space

	ops    []op // a ring of accesses, by number
	mask   uint64
	count  uint64 // accesses so far
	oldest uint64 // in the reorder buffer
	loads  int    // of them
	slots  int64  // of dispatch, Width a cycle, used or lost so far
	number uint64 // of the last instruction dispatched
	left   int64  // cycle in which the last access left the buffer
	leftAt uint64 // its number among instructions
	flush  bool   // the last access's data are awaited before anything else
	epoch  uint64 // instructions at which the next begins
	stats  Stats
	begun  Stats // at the last Forget
}

// op is an access in flight.
type op struct {
	va         uint64
	number     uint64 // among instructions
	translated int64  // cycle
	done       int64  // cycle; cpucache.Forever: not known
	start      int64
	kids, last uint32 // the first and last access that wait for its data, as slots and 1; 0: none
	next       uint32 // that waits for the same data
	space      uint16
	write      bool
}

// Stats counts what a core did.
type Stats struct {
	Instructions uint64
	Accesses     uint64
	Cycles       int64
	Translating  int64 // of them nothing was dispatched, by what the access that held it up took for its translation
	Waiting      int64 // the same, for its data
}

// IPC returns instructions a cycle.
func (s *Stats) IPC() float64 { return float64(s.Instructions) / float64(max(1, s.Cycles)) }

// New returns a core at cycle 0. The seed places its frames in memory.
func New(c *Config, seed uint64) (*Core, error) {
	caches, err := cpucache.New(&c.Caches, uint64(c.ClockMHz*1e6))
	if err != nil {
		return nil, fmt.Errorf("caches: %w", err)
	}
	m, err := mmu.New(&c.MMU, caches)
	if err != nil {
		return nil, err
	}
	k := &Core{cfg: *c, MMU: m, Caches: caches, pager: pagetable.NewPager(c.Pages, seed), epoch: c.MMU.Epoch}
	size := uint64(1) << bits.Len64(c.ROB)
	k.ops, k.mask = make([]op, size), size-1
	if c.Host != nil {
		k.host = &mmu.Dimension{Pager: pagetable.NewPager(*c.Host, ^seed)}
		if k.host.Table, err = pagetable.New(c.MMU.Nested.Levels, k.host.Pager); err != nil {
			return nil, err
		}
	}
	return k, nil
}

// Space returns an address space, new or as it is.
func (k *Core) Space(id uint16) (*mmu.Space, error) {
	if id >= MaxSpaces {
		return nil, fmt.Errorf("address space %d: want 0 to %d", id, MaxSpaces-1)
	}
	if k.spaces[id] == nil {
		t, err := pagetable.New(k.cfg.MMU.Levels, k.pager)
		if err != nil {
			return nil, err
		}
		k.spaces[id] = &mmu.Space{ID: id, Guest: mmu.Dimension{Table: t, Pager: k.pager}, Host: k.host}
	}
	return k.spaces[id], nil
}

// batch is how many accesses are taken from a stream at once.
const batch = 1024

// Run runs n accesses of a stream, or fewer if it ends, and waits for all that
// they ask for. It reports how many it ran.
func (k *Core) Run(ctx context.Context, s Stream, n uint64) (ran uint64, err error) {
	ran, err = k.Continue(ctx, s, n)
	k.Drain()
	return ran, err
}

// Continue is Run that does not wait.
func (k *Core) Continue(ctx context.Context, s Stream, n uint64) (ran uint64, err error) {
	var buffer [batch]Access
	for ran < n && ctx.Err() == nil {
		got := s.Fill(buffer[:min(batch, n-ran)])
		if got == 0 {
			break
		}
		for i := range buffer[:got] {
			if err := k.dispatch(&buffer[i]); err != nil {
				return ran, err
			}
		}
		ran += uint64(got)
	}
	return ran, ctx.Err()
}

// Drain waits for all that has been asked for.
func (k *Core) Drain() {
	for k.oldest < k.count {
		k.retire()
	}
	k.conclude()
}

// dispatch takes an access, once there is room for it, and begins what it can.
func (k *Core) dispatch(a *Access) error {
	k.number += uint64(a.Gap) + 1
	k.slots += int64(a.Gap) + 1
	if k.flush {
		k.await(k.count - 1)
	}
	for k.oldest < k.count && (k.number-k.op(k.oldest).number >= k.cfg.ROB || k.loads >= k.cfg.Loads) {
		k.retire()
	}
	now := k.slots / k.cfg.Width
	k.pass(now)
	if _, err := k.Space(a.Space); err != nil {
		return err
	}
	n := k.count
	k.count++
	o := k.op(n)
	*o = op{va: a.Addr, number: k.number, done: cpucache.Forever, start: now, space: a.Space, write: a.Write}
	if !a.Write {
		k.loads++
	}
	if !k.awaits(n, o, a.After) {
		k.begin(n, o)
	}
	k.flush = a.Flush
	if k.number >= k.epoch && k.cfg.MMU.Epoch > 0 {
		k.MMU.Epoch(k.cfg.MMU.Epoch + k.number - k.epoch)
		k.epoch = k.number + k.cfg.MMU.Epoch
	}
	return k.MMU.Err()
}

func (k *Core) op(n uint64) *op { return &k.ops[n&k.mask] }

// awaits puts an access behind the one whose data are its address, if those are
// not there yet, and else lets it start no earlier than they are.
func (k *Core) awaits(n uint64, o *op, after uint32) bool {
	if after == 0 || uint64(after) > n-k.oldest {
		return false
	}
	p := k.op(n - uint64(after))
	if p.write {
		return false
	}
	if p.done < cpucache.Forever {
		o.start = max(o.start, p.done)
		return false
	}
	slot := uint32(n&k.mask) + 1
	if p.kids == 0 {
		p.kids = slot
	} else {
		k.ops[p.last-1].next = slot
	}
	p.last = slot
	return true
}

// begin translates an access's address and goes on if that is known at once.
func (k *Core) begin(n uint64, o *op) {
	pa, ready, ok := k.MMU.Translate(o.start, k.spaces[o.space], o.va, uint32(n&k.mask))
	if ok {
		k.access(o, uint32(n&k.mask), pa, ready)
		return
	}
	k.translated()
}

// translated goes on with the accesses whose addresses are known now.
func (k *Core) translated() {
	const offset = 1<<pagetable.Shift4K - 1
	for f, ok := k.MMU.Finished(); ok; f, ok = k.MMU.Finished() {
		o := &k.ops[f.Op]
		k.access(o, f.Op, f.Frame|o.va&offset, f.At)
	}
}

// access looks an access's line up.
func (k *Core) access(o *op, slot uint32, pa uint64, at int64) {
	o.translated = at
	r := cpucache.Request{Addr: pa, Kind: cpucache.Data, Write: o.write, Waiter: cpucache.Waiter(slot)}
	if o.write {
		r.Waiter = cpucache.NoWaiter
		k.Caches.Access(at, &r)
		k.finish(o, at)
		return
	}
	if ready, _, ok := k.Caches.Access(at, &r); ok {
		k.finish(o, ready)
	}
}

// finish notes that an access is done, and begins those that have waited for
// its data.
func (k *Core) finish(o *op, at int64) {
	o.done = at
	for i := o.kids; i != 0; {
		kid := &k.ops[i-1]
		next := kid.next
		kid.start = max(kid.start, at)
		k.begin(uint64(i-1), kid)
		i = next
	}
}

// pass lets everything happen up to a cycle.
func (k *Core) pass(now int64) {
	for {
		w, at, ok := k.Caches.Next(now)
		if !ok {
			return
		}
		k.got(w, at)
	}
}

// got takes a line from memory.
func (k *Core) got(w cpucache.Waiter, at int64) {
	if w&mmu.WaiterBit != 0 {
		k.MMU.Resume(w, at)
		k.translated()
		return
	}
	k.finish(&k.ops[w], at)
}

// retire lets the oldest access leave the buffer, for the last instruction dispatched
// to enter it, or because no more come.
func (k *Core) retire() {
	o := k.op(k.oldest)
	k.finished(o)
	before := k.left
	k.left = max(o.done, k.left+int64(o.number-k.leftAt)/k.cfg.Width)
	k.leftAt = o.number
	k.oldest++
	if !o.write {
		k.loads--
	}
	k.stall(o, before)
}

// finished lets everything happen until an access is done.
func (k *Core) finished(o *op) {
	for o.done == cpucache.Forever {
		w, at, ok := k.Caches.Next(cpucache.Forever)
		if !ok {
			if k.MMU.Err() == nil {
				panic("cpu: an access waits for nothing")
			}
			o.done = k.left // nothing more will come
			return
		}
		k.got(w, at)
	}
}

// await loses the slots of dispatch until an access is done and the front end has
// begun anew.
func (k *Core) await(n uint64) {
	o := k.op(n)
	k.finished(o)
	until := (o.done + k.cfg.Refill) * k.cfg.Width
	if now := k.slots - int64(k.number-o.number); until > now {
		k.lose(now/k.cfg.Width, o.done, o)
		k.slots += until - now
	}
}

// lose counts the cycles in which nothing was dispatched because of an access: as
// its own time went to its translation and to its data.
func (k *Core) lose(from, to int64, o *op) {
	lost := to - from
	if lost <= 0 {
		return
	}
	translating := lost * (o.translated - o.start) / max(1, o.done-o.start)
	k.stats.Translating += translating
	k.stats.Waiting += lost - translating
}

// stall loses the slots of dispatch until an access has left the buffer.
func (k *Core) stall(o *op, before int64) {
	behind := int64(0) // instructions that could not enter before
	if gap := k.number - o.number; gap > k.cfg.ROB {
		behind = int64(gap - k.cfg.ROB)
	}
	until := k.left*k.cfg.Width + behind
	if until <= k.slots {
		return
	}
	from := max(before, k.slots/k.cfg.Width)
	k.lose(from, k.left, o)
	k.slots = until
}

// conclude brings the counters up to date.
func (k *Core) conclude() {
	k.left = max(k.left, k.slots/k.cfg.Width)
	k.leftAt = k.number
	k.slots = max(k.slots, k.left*k.cfg.Width)
}

// Stats returns what the core did since the last Forget.
func (k *Core) Stats() Stats {
	return Stats{Instructions: k.number - k.begun.Instructions, Accesses: k.count - k.begun.Accesses, Cycles: k.left - k.begun.Cycles,
		Translating: k.stats.Translating - k.begun.Translating, Waiting: k.stats.Waiting - k.begun.Waiting}
}

// Forget sets all counters to zero, those of the caches and the MMU too, and
// keeps what they hold.
func (k *Core) Forget() {
	k.begun = Stats{Instructions: k.number, Accesses: k.count, Cycles: k.left, Translating: k.stats.Translating, Waiting: k.stats.Waiting}
	k.epoch = k.number + k.cfg.MMU.Epoch
	k.Caches.Forget()
	k.MMU.Forget()
}
