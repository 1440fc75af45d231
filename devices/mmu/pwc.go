package mmu

import (
	"hwsim/devices/pagetable"
	"hwsim/devices/tlb"
)

// walkCaches are the page-walk caches of one dimension. What one holds is the
// address, as memory knows it, of the table that an entry leads to.
type walkCaches struct {
	cfg   PWCConfig
	level [pagetable.MaxLevels + 1]*tlb.Array[struct{}] // nil: none
	stats *[pagetable.MaxLevels + 1]PWCStats
}

// PWCStats counts the lookups of a page-walk cache.
type PWCStats struct{ Hits, Misses uint64 }

func newWalkCaches(c *PWCConfig, stats *[pagetable.MaxLevels + 1]PWCStats) walkCaches {
	w := walkCaches{cfg: *c, stats: stats}
	for i, n := range c.Entries {
		w.level[i+2] = tlb.NewArray[struct{}](tlb.Config{Entries: n, Ways: c.Ways})
	}
	return w
}

// climb is a walk of one dimension on its way down.
type climb struct {
	path  pagetable.Path
	space uint16
	addr  uint64
	level int  // of the entry to be read next
	known bool // that entry's table was found in a page-walk cache
}

// begin returns a walk at the first entry that it reads, and what the lookups
// took.
func (w *walkCaches) begin(space uint16, addr uint64, path *pagetable.Path) (c climb, cycles int64) {
	c = climb{path: *path, space: space, addr: addr, level: path.Levels}
	if w.cfg.InTurn {
		return c, w.skip(&c)
	}
	for l := path.Level + 1; l <= path.Levels; l++ {
		if w.level[l] == nil {
			continue
		}
		if w.hit(&c, l) {
			c.level, c.known = l-1, true
			if w.cfg.Rereads {
				c.level = l
			}
			return c, w.cfg.Cycles
		}
	}
	return c, 0
}

// next moves on from an entry that has been read, and returns what lookups took.
func (w *walkCaches) next(c *climb) (cycles int64) {
	if a := w.level[c.level]; a != nil {
		a.Insert(tlb.Key(c.space, c.addr, pagetable.LevelShift(c.level)), struct{}{})
	}
	c.level--
	c.known = false
	if w.cfg.InTurn {
		return w.skip(c)
	}
	return 0
}

// skip passes the levels, from the walk's on, whose caches hit.
func (w *walkCaches) skip(c *climb) (cycles int64) {
	for c.level > c.path.Level && w.level[c.level] != nil && w.hit(c, c.level) {
		cycles += w.cfg.Cycles
		c.level--
		c.known = true
	}
	return cycles
}

func (w *walkCaches) hit(c *climb, level int) bool {
	s := &w.stats[level]
	if w.level[level].Lookup(tlb.Key(c.space, c.addr, pagetable.LevelShift(level))) {
		s.Hits++
		return true
	}
	s.Misses++
	return false
}

// last reports whether the entry to be read next is the leaf.
func (c *climb) last() bool { return c.level == c.path.Level }

// entry returns the address of the entry to be read next.
func (c *climb) entry() uint64 { return c.path.Addr[c.level] }

// clear drops all.
func (w *walkCaches) clear() {
	for _, a := range w.level {
		if a != nil {
			a.Clear()
		}
	}
}
