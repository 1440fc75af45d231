package mmu

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices/cpucache"
	"hwsim/devices/pagetable"
)

func TestMissesOfOnePageShareAWalk(t *testing.T) {
	r := standard(t, func(c *Config) {})
	s := r.space(1)
	for op := range uint32(3) {
		_, _, ok := r.Translate(int64(op), s, 40*uint64(op), op)
		require.False(t, ok)
	}
	r.rest()
	st := r.Stats()
	require.Equal(t, uint64(1), st.Walks)
	require.Equal(t, uint64(1), st.Misses)
	require.Equal(t, uint64(2), st.Merged)
	frame, _ := s.frame(0)
	for op := range uint32(3) {
		require.Equal(t, frame, r.told[op].Frame)
		require.Equal(t, r.told[0].At, r.told[op].At)
	}
}

// So do those of a page that is queued for the one walker.
func TestMissesOfAQueuedPageShareItsWalk(t *testing.T) {
	r := standard(t, func(c *Config) { c.Walkers = 1 })
	s := r.space(1)
	for op := range uint32(5) {
		_, _, ok := r.Translate(int64(op), s, uint64(min(op, 1))*page, op) // page 0, and page 1 four times
		require.False(t, ok)
	}
	r.rest()
	st := r.Stats()
	require.Equal(t, uint64(2), st.Walks)
	require.Equal(t, uint64(2), st.Misses)
	require.Equal(t, uint64(3), st.Merged)
	require.Positive(t, st.QueueCycles)
	require.Len(t, r.told, 5)
	require.Equal(t, r.told[1].At, r.told[4].At)
	r.requireAccounts()
}

// A walk that ends while a later lookup is still on its way to it does not answer it in the past.
func TestNobodyKnowsBeforeAsking(t *testing.T) {
	r := standard(t, func(c *Config) {})
	s := r.space(1)
	r.Translate(0, s, 0, 1)
	_, _, ok := r.Translate(90000, s, 8, 2)
	require.False(t, ok)
	r.rest()
	require.Less(t, r.told[1].At, int64(90000))
	require.Equal(t, int64(90000+tlbs), r.told[2].At)
	require.Equal(t, r.told[1].At, r.Stats().MissCycles, "one that waits for another's walk is no miss")
}

func TestWalkersBoundTheWalksUnderWay(t *testing.T) {
	took := map[int]int64{}
	for _, walkers := range []int{1, 2, 4, 16} {
		r := standard(t, func(c *Config) { c.Walkers = walkers })
		s := r.space(1)
		for op := range uint32(16) {
			r.Translate(0, s, uint64(op)<<21, op)
			require.Equal(t, min(walkers, int(op)+1), r.active)
		}
		r.rest()
		require.Equal(t, walkers < 16, r.Stats().QueueCycles > 0)
		for _, f := range r.told {
			took[walkers] = max(took[walkers], f.At)
		}
	}
	require.Greater(t, took[1], took[2])
	require.Greater(t, took[2], took[4])
	require.Greater(t, took[4], took[16])
}

func TestThePredictorChoosesPages(t *testing.T) {
	predictor := func(cost [2]int, mpki float64) *VictimaConfig {
		v := blocks("retag")
		v.Predictor, v.WalksBits, v.CostBits, v.Walks, v.Cost, v.CacheMPKI = true, 2, 4, [2]int{2, 3}, cost, mpki
		return v
	}
	for _, c := range []struct {
		name    string
		victima *VictimaConfig
		misses  uint64 // of the cache, by which the bypass goes
		in      []bool // whether there is a block after so many walks
	}{
		{"off", blocks("retag"), 0, []bool{true}},
		{"walks", predictor([2]int{0, 15}, 5), 5, []bool{false, true}},
		{"cost", predictor([2]int{2, 15}, 5), 5, []bool{false, false, false}},
		{"cache not worth keeping", predictor([2]int{2, 15}, 5), 6, []bool{true}},
	} {
		r := standard(t, func(m *Config) { m.Victima = c.victima })
		s := r.space(1)
		r.touch(s, 0, 1)
		r.caches.Stats().Levels[1].Misses[cpucache.Data] = c.misses
		r.Epoch(1000)
		for i, in := range c.in {
			r.translate(s, 0)
			ok := r.block(s, 0)
			if !ok {
				r.ShootdownSpace(s)
			}
			require.Equal(t, in, ok, "%s after %d walks", c.name, i+1)
		}
		rejected := uint64(0)
		for _, in := range c.in {
			if !in {
				rejected++
			}
		}
		require.Equal(t, rejected, r.Stats().Rejected, c.name)
		leaf := s.Guest.Table.Walk(0).Leaf
		if !c.victima.Predictor {
			require.Zero(t, leaf.Walks()+leaf.Cost())
			continue
		}
		require.Equal(t, len(c.in), leaf.Walks(), c.name)
		require.Equal(t, 1, leaf.Cost(), "the first walk went to memory: %s", c.name)
	}
}

func TestWalksAndCostAreABox(t *testing.T) {
	v := &victima{VictimaConfig: &VictimaConfig{Predictor: true, Walks: [2]int{1, 3}, Cost: [2]int{2, 5}}}
	for walks := range 16 {
		for cost := range walks + 1 {
			var e pagetable.Entry
			for i := range walks {
				e.Count(i < cost, 15, 15)
			}
			require.Equal(t, walks >= 1 && walks <= 3 && cost >= 2 && cost <= 5, v.worth(&e), "%d walks, cost %d", walks, cost)
		}
	}
}

func TestThePredictorsCountersSaturate(t *testing.T) {
	v := &victima{VictimaConfig: &VictimaConfig{Predictor: true, WalksBits: 3, CostBits: 2}}
	var e pagetable.Entry
	for range 20 {
		v.count(&e, true)
	}
	require.Equal(t, 7, e.Walks())
	require.Equal(t, 3, e.Cost())
}

func TestEpochsCountMissesOfTheirOwn(t *testing.T) {
	r := standard(t, func(c *Config) { c.Victima = blocks("retag") })
	cache := &r.caches.Stats().Levels[1]
	for _, c := range []struct {
		misses uint64
		bypass bool
	}{{6, true}, {5, false}, {0, false}, {100, true}} {
		cache.Misses[cpucache.PageTable] += c.misses
		r.Epoch(1000)
		require.Equal(t, c.bypass, r.victima.bypass, "%d misses", c.misses)
	}
	cache.Misses[cpucache.Data] += 99
	r.Epoch(20000)
	require.False(t, r.victima.bypass, "a thousand instructions, not an epoch")
}

// Evicted pages' blocks come in by walks in the background, of walkers that nobody needs.
func TestEvictionsWalkInTheBackground(t *testing.T) {
	r := standard(t, func(c *Config) {
		c.L1[0], c.L2 = tlbOf(1, 1, 1), tlbOf(4, 4, 12)
		c.Victima = blocks("retag")
		c.Victima.OnEviction = true
	})
	s := r.space(1)
	r.touch(s, 0, 64)
	for p := range uint64(4) {
		r.translate(s, 64*p*page)
	}
	r.caches.RemoveBlocks(func(uint64) bool { return true }, 0)
	r.translate(s, 64*4*page)
	r.rest()
	require.Equal(t, uint64(1), r.Stats().Background)
	require.Equal(t, uint64(5), r.Stats().Walks, "which counts none of those")
	ok := r.block(s, 0)
	require.True(t, ok)
}

func TestMissesGoBeforeWalksInTheBackground(t *testing.T) {
	r := standard(t, func(c *Config) {
		c.L1[0], c.L2, c.Walkers = tlbOf(1, 1, 1), tlbOf(4, 4, 12), 1
		c.Victima = blocks("retag")
		c.Victima.OnEviction = true
	})
	s := r.space(1)
	for p := range uint64(4) {
		r.translate(s, 64*p*page)
	}
	r.caches.RemoveBlocks(func(uint64) bool { return true }, 0)
	for p := uint64(4); p < 6; p++ {
		_, _, ok := r.Translate(r.now, s, p<<30, uint32(p))
		require.False(t, ok)
	}
	r.rest()
	require.Equal(t, uint64(1), r.Stats().Background, "the last walk's only: while it was queued, the walker was its")
}

// A POM-TLB is read before a walk, a set of each size in use, and written after it.
func TestThePOMTLBIsReadBeforeAWalk(t *testing.T) {
	r := standard(t, func(c *Config) { c.POM = schemes()["pom"].POM })
	s := r.space(1)
	for i, shift := range []uint8{pagetable.Shift4K, pagetable.Shift2M, pagetable.Shift64K} {
		va := uint64(i) << 40
		require.NoError(t, s.Guest.Table.Map(va, 1<<34+uint64(i)<<30, shift))
		r.translate(s, va)
		require.Equal(t, uint64(i+1), r.Stats().Walks)
		r.clearTLBs()
		before := *r.Stats()
		r.translate(s, va)
		require.Equal(t, before.Walks, r.Stats().Walks)
		require.Equal(t, before.POMHits+1, r.Stats().POMHits)
		require.Equal(t, before.POMReads+uint64(i+1), r.Stats().POMReads)
		require.Equal(t, before.reads()+uint64(i+1), r.Stats().reads())
	}
	r.requireAccounts()
}

// hits returns a rig whose pages the first TLB has.
func hits(t testing.TB, pages int) (*rig, *Space) {
	r := standard(t, func(c *Config) {})
	s := r.space(1)
	for p := range uint64(pages) {
		r.translate(s, p*page)
	}
	return r, s
}

// BenchmarkTLBHits counts translations that the first TLB has.
func BenchmarkTLBHits(b *testing.B) {
	r, s := hits(b, 32)
	b.ReportAllocs()
	now, va := int64(0), uint64(0)
	for b.Loop() {
		now++
		va += 5 * page
		if _, _, ok := r.Translate(now, s, va&(32*page-1), 1); !ok {
			b.Fatal("a miss")
		}
	}
}

// walks returns a step that walks for a page whose entries the caches have.
func walks(t testing.TB) (r *rig, step func()) {
	const pages = 8192
	r = standard(t, func(c *Config) { c.L1[0], c.L2 = tlbOf(2, 2, 1), tlbOf(2, 2, 12) })
	s := r.space(1)
	next, now := uint64(0), int64(0)
	return r, func() {
		next = (next + 17) % pages
		now += 100
		if _, _, ok := r.Translate(now, s, next*page, 1); ok {
			t.Fatal("a hit")
		}
		for {
			told := false
			for _, ok := r.Finished(); ok; _, ok = r.Finished() {
				told = true
			}
			if told {
				return
			}
			w, at, ok := r.caches.Next(cpucache.Forever)
			if !ok {
				t.Fatal("nothing comes")
			}
			r.Resume(w, at)
		}
	}
}

// BenchmarkWalks counts walks whose entries lie in caches.
func BenchmarkWalks(b *testing.B) {
	_, step := walks(b)
	for range 100000 {
		step()
	}
	b.ReportAllocs()
	for b.Loop() {
		step()
	}
}

func TestTranslationsAllocateNothingOnceWarm(t *testing.T) {
	r, s := hits(t, 32)
	require.Zero(t, testing.AllocsPerRun(1000, func() { r.Translate(0, s, 3*page, 1) }))
	_, step := walks(t)
	for range 20000 {
		step()
	}
	require.Zero(t, testing.AllocsPerRun(20000, step))
	for name, c := range schemes() {
		r := newRig(t, c, caches(32, 64), pagetable.PagerConfig{MemoryBytes: 1 << 30})
		s := r.space(1)
		next, op := uniform(1, 500), uint32(0)
		step := func() {
			r.now += 30
			for w, at, ok := r.caches.Next(r.now); ok; w, at, ok = r.caches.Next(r.now) {
				r.Resume(w, at)
			}
			op++
			r.Translate(r.now, s, next(), op)
			for _, ok := r.Finished(); ok; _, ok = r.Finished() {
			}
		}
		for range 30000 {
			step()
		}
		require.Zero(t, testing.AllocsPerRun(10000, step), name)
	}
}
