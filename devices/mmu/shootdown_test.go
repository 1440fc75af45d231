package mmu

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices/cpucache"
	"hwsim/devices/pagetable"
	"hwsim/sim"
)

// world is address spaces whose pages come and go while they are translated.
type world struct {
	*rig
	rand   sim.Rand
	spaces []*Space
	sizes  []uint8
	asked  map[uint32]request // operations that wait
}

// huge is the 2 MiB stretches that the addresses lie in: low ones, whose pages are as the pager
// gives them, and high ones that tests map pages of 64 KiB in, of 2 MiB and of 1 GiB.
var stretches = [...]uint64{0, 1 << 21, 5 << 21, 9 << 30, 200 << 30, 200<<30 + 1<<21, 1 << 44}

func (w *world) anyAddress() uint64 {
	return stretches[w.rand.IntN(len(stretches))] + uint64(w.rand.IntN(48))*page + uint64(w.rand.IntN(page))
}

func (w *world) anySpace() *Space { return w.spaces[w.rand.IntN(len(w.spaces))] }

// told checks a translation against the tables as they are now.
func (w *world) check(s *Space, va, pa uint64, how string) {
	frame, ok := s.frame(va)
	if !ok || frame != pa&^(page-1) || va%page != pa%page {
		require.True(w, ok, "%#x has a page", va)
		require.Equal(w, frame|va%page, pa, "%#x, %s", va, how)
	}
}

// hear checks what has been translated now.
func (w *world) hear() {
	for f, ok := w.Finished(); ok; f, ok = w.Finished() {
		a, waits := w.asked[f.Op]
		require.True(w, waits, "told once")
		require.GreaterOrEqual(w, f.At, a.at, "not before it was asked")
		delete(w.asked, f.Op)
		w.check(a.space, a.va, f.Frame|a.va%page, "after a walk")
	}
	require.NoError(w, w.Err())
}

func (w *world) pass(limit int64) {
	for {
		waiter, at, ok := w.caches.Next(limit)
		if !ok {
			return
		}
		w.Resume(waiter, at)
		w.hear()
	}
}

// ask translates an address some cycles from now.
func (w *world) ask(s *Space, va uint64) {
	at := w.now + int64(w.rand.IntN(30))
	w.op++
	w.asked[w.op] = request{space: s, va: va, at: at}
	pa, ready, ok := w.Translate(at, s, va, w.op)
	if ok {
		delete(w.asked, w.op)
		require.Greater(w, ready, at)
		w.check(s, va, pa, "at once")
	}
	w.hear()
}

// release unmaps the page at an address and drops what is known of it.
func (w *world) release(s *Space, va uint64) {
	if w.pager.Release(s.Guest.Table, va) {
		w.Shootdown(s, va)
	}
}

// swap lets two pages change frames.
func (w *world) swap(s *Space, a, b uint64) {
	if !w.pager.Release(s.Guest.Table, a) {
		return
	}
	w.pager.Release(s.Guest.Table, b)
	require.NoError(w, w.pager.Touch(s.Guest.Table, a))
	require.NoError(w, w.pager.Touch(s.Guest.Table, b))
	w.Shootdown(s, a)
	w.Shootdown(s, b)
}

// resize maps a page of another size over a stretch, whose pages go one by one.
func (w *world) resize(s *Space, va uint64, shift uint8) {
	first := va >> shift << shift
	for at := first; at < first+1<<min(shift, pagetable.Shift2M); {
		size := uint8(pagetable.Shift4K)
		if p := s.Guest.Table.Walk(at); p.Leaf != nil {
			size = p.Shift
			w.release(s, at+uint64(w.rand.IntN(1<<size))) // any address of the page names it
		}
		at += 1 << size
	}
	frame := 1<<40 + uint64(w.rand.IntN(64))<<30
	if s.Guest.Table.Map(first, frame, shift) != nil {
		return // 1 GiB, of which other stretches have pages
	}
}

// moveHost lets two of the host's pages change frames.
func (w *world) moveHost() {
	s := w.anySpace()
	var gpa [2]uint64
	for i := range gpa {
		p := s.Guest.Table.Walk(w.anyAddress())
		switch {
		case p.Leaf == nil:
			return
		case w.rand.IntN(3) == 0:
			gpa[i] = p.Addr[p.Level] // a table
		default:
			gpa[i] = p.Frame() + uint64(w.rand.IntN(1<<p.Shift))
		}
	}
	for _, a := range gpa {
		w.host.Pager.Release(w.host.Table, a)
	}
	for _, a := range gpa {
		require.NoError(w, w.host.Pager.Touch(w.host.Table, a))
	}
	for _, a := range gpa {
		w.ShootdownHost(w.spaces, a)
	}
}

func (w *world) step() {
	w.now += int64(w.rand.IntN(60))
	w.pass(w.now)
	s := w.anySpace()
	switch n := w.rand.IntN(1000); {
	case n < 30:
		w.release(s, w.anyAddress())
	case n < 60:
		w.swap(s, w.anyAddress(), w.anyAddress())
	case n < 75:
		w.resize(s, w.anyAddress(), w.sizes[w.rand.IntN(len(w.sizes))])
	case n < 80:
		for range 5 {
			w.pager.Release(s.Guest.Table, w.anyAddress())
		}
		w.ShootdownSpace(s)
	case n < 82:
		for range 5 {
			w.pager.Release(s.Guest.Table, w.anyAddress())
		}
		w.ShootdownAll()
	case n < 100 && w.host != nil:
		w.moveHost()
	case n < 110:
		w.Epoch(uint64(1 + w.rand.IntN(3000)))
	default:
		w.ask(s, w.anyAddress())
	}
}

// No translation is ever wrong once the shootdown of its page has returned, whatever was
// under way: frames are those of the tables when the translation is told.
func TestNoTranslationIsOutdated(t *testing.T) {
	for name, c := range schemes() {
		for seed := range uint64(3) {
			for _, memory := range []pagetable.PagerConfig{
				{MemoryBytes: 512 << 20},
				{MemoryBytes: 512 << 20, Scatter: true, WholeShare: 0.5, HugeShare: 0.6},
				{MemoryBytes: 512 << 20, PageBytes: 1 << pagetable.Shift64K},
			} {
				t.Run(fmt.Sprintf("%s/%d/%d,%v", name, seed, memory.PageBytes, memory.HugeShare), func(t *testing.T) {
					c.Walkers = []int{1, 2, 8}[seed]
					r := newRig(t, c, caches(32, 64), memory)
					w := &world{rig: r, rand: sim.NewRand(seed), asked: map[uint32]request{}, sizes: pageShifts[:]}
					if memory.PageBytes > page { // its operating system knows no others
						w.sizes = []uint8{pagetable.Shift64K, pagetable.Shift2M, pagetable.Shift1G}
					}
					if r.host != nil { // the host's pages have sizes of their own
						host := memory
						host.HugeShare, host.WholeShare, host.MemoryBytes = 0.3, 0.3, 1<<30
						r.host.Pager = pagetable.NewPager(host, 9)
						var err error
						r.host.Table, err = pagetable.New(c.Nested.Levels, r.host.Pager)
						require.NoError(t, err)
					}
					for id := range uint16(2) {
						w.spaces = append(w.spaces, r.space(id+1))
					}
					for range 4000 {
						w.step()
					}
					w.pass(cpucache.Forever)
					require.Empty(t, w.asked, "all are told")
					require.Zero(t, w.active)
				})
			}
		}
	}
}

// known says which pages of a space the last TLB knows.
func (r *rig) knows(s *Space, va uint64) bool {
	_, _, ok := r.known(s, va)
	return ok
}

func TestAShootdownKillsOneEntry(t *testing.T) {
	r := standard(t, func(c *Config) {})
	s, other := r.space(1), r.space(2)
	for p := range uint64(64) {
		r.translate(s, p*page)
		r.translate(other, p*page)
	}
	r.Shootdown(s, 9*page+123)
	for p := range uint64(64) {
		require.Equal(t, p != 9, r.knows(s, p*page))
		require.True(t, r.knows(other, p*page))
	}
	require.Equal(t, uint64(1), r.Stats().Shootdowns)
}

// An entry of a block, or the block of eight.
func TestAShootdownKillsAnEntryOfABlockOrTheBlock(t *testing.T) {
	for whole, dies := range map[bool]int{false: 1, true: 8} {
		for _, shift := range []uint8{pagetable.Shift4K, pagetable.Shift2M} {
			r := standard(t, func(c *Config) {
				c.Victima = blocks("retag")
				c.Victima.WholeBlock = whole
			})
			s := r.space(1)
			for p := range uint64(24) {
				require.NoError(t, s.Guest.Table.Map(p<<shift, 1<<35+p<<shift, shift))
			}
			for p := range uint64(3) {
				r.translate(s, p<<(shift+3))
			}
			r.Shootdown(s, 11<<shift+5)
			r.clearTLBs()
			dead := 0
			for p := range uint64(24) {
				if !r.block(s, p<<shift) {
					require.True(t, p == 11 || whole && p/8 == 1, "%d", p)
					dead++
				}
			}
			require.Equal(t, dies, dead)
		}
	}
}

// Of a page that the blocks have as sixteen entries, all go.
func TestAShootdownOf64KiBKillsSixteenEntries(t *testing.T) {
	for _, whole := range []bool{false, true} {
		r := standard(t, func(c *Config) {
			c.Victima = blocks("retag")
			c.Victima.WholeBlock = whole
		})
		s := r.space(1)
		for p := range uint64(3) {
			require.NoError(t, s.Guest.Table.Map(p<<16, 1<<35+p<<16, pagetable.Shift64K))
			for _, half := range []uint64{0, 8 * page} {
				r.translate(s, p<<16+half)
				r.clearTLBs()
			}
		}
		r.translate(s, 1<<16+9*page) // by a block
		require.Equal(t, uint64(1), r.Stats().BlocksHit())
		require.True(t, r.knows(s, 1<<16), "all of the page is known")
		r.Shootdown(s, 1<<16+3*page)
		for p := range uint64(48) {
			ok := r.block(s, p*page)
			require.Equal(t, p>>4 != 1, ok, "%d", p)
			require.False(t, r.knows(s, 1<<16+p%16*page))
		}
	}
}

// A guest's large page on the host's small ones is known in pieces: all go.
func TestAShootdownKillsAllPiecesOfAPage(t *testing.T) {
	r := standard(t, func(c *Config) {
		c.Nested = nested()
		c.POM = schemes()["pom"].POM
	})
	s := r.space(1)
	require.NoError(t, s.Guest.Table.Map(0, 1<<30, pagetable.Shift2M))
	r.translate(s, 1<<21) // another page
	for p := range uint64(20) {
		r.translate(s, p*page)
	}
	r.Shootdown(s, 7*page)
	for p := range uint64(20) {
		require.False(t, r.knows(s, p*page))
		_, held := r.pom.Find(s.key(p*page, pagetable.Shift4K))
		require.False(t, held)
	}
	require.True(t, r.knows(s, 1<<21))
}

func TestShootdownsOfSpacesAndOfAll(t *testing.T) {
	for name, c := range schemes() {
		r := newRig(t, c, caches(256, 1024), pagetable.PagerConfig{MemoryBytes: 1 << 30})
		s, other := r.space(1), r.space(2)
		warm := func() {
			for p := range uint64(4) {
				r.translate(s, p*page)
				r.translate(other, p*page)
			}
			r.rest()
		}
		walks := func(s *Space, want bool) {
			before := r.Stats().Walks
			r.translate(s, 2*page)
			require.Equal(t, want, r.Stats().Walks > before, name)
		}
		warm()
		r.ShootdownSpace(s)
		walks(other, false)
		walks(s, true)
		warm()
		r.ShootdownAll()
		if r.host != nil {
			before := r.Stats().HostWalks
			walks(s, true)
			require.Greater(t, r.Stats().HostWalks, before)
		} else {
			walks(s, true)
		}
		walks(other, true)
	}
}

// A walk that a shootdown meets under way is walked again, for all that wait, and counts once.
func TestAWalkUnderWayIsWalkedAgain(t *testing.T) {
	r := standard(t, func(c *Config) { c.Walkers = 1 })
	s := r.space(1)
	r.touch(s, 0, 2)
	for op := range uint32(5) {
		_, _, ok := r.Translate(int64(op), s, 8*uint64(op), op)
		require.False(t, ok)
	}
	was, _ := s.frame(0)
	r.pager.Release(s.Guest.Table, page)
	r.pager.Release(s.Guest.Table, 0)
	require.NoError(t, r.pager.Touch(s.Guest.Table, page))
	r.Shootdown(s, 0)
	r.rest()
	is, _ := s.frame(0)
	require.NotEqual(t, was, is)
	require.Len(t, r.told, 5)
	for _, f := range r.told {
		require.Equal(t, is, f.Frame)
	}
	require.Equal(t, uint64(1), r.Stats().Walks)
	require.Equal(t, uint64(4), r.Stats().Merged)
	r.requireAccounts()
}
