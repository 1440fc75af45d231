package pagetable

import (
	"errors"
	"fmt"
)

// Sizes of pages, as shifts.
const (
	Shift4K  = 12
	Shift64K = 16
	Shift2M  = 21
	Shift1G  = 30
)

const (
	MaxLevels  = 5
	EntryBytes = 8
	indexBits  = 9 // of a table's entries
	entries    = 1 << indexBits
)

// Entry is a page-table entry.
type Entry uint64

// Bits of an entry. Those of the counters are left to software by hardware.
const (
	present    Entry = 1 << 0
	large      Entry = 1 << 7 // a leaf above the lowest level
	contiguous Entry = 1 << 9 // one of sixteen that are a page
	frameMask  Entry = 1<<52 - 1<<12
	walksShift       = 52
	costShift        = 56
	counterMax       = CounterMax
)

// CounterMax is the most that a leaf's counters hold.
const CounterMax = 15

// Present reports whether the entry maps anything.
func (e Entry) Present() bool { return e&present != 0 }

// Large reports whether the entry is a leaf above the lowest level.
func (e Entry) Large() bool { return e&large != 0 }

// Contiguous reports whether the entry is one of sixteen that are a page.
func (e Entry) Contiguous() bool { return e&contiguous != 0 }

// Frame returns the physical address of the page or table.
func (e Entry) Frame() uint64 { return uint64(e & frameMask) }

// Walks returns how many walks the entry has been the end of, and Cost how
// many of them went to DRAM; both stop at the counters' most.
func (e Entry) Walks() int { return int(e >> walksShift & counterMax) }

// Cost is described at Walks.
func (e Entry) Cost() int { return int(e >> costShift & counterMax) }

// Count adds a walk to the entry's counters, which stop at most so many.
func (e *Entry) Count(dram bool, mostWalks, mostCost int) {
	if e.Walks() < mostWalks {
		*e += 1 << walksShift
	}
	if dram && e.Cost() < mostCost {
		*e += 1 << costShift
	}
}

// node is a table. Those of the lowest level have no children.
type node struct {
	addr     uint64 // physical
	entries  [entries]Entry
	children *[entries]*node
	used     int
}

// Table is the page table of one address space.
type Table struct {
	levels int
	root   *node
	frames Frames
	tables int
}

// Frames hands out the frames that tables take up.
type Frames interface {
	// Take returns the physical address of a free 4 KiB frame, and false if there
	// is none.
	Take() (addr uint64, ok bool)
	// Give takes one back.
	Give(addr uint64)
}

// New returns an empty table of four or five levels.
func New(levels int, frames Frames) (*Table, error) {
	if levels < 3 || levels > MaxLevels {
		return nil, fmt.Errorf("pagetable: %d levels: want 3 to %d", levels, MaxLevels)
	}
	t := &Table{levels: levels, frames: frames}
	root, err := t.newNode(levels > 1)
	t.root = root
	return t, err
}

func (t *Table) newNode(inner bool) (*node, error) {
	addr, ok := t.frames.Take()
	if !ok {
		return nil, ErrNoMemory
	}
	n := &node{addr: addr}
	if inner {
		n.children = new([entries]*node)
	}
	t.tables++
	return n, nil
}

// ErrNoMemory says that no frame is left.
var ErrNoMemory = errors.New("no frame is left")

// Levels returns how many levels the table has.
func (t *Table) Levels() int { return t.levels }

// Bytes returns the memory that the tables take up.
func (t *Table) Bytes() uint64 { return uint64(t.tables) << Shift4K }

// LevelShift returns the bits of an address below those that choose an entry
// on a level, the lowest being 1.
func LevelShift(level int) uint8 { return uint8(Shift4K + indexBits*(level-1)) }

// leafLevel returns the level whose entries map pages of a size.
func leafLevel(shift uint8) int {
	switch shift {
	case Shift2M:
		return 2
	case Shift1G:
		return 3
	}
	return 1
}

func index(va uint64, level int) int { return int(va>>LevelShift(level)) & (entries - 1) }

// canonical reports whether va is an address of the space.
func (t *Table) canonical(va uint64) bool { return va>>LevelShift(t.levels+1) == 0 }

// Map maps the page of 1<<shift bytes at va to the frame at pa. Both are
// multiples of its size, and nothing of it is mapped.
func (t *Table) Map(va, pa uint64, shift uint8) error {
	mask := uint64(1)<<shift - 1
	if shift != Shift4K && shift != Shift64K && shift != Shift2M && shift != Shift1G {
		return fmt.Errorf("pagetable: page of 2^%d bytes: want 4 KiB, 64 KiB, 2 MiB or 1 GiB", shift)
	}
	if va&mask != 0 || pa&mask != 0 || !t.canonical(va) || pa>>52 != 0 {
		return fmt.Errorf("pagetable: page %#x at %#x of 2^%d bytes: not aligned, or beyond the address space", va, pa, shift)
	}
	level := leafLevel(shift)
	n := t.root
	for l := t.levels; l > level; l-- {
		next, err := t.child(n, index(va, l), l)
		if err != nil {
			return err
		}
		n = next
	}
	return n.fill(va, pa, shift, level)
}

// child returns the table below an entry on a level, made where there is none.
func (t *Table) child(n *node, i, level int) (*node, error) {
	switch {
	case n.entries[i]&large != 0:
		return nil, fmt.Errorf("pagetable: a larger page is mapped there")
	case n.children[i] != nil:
		return n.children[i], nil
	}
	c, err := t.newNode(level > 2)
	if err != nil {
		return nil, err
	}
	n.children[i], n.entries[i] = c, Entry(c.addr)|present
	n.used++
	return c, nil
}

// fill writes the leaf entries of a page.
func (n *node) fill(va, pa uint64, shift uint8, level int) error {
	flags, count := present, 1
	switch {
	case level > 1:
		flags |= large
	case shift == Shift64K:
		flags, count = flags|contiguous, 1<<(Shift64K-Shift4K)
	}
	i := index(va, level)
	for k := range count {
		if n.entries[i+k].Present() {
			return fmt.Errorf("pagetable: %#x is mapped", va)
		}
	}
	for k := range count {
		n.entries[i+k] = Entry(pa+uint64(k)<<Shift4K) | flags
	}
	n.used += count
	return nil
}

// Path is what a walk for an address reads: an entry of each level.
type Path struct {
	Addr   [MaxLevels + 1]uint64 // physical address of the entry on a level; of those not reached 0
	Leaf   *Entry                // nil where nothing is mapped
	Level  int                   // of the leaf
	Shift  uint8                 // of the page
	Levels int
}

// Frame returns the physical address of the page, which is mapped.
func (p *Path) Frame() uint64 { return p.Leaf.Frame() &^ (1<<p.Shift - 1) }

// Walk follows the table for an address.
func (t *Table) Walk(va uint64) Path {
	p := Path{Levels: t.levels}
	if !t.canonical(va) {
		return p
	}
	n := t.root
	for l := t.levels; ; l-- {
		i := index(va, l)
		p.Addr[l] = n.addr + uint64(i)*EntryBytes
		e := &n.entries[i]
		switch {
		case !e.Present():
			return p
		case l == 1 || *e&large != 0:
			p.Leaf, p.Level, p.Shift = e, l, LevelShift(l)
			if *e&contiguous != 0 {
				p.Shift = Shift64K
			}
			return p
		}
		n = n.children[i]
	}
}

// Cluster returns the eight entries whose line holds the leaf of the address's
// page, and the first address that they map.
func (t *Table) Cluster(va uint64, level int) (leaves *[8]Entry, first uint64) {
	n := t.root
	for l := t.levels; l > level; l-- {
		if n = n.children[index(va, l)]; n == nil {
			return nil, 0
		}
	}
	i := index(va, level) &^ 7
	return (*[8]Entry)(n.entries[i:]), va >> (LevelShift(level) + 3) << (LevelShift(level) + 3)
}

// Unmap removes the page that va lies in, and returns its frame and size; ok
// is false if there is none. Tables that are empty go back.
func (t *Table) Unmap(va uint64) (pa uint64, shift uint8, ok bool) {
	p := t.Walk(va)
	if p.Leaf == nil {
		return 0, 0, false
	}
	pa, shift = p.Frame(), p.Shift
	t.remove(t.root, va, t.levels, p.Level, shift)
	return pa, shift, true
}

func (t *Table) remove(n *node, va uint64, level, leaf int, shift uint8) {
	i := index(va, level)
	if level == leaf {
		count := 1
		if shift == Shift64K {
			count = 1 << (Shift64K - Shift4K)
			i &^= count - 1
		}
		clear(n.entries[i : i+count])
		n.used -= count
		return
	}
	c := n.children[i]
	t.remove(c, va, level-1, leaf, shift)
	if c.used == 0 {
		t.frames.Give(c.addr)
		t.tables--
		n.children[i], n.entries[i] = nil, 0
		n.used--
	}
}
