package mmu

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices/pagetable"
)

// machine is a rig with a virtual machine, without page-walk caches.
func machine(t testing.TB, change func(c *Config)) *rig {
	return standard(t, func(c *Config) {
		c.PWC, c.Nested = PWCConfig{}, nested()
		change(c)
	})
}

// Every entry of the guest's takes a walk of the host's before it is read, and so does the page:
// levels + (levels+1) * host's levels.
func TestAColdTwoDimensionalWalkReadsAll(t *testing.T) {
	for _, c := range []struct {
		guest, host int
		reads       uint64
	}{{4, 4, 24}, {5, 4, 29}, {4, 5, 29}, {5, 5, 35}} {
		r := machine(t, func(m *Config) { m.Levels, m.Nested.Levels = c.guest, c.host })
		r.translate(r.space(1), 5<<40)
		s := r.Stats()
		require.Equal(t, c.reads, s.reads(), "%+v", c)
		require.Equal(t, uint64(c.guest+1), s.HostWalks)
		require.Equal(t, uint64(c.guest+1), s.NestedMisses)
		require.Zero(t, s.NestedHits)
		r.requireAccounts()
	}
}

func TestNestedTLBHitsSpareHostWalks(t *testing.T) {
	r := machine(t, func(c *Config) {})
	s := r.space(1)
	r.translate(s, 5<<40)
	r.Forget()
	r.translate(s, 5<<40+page) // the four tables' pages are known, the page is not
	require.Equal(t, uint64(4+4), r.Stats().reads())
	require.Equal(t, uint64(4), r.Stats().NestedHits)
	require.Equal(t, uint64(1), r.Stats().HostWalks)

	for i := range r.l1 {
		r.l1[i].array.Clear()
	}
	r.l2.array.Clear()
	r.Forget()
	r.translate(s, 5<<40+page)
	require.Equal(t, uint64(4), r.Stats().reads())
	require.Equal(t, uint64(5), r.Stats().NestedHits)
}

// What a guest's page-walk cache skips needs neither its reads nor their translation.
func TestGuestPageWalkCachesHoldHostAddresses(t *testing.T) {
	r := machine(t, func(c *Config) { c.PWC = PWCConfig{Entries: []int{8, 8, 8}, Ways: 4} })
	s := r.space(1)
	r.translate(s, 5<<40)
	r.nested.array.Clear()
	r.Forget()
	r.translate(s, 5<<40+page)
	require.Equal(t, uint64(1+4), r.Stats().reads(), "the leaf, and the page's walk")
	require.Equal(t, uint64(1), r.Stats().HostWalks)
}

func TestHostPageWalkCachesSkipReads(t *testing.T) {
	r := machine(t, func(c *Config) { c.Nested.PWC = PWCConfig{Entries: []int{8, 8, 8}, Ways: 4} })
	r.translate(r.space(1), 5<<40)
	st := r.Stats()
	misses := uint64(0)
	for _, p := range st.HostPWC {
		misses += p.Misses
	}
	require.Equal(t, 4+st.HostWalks+misses, st.reads(), "the guest's four, and one and the misses above of each walk of the host's")
	require.Less(t, st.reads(), uint64(24))
}

// A block that a walk has filled holds guest-physical addresses, and the host's of pages that have been translated
// since or are in the line of the host's entries that this took. Those of the host's pages are in blocks of their own.
func TestANestedBlockSparesTheHostsWalk(t *testing.T) {
	type step struct {
		va     uint64
		nested uint64
		took   int64
	}
	const first, second = uint64(5 << 40), uint64(5<<40 + page)
	for name, c := range map[string]struct {
		frames pagetable.PagerConfig
		steps  []step
	}{
		"frames in order": {pagetable.PagerConfig{MemoryBytes: 1 << 30}, []step{{second, 0, 1 + l2Hit}, {first, 0, 1 + l2Hit}}},
		"frames anywhere": {pagetable.PagerConfig{MemoryBytes: 1 << 30, Scatter: true}, []step{
			{second, 1, 1 + l2Hit + 1 + l2Hit}, // the L1 TLB and a block, the nested TLB and a block
			{first, 0, 1 + l2Hit},
			{second, 0, 1 + l2Hit},
		}},
	} {
		r := machine(t, func(c *Config) { c.Victima = blocks("retag") })
		r.pager = pagetable.NewPager(c.frames, 1)
		s := r.space(1)
		r.touch(s, first, 2)
		for _, va := range []uint64{first, second} {
			path := s.Guest.Table.Walk(va)
			require.NoError(t, s.Host.Pager.Touch(s.Host.Table, path.Frame()))
		}
		r.translate(s, first)
		if c.frames.Scatter { // the second page's frame has a block when its host's has been walked for
			r.translate(s, second)
			r.ShootdownSpace(s)
			r.translate(s, first)
		}
		for _, step := range c.steps {
			r.clearTLBs()
			r.Forget()
			require.Equal(t, step.took, r.translate(s, step.va), name)
			st := r.Stats()
			require.Zero(t, st.HostWalks+st.Walks+st.reads(), name)
			require.Equal(t, uint64(1), st.BlocksHit(), name)
			require.Equal(t, step.nested, st.BlockHits[1][1], name)
			r.requireAccounts()
		}
	}
}

func TestPagesAreAsLargeAsTheSmallerOfBothDimensions(t *testing.T) {
	for _, c := range []struct{ guest, host, known uint8 }{
		{pagetable.Shift2M, pagetable.Shift4K, pagetable.Shift4K}, {pagetable.Shift4K, pagetable.Shift2M, pagetable.Shift4K},
		{pagetable.Shift2M, pagetable.Shift2M, pagetable.Shift2M}, {pagetable.Shift64K, pagetable.Shift2M, pagetable.Shift64K},
	} {
		r := machine(t, func(*Config) {})
		s := r.space(1)
		require.NoError(t, s.Guest.Table.Map(0, 1<<30, c.guest))
		require.NoError(t, s.Host.Table.Map(1<<30, 1<<35, c.host))
		r.translate(s, 0)
		_, shift, ok := r.known(s, 0)
		require.True(t, ok)
		require.Equal(t, c.known, shift)
		require.Equal(t, int64(1), r.translate(s, 1<<c.known-1))
	}
}

func TestSpacesAreApart(t *testing.T) {
	for name, c := range schemes() {
		r := newRig(t, c, caches(256, 1024), pagetable.PagerConfig{MemoryBytes: 1 << 30})
		var frames [3]uint64
		var spaces [3]*Space
		for i := range spaces {
			spaces[i] = r.space(uint16(i))
		}
		for range 3 {
			for i, s := range spaces {
				r.translate(s, 7*page) // the frame is checked
				frames[i], _ = s.frame(7 * page)
			}
		}
		require.NotEqual(t, frames[0], frames[1], name)
		require.NotEqual(t, frames[1], frames[2], name)
		require.Equal(t, uint64(6), r.Stats().L1Hits+r.Stats().L2Hits, name)
		r.requireAccounts()
	}
}
