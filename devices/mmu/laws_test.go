package mmu

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices/cpucache"
	"hwsim/devices/pagetable"
	"hwsim/devices/tlb"
)

// The closed forms and identities that any translation must keep.

// missRatio is the share of lookups that miss the last TLB, of a stream after its first part.
func (r *rig) missRatio(s *Space, warm, counted int, next func() uint64) float64 {
	for range warm {
		r.translate(s, next())
	}
	r.Forget()
	for range counted {
		r.translate(s, next())
	}
	r.requireAccounts()
	return float64(r.Stats().Misses) / float64(r.Stats().Lookups)
}

func TestUniformPagesMissOneLessEntriesOverPages(t *testing.T) {
	const entries = 1536
	for _, pages := range []int{2048, 4096, 16384, 65536, 262144} {
		want := 1 - entries/float64(pages)
		for _, ways := range []int{12, 64} {
			r := standard(t, func(c *Config) { c.L1[0], c.L2 = tlbOf(2, 2, 1), tlbOf(entries, ways, 12) })
			s := r.space(1)
			require.InDelta(t, want, r.missRatio(s, 12000, 30000, uniform(3, pages)), 0.01, "%d pages, %d ways", pages, ways)
		}
	}
}

// What the first level evicts goes to the second: the pages of both are known, but for those that are
// in both.
func TestFillOnEvictionAddsTheFirstLevelsEntries(t *testing.T) {
	const entries, first = 1536, 512
	for _, pages := range []int{4096, 16384} {
		r := standard(t, func(c *Config) { c.L1[0], c.L2, c.FillOnEviction = tlbOf(first, 4, 1), tlbOf(entries, 12, 12), true })
		got := r.missRatio(r.space(1), 12000, 30000, uniform(3, pages))
		require.Less(t, got, 1-entries/float64(pages)-0.01)
		require.Greater(t, got, 1-(entries+first)/float64(pages)-0.01)
	}
}

func TestAThirdLevelIsTheLastTLB(t *testing.T) {
	third := tlbOf(6144, 16, 20)
	r := standard(t, func(c *Config) { c.L3 = &third })
	s := r.space(1)
	require.InDelta(t, 0.25, r.missRatio(s, 30000, 30000, uniform(3, 8192)), 0.01)
	require.NotZero(t, r.Stats().L3Hits)
	r.clearTLBs()
	r.translate(s, 0)
	r.clearTLBs()
	require.Equal(t, int64(tlbs+20), r.translate(s, 0))
}

func TestSequentialPagesWalkOnceAndReadALineInEight(t *testing.T) {
	const pages = 4096
	for _, insert := range []string{"", "retag", "fetch"} {
		r := standard(t, func(c *Config) {
			if insert != "" {
				c.Victima = blocks(insert)
			}
		})
		s := r.space(1)
		r.touch(s, 0, pages)
		for p := range uint64(pages) {
			r.translate(s, p*page)
		}
		st := r.Stats()
		walks := uint64(pages)
		if insert != "" {
			walks = pages / 8 // blocks take 7 of 8
		}
		require.Equal(t, walks, st.Walks, insert)
		require.Equal(t, pages-walks, st.BlocksHit(), insert)
		upper := uint64(pages/512/8 + 2) // lines of the levels above
		require.GreaterOrEqual(t, st.Reads[r.caches.Depth()], uint64(pages/8), insert)
		require.LessOrEqual(t, st.Reads[r.caches.Depth()], pages/8+upper, insert)
		r.requireAccounts()
	}
}

func TestBlocksTakeTheirReachesShareOfWalks(t *testing.T) {
	for _, pages := range []int{1 << 14, 1 << 16, 1 << 18} {
		walks := func(v *VictimaConfig) (walks, reach float64) {
			r := standard(t, func(c *Config) { c.Victima = v })
			s := r.space(1)
			r.touch(s, 0, pages)
			next := uniform(5, pages)
			for range 30000 {
				r.translate(s, next())
			}
			r.Forget()
			const counted = 30000
			for range counted {
				r.translate(s, next())
				reach += float64(r.caches.Reach()) / counted
			}
			r.requireAccounts()
			return float64(r.Stats().Walks), reach
		}
		base, _ := walks(nil)
		left, reach := walks(blocks("retag"))
		require.InDelta(t, min(1, reach/float64(pages*page)), 1-left/base, 0.03, "%d pages", pages)
	}
}

func TestMissesTakeTheTLBsAndTheirWalk(t *testing.T) {
	for _, early := range []bool{false, true} { // which walks don't gain by
		r := standard(t, func(c *Config) {
			if early {
				c.Victima = blocks("retag")
			}
		})
		s := r.space(1)
		next, walked := uniform(7, 1<<16), int64(0)
		for range 5000 {
			st := r.Stats()
			walks, cycles := st.Walks, st.WalkCycles
			took := r.translate(s, next())
			if st.Walks > walks {
				require.Equal(t, tlbs+st.WalkCycles-cycles, took)
				walked++
			}
		}
		require.NotZero(t, walked)
		require.Zero(t, r.Stats().QueueCycles)
	}
}

// With lines in the L2 cache: a read is a hit there, and begins when the one before is done.
func TestWalksReadOneEntryAfterAnother(t *testing.T) {
	for _, c := range []struct {
		name   string
		pwc    PWCConfig
		levels int
		took   int64
	}{
		{"no page-walk caches", PWCConfig{}, 4, 4 * l2Hit},
		{"five levels", PWCConfig{}, 5, 5 * l2Hit},
		{"all at once", PWCConfig{Entries: []int{32, 16, 16}, Ways: 4, Cycles: 4}, 4, 4 + l2Hit},
		{"in turn", PWCConfig{Entries: []int{32, 16, 16}, Ways: 4, Cycles: 4, InTurn: true}, 4, 3*4 + l2Hit},
		{"rereads", PWCConfig{Entries: []int{32, 16, 16}, Ways: 4, Cycles: 4, Rereads: true}, 4, 4 + 2*l2Hit},
		{"upper levels only", PWCConfig{Entries: []int{0 + 4}, Ways: 4, Cycles: 4}, 5, 4 + l2Hit},
	} {
		r := standard(t, func(m *Config) { m.Levels, m.PWC = c.levels, c.pwc })
		s := r.space(1)
		r.translate(s, 0)
		r.clearTLBs()
		require.Equal(t, tlbs+c.took, r.translate(s, 0), c.name)
	}
}

func TestABlockHitTakesTheCacheAndNoWalk(t *testing.T) {
	for early, took := range map[bool]int64{true: 1 + l2Hit, false: tlbs + l2Hit} {
		r := standard(t, func(c *Config) {
			c.Victima = blocks("retag")
			c.Victima.Early = early
		})
		s := r.space(1)
		r.touch(s, 0, 8)
		r.translate(s, 0)
		reads := r.Stats().reads()
		require.Equal(t, uint64(1), r.Stats().Retagged)
		for p := uint64(1); p < 8; p++ {
			require.Equal(t, took, r.translate(s, p*page), "early: %v", early)
		}
		require.Equal(t, uint64(1), r.Stats().Walks)
		require.Equal(t, uint64(7), r.Stats().BlockHits[0][1])
		require.Equal(t, reads, r.Stats().reads())
		require.Equal(t, int64(1), r.translate(s, 7*page), "TLBs learn of it")
	}
}

func TestReadsAWalkAreOneAndThePWCMissesAbove(t *testing.T) {
	for _, levels := range []int{4, 5} {
		for _, inTurn := range []bool{false, true} {
			for _, huge := range []float64{0, 0.5} {
				c := typical()
				c.Levels, c.PWC.InTurn = levels, inTurn
				c.PWC.Entries = []int{32, 16, 16, 4}[:levels-1]
				r := newRig(t, c, caches(256, 1024), pagetable.PagerConfig{MemoryBytes: 8 << 30, HugeShare: huge, WholeShare: huge})
				s := r.space(1)
				next := uniform(9, 1<<19)
				for range 5000 {
					r.translate(s, next()*8) // 16 GiB of addresses
				}
				st := r.Stats()
				misses := uint64(0)
				for _, p := range st.PWC {
					misses += p.Misses
				}
				require.Equal(t, st.reads(), st.Walks+misses, "%d levels, in turn %v", levels, inTurn)
				require.Greater(t, st.reads(), st.Walks)
				require.Equal(t, huge > 0, r.used>>1&1 == 1)
			}
		}
	}
}

// A walk for a 2 MiB page reads a level less.
func TestLargePagesAreAReadShorter(t *testing.T) {
	for shift, reads := range map[uint8]uint64{pagetable.Shift4K: 4, pagetable.Shift64K: 4, pagetable.Shift2M: 3, pagetable.Shift1G: 2} {
		r := standard(t, func(c *Config) { c.PWC = PWCConfig{} })
		s := r.space(1)
		require.NoError(t, s.Guest.Table.Map(1<<40, 1<<30, shift))
		r.translate(s, 1<<40+3*page*uint64(min(1, shift-pagetable.Shift4K)))
		require.Equal(t, reads, r.Stats().reads(), "2^%d", shift)
		require.Equal(t, int64(1), r.translate(s, 1<<40+1<<(shift-1)), "2^%d: the whole page is known", shift)
	}
}

func TestMissesAreAccountedForInAllSchemes(t *testing.T) {
	for name, c := range schemes() {
		t.Run(name, func(t *testing.T) {
			for _, walkers := range []int{1, 3} {
				c.Walkers = walkers
				r := newRig(t, c, caches(32, 64), pagetable.PagerConfig{MemoryBytes: 1 << 30, HugeShare: 0.2, WholeShare: 0.5})
				next := uniform(11, 3000)
				spaces := []*Space{r.space(1), r.space(2)}
				va, atOnce := uint64(0), 0
				for i := range 12000 {
					if i%3 == 0 {
						va = next()
					}
					r.now += int64(i % 40)
					r.pass(r.now, ^uint32(0))
					if _, _, ok := r.Translate(r.now, spaces[i/3%2], va, uint32(i)); ok {
						atOnce++
					}
					r.hear()
					require.LessOrEqual(t, r.active, walkers)
					if i%1000 == 0 {
						r.Epoch(1000)
					}
				}
				r.rest()
				r.requireAccounts()
				st := r.Stats()
				require.Len(t, r.told, 12000-atOnce, "the others are told at once")
				require.NotZero(t, st.Merged)
				if walkers == 1 {
					require.NotZero(t, st.QueueCycles)
				}
				if c.Victima != nil {
					require.NotZero(t, st.BlocksHit())
				}
				if c.POM != nil {
					require.NotZero(t, st.POMHits)
				}
			}
		})
	}
}

// schemes are all kinds of MMUs, with small TLBs.
func schemes() map[string]Config {
	base := func(change func(c *Config)) Config {
		c := typical()
		c.L1, c.L2 = []TLBConfig{tlbOf(8, 2, 1)}, tlbOf(48, 4, 12)
		c.PWC.Entries, c.PWC.Ways = []int{8, 4, 4}, 2
		change(&c)
		return c
	}
	small := func() *NestedConfig {
		n := nested()
		n.TLB, n.PWC = tlbOf(8, 4, 1), PWCConfig{Entries: []int{4, 4}, Ways: 2, Cycles: 2}
		return n
	}
	pom := &POMConfig{Config: tlb.Config{Entries: 1024, Ways: 4}, EntryBytes: 16, Addr: 1 << 41}
	predict := func(v *VictimaConfig) *VictimaConfig {
		v.Predictor, v.WalksBits, v.CostBits, v.Walks, v.Cost = true, 3, 4, [2]int{1, 12}, [2]int{1, 7}
		v.CacheMPKI = 1e9 // the predictor is asked
		return v
	}
	full := func(insert string) *VictimaConfig {
		v := blocks(insert)
		v.OnEviction, v.Aware, v.Demote = true, true, true
		return v
	}
	third := tlbOf(96, 4, 20)
	return map[string]Config{
		"radix":              base(func(c *Config) {}),
		"radix five levels":  base(func(c *Config) { c.Levels, c.PWC.InTurn, c.FillOnEviction = 5, true, true }),
		"third level":        base(func(c *Config) { c.L3 = &third }),
		"pom":                base(func(c *Config) { c.POM = pom }),
		"retag":              base(func(c *Config) { c.Victima = full("retag") }),
		"retag, evictions":   base(func(c *Config) { c.Victima, c.FillOnEviction = full("retag"), true }),
		"retag, whole":       base(func(c *Config) { c.Victima = full("retag"); c.Victima.WholeBlock = true }),
		"retag, predictor":   base(func(c *Config) { c.Victima = predict(full("retag")) }),
		"fetch":              base(func(c *Config) { c.Victima, c.FillOnEviction = full("fetch"), true }),
		"nested":             base(func(c *Config) { c.Nested = small() }),
		"nested, in turn":    base(func(c *Config) { c.Nested, c.PWC.InTurn = small(), true; c.Nested.PWC.InTurn = true }),
		"nested five levels": base(func(c *Config) { c.Nested, c.Levels = small(), 5; c.Nested.Levels = 5 }),
		"nested pom":         base(func(c *Config) { c.Nested, c.POM = small(), pom }),
		"nested retag":       base(func(c *Config) { c.Nested, c.Victima = small(), full("retag") }),
		"nested fetch":       base(func(c *Config) { c.Nested, c.Victima = small(), full("fetch") }),
	}
}

func TestNewRefusesLevelsThatAreNotThere(t *testing.T) {
	cc := caches(256, 1024)
	h, err := cpucache.New(&cc, 1e9)
	require.NoError(t, err)
	for key, change := range map[string]func(c *Config){
		"mmu.walk_level: 3":    func(c *Config) { c.WalkLevel = 3 },
		"mmu.victima.level: 3": func(c *Config) { c.Victima = &VictimaConfig{Level: 3} },
	} {
		c := typical()
		change(&c)
		_, err := New(&c, h)
		require.ErrorContains(t, err, key)
	}
}

func TestValidateNamesWhatIsWrong(t *testing.T) {
	type validator interface {
		Validate(report func(key, message string))
	}
	whole := func(change func(c *Config)) validator {
		c := typical()
		change(&c)
		return &c
	}
	victim := func(change func(v *VictimaConfig)) validator {
		v := schemes()["retag, predictor"].Victima
		change(v)
		return v
	}
	for _, c := range []struct {
		want string
		of   validator
	}{
		{"", whole(func(c *Config) {})},
		{"levels", whole(func(c *Config) { c.Levels = 6 })},
		{"l1", whole(func(c *Config) { c.L1 = nil })},
		{"walkers", whole(func(c *Config) { c.Walkers = 0 })},
		{"pwc.entries", whole(func(c *Config) { c.PWC.Entries = make([]int, 4) })},
		{"pom", whole(func(c *Config) { c.POM, c.Victima = &POMConfig{}, blocks("fetch") })},
		{"epoch", whole(func(c *Config) { c.Victima, c.Epoch = blocks("fetch"), 0 })},
		{"nested.levels", whole(func(c *Config) { c.Nested = &NestedConfig{Levels: 6} })},
		{"nested.pwc.entries", whole(func(c *Config) { c.Nested = &NestedConfig{Levels: 4, PWC: PWCConfig{Entries: make([]int, 4)}} })},
		{"cycles", &TLBConfig{Cycles: -1}},
		{"page_bytes", &TLBConfig{PageBytes: []uint64{page, 8192}}},
		{"page_bytes", &TLBConfig{PageBytes: []uint64{0}}},
		{"page_bytes", &TLBConfig{PageBytes: []uint64{page + 1}}},
		{"", &TLBConfig{PageBytes: []uint64{page, 1 << 16, 1 << 21, 1 << 30}}},
		{"entries", &PWCConfig{Entries: []int{3}, Ways: 2}},
		{"cycles", &PWCConfig{Cycles: 1e5}},
		{"entry_bytes", &POMConfig{EntryBytes: 24}},
		{"", victim(func(v *VictimaConfig) {})},
		{"insert", victim(func(v *VictimaConfig) { v.Insert = "" })},
		{"level", victim(func(v *VictimaConfig) { v.Level = 4 })},
		{"walks_bits", victim(func(v *VictimaConfig) { v.WalksBits = 5 })},
		{"cost_bits", victim(func(v *VictimaConfig) { v.CostBits = 0 })},
		{"walks", victim(func(v *VictimaConfig) { v.Walks = [2]int{-1, 1} })},
		{"cost", victim(func(v *VictimaConfig) { v.Cost = [2]int{2, 1} })},
		{"cache_mpki", victim(func(v *VictimaConfig) { v.TLBMPKI = -1 })},
	} {
		got := ""
		c.of.Validate(func(key, message string) {
			require.Empty(t, got, "one problem")
			require.NotEmpty(t, message)
			got = key
		})
		require.Equal(t, c.want, got, "%+v", c.of)
	}
}
