package pagetable

import (
	"fmt"
	"math/bits"

	"hwsim/devices"
	"hwsim/sim"
)

// PagerConfig describes the memory that pages come from and which sizes they
// have.
type PagerConfig struct {
	MemoryBytes uint64  `toml:"memory_bytes"` // bytes of physical memory, 2 MiB to 64 TiB
	WholeShare  float64 `toml:"whole_share"`  // share of the memory that lies in whole 2 MiB stretches; the rest is fragmented
	HugeShare   float64 `toml:"huge_share"`   // share of the address space's 2 MiB stretches that ask for 2 MiB pages
	PageBytes   uint64  `toml:"page_bytes"`   // of the other pages: 4096 (default) or 65536
	Scatter     bool    `toml:"scatter"`      // those pages' frames come in random order, else in rising
	FaultBytes  uint64  `toml:"fault_bytes"`  // aligned stretches of so much are mapped at their first touch; 0: the page
	RunBytes    uint64  `toml:"run_bytes"`    // aligned stretches of so much have frames in a row; 0: a page
}

// Validate reports values that no memory has.
func (c *PagerConfig) Validate(report func(key, message string)) {
	if c.MemoryBytes < 1<<Shift2M || c.MemoryBytes > 1<<46 {
		report("memory_bytes", "must be 2 MiB to 64 TiB")
	}
	if c.WholeShare < 0 || c.WholeShare > 1 {
		report("whole_share", "must be 0 to 1")
	}
	if c.HugeShare < 0 || c.HugeShare > 1 {
		report("huge_share", "must be 0 to 1")
	}
	if c.PageBytes != 0 && c.PageBytes != 1<<Shift4K && c.PageBytes != 1<<Shift64K {
		report("page_bytes", "must be 4096 or 65536")
	}
	if !c.stretch(c.FaultBytes) {
		report("fault_bytes", "must be a power of two from a page to 2 MiB")
	}
	if !c.stretch(c.RunBytes) {
		report("run_bytes", "must be a power of two from a page to 2 MiB")
	}
}

// stretch reports whether bytes are 0 or a stretch of pages.
func (c *PagerConfig) stretch(bytes uint64) bool {
	return bytes == 0 || bytes >= max(c.PageBytes, 1<<Shift4K) && bytes <= 1<<Shift2M && bytes&(bytes-1) == 0
}

// Pager is an operating system's memory management for the address spaces of
// one machine, or of one guest.
type Pager struct {
	cfg   PagerConfig
	shift uint8             // of the small pages
	run   uint8             // of the runs that their frames come in
	runs  map[runKey]uint64 // frames of the runs in use; nil: a run is a page
	small zone              // frames of 1<<shift
	whole zone              // frames of 2 MiB
	table zone              // frames of 4 KiB for tables
	seed  uint64
}

// NewPager returns a pager of free memory. Tables have a part of their own,
// twice what mapping all of the memory densely takes.
func NewPager(c PagerConfig, seed uint64) *Pager {
	p := &Pager{cfg: c, shift: Shift4K, seed: devices.Mix(seed + 1)}
	if c.PageBytes == 1<<Shift64K {
		p.shift = Shift64K
	}
	p.run = p.shift
	if c.RunBytes > 1<<p.shift {
		p.run, p.runs = uint8(bits.TrailingZeros64(c.RunBytes)), map[runKey]uint64{}
	}
	stretches := c.MemoryBytes >> Shift2M
	tables := stretches/256 + 1 // a table of 4 KiB for 2 MiB, twice
	whole := uint64(c.WholeShare * float64(stretches))
	whole = min(whole, stretches-min(stretches, tables))
	rest := stretches - min(stretches, tables) - whole
	p.table = newZone(0, tables<<Shift2M, Shift4K, false, 0)
	p.whole = newZone(tables<<Shift2M, whole<<Shift2M, Shift2M, false, 0)
	p.small = newZone((tables+whole)<<Shift2M, rest<<Shift2M, p.run, c.Scatter, seed)
	return p
}

// Take implements Frames.
func (p *Pager) Take() (uint64, bool) { return p.table.take() }

// Give implements Frames.
func (p *Pager) Give(addr uint64) { p.table.give(addr) }

// Touch maps the page that va lies in unless it is mapped.
func (p *Pager) Touch(t *Table, va uint64) error {
	if path := t.Walk(va); path.Leaf != nil {
		return nil
	}
	return p.Fault(t, va)
}

// Fault maps the page that va lies in, which is not mapped.
func (p *Pager) Fault(t *Table, va uint64) error {
	if p.huge(va) {
		if pa, ok := p.whole.take(); ok {
			if t.Map(va&^(1<<Shift2M-1), pa, Shift2M) == nil {
				return nil
			}
			p.whole.give(pa) // small pages of it are mapped already
		}
	}
	stretch := max(p.cfg.FaultBytes, 1<<p.shift)
	for at := va &^ (stretch - 1); at <= va|(stretch-1); at += 1 << p.shift {
		if path := t.Walk(at); path.Leaf != nil {
			continue // was not released
		}
		pa, ok := p.frame(t, at)
		if !ok {
			return fmt.Errorf("pagetable: %d bytes of memory are full: %w", p.cfg.MemoryBytes, ErrNoMemory)
		}
		if err := t.Map(at, pa, p.shift); err != nil {
			return err
		}
	}
	return nil
}

// runKey names a run of pages.
type runKey struct {
	table  *Table
	number uint64
}

// frame returns the frame of a small page: its place in its run's frames, which are
// taken all at once and kept.
func (p *Pager) frame(t *Table, va uint64) (uint64, bool) {
	if p.runs == nil {
		return p.take()
	}
	key := runKey{t, va >> p.run}
	pa, ok := p.runs[key]
	if !ok {
		if pa, ok = p.take(); ok {
			p.runs[key] = pa
		}
	}
	return pa | va&(1<<p.run-1), ok
}

// take takes a run of frames, of a whole stretch when all else is taken.
func (p *Pager) take() (uint64, bool) {
	if pa, ok := p.small.take(); ok {
		return pa, true
	}
	pa, ok := p.whole.take()
	if !ok {
		return 0, false
	}
	for at := uint64(1)<<Shift2M - 1<<p.run; at > 0; at -= 1 << p.run {
		p.small.give(pa + at)
	}
	return pa, true
}

// huge reports whether the stretch that va lies in asks for a large page: its
// number's hash decides, so that it does not depend on the order of touches.
func (p *Pager) huge(va uint64) bool {
	return p.cfg.HugeShare > 0 && float64(devices.Mix(va>>Shift2M^p.seed)>>11) < p.cfg.HugeShare*(1<<53)
}

// Release unmaps the page that va lies in and takes its frame back.
func (p *Pager) Release(t *Table, va uint64) bool {
	pa, shift, ok := t.Unmap(va)
	if !ok {
		return false
	}
	switch {
	case shift == Shift2M:
		p.whole.give(pa)
	case p.runs == nil:
		p.small.give(pa)
	}
	return true
}

// zone hands out equal frames of a stretch of memory, those given back first.
type zone struct {
	base   uint64
	shift  uint8
	count  uint64
	next   uint64
	order  permutation
	random bool
	free   []uint64
}

func newZone(base, bytes uint64, shift uint8, random bool, seed uint64) zone {
	z := zone{base: base, shift: shift, count: bytes >> shift, random: random}
	if random {
		z.order = newPermutation(z.count, seed)
	}
	return z
}

func (z *zone) take() (uint64, bool) {
	if n := len(z.free); n > 0 {
		addr := z.free[n-1]
		z.free = z.free[:n-1]
		return addr, true
	}
	if z.next == z.count {
		return 0, false
	}
	n := z.next
	z.next++
	if z.random {
		n = z.order.of(n)
	}
	return z.base + n<<z.shift, true
}

func (z *zone) give(addr uint64) { z.free = append(z.free, addr) }

// permutation puts the numbers below n in a random order: a Feistel network
// over the next power of four, whose results beyond n are put in again.
type permutation struct {
	n    uint64
	half uint
	keys [4]uint64
}

func newPermutation(n, seed uint64) permutation {
	p := permutation{n: n, half: 1}
	for n > 1<<(2*p.half) {
		p.half++
	}
	r := sim.NewRand(seed)
	for i := range p.keys {
		p.keys[i] = r.Uint64()
	}
	return p
}

func (p *permutation) of(i uint64) uint64 {
	mask := uint64(1)<<p.half - 1
	for {
		l, r := i>>p.half, i&mask
		for _, k := range p.keys {
			l, r = r, l^devices.Mix(r+k)&mask
		}
		if i = l<<p.half | r; i < p.n {
			return i
		}
	}
}
