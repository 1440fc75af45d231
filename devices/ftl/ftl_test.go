package ftl

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"hwsim/devices/flash"
	"hwsim/sim"
)

func geometry() flash.Geometry {
	return flash.Geometry{Channels: 2, Ways: 1, Dies: 1, Planes: 2, Blocks: 16, Pages: 8, PageBytes: 4096}
}

func config() Config {
	return Config{Allocation: "CWDP", OverProvision: 0.4, Collect: "greedy", Threshold: 0.2, Reserve: 3, Drawn: 4}
}

// settle completes all commands in the order they come.
func settle(f *FTL) {
	for len(f.Commands()) > 0 {
		c := f.Commands()[0]
		f.out = f.out[1:]
		f.Complete(c)
	}
}

func TestAllocationOrders(t *testing.T) {
	g := flash.Geometry{Channels: 2, Ways: 3, Dies: 2, Planes: 4, Blocks: 1, Pages: 1, PageBytes: 1}
	at := func(c, w, d, p uint32) uint32 { return ((c*3+w)*2+d)*4 + p }
	for order, want := range map[string][]uint32{
		"CWDP": {at(0, 0, 0, 0), at(1, 0, 0, 0), at(0, 1, 0, 0)},
		"PDWC": {at(0, 0, 0, 0), at(0, 0, 0, 1), at(0, 0, 0, 2), at(0, 0, 0, 3), at(0, 0, 1, 0)},
		"DCWP": {at(0, 0, 0, 0), at(0, 0, 1, 0), at(1, 0, 0, 0)},
	} {
		c := Config{Allocation: order}
		assert.Equal(t, want, c.planes(&g)[:len(want)], order)
	}
}

// Each of the 24 orders sends consecutive pages over all planes, once each.
func TestEveryOrderIsAPermutation(t *testing.T) {
	g := flash.Geometry{Channels: 2, Ways: 3, Dies: 2, Planes: 4, Blocks: 1, Pages: 1, PageBytes: 1}
	orders := 0
	var grow func(prefix, rest string)
	grow = func(prefix, rest string) {
		if rest == "" {
			orders++
			c := Config{Allocation: prefix}
			seen := map[uint32]bool{}
			for _, p := range c.planes(&g) {
				seen[p] = true
			}
			assert.Len(t, seen, g.AllPlanes(), prefix)
		}
		for i := range rest {
			grow(prefix+rest[i:i+1], rest[:i]+rest[i+1:])
		}
	}
	grow("", "CWDP")
	assert.Equal(t, 24, orders)
}

func TestAWriteMovesItsPageWhenProgrammed(t *testing.T) {
	f, err := New(config(), geometry())
	require.NoError(t, err)
	first, ok := f.Write(5, f.Stamp())
	require.True(t, ok)
	_, ok = f.Find(5)
	assert.False(t, ok, "not before the program ends")
	f.Complete(first)
	second, _ := f.Write(5, f.Stamp())
	at, _ := f.Find(5)
	assert.Equal(t, first.Page, at)
	third, _ := f.Write(5, f.Stamp())
	f.Complete(third)
	f.Complete(second)
	at, _ = f.Find(5)
	assert.Equal(t, third.Page, at, "an older version that ends later does not count")
}

// overwrite writes the whole logical space so many times at random.
func overwrite(t *testing.T, f *FTL, fills int, seed uint64) {
	r := sim.NewRand(seed)
	for range fills * int(f.LogicalPages()) {
		lpn := uint32(r.IntN(int(f.LogicalPages())))
		c, ok := f.Write(lpn, f.Stamp())
		if !ok {
			settle(f)
			c, ok = f.Write(lpn, f.Stamp())
			require.True(t, ok)
		}
		f.Complete(c)
		settle(f)
	}
}

func TestCollectionConservesPages(t *testing.T) {
	for _, policy := range []string{"greedy", "random_greedy"} {
		c := config()
		c.Collect = policy
		f, err := New(c, geometry())
		require.NoError(t, err)
		overwrite(t, f, 20, 1)
		consistent(t, f)
		s := f.Stats()
		assert.Greater(t, s.Erased, uint64(0))
		assert.Greater(t, s.Amplification(), 1.0)
		least, most, total := f.Wear()
		assert.Equal(t, s.Erased, total)
		assert.Less(t, most-least, uint32(total)/8, "the least worn free block is taken")
	}
}

// Uniform random writes to a share u of the flash cost about 1/(2(1-u)) pages
// each under greedy collection, with many pages in a block.
func TestAmplificationOfUniformWrites(t *testing.T) {
	g := flash.Geometry{Channels: 1, Ways: 1, Dies: 1, Planes: 1, Blocks: 256, Pages: 64, PageBytes: 4096}
	c := config()
	c.OverProvision, c.Threshold, c.Reserve = 0.28, 0.05, 2
	f, err := New(c, g)
	require.NoError(t, err)
	overwrite(t, f, 4, 1)
	before := f.Stats()
	overwrite(t, f, 4, 2)
	after := f.Stats()
	got := 1 + float64(after.Moved-before.Moved)/float64(after.HostWrites-before.HostWrites)
	u := (1 - c.OverProvision) / (1 - c.Threshold)
	t.Logf("%.3f pages a page, closed form %.3f", got, 1/(2*(1-u)))
	assert.InEpsilon(t, 1/(2*(1-u)), got, 0.1)
}

func TestMoreRoomCostsLess(t *testing.T) {
	last := 1e9
	for _, op := range []float64{0.35, 0.45, 0.6} {
		c := config()
		c.OverProvision = op
		f, err := New(c, geometry())
		require.NoError(t, err)
		overwrite(t, f, 10, 1)
		assert.Less(t, f.Stats().Amplification(), last)
		last = f.Stats().Amplification()
	}
}

// consistent checks the map against the pages' own records, and the counts.
func consistent(t *testing.T, f *FTL) { require.NoError(t, f.Check()) }

// A power cut at any step loses no acknowledged write: each logical page then
// reads as its last acknowledged version or a newer one that was sent. Cut
// programs and erases spoil what they worked on in part.
func TestPowerCutAtAnyStep(t *testing.T) {
	for seed := range uint64(30) {
		require.Greater(t, powerCuts(t, seed, 3000).Erased, uint64(0))
	}
}

func FuzzPowerCut(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { powerCuts(t, seed, 500) })
}

func powerCuts(t *testing.T, seed uint64, steps int) Stats {
	r := sim.NewRand(seed)
	c, g := config(), geometry()
	c.Superblock = seed%3 == 2
	if seed%2 == 1 {
		c.CacheEntries, c.MapPageBytes, c.MapWrites, g.PageBytes = 16, 64, true, 64
		c.OverProvision, c.WearSpread = 0.5, 3
	}
	f, err := New(c, g)
	require.NoError(t, err)
	acked := make([]uint32, f.LogicalPages()) // versions
	sent := make([]uint32, f.LogicalPages())
	var flying []Command
	for range steps {
		flying = append(flying, f.Commands()...)
		f.Taken()
		switch n := r.IntN(100); {
		case n == 0:
			cut(f, &r, flying)
			flying = flying[:0]
			checkVersions(t, f, acked, sent)
			consistent(t, f)
			for lpn := range sent { // what was not acknowledged may be gone or there
				acked[lpn] = f.Version(uint32(lpn))
				sent[lpn] = acked[lpn]
			}
		case n < 3:
			lpn := uint32(r.IntN(len(acked)))
			f.Trim(lpn)
			acked[lpn], sent[lpn] = 0, 0
		case n < 50 && len(flying) < 24:
			lpn := uint32(r.IntN(len(acked)))
			f.Cached(lpn)
			if c, ok := f.Write(lpn, f.Stamp()); ok {
				flying = append(flying, c)
				sent[lpn] = c.Version
			}
		case len(flying) > 0:
			i := r.IntN(len(flying))
			c := flying[i]
			flying = append(flying[:i], flying[i+1:]...)
			f.Complete(c)
			if c.Kind == flash.Program && c.Source == 0 && c.Class != flash.Mapping && !f.Trimmed(c.Logical, c.Version) {
				acked[c.Logical] = max(acked[c.Logical], c.Version)
			}
			if n >= 98 {
				checkVersions(t, f, acked, sent)
			}
		}
	}
	return f.Stats()
}

// cut takes the power away.
func cut(f *FTL, r *sim.Rand, flying []Command) {
	for _, c := range flying {
		if c.Kind != flash.Erase {
			continue
		}
		for i := range f.flash.Pages { // some pages are erased, some not
			if r.IntN(2) == 0 {
				f.media.records[int(c.Page)+i] = record{}
			}
		}
	}
	f.Recover()
}

func checkVersions(t *testing.T, f *FTL, acked, sent []uint32) {
	for lpn, least := range acked {
		p, ok := f.Find(uint32(lpn))
		if !ok {
			require.Zero(t, least, "page %d is lost", lpn)
			continue
		}
		if v := f.media.records[p].version; v < least || v > sent[lpn] {
			require.Fail(t, "wrong version", "page %d: %d, acknowledged %d, sent %d", lpn, v, least, sent[lpn])
		}
	}
}

// toCollection writes pages until collection wants to move one, and returns
// the command that reads it.
func toCollection(t *testing.T, f *FTL) Command {
	r := sim.NewRand(5)
	for {
		c, ok := f.Write(uint32(r.IntN(int(f.LogicalPages()))), f.Stamp())
		require.True(t, ok)
		f.Complete(c)
		wanted := f.Commands()
		f.Taken()
		if len(wanted) > 0 && wanted[0].Kind == flash.Read {
			return wanted[0]
		}
		for _, c := range wanted { // blocks that held nothing more
			f.Complete(c)
		}
	}
}

func TestAPageRewrittenMeanwhileIsNotMoved(t *testing.T) {
	f, err := New(config(), geometry())
	require.NoError(t, err)
	read := toCollection(t, f)
	w, ok := f.Write(read.Logical, f.Stamp())
	require.True(t, ok)
	f.Complete(w)
	f.Complete(read)
	assert.Zero(t, f.Stats().Moved)
}

func TestRecoveryPrefersTheMovedCopy(t *testing.T) {
	f, err := New(config(), geometry())
	require.NoError(t, err)
	read := toCollection(t, f)
	f.Complete(read)
	program := f.Commands()[0]
	f.Complete(program)
	f.Recover()
	at, _ := f.Find(read.Logical)
	assert.Equal(t, program.Page, at)
}

func TestSuperblocksGoOverTheirPlanes(t *testing.T) {
	c, g := config(), geometry()
	c.Superblock = true
	f, err := New(c, g)
	require.NoError(t, err)
	assert.EqualValues(t, 2, f.Joined())
	var got []uint32
	for lpn := range uint32(4) { // 0 and 1 belong to the first die, 2 and 3 to the second
		w, ok := f.Write(lpn, f.Stamp())
		require.True(t, ok)
		assert.Equal(t, lpn/2, f.PlaneOf(w.Page))
		got = append(got, f.Flash(w.Page))
	}
	plane := uint32(g.PlanePages())
	assert.Equal(t, []uint32{0, plane, 2 * plane, 3 * plane}, got)
	seen := map[uint32]bool{}
	for page := range uint32(4 * g.PlanePages()) {
		seen[f.Flash(page)] = true
	}
	assert.Len(t, seen, 4*g.PlanePages(), "each page has its own place")
	overwrite(t, f, 20, 1)
	consistent(t, f)
}

// mapped is a layer of small mapping pages, of eight entries each, and a cache
// of 16 entries.
func mapped(t *testing.T) *FTL {
	c, g := config(), geometry()
	c.CacheEntries, c.MapPageBytes, c.MapWrites, c.OverProvision, g.PageBytes = 16, 64, true, 0.5, 64
	f, err := New(c, g)
	require.NoError(t, err)
	return f
}

// put writes a logical page as a drive does.
func put(t *testing.T, f *FTL, lpn uint32) {
	f.Cached(lpn)
	settle(f)
	c, ok := f.Write(lpn, f.Stamp())
	require.True(t, ok)
	f.Complete(c)
	settle(f)
}

func TestChangedEntriesAreWrittenWhenTheyLeaveTheCache(t *testing.T) {
	f := mapped(t)
	for lpn := range uint32(16) {
		put(t, f, lpn*8)
	}
	assert.Zero(t, f.Stats().MapWrites, "all fit")
	for lpn := range uint32(16) {
		f.Cached(lpn*8 + 1) // only read
		settle(f)
	}
	assert.EqualValues(t, 16, f.Stats().MapWrites, "one mapping page each")
	for lpn := range uint32(16) {
		f.Cached(lpn*8 + 2)
		settle(f)
	}
	assert.EqualValues(t, 16, f.Stats().MapWrites, "unchanged entries just go")
	assert.EqualValues(t, 2, f.Stats().Amplification())
	require.NoError(t, f.Check())
}

func TestAMappingPageTakesAllItsChanges(t *testing.T) {
	f := mapped(t)
	for lpn := range uint32(8) { // of one mapping page
		put(t, f, lpn)
	}
	for lpn := range uint32(64) {
		f.Cached(64 + lpn)
		settle(f)
	}
	assert.EqualValues(t, 1, f.Stats().MapWrites)
}

func TestAMissReadsTheMappingPageWhereItIs(t *testing.T) {
	f := mapped(t)
	put(t, f, 3)
	f.queueMap(0)
	settle(f)
	at, ok := f.Find(f.logical)
	require.True(t, ok)
	got, ok := f.Cached(5)
	assert.False(t, ok)
	assert.Equal(t, at, got)
}

func TestMappingPagesAreCollected(t *testing.T) {
	f := mapped(t)
	r := sim.NewRand(3)
	for range 20 * int(f.LogicalPages()) {
		put(t, f, uint32(r.IntN(int(f.LogicalPages()))))
	}
	s := f.Stats()
	assert.Greater(t, s.MapWrites, s.HostWrites/4, "a cache of 16 entries misses")
	assert.Greater(t, s.Amplification(), float64(s.HostWrites+s.Moved)/float64(s.HostWrites))
	require.NoError(t, f.Check())
	f.Recover()
	require.NoError(t, f.Check())
}

func TestATrimmedPageIsGone(t *testing.T) {
	f, err := New(config(), geometry())
	require.NoError(t, err)
	old, _ := f.Write(5, f.Stamp())
	f.Complete(old)
	late, _ := f.Write(5, f.Stamp())
	f.Trim(5)
	_, ok := f.Find(5)
	assert.False(t, ok)
	f.Complete(late)
	f.Recover()
	_, ok = f.Find(5)
	assert.False(t, ok, "neither a write accepted before nor a power cut brings it back")
	again, _ := f.Write(5, f.Stamp())
	f.Complete(again)
	_, ok = f.Find(5)
	assert.True(t, ok)
	require.NoError(t, f.Check())
}

func TestTrimmedPagesAreNotMoved(t *testing.T) {
	moved := func(trim bool) uint64 {
		f, err := New(config(), geometry())
		require.NoError(t, err)
		overwrite(t, f, 2, 1)
		before := f.Stats().Moved
		if trim {
			for lpn := range f.LogicalPages() / 2 {
				f.Trim(lpn)
			}
		}
		r := sim.NewRand(4)
		for range 2 * f.LogicalPages() { // to the other half
			put(t, f, f.LogicalPages()/2+uint32(r.IntN(int(f.LogicalPages()/2))))
		}
		return f.Stats().Moved - before
	}
	assert.Less(t, moved(true), moved(false)/2)
}

// With the host writing an eighth of its pages only, the blocks of the others
// are never erased, unless they are moved.
func TestColdBlocksAreMovedWhenWearSpreads(t *testing.T) {
	spread := func(limit int) (uint32, Stats) {
		c, g := config(), geometry()
		c.WearSpread, g.Channels, g.Planes = limit, 1, 1
		f, err := New(c, g)
		require.NoError(t, err)
		f.Fill()
		r := sim.NewRand(4)
		for range 200 * f.LogicalPages() {
			put(t, f, uint32(r.IntN(int(f.LogicalPages()/8))))
		}
		require.NoError(t, f.Check())
		least, most, _ := f.Wear()
		return most - least, f.Stats()
	}
	without, s := spread(0)
	assert.Zero(t, s.Levelled)
	with, s := spread(20)
	t.Logf("spread %d without, %d with; %.3f pages a page", without, with, s.Amplification())
	assert.Greater(t, without, uint32(200))
	assert.LessOrEqual(t, with, uint32(22), "the threshold and what is erased while a block is moved")
	assert.Positive(t, s.Levelled)
}

func TestMapCache(t *testing.T) {
	c := config()
	c.CacheEntries, c.MapPageBytes = 16, 512
	f, err := New(c, geometry())
	require.NoError(t, err)
	_, ok := f.Cached(7)
	assert.False(t, ok)
	_, ok = f.Cached(7)
	assert.True(t, ok)
	for lpn := range uint32(64) {
		f.Cached(lpn)
	}
	_, ok = f.Cached(7)
	assert.False(t, ok, "the least recently used goes")
}

func TestImpossibleConfigs(t *testing.T) {
	for key, spoil := range map[string]func(*Config){
		"allocation":     func(c *Config) { c.Allocation = "CWDD" },
		"collect":        func(c *Config) { c.Collect = "lru" },
		"drawn":          func(c *Config) { c.Collect = "random_greedy"; c.Drawn = 0 },
		"over_provision": func(c *Config) { c.OverProvision = 0.1 },
		"threshold":      func(c *Config) { c.Threshold = 1 },
		"reserve":        func(c *Config) { c.Reserve = 0 },
		"cache_entries":  func(c *Config) { c.CacheEntries = 3 },
		"map_page_bytes": func(c *Config) { c.CacheEntries = 16 },
		"map_writes":     func(c *Config) { c.MapWrites = true },
		"wear_spread":    func(c *Config) { c.WearSpread = -1 },
	} {
		t.Run(key, func(t *testing.T) {
			c := config()
			spoil(&c)
			_, err := New(c, geometry())
			require.Error(t, err)
			assert.Contains(t, err.Error(), "ftl: "+key+" must be ")
		})
	}
}
