package mmu

import (
	"hwsim/devices/cpucache"
	"hwsim/devices/pagetable"
)

// request asks for a walk.
type request struct {
	space       *Space
	va          uint64
	at          int64
	first, last int32 // who waits for it; none: it is in the background
	gpa         uint64
	shift       uint8 // not 0: the guest's part is known, gpa
}

// phase is what a walk has read last.
type phase uint8

const (
	nothing   phase = iota
	pomSet          // a set of the POM-TLB
	entry           // an entry of the space's own table
	hostEntry       // one of the host's
)

// walk is what a walker does.
type walk struct {
	request
	active      bool
	phase       phase
	pomShift    uint8
	guest, host climb
	hostFor     phase // what the host's translation is needed for: entry or nothing, the page
	hostAddr    uint64
	begun       int64
	dram        bool // it has waited for memory
	counted     bool // it reads tables
	background  bool
	stale       bool // tables have changed since it began
	frame       uint64
	pageShift   uint8
	guestShift  uint8 // of the page in the space's own table
}

// waiter is an operation that waits for a walk.
type waiter struct {
	op    uint32
	asked int64 // cycle, or merged
	from  int64 // the first cycle in which it can know
	next  int32
}

// merged is when an operation asked that waits for another's walk: its time is
// no miss's.
const merged = -1

// note makes a waiter of an operation.
func (m *MMU) note(op uint32, asked, from int64) int32 {
	i := m.spare
	if i == none {
		i = int32(len(m.waiters))
		m.waiters = append(m.waiters, waiter{})
	} else {
		m.spare = m.waiters[i].next
	}
	m.waiters[i] = waiter{op, asked, from, none}
	return i
}

// drop lets go of a waiter.
func (m *MMU) drop(i int32) {
	m.waiters[i].next, m.spare = m.spare, i
}

// await puts a waiter behind those of a request.
func (m *MMU) await(r *request, i int32) {
	m.waiters[r.last].next = i
	r.last = i
}

// pending returns the walk under way, or waiting for a walker, for the page of an
// address as far as that can be told before the page's size is known.
func (m *MMU) pending(s *Space, va uint64) *request {
	if m.active == 0 {
		return nil
	}
	for n := range m.walkers {
		if w := &m.walkers[n]; w.active && !w.background && w.isFor(s, va) {
			return &w.request
		}
	}
	for i := m.head; i < len(m.queue); i++ {
		if r := &m.queue[i]; r.isFor(s, va) {
			return r
		}
	}
	return nil
}

func (r *request) isFor(s *Space, va uint64) bool {
	return r.va>>pagetable.Shift4K == va>>pagetable.Shift4K && r.space == s
}

// begin gives a request to the walker that is idle first, or queues it. No other
// is pending for its page.
func (m *MMU) begin(r *request) {
	if n := m.idle(); n != none {
		m.start(n, r)
		return
	}
	m.queue = append(m.queue, *r)
}

// idle returns the walker that is idle first, or none.
func (m *MMU) idle() int {
	best := 0
	for n, free := range m.free {
		if free < m.free[best] {
			best = n
		}
	}
	if m.free[best] == cpucache.Forever {
		return none
	}
	return best
}

// start begins a walk.
func (m *MMU) start(n int, r *request) {
	w := &m.walkers[n]
	at := max(r.at, m.free[n])
	m.free[n] = cpucache.Forever
	m.stats.QueueCycles += at - r.at
	*w = walk{request: *r, active: true, begun: at, background: r.first == none}
	m.active++
	if r.shift != 0 {
		m.beginPage(w)
	}
	m.step(n, at)
}

// Resume goes on with a walk whose line has come from memory. What it has read so far
// is worth nothing if tables have changed.
func (m *MMU) Resume(w cpucache.Waiter, at int64) {
	n := int(w &^ WaiterBit)
	if m.walkers[n].stale {
		m.finish(n, at)
		return
	}
	m.step(n, at)
}

// step reads what a walk has to, until it waits for memory or ends.
func (m *MMU) step(n int, at int64) {
	w := &m.walkers[n]
	r := cpucache.Request{Kind: cpucache.PageTable, From: m.cfg.WalkLevel, Waiter: WaiterBit | cpucache.Waiter(n)}
	for {
		addr, more := m.next(w, &at)
		if m.err != nil {
			return
		}
		if !more {
			m.finish(n, at)
			return
		}
		r.Addr = addr
		ready, served, ok := m.caches.Access(at, &r)
		m.stats.Reads[served]++
		if !ok {
			w.dram = true
			return
		}
		at = ready
	}
}

// next returns the address that a walk reads next, now that its last read is
// done, and moves time on by the lookups in between. more is false at its end.
func (m *MMU) next(w *walk, at *int64) (addr uint64, more bool) {
	switch w.phase {
	case nothing:
		switch {
		case w.shift != 0:
			return m.hostNext(w, at, w.gpa)
		case m.pom != nil && !w.background:
			return m.readPOM(w, pagetable.Shift4K), true
		}
		return m.beginGuest(w, at)
	case pomSet:
		return m.afterPOM(w, at)
	case entry:
		if w.guest.last() {
			return m.leaf(w, at)
		}
		*at += m.pwc.next(&w.guest)
		return m.readEntry(w, at)
	default:
		if !w.host.last() {
			*at += m.hostPWC.next(&w.host)
			return w.host.entry(), true
		}
		return m.hostDone(w, at)
	}
}

// beginGuest begins the walk of the space's own table.
func (m *MMU) beginGuest(w *walk, at *int64) (addr uint64, more bool) {
	path, err := w.space.Guest.walk(w.va)
	if err != nil {
		m.err = err
		return 0, false
	}
	w.counted, w.begun = !w.background, *at
	var cycles int64
	w.guest, cycles = m.pwc.begin(w.space.ID, w.va, &path)
	*at += cycles
	return m.readEntry(w, at)
}

// readEntry reads the space's next entry, at its physical address.
func (m *MMU) readEntry(w *walk, at *int64) (addr uint64, more bool) {
	addr = w.guest.entry()
	if w.space.Host == nil {
		w.phase = entry
		return addr, true
	}
	if w.guest.known {
		path, err := w.space.Host.walk(addr)
		m.keep(err)
		w.phase = entry
		return path.Frame() | addr&(1<<path.Shift-1), err == nil
	}
	w.hostFor = entry
	return m.hostNext(w, at, addr)
}

// leaf takes the page from the leaf that has been read. A virtual machine's page
// lies at a guest-physical address.
func (m *MMU) leaf(w *walk, at *int64) (addr uint64, more bool) {
	p := &w.guest.path
	w.frame, w.pageShift, w.guestShift = p.Frame(), p.Shift, p.Shift
	if w.space.Host == nil || w.background {
		return 0, false
	}
	w.gpa, w.shift = w.frame|w.va&(1<<w.pageShift-1), w.pageShift
	m.beginPage(w)
	return m.hostNext(w, at, w.gpa)
}

// beginPage prepares the translation of the page's own guest-physical address.
func (m *MMU) beginPage(w *walk) {
	w.hostFor, w.phase = nothing, nothing
	w.pageShift, w.guestShift = w.shift, w.shift
}

// hostNext translates a guest-physical address, and returns the first entry of
// the host that this has to read, or goes on with what it is for.
func (m *MMU) hostNext(w *walk, at *int64, gpa uint64) (addr uint64, more bool) {
	w.hostAddr = gpa
	*at += m.nested.cycles
	vm := nestedSpaces + w.space.VM
	if frame, shift, ok := m.nested.find(vm, gpa, m.usedHost); ok {
		m.stats.NestedHits++
		return m.hostKnown(w, at, frame, shift)
	}
	m.stats.NestedMisses++
	if m.victima != nil {
		if frame, shift, ready, ok := m.findNested(w.space, gpa, *at); ok {
			*at = ready
			m.nested.array.Insert(w.space.nestedKey(gpa, shift), frame)
			return m.hostKnown(w, at, frame, shift)
		}
	}
	path, err := w.space.Host.walk(gpa)
	if err != nil {
		m.err = err
		return 0, false
	}
	m.stats.HostWalks++
	var cycles int64
	w.host, cycles = m.hostPWC.begin(vm, gpa, &path)
	*at += cycles
	w.phase = hostEntry
	return w.host.entry(), true
}

// hostDone takes the frame from the host's leaf that has been read.
func (m *MMU) hostDone(w *walk, at *int64) (addr uint64, more bool) {
	p := &w.host.path
	m.usedHost.add(p.Shift)
	m.nested.array.Insert(w.space.nestedKey(w.hostAddr, p.Shift), p.Frame())
	if m.victima != nil {
		m.insertNested(*at, w)
	}
	return m.hostKnown(w, at, p.Frame(), p.Shift)
}

// hostKnown goes on with a guest-physical address translated.
func (m *MMU) hostKnown(w *walk, at *int64, frame uint64, shift uint8) (addr uint64, more bool) {
	pa := frame | w.hostAddr&(1<<shift-1)
	if w.hostFor == entry {
		w.phase, w.hostFor = entry, nothing
		return pa, true
	}
	if shift < w.pageShift {
		m.split.add(w.pageShift)
		w.pageShift = shift
	}
	w.frame = pa &^ (1<<w.pageShift - 1)
	return 0, false
}

// finish ends a walk: TLBs and waiters learn of it, and the walker goes on with
// what is queued.
func (m *MMU) finish(n int, at int64) {
	w := &m.walkers[n]
	done := *w
	w.active, m.free[n] = false, at
	m.active--
	if done.stale && !done.background {
		m.again(&done, at)
		return
	}
	if done.counted {
		m.stats.walk(at-done.begun, done.dram)
	}
	if done.background {
		m.afterBackground(at, &done)
	} else {
		m.learn(at, &done)
		m.tell(at, &done)
	}
	m.drain()
}

// learn fills the TLBs with what a walk has found.
func (m *MMU) learn(at int64, w *walk) {
	m.fill(at, w.space, w.va, w.frame, w.pageShift)
	if w.phase == pomSet {
		m.stats.POMHits++
	}
	if w.guest.path.Leaf != nil { // else a block or the POM-TLB had the guest's part
		if m.pom != nil {
			m.fillPOM(at, w)
		}
		if m.victima != nil {
			m.afterWalk(at, w)
		}
	}
	if m.victima != nil && w.space.Host != nil {
		m.learnHost(w)
	}
}

// again walks once more for those who wait, as the tables have changed.
func (m *MMU) again(w *walk, at int64) {
	m.begin(&request{space: w.space, va: w.va, at: at, first: w.first, last: w.last})
}

// tell tells a walk's waiters.
func (m *MMU) tell(at int64, w *walk) {
	for i := w.first; i != none; {
		q := m.waiters[i]
		m.drop(i)
		known := max(at, q.from)
		m.finished = append(m.finished, Finish{q.op, (w.frame | w.va&(1<<w.pageShift-1)) &^ (1<<pagetable.Shift4K - 1), known})
		if q.asked != merged {
			m.stats.miss(known - q.asked)
		}
		i = q.next
	}
}

// drain starts what is queued as far as walkers are idle.
func (m *MMU) drain() {
	for m.head < len(m.queue) {
		n := m.idle()
		if n == none {
			return
		}
		r := m.queue[m.head]
		m.head++
		if 2*m.head >= len(m.queue) {
			m.queue = m.queue[:copy(m.queue, m.queue[m.head:])]
			m.head = 0
		}
		m.start(n, &r)
	}
}

// spoil marks the walks under way of spaces that match: what they find may be
// outdated. So may be what blocks have told those that are queued.
func (m *MMU) spoil(match func(*Space) bool) {
	for n := range m.walkers {
		if w := &m.walkers[n]; w.active && match(w.space) {
			w.stale = true
		}
	}
	for i := m.head; i < len(m.queue); i++ {
		if r := &m.queue[i]; match(r.space) {
			r.gpa, r.shift = 0, 0
		}
	}
}

// readPOM returns the address of the set of the POM-TLB that would hold the
// walk's page, were it of a size.
func (m *MMU) readPOM(w *walk, shift uint8) uint64 {
	w.phase, w.pomShift = pomSet, shift
	m.stats.POMReads++
	return m.cfg.POM.set(w.va, shift)
}

// set returns the address of the set for a page.
func (c *POMConfig) set(va uint64, shift uint8) uint64 {
	return c.Addr + va>>shift%uint64(c.Entries/c.Ways)*uint64(c.Ways)*c.EntryBytes
}

// fillPOM puts a page into the POM-TLB, whose set is written.
func (m *MMU) fillPOM(at int64, w *walk) {
	m.pom.Insert(w.space.key(w.va, w.pageShift), w.frame)
	m.caches.Access(at, &cpucache.Request{Addr: m.cfg.POM.set(w.va, w.pageShift), Kind: cpucache.PageTable, Write: true,
		From: m.cfg.WalkLevel, Waiter: cpucache.NoWaiter})
}

// afterPOM looks at a set that has been read.
func (m *MMU) afterPOM(w *walk, at *int64) (addr uint64, more bool) {
	if frame, ok := m.pom.Find(w.space.key(w.va, w.pomShift)); ok {
		w.frame, w.pageShift = frame, w.pomShift
		return 0, false
	}
	if shift, ok := m.used.after(w.pomShift); ok {
		return m.readPOM(w, shift), true
	}
	return m.beginGuest(w, at)
}

// keep keeps the first error.
func (m *MMU) keep(err error) {
	if m.err == nil {
		m.err = err
	}
}
