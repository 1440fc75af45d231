package mmu

import (
	"hwsim/devices/cpucache"
	"hwsim/devices/pagetable"
	"hwsim/devices/tlb"
)

// victima keeps blocks of translations in a cache.
type victima struct {
	*VictimaConfig
	bypass    bool   // lines of the cache are not worth keeping
	misses    uint64 // of the last TLB at the last epoch
	cacheMiss uint64 // of the cache
}

func newVictima(c *VictimaConfig, caches *cpucache.Hierarchy) *victima {
	caches.HoldBlocks(cpucache.BlockConfig{Level: c.Level, Aware: c.Aware, Demote: c.Demote})
	return &victima{VictimaConfig: c}
}

// clusterPages is how many pages a block translates, as log2.
const clusterPages = 3

// blockEntry is what a block keeps of a page: its frame, and its size in the bits
// below; 0: nothing.
func blockEntry(e pagetable.Entry, level int) uint64 {
	if !e.Present() || level > lowest && !e.Large() {
		return 0
	}
	shift := pagetable.LevelShift(level)
	if e.Contiguous() {
		shift = pagetable.Shift64K
	}
	return e.Frame()&^(1<<shift-1) | uint64(shift)
}

const (
	shiftMask = 63
	hostFrame = 1 << 6 // the entry's frame is the host's, where others are the guest's
	inEntry   = shiftMask | hostFrame
)

// fetched is where fetched blocks lie in memory, beside the page tables: by the
// numbers of their pages.
const fetched = 1 << 40

// blocks are the sizes of pages that have blocks of their own: the entries of 64 KiB
// pages are among those of 4 KiB.
func (z sizes) blocks() sizes {
	const small, medium = 1 << 0, 1 << 2 // places in pageShifts
	if z&medium != 0 {
		z = z&^medium | small
	}
	return z
}

// lookup looks for the block of an address, of each size that is in use.
func (m *MMU) lookup(space uint16, addr uint64, kind cpucache.Kind, at int64) (entry uint64, ready int64, ok bool) {
	used := m.used
	if kind == cpucache.Nested {
		used = m.usedHost
	}
	for z, i := used.blocks(), 0; z != 0; z, i = z>>1, i+1 {
		if z&1 == 0 {
			continue
		}
		level := levelOf(pageShifts[i])
		small := pagetable.LevelShift(level)
		b, n, found := m.caches.FindBlock(tlb.Key(space, addr, small+clusterPages), kind)
		if !found {
			continue
		}
		if e := b[addr>>small&(1<<clusterPages-1)]; e != 0 {
			m.stats.BlockHits[kind-cpucache.Translations][n]++
			return e, at + m.caches.HitCycles(n), true
		}
	}
	return 0, 0, false
}

// findNested looks for the block of a guest-physical page.
func (m *MMU) findNested(s *Space, gpa uint64, at int64) (frame uint64, shift uint8, ready int64, ok bool) {
	e, ready, ok := m.lookup(nestedSpaces+s.VM, gpa, cpucache.Nested, at)
	return e &^ inEntry, uint8(e & shiftMask), ready, ok
}

// learnHost writes the host's frame of a page into the page's block, unless the
// page lies in several of the host's. Its neighbours' go in as well where they are in
// the same line of the host's entries, which was at hand for the page.
func (m *MMU) learnHost(w *walk) {
	if w.pageShift < w.guestShift {
		return
	}
	var near hostLine
	if w.guestShift == pagetable.Shift4K {
		near.leaves, near.first = w.space.Host.Table.Cluster(w.gpa, lowest)
	}
	m.caches.EditBlock(blockKey(w.space.ID, w.va, w.guestShift), func(b *cpucache.Block) {
		for i, e := range b {
			b[i] = near.host(e)
		}
		b[slot(w.va, w.guestShift)] = w.frame | hostFrame | uint64(w.pageShift)
	})
}

// hostLine is a line of the host's entries, nil if none is of small pages, and the
// first guest-physical address that they map.
type hostLine struct {
	leaves *[1 << clusterPages]pagetable.Entry
	first  uint64
}

// host returns a block's entry with the host's frame if the line has it.
func (l *hostLine) host(e uint64) uint64 {
	const page = pagetable.Shift4K
	gpa := e &^ inEntry
	if l.leaves == nil || e == 0 || e&hostFrame != 0 || e&shiftMask != page || gpa>>(page+clusterPages) != l.first>>(page+clusterPages) {
		return e
	}
	leaf := l.leaves[gpa>>page&(1<<clusterPages-1)]
	if !leaf.Present() || leaf.Contiguous() {
		return e
	}
	return leaf.Frame() | hostFrame | page
}

// blockKey returns the key of the block that translates an address's page of a size.
func blockKey(space uint16, addr uint64, shift uint8) uint64 {
	return tlb.Key(space, addr, pagetable.LevelShift(levelOf(shift))+clusterPages)
}

// slot returns the place of the page's entry in its block.
func slot(addr uint64, shift uint8) uint64 {
	return addr >> pagetable.LevelShift(levelOf(shift)) & (1<<clusterPages - 1)
}

// worth reports whether a page is worth a block.
func (v *victima) worth(leaf *pagetable.Entry) bool {
	if !v.Predictor || v.bypass {
		return true
	}
	walks, cost := leaf.Walks(), leaf.Cost()
	return walks >= v.Walks[0] && walks <= v.Walks[1] && cost >= v.Cost[0] && cost <= v.Cost[1]
}

// count counts a walk in the page's entry.
func (v *victima) count(leaf *pagetable.Entry, dram bool) {
	if v.Predictor {
		leaf.Count(dram, 1<<v.WalksBits-1, 1<<v.CostBits-1)
	}
}

// afterWalk puts the block of a page in that has been walked for.
func (m *MMU) afterWalk(at int64, w *walk) {
	v := m.victima
	p := &w.guest.path
	v.count(p.Leaf, w.dram)
	if v.Insert != "retag" {
		return
	}
	if !v.worth(p.Leaf) {
		m.stats.Rejected++
		return
	}
	m.retag(w.space.ID, w.va, &w.space.Guest, p, m.entryAddr(w.space, p), cpucache.Translations)
}

// entryAddr returns where in memory the leaf of a space's page lies.
func (m *MMU) entryAddr(s *Space, p *pagetable.Path) uint64 {
	addr := p.Addr[p.Level]
	if s.Host == nil {
		return addr
	}
	host, err := s.Host.walk(addr)
	if m.keep(err); err != nil {
		return addr
	}
	return host.Frame() | addr&(1<<host.Shift-1)
}

// insertNested puts the block of a guest-physical page in that the host's table
// has been walked for.
func (m *MMU) insertNested(at int64, w *walk) {
	v := m.victima
	p := &w.host.path
	v.count(p.Leaf, w.dram)
	if !v.worth(p.Leaf) {
		m.stats.Rejected++
		return
	}
	m.retag(nestedSpaces+w.space.VM, w.hostAddr, w.space.Host, p, p.Addr[p.Level], cpucache.Nested)
}

// retag makes a block of a line of entries.
func (m *MMU) retag(space uint16, addr uint64, d *Dimension, p *pagetable.Path, entryAddr uint64, kind cpucache.Kind) {
	if m.caches.Retag(entryAddr) {
		m.stats.Retagged++
	}
	m.insert(space, addr, d, p.Level, kind)
}

// insert puts the block of a page in.
func (m *MMU) insert(space uint16, addr uint64, d *Dimension, level int, kind cpucache.Kind) {
	leaves, _ := d.Table.Cluster(addr, level)
	if leaves == nil {
		return
	}
	var b cpucache.Block
	for i := range leaves {
		b[i] = blockEntry(leaves[i], level)
	}
	m.caches.InsertBlock(tlb.Key(space, addr, pagetable.LevelShift(level)+clusterPages), kind, &b)
}

// fetchBlock reads the block of a page that has just been missed from memory, if
// that is how blocks come in.
func (m *MMU) fetchBlock(at int64, s *Space, va uint64) {
	if m.victima.Insert != "fetch" {
		return
	}
	path, err := s.Guest.walk(va)
	if m.keep(err); err != nil {
		return
	}
	m.used.add(path.Shift)
	m.caches.Fetch(at, fetched|va>>pagetable.LevelShift(path.Level)*pagetable.EntryBytes, cpucache.Translations)
	m.insert(s.ID, va, &s.Guest, path.Level, cpucache.Translations)
}

// evicted puts the block in of a page that the second-level TLB has put out.
func (m *MMU) evicted(at int64, key uint64) {
	if !m.victima.OnEviction {
		return
	}
	s := m.spaces[tlb.Space(key)]
	va, shift := tlb.Stretch(key)
	block := blockKey(s.ID, va, shift)
	if m.caches.HasBlock(block) {
		return
	}
	path := s.Guest.Table.Walk(va)
	if path.Leaf == nil || !m.victima.worth(path.Leaf) {
		return
	}
	if m.victima.Insert == "fetch" {
		m.fetchBlock(at, s, va)
		return
	}
	if m.head < len(m.queue) {
		return // misses first
	}
	if n := m.idle(); n != none && m.free[n] <= at {
		m.stats.Background++
		m.start(n, &request{space: s, va: va, at: at, first: none})
	}
}

// afterBackground puts the block in that a walk in the background was for.
func (m *MMU) afterBackground(at int64, w *walk) {
	if w.stale {
		return
	}
	p := &w.guest.path
	m.retag(w.space.ID, w.va, &w.space.Guest, p, m.entryAddr(w.space, p), cpucache.Translations)
}

// dropBlocks drops the blocks of a page, or their entries for it.
func (m *MMU) dropBlocks(space uint16, addr uint64) {
	for _, s := range pageShifts {
		if s == pagetable.Shift64K {
			continue
		}
		key := tlb.Key(space, addr, s+clusterPages)
		if m.victima.WholeBlock {
			m.caches.RemoveBlock(key)
			continue
		}
		m.caches.EditBlock(key, func(b *cpucache.Block) { b[addr>>s&(1<<clusterPages-1)] = 0 })
	}
	m.dropBlocks64K(space, addr)
}

// dropBlocks64K drops the entries of a 64 KiB page, which fill two blocks.
func (m *MMU) dropBlocks64K(space uint16, addr uint64) {
	const block = pagetable.Shift4K + clusterPages
	first := addr >> pagetable.Shift64K << pagetable.Shift64K
	for _, half := range [...]uint64{first, first + 1<<block} {
		m.caches.EditBlock(tlb.Key(space, half, block), func(b *cpucache.Block) {
			for i, e := range b {
				if e&shiftMask == pagetable.Shift64K {
					b[i] = 0
				}
			}
		})
	}
}

// epoch sets what holds until the next one: whether the cache's lines are worth
// keeping, and whether translations are pressing.
func (v *victima) epoch(m *MMU, instructions uint64) {
	s := &m.caches.Stats().Levels[v.Level]
	cacheMiss := s.Misses[cpucache.Data] + s.Misses[cpucache.PageTable]
	perK := func(n uint64) float64 { return 1000 * float64(n) / float64(instructions) }
	v.bypass = perK(cacheMiss-v.cacheMiss) > v.CacheMPKI
	m.caches.Press(perK(m.stats.Misses-v.misses) > v.TLBMPKI)
	v.cacheMiss, v.misses = cacheMiss, m.stats.Misses
}
