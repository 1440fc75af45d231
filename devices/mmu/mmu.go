package mmu

import (
	"fmt"

	"hwsim/devices/cpucache"
	"hwsim/devices/pagetable"
	"hwsim/devices/tlb"
)

// MMU translates the addresses of one core. Times are in its cycles.
type MMU struct {
	cfg      Config
	caches   *cpucache.Hierarchy
	l1       []translations
	l2       translations
	l3       *translations
	nested   translations
	pwc      walkCaches
	hostPWC  walkCaches
	used     sizes // of pages so far
	usedHost sizes // of the host's
	coming   coming
	split    sizes // of guests' pages that lie in smaller ones of the host: TLBs hold their pieces
	pom      *tlb.Array[uint64]
	spaces   [nestedSpaces]*Space // by ID, those seen
	victima  *victima

	walkers  []walk
	free     []int64 // cycle from which a walker is idle; Forever: walks
	active   int     // walks that wait for memory
	queue    []request
	head     int
	waiters  []waiter
	spare    int32
	finished []Finish
	told     int // of them
	stats    Stats
	err      error
}

// Finish tells an operation that its address is translated.
type Finish struct {
	Op    uint32
	Frame uint64 // physical address of the 4 KiB that its address lies in
	At    int64
}

// New returns an MMU whose walks read through the caches, as waiters that have
// WaiterBit.
func New(c *Config, caches *cpucache.Hierarchy) (*MMU, error) {
	if c.WalkLevel < 0 || c.WalkLevel >= caches.Depth() {
		return nil, fmt.Errorf("mmu.walk_level: %d: want 0 to %d, the last cache", c.WalkLevel, caches.Depth()-1)
	}
	m := &MMU{cfg: *c, caches: caches, l2: newTranslations(&c.L2), walkers: make([]walk, c.Walkers), free: make([]int64, c.Walkers), spare: none}
	for i := range c.L1 {
		m.l1 = append(m.l1, newTranslations(&c.L1[i]))
	}
	if c.L3 != nil {
		t := newTranslations(c.L3)
		m.l3 = &t
	}
	m.pwc = newWalkCaches(&c.PWC, &m.stats.PWC)
	if c.Nested != nil {
		m.nested = newTranslations(&c.Nested.TLB)
		m.hostPWC = newWalkCaches(&c.Nested.PWC, &m.stats.HostPWC)
	}
	if c.POM != nil {
		m.pom = tlb.NewArray[uint64](c.POM.Config)
	}
	if c.Victima != nil {
		if c.Victima.Level >= caches.Depth() {
			return nil, fmt.Errorf("mmu.victima.level: %d: want a cache, 0 to %d", c.Victima.Level, caches.Depth()-1)
		}
		m.victima = newVictima(c.Victima, caches)
	}
	return m, nil
}

const none = -1

// WaiterBit is set in the waiters of walks.
const WaiterBit = cpucache.Waiter(1) << 31

// Err returns what has gone wrong: memory that is full.
func (m *MMU) Err() error { return m.err }

// Finished hands out the operations whose addresses have been translated, but not
// at once, in turn.
func (m *MMU) Finished() (f Finish, ok bool) {
	if m.told == len(m.finished) {
		m.finished, m.told = m.finished[:0], 0
		return f, false
	}
	m.told++
	return m.finished[m.told-1], true
}

// Translate translates va in cycle at. If a TLB has it, pa is the physical address
// and ready when it is known; else ok is false and the operation will be among
// those Finished.
func (m *MMU) Translate(at int64, s *Space, va uint64, op uint32) (pa uint64, ready int64, ok bool) {
	m.stats.Lookups++
	asked := at
	for i := range m.l1 {
		t := &m.l1[i]
		if frame, shift, ok := t.find(s.ID, va, m.used); ok {
			ready := at + t.cycles
			if ready < m.coming.latest {
				ready = max(ready, m.coming.of(s.key(va, shift)))
			}
			if ready > at+t.cycles {
				m.stats.Merged++
			} else {
				m.stats.L1Hits++
			}
			return frame | va&(1<<shift-1), ready, true
		}
	}
	at += m.l1[0].cycles
	early := at
	at += m.l2.cycles
	if frame, shift, ok := m.l2.find(s.ID, va, m.used); ok {
		m.stats.L2Hits++
		m.fillL1(at, s.key(va, shift), frame, shift)
		return frame | va&(1<<shift-1), at, true
	}
	if q := m.pending(s, va); q != nil {
		m.stats.Merged++
		m.await(q, m.note(op, merged, at))
		return 0, 0, false
	}
	m.stats.L2Misses++
	if m.l3 != nil {
		at += m.l3.cycles
		if frame, shift, ok := m.l3.find(s.ID, va, m.used); ok {
			m.stats.L3Hits++
			m.stats.miss(at - asked)
			m.fill(at, s, va, frame, shift)
			return frame | va&(1<<shift-1), at, true
		}
	}
	m.stats.Misses++
	m.spaces[s.ID] = s
	return m.miss(&request{space: s, va: va, at: at}, op, early, asked)
}

// miss finds out what no TLB knows.
func (m *MMU) miss(r *request, op uint32, early, asked int64) (pa uint64, ready int64, ok bool) {
	if m.victima != nil {
		from := r.at
		if m.cfg.Victima.Early {
			from = early
		}
		e, at, hit := m.lookup(r.space.ID, r.va, cpucache.Translations, from)
		frame, shift := e&^inEntry, uint8(e&shiftMask)
		switch {
		case hit && (r.space.Host == nil || e&hostFrame != 0):
			m.stats.miss(at - asked)
			m.fill(at, r.space, r.va, frame, shift)
			return frame | r.va&(1<<shift-1), at, true
		case hit:
			r.gpa, r.shift, r.at = frame|r.va&(1<<shift-1), shift, at
		default:
			m.fetchBlock(r.at, r.space, r.va)
		}
	}
	r.first = m.note(op, asked, r.at)
	r.last = r.first
	m.begin(r)
	return 0, 0, false
}

// fill puts a translation in the TLBs.
func (m *MMU) fill(at int64, s *Space, va, frame uint64, shift uint8) {
	key := s.key(va, shift)
	m.used.add(shift)
	m.fillL1(at, key, frame, shift)
	if !m.cfg.FillOnEviction {
		m.fillL2(at, key, frame)
	}
	if m.l3 != nil {
		m.l3.array.Insert(key, frame)
	}
}

func (m *MMU) fillL1(at int64, key, frame uint64, shift uint8) {
	m.coming.add(key, at)
	for i := range m.l1 {
		t := &m.l1[i]
		if !t.takes(shift) {
			continue
		}
		if old, was := t.array.Insert(key, frame); old != 0 && m.cfg.FillOnEviction {
			m.fillL2(at, old, was)
		}
		return
	}
	if m.cfg.FillOnEviction { // no first-level TLB holds such pages
		m.fillL2(at, key, frame)
	}
}

func (m *MMU) fillL2(at int64, key, frame uint64) {
	if old, _ := m.l2.array.Insert(key, frame); old != 0 && m.victima != nil {
		m.evicted(at, old)
	}
}

// Epoch tells the MMU that an epoch is over, and how many instructions it had.
func (m *MMU) Epoch(instructions uint64) {
	if m.victima != nil && instructions > 0 {
		m.victima.epoch(m, instructions)
	}
}

// Shootdown drops what is known of the page that va lies in, after its entry
// has changed.
func (m *MMU) Shootdown(s *Space, va uint64) {
	m.stats.Shootdowns++
	m.dropPage(s, va)
	if s.Host != nil && m.split != 0 {
		m.dropPieces(s, va)
	}
	if m.victima != nil {
		m.dropBlocks(s.ID, va)
	}
	m.pwc.clear()
	m.spoil(func(of *Space) bool { return of == s })
}

// dropPage drops a page from the TLBs.
func (m *MMU) dropPage(s *Space, va uint64) {
	for i := range m.l1 {
		m.l1[i].drop(s.ID, va)
	}
	m.l2.drop(s.ID, va)
	if m.l3 != nil {
		m.l3.drop(s.ID, va)
	}
	if m.pom != nil {
		for _, shift := range pageShifts {
			m.pom.Remove(s.key(va, shift))
		}
	}
}

// dropPieces drops from the TLBs what the largest page that is held in pieces would
// have there, as nobody knows the size of the page that was.
func (m *MMU) dropPieces(s *Space, va uint64) {
	shift := m.split.largest()
	for i := range m.l1 {
		m.l1[i].array.RemoveWithin(s.ID, va, shift)
	}
	m.l2.array.RemoveWithin(s.ID, va, shift)
	if m.l3 != nil {
		m.l3.array.RemoveWithin(s.ID, va, shift)
	}
	if m.pom != nil {
		m.pom.RemoveWithin(s.ID, va, shift)
	}
}

// ShootdownSpace drops all that is known of an address space.
func (m *MMU) ShootdownSpace(s *Space) {
	m.stats.Shootdowns++
	for i := range m.l1 {
		m.l1[i].array.RemoveSpace(s.ID)
	}
	m.l2.array.RemoveSpace(s.ID)
	if m.l3 != nil {
		m.l3.array.RemoveSpace(s.ID)
	}
	if m.pom != nil {
		m.pom.RemoveSpace(s.ID)
	}
	if m.victima != nil {
		m.caches.RemoveBlocks(func(key uint64) bool { return tlb.Space(key) == s.ID }, 0)
	}
	m.pwc.clear()
	m.spoil(func(of *Space) bool { return of == s })
}

// ShootdownHost drops what is known of the guest-physical page that gpa lies in,
// and all translations of the machine's spaces, which may have passed by it.
func (m *MMU) ShootdownHost(spaces []*Space, gpa uint64) {
	for _, s := range spaces {
		m.ShootdownSpace(s)
	}
	m.nested.drop(nestedSpaces+spaces[0].VM, gpa)
	m.hostPWC.clear()
	if m.victima != nil {
		m.dropBlocks(nestedSpaces+spaces[0].VM, gpa)
	}
}

// ShootdownAll drops all.
func (m *MMU) ShootdownAll() {
	m.stats.Shootdowns++
	for i := range m.l1 {
		m.l1[i].array.Clear()
	}
	m.l2.array.Clear()
	if m.l3 != nil {
		m.l3.array.Clear()
	}
	if m.pom != nil {
		m.pom.Clear()
	}
	if m.cfg.Nested != nil {
		m.nested.array.Clear()
		m.hostPWC.clear()
	}
	if m.victima != nil {
		m.caches.RemoveBlocks(func(uint64) bool { return true }, 0)
	}
	m.pwc.clear()
	m.spoil(func(*Space) bool { return true })
}

// Stats returns the counters.
func (m *MMU) Stats() *Stats { return &m.stats }

// Forget sets the counters to zero, and keeps what is known.
func (m *MMU) Forget() {
	m.stats = Stats{}
	if m.victima != nil {
		m.victima.misses, m.victima.cacheMiss = 0, 0
	}
}

// Levels of tables are numbered from the lowest, 1, up.
const lowest = 1

// levelOf returns the level of a page's leaf.
func levelOf(shift uint8) int {
	level := lowest
	for pagetable.LevelShift(level+1) <= shift {
		level++
	}
	return level
}
