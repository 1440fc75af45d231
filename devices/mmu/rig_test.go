package mmu

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices/cpucache"
	"hwsim/devices/dram"
	"hwsim/devices/pagetable"
	"hwsim/devices/tlb"
	"hwsim/sim"
)

const (
	page  = 1 << pagetable.Shift4K
	l2Hit = 16 // cycles of the L2 cache
	l3Hit = 28
	tlbs  = 1 + 12 // cycles of both TLBs
)

func tlbOf(entries, ways int, cycles int64) TLBConfig {
	return TLBConfig{Config: tlb.Config{Entries: entries, Ways: ways}, Cycles: cycles}
}

// typical is an MMU as a server core has it, that walks from the L2 cache.
func typical() Config {
	return Config{Levels: 4, L1: []TLBConfig{tlbOf(64, 4, 1)}, L2: tlbOf(1536, 12, 12), Walkers: 4, WalkLevel: 1,
		PWC: PWCConfig{Entries: []int{32, 16, 16}, Ways: 4, Cycles: 4}, Epoch: 10000}
}

// blocks is a Victima without a predictor.
func blocks(insert string) *VictimaConfig {
	return &VictimaConfig{Level: 1, Insert: insert, Early: true, CacheMPKI: 5, TLBMPKI: 5}
}

func nested() *NestedConfig {
	return &NestedConfig{TLB: tlbOf(64, 4, 1), Levels: 4}
}

// caches have so many KiB on levels 2 and 3.
func caches(l2, l3 uint64) cpucache.Config {
	return cpucache.Config{
		Levels: []cpucache.LevelConfig{{Bytes: 32 << 10, Ways: 8, HitCycles: 4, MissCycles: 1, Replacement: "lru"},
			{Bytes: l2 << 10, Ways: 16, HitCycles: l2Hit, MissCycles: 3, Replacement: "srrip"}, {Bytes: l3 << 10, Ways: 16, HitCycles: l3Hit, MissCycles: 12, Replacement: "srrip"}},
		MSHRs:  16,
		Memory: cpucache.MemoryConfig{Channels: 1, GranuleBytes: 64, PathNs: 10, DRAM: dram.Config{Standard: "ddr4_2400t", Ranks: 2}},
	}
}

// rig is an MMU with its caches and memory, and an operating system.
type rig struct {
	testing.TB
	*MMU
	pager *pagetable.Pager
	host  *Dimension
	now   int64
	op    uint32
	told  map[uint32]Finish
}

func newRig(t testing.TB, c Config, cc cpucache.Config, memory pagetable.PagerConfig) *rig {
	t.Helper()
	fail := func(key, message string) { t.Fatalf("%s %s", key, message) }
	c.Validate(fail)
	cc.Validate(fail)
	memory.Validate(fail)
	h, err := cpucache.New(&cc, 2_600_000_000)
	require.NoError(t, err)
	m, err := New(&c, h)
	require.NoError(t, err)
	r := &rig{TB: t, MMU: m, pager: pagetable.NewPager(memory, 1), told: map[uint32]Finish{}}
	if c.Nested != nil {
		r.host = &Dimension{Pager: pagetable.NewPager(memory, 2)}
		r.host.Table, err = pagetable.New(c.Nested.Levels, r.host.Pager)
		require.NoError(t, err)
	}
	return r
}

// standard is a rig of typical size after changes.
func standard(t testing.TB, change func(c *Config)) *rig {
	t.Helper()
	c := typical()
	change(&c)
	return newRig(t, c, caches(256, 1024), pagetable.PagerConfig{MemoryBytes: 4 << 30, Scatter: true})
}

func (r *rig) space(id uint16) *Space {
	t, err := pagetable.New(r.cfg.Levels, r.pager)
	require.NoError(r, err)
	return &Space{ID: id, Guest: Dimension{t, r.pager}, Host: r.host}
}

// touch maps pages from an address on.
func (r *rig) touch(s *Space, va uint64, pages int) {
	for i := range uint64(pages) {
		require.NoError(r, r.pager.Touch(s.Guest.Table, va+i*page))
	}
}

// frame returns where the 4 KiB that va lies in are; ok is false where nothing is mapped.
func (s *Space) frame(va uint64) (frame uint64, ok bool) {
	for d := &s.Guest; d != nil; d = s.Host {
		p := d.Table.Walk(va)
		if p.Leaf == nil {
			return 0, false
		}
		va = p.Frame() | va&(1<<p.Shift-1)
		if d == s.Host {
			break
		}
	}
	return va &^ (page - 1), true
}

// hear notes who has been told.
func (r *rig) hear() {
	for f, ok := r.Finished(); ok; f, ok = r.Finished() {
		_, twice := r.told[f.Op]
		require.False(r, twice, "told once")
		r.told[f.Op] = f
	}
	require.NoError(r, r.Err())
}

// pass lets everything happen up to a cycle, or until an operation is told.
func (r *rig) pass(limit int64, until uint32) {
	for {
		if _, ok := r.told[until]; ok {
			return
		}
		w, at, ok := r.caches.Next(limit)
		if !ok {
			return
		}
		r.Resume(w, at)
		r.hear()
	}
}

// translate translates an address, waits for it, and returns how long it took. The
// frame is as the tables have it.
func (r *rig) translate(s *Space, va uint64) (cycles int64) {
	op := r.op
	r.op++
	pa, ready, ok := r.Translate(r.now, s, va, op)
	if !ok {
		r.hear()
		r.pass(cpucache.Forever, op)
		f, told := r.told[op]
		require.True(r, told)
		delete(r.told, op)
		pa, ready = f.Frame|va&(page-1), f.At
	}
	frame, mapped := s.frame(va)
	if !mapped || frame|va&(page-1) != pa {
		require.Equal(r, frame|va&(page-1), pa)
	}
	cycles = ready - r.now
	r.now = ready
	return cycles
}

// rest waits until nothing is under way.
func (r *rig) rest() {
	const nobody = ^uint32(0)
	r.pass(cpucache.Forever, nobody)
	require.Zero(r, r.active)
	require.Equal(r, r.head, len(r.queue))
}

// clearTLBs empties the TLBs only.
func (r *rig) clearTLBs() {
	for i := range r.l1 {
		r.l1[i].array.Clear()
	}
	r.l2.array.Clear()
	if r.cfg.Nested != nil {
		r.nested.array.Clear()
	}
}

// reads returns how many lines walks have read.
func (s *Stats) reads() (n uint64) {
	for _, k := range s.Reads {
		n += k
	}
	return n
}

// known looks for a page in the TLBs of the first two levels.
func (r *rig) known(s *Space, va uint64) (frame uint64, shift uint8, ok bool) {
	for i := range r.l1 {
		if frame, shift, ok = r.l1[i].find(s.ID, va, r.used); ok {
			return frame, shift, true
		}
	}
	return r.l2.find(s.ID, va, r.used)
}

// block reports whether there is a block for a page, that knows of it.
func (r *rig) block(s *Space, va uint64) bool {
	_, _, ok := r.lookup(s.ID, va, cpucache.Translations, 0)
	return ok
}

func uniform(seed uint64, pages int) func() uint64 {
	r := sim.NewRand(seed)
	return func() uint64 { return uint64(r.IntN(pages)) * page }
}

// requireAccounts checks that every miss is accounted for.
func (r *rig) requireAccounts() {
	s := r.Stats()
	require.Equal(r, s.Misses, s.Walks+s.BlocksHit()+s.POMHits)
	require.Equal(r, s.Lookups, s.L1Hits+s.L2Hits+s.Merged+s.L2Misses)
	require.Equal(r, s.L2Misses, s.L3Hits+s.Misses)
}
