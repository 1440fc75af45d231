package mmu

import (
	"hwsim/devices/pagetable"
	"hwsim/devices/tlb"
)

// pageShifts are the sizes of pages, the most common first.
var pageShifts = [...]uint8{pagetable.Shift4K, pagetable.Shift2M, pagetable.Shift64K, pagetable.Shift1G}

// Dimension is a page table and the memory management that fills it.
type Dimension struct {
	Table *pagetable.Table
	Pager *pagetable.Pager
}

// walk returns what a walk for an address reads, whose page is mapped if it was
// not.
func (d *Dimension) walk(addr uint64) (pagetable.Path, error) {
	p := d.Table.Walk(addr)
	if p.Leaf != nil {
		return p, nil
	}
	if err := d.Pager.Fault(d.Table, addr); err != nil {
		return p, err
	}
	return d.Table.Walk(addr), nil
}

// Space is an address space.
type Space struct {
	ID    uint16     // below 2048
	Guest Dimension  // its own table
	Host  *Dimension // of a virtual machine: translates what Guest's frames and tables have as addresses
	VM    uint16     // whose guest-physical addresses these are; below 2048
}

// nestedSpaces is where keys of guest-physical addresses begin.
const nestedSpaces = 2048

func (s *Space) key(va uint64, shift uint8) uint64 { return tlb.Key(s.ID, va, shift) }

func (s *Space) nestedKey(gpa uint64, shift uint8) uint64 {
	return tlb.Key(nestedSpaces+s.VM, gpa, shift)
}

// sizes is a set of page sizes, by their place in pageShifts.
type sizes uint8

func (z *sizes) add(shift uint8) {
	for i, s := range pageShifts {
		if s == shift {
			*z |= 1 << i
		}
	}
}

// largest returns the largest size in the set, 0 of none.
func (z sizes) largest() (shift uint8) {
	for i, s := range pageShifts {
		if z>>i&1 == 1 {
			shift = max(shift, s)
		}
	}
	return shift
}

// after returns the size in the set that comes after another, in the order of
// pageShifts.
func (z sizes) after(shift uint8) (next uint8, ok bool) {
	past := false
	for i, s := range pageShifts {
		if past && z>>i&1 == 1 {
			return s, true
		}
		past = past || s == shift
	}
	return 0, false
}

// translations is a TLB level's store. It is looked up for every page size that
// it holds and that is in use.
type translations struct {
	array  *tlb.Array[uint64] // frames
	cycles int64
	holds  sizes
}

func newTranslations(c *TLBConfig) translations {
	t := translations{array: tlb.NewArray[uint64](c.Config), cycles: c.Cycles, holds: 1<<len(pageShifts) - 1}
	if len(c.PageBytes) > 0 {
		t.holds = 0
		for i, s := range pageShifts {
			for _, b := range c.PageBytes {
				if b == 1<<s {
					t.holds |= 1 << i
				}
			}
		}
	}
	return t
}

// find returns the frame of addr's page and its size.
func (t *translations) find(space uint16, addr uint64, used sizes) (frame uint64, shift uint8, ok bool) {
	for z, i := t.holds&used, 0; z != 0; z, i = z>>1, i+1 {
		if z&1 == 0 {
			continue
		}
		shift = pageShifts[i]
		if frame, ok = t.array.Find(tlb.Key(space, addr, shift)); ok {
			return frame, shift, true
		}
	}
	return 0, 0, false
}

// takes reports whether the TLB holds pages of a size.
func (t *translations) takes(shift uint8) bool {
	for i, s := range pageShifts {
		if s == shift {
			return t.holds>>i&1 == 1
		}
	}
	return false
}

// drop drops the translation of addr's page, of whatever size.
func (t *translations) drop(space uint16, addr uint64) (n int) {
	for _, s := range pageShifts {
		if t.array.Remove(tlb.Key(space, addr, s)) {
			n++
		}
	}
	return n
}
