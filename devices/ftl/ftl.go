package ftl

import (
	"hwsim/devices/flash"
	"hwsim/devices/tlb"
	"hwsim/sim"
)

// cacheWays is the associativity of the map cache.
const cacheWays = 16

// FTL is the state of a translation layer.
type FTL struct {
	config  Config
	flash   flash.Geometry // with superblocks, a die is a plane of these
	joined  uint32         // planes of a superblock; else 1
	logical uint32
	planeOf []uint32 // of runs of joined logical pages, repeating
	order   uint32   // len(planeOf)

	places []uint32 // of logical pages: physical page + 1, 0 for none
	media  media
	planes []plane
	blocks []block
	clock  uint32 // the last version
	out    []Command
	rand   sim.Rand
	cache  *tlb.Array[struct{}]
	stats  Stats
}

// media is what a power cut leaves.
type media struct {
	records []record // of the pages, out of band
	fill    []uint16 // of the blocks: pages written or spoilt since the erase
	erases  []uint32 // of the blocks
}

// record is what a page says of itself.
type record struct {
	logical uint32 // + 1; 0: nothing is programmed here
	version uint32
	moves   uint32 // by collection, of this version
}

// block is what memory knows of a block.
type block struct {
	valid   uint16 // pages that the map leads to
	pending uint16 // pages being programmed
	state   state
}

type state uint8

const (
	free state = iota
	open
	closed
	collected // being emptied and erased
)

const noBlock = -1

type plane struct {
	free   int
	user   int // open block for the host, of the plane
	moved  int // that for collection
	victim int
	moving int // valid pages of the victim that are under way
}

// Command is an operation of the flash and what it is for. It goes to the
// flash and comes back with Complete.
type Command struct {
	Page    uint32 // physical
	Logical uint32
	Version uint32
	Source  uint32 // of a page that is moved: where it was, + 1
	Moves   uint32
	Kind    flash.Kind
	Class   flash.Class
}

// Stats counts a layer's work in pages, but for the blocks erased.
type Stats struct {
	HostWrites, Moved   uint64
	Collections, Erased uint64
	CacheHits           uint64
	CacheMisses         uint64
}

// Amplification returns the pages programmed for each page that the host has
// written, 0 before the first.
func (s Stats) Amplification() float64 {
	if s.HostWrites == 0 {
		return 0
	}
	return float64(s.HostWrites+s.Moved) / float64(s.HostWrites)
}

// New returns the layer of an erased array of flash.
func New(c Config, g flash.Geometry) (*FTL, error) {
	if err := c.fit(&g); err != nil {
		return nil, err
	}
	joined := 1
	if c.Superblock {
		joined = g.Planes
		g.Planes, g.Pages = 1, g.Pages*joined
	}
	blocks := g.AllPlanes() * g.Blocks
	pages := uint64(blocks) * uint64(g.Pages)
	f := &FTL{
		config: c, flash: g, joined: uint32(joined), logical: uint32(float64(pages) * (1 - c.OverProvision)),
		planeOf: c.planes(&g), order: uint32(g.AllPlanes()),
		media:  media{make([]record, pages), make([]uint16, blocks), make([]uint32, blocks)},
		planes: make([]plane, g.AllPlanes()),
		blocks: make([]block, blocks),
		rand:   sim.NewRand(c.Seed),
	}
	f.places = make([]uint32, f.logical)
	for i := range f.planes {
		f.planes[i] = plane{free: g.Blocks, user: noBlock, moved: noBlock, victim: noBlock}
	}
	if c.CacheEntries > 0 {
		f.cache = tlb.NewArray[struct{}](tlb.Config{Entries: c.CacheEntries, Ways: cacheWays, Hashed: true})
	}
	return f, nil
}

// LogicalPages returns how many pages the host sees.
func (f *FTL) LogicalPages() uint32 { return f.logical }

// Stats returns the counters.
func (f *FTL) Stats() Stats { return f.stats }

// Find returns the layer's number of the physical page that holds a logical one, if any does.
func (f *FTL) Find(logical uint32) (page uint32, ok bool) {
	p := f.places[logical]
	return p - 1, p != 0
}

// Plane returns the plane, or die with superblocks, that a logical page
// belongs to.
func (f *FTL) Plane(logical uint32) uint32 { return f.planeOf[logical/f.joined%f.order] }

// PlaneOf returns the plane that a physical page lies in.
func (f *FTL) PlaneOf(page uint32) uint32 { return page / uint32(f.flash.PlanePages()) }

// Flash returns the flash's number of a page. A superblock's pages lie in its
// planes in turn.
func (f *FTL) Flash(page uint32) uint32 {
	if f.joined == 1 {
		return page
	}
	inBlock, block := page%uint32(f.flash.Pages), page/uint32(f.flash.Pages)
	die, i := block/uint32(f.flash.Blocks), block%uint32(f.flash.Blocks)
	plane := die*f.joined + inBlock%f.joined
	return (plane*uint32(f.flash.Blocks)+i)*(uint32(f.flash.Pages)/f.joined) + inBlock/f.joined
}

// Joined returns how many blocks of the flash an erase is of: those of its
// page and the pages after it, one each.
func (f *FTL) Joined() uint32 { return f.joined }

// Cached reports whether the map's entry of a logical page is in memory, and
// brings it there. If not, page is the mapping page to read first.
func (f *FTL) Cached(logical uint32) (page uint32, ok bool) {
	if f.cache == nil {
		return 0, true
	}
	key := tlb.Key(1, uint64(logical)<<1, 1)
	if f.cache.Lookup(key) {
		f.stats.CacheHits++
		return 0, true
	}
	f.stats.CacheMisses++
	f.cache.Insert(key, struct{}{})
	const entryBytes = 8
	n := logical / uint32(f.flash.PageBytes/entryBytes)
	return f.first(int(f.planeOf[n%f.order]), 0) + n/f.order%uint32(f.flash.Pages), false
}

// Assume makes a logical page that was never written one that was, without a
// program. It reports false if the page's plane has no room.
func (f *FTL) Assume(logical uint32) bool {
	c, ok := f.write(logical)
	if ok {
		f.Complete(c)
	}
	return ok
}

// Write returns the command that programs a logical page anew. It reports
// false while the page's plane must first regain room.
func (f *FTL) Write(logical uint32) (Command, bool) {
	c, ok := f.write(logical)
	if ok {
		f.stats.HostWrites++
	}
	return c, ok
}

func (f *FTL) write(logical uint32) (Command, bool) {
	at := int(f.Plane(logical))
	p := &f.planes[at]
	if p.user == noBlock {
		if p.free <= f.config.Reserve {
			f.collect(at)
			return Command{}, false
		}
		p.user = f.takeFree(at)
		f.collect(at)
	}
	f.clock++
	c := Command{Logical: logical, Version: f.clock, Kind: flash.Program, Class: flash.User}
	c.Page = f.nextPage(at, &p.user)
	return c, true
}

// nextPage takes the next page of a plane's open block, which it closes when
// that was the last.
func (f *FTL) nextPage(at int, open *int) uint32 {
	b := f.block(at, *open)
	page := f.first(at, *open) + uint32(f.media.fill[b])
	f.media.fill[b]++
	f.blocks[b].pending++
	if int(f.media.fill[b]) == f.flash.Pages {
		f.blocks[b].state = closed
		*open = noBlock
	}
	return page
}

// takeFree opens the least worn free block of a plane.
func (f *FTL) takeFree(at int) int {
	best := noBlock
	for i := range f.flash.Blocks {
		b := f.block(at, i)
		if f.blocks[b].state == free && (best == noBlock || f.media.erases[b] < f.media.erases[f.block(at, best)]) {
			best = i
		}
	}
	if best == noBlock {
		panic("ftl: collection has used up its reserve")
	}
	f.blocks[f.block(at, best)].state = open
	f.planes[at].free--
	return best
}

// Commands returns what collection wants of the flash since Taken.
func (f *FTL) Commands() []Command { return f.out }

// Taken forgets the commands.
func (f *FTL) Taken() { f.out = f.out[:0] }

// Complete tells that a command has ended.
func (f *FTL) Complete(c Command) {
	switch c.Kind {
	case flash.Read:
		f.move(c)
	case flash.Program:
		f.programmed(c)
	case flash.Erase:
		f.erased(c)
	}
}

// programmed makes a new page the place of its logical page, unless a newer
// version got there first.
func (f *FTL) programmed(c Command) {
	b := c.Page / uint32(f.flash.Pages)
	f.media.records[c.Page] = record{c.Logical + 1, c.Version, c.Moves}
	f.blocks[b].pending--
	switch place := f.places[c.Logical]; {
	case place == 0:
		f.place(c)
	case c.Source != 0 && place == c.Source, c.Source == 0 && c.Version > f.media.records[place-1].version:
		f.blocks[(place-1)/uint32(f.flash.Pages)].valid--
		f.place(c)
	}
	if c.Source != 0 {
		f.landed(int(b) / f.flash.Blocks)
	}
}

func (f *FTL) place(c Command) {
	f.places[c.Logical] = c.Page + 1
	f.blocks[c.Page/uint32(f.flash.Pages)].valid++
}

// block returns the number in all of a plane's block.
func (f *FTL) block(plane, i int) int { return plane*f.flash.Blocks + i }

// first returns the first page of a plane's block.
func (f *FTL) first(plane, i int) uint32 { return uint32(f.block(plane, i)) * uint32(f.flash.Pages) }
