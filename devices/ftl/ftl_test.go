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
	first, ok := f.Write(5)
	require.True(t, ok)
	_, ok = f.Find(5)
	assert.False(t, ok, "not before the program ends")
	f.Complete(first)
	second, _ := f.Write(5)
	at, _ := f.Find(5)
	assert.Equal(t, first.Page, at)
	third, _ := f.Write(5)
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
		c, ok := f.Write(lpn)
		if !ok {
			settle(f)
			c, ok = f.Write(lpn)
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
func consistent(t *testing.T, f *FTL) {
	valid := make([]uint16, len(f.blocks))
	for lpn, place := range f.places {
		if place == 0 {
			continue
		}
		require.Equal(t, uint32(lpn)+1, f.media.records[place-1].logical)
		valid[(place-1)/uint32(f.flash.Pages)]++
	}
	for b := range f.blocks {
		require.Equal(t, valid[b], f.blocks[b].valid, "block %d", b)
		require.LessOrEqual(t, int(f.media.fill[b]), f.flash.Pages)
	}
	for at, p := range f.planes {
		unused := 0
		for i := range f.flash.Blocks {
			if f.blocks[f.block(at, i)].state == free {
				unused++
				require.Zero(t, f.media.fill[f.block(at, i)])
			}
		}
		require.Equal(t, unused, p.free)
	}
}

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
	c := config()
	c.Superblock = seed%3 == 2
	f, err := New(c, geometry())
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
			copy(sent, acked) // what was not acknowledged may be gone or there
			for lpn := range sent {
				if p, ok := f.Find(uint32(lpn)); ok {
					sent[lpn] = f.media.records[p].version
					acked[lpn] = sent[lpn]
				}
			}
		case n < 50 && len(flying) < 24:
			lpn := uint32(r.IntN(len(acked)))
			if c, ok := f.Write(lpn); ok {
				flying = append(flying, c)
				sent[lpn] = c.Version
			}
		case len(flying) > 0:
			i := r.IntN(len(flying))
			c := flying[i]
			flying = append(flying[:i], flying[i+1:]...)
			f.Complete(c)
			if c.Kind == flash.Program && c.Source == 0 {
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
		c, ok := f.Write(uint32(r.IntN(int(f.LogicalPages()))))
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
	w, ok := f.Write(read.Logical)
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
		w, ok := f.Write(lpn)
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
