package ftl

import (
	"hwsim/devices/flash"
	"hwsim/sim"
)

const (
	cacheWays  = 16 // associativity of the map cache
	entryBytes = 8  // of the map
)

// FTL is the state of a translation layer.
type FTL struct {
	config  Config
	flash   flash.Geometry // with superblocks, a die is a plane of these
	joined  uint32         // planes of a superblock; else 1
	logical uint32         // pages of the host; mapping pages follow them
	planeOf []uint32       // of runs of joined logical pages, repeating
	order   uint32         // len(planeOf)

	places  []uint32 // of logical pages: physical page + 1, 0 for none
	media   media
	planes  []plane
	blocks  []block
	clock   uint32 // the last version
	out     []Command
	rand    sim.Rand
	mapping mapping
	stats   Stats
}

// media is what a power cut leaves.
type media struct {
	records []record // of the pages, out of band
	fill    []uint16 // of the blocks: pages written or spoilt since the erase
	erases  []uint32 // of the blocks
	trimmed []uint32 // of logical pages: the version up to which they are trimmed; nil before the first trim
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
	moving int  // valid pages of the victim that are under way
	cold   bool // the victim's data are
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

// Stats counts a layer's work in pages, but for blocks collected, erased and
// levelled.
type Stats struct {
	HostWrites, Moved   uint64
	MapWrites           uint64 // mapping pages programmed, but for those moved
	Trims               uint64
	Levelled            uint64 // blocks moved because they were worn little
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
	return float64(s.Programmed()) / float64(s.HostWrites)
}

// Since returns what was counted after an earlier state of the counters.
func (s Stats) Since(was Stats) Stats {
	s.HostWrites -= was.HostWrites
	s.Moved -= was.Moved
	s.MapWrites -= was.MapWrites
	s.Trims -= was.Trims
	s.Levelled -= was.Levelled
	s.Collections -= was.Collections
	s.Erased -= was.Erased
	s.CacheHits -= was.CacheHits
	s.CacheMisses -= was.CacheMisses
	return s
}

// Programmed returns the pages programmed.
func (s Stats) Programmed() uint64 { return s.HostWrites + s.Moved + s.MapWrites }

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
		media:  media{records: make([]record, pages), fill: make([]uint16, blocks), erases: make([]uint32, blocks)},
		planes: make([]plane, g.AllPlanes()),
		blocks: make([]block, blocks),
		rand:   sim.NewRand(c.Seed),
	}
	f.mapping = newMapping(&c, f.logical, uint32(g.PageBytes))
	f.places = make([]uint32, f.logical+uint32(len(f.mapping.pages)))
	for i := range f.planes {
		f.planes[i] = plane{free: g.Blocks, user: noBlock, moved: noBlock, victim: noBlock}
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

// Stamp returns a new version, newer than all before.
func (f *FTL) Stamp() uint32 {
	f.clock++
	return f.clock
}

// Version returns that of what a logical page holds, 0 for nothing.
func (f *FTL) Version(logical uint32) uint32 {
	if p := f.places[logical]; p != 0 {
		return f.media.records[p-1].version
	}
	return 0
}

// Fill gives every logical page of an erased array a place, as if it had been
// written, and every mapping page.
func (f *FTL) Fill() {
	for p := range f.places {
		f.Assume(uint32(p))
	}
}

// Assume makes a logical page that was never written one that was, without a
// program. It reports false if the page's plane has no room.
func (f *FTL) Assume(logical uint32) bool {
	c, ok := f.write(logical, f.Stamp())
	if ok {
		f.programmed(c)
	}
	return ok
}

// Write returns the command that programs a logical page anew, as the version
// that Stamp gave when the write was accepted: of several, that with the newest
// counts, in whatever order they come and end. It reports false while the page's
// plane must first regain room.
func (f *FTL) Write(logical, version uint32) (Command, bool) {
	c, ok := f.write(logical, version)
	if ok {
		f.stats.HostWrites++
	}
	return c, ok
}

func (f *FTL) write(logical, version uint32) (Command, bool) {
	at := int(f.Plane(logical))
	p := &f.planes[at]
	if p.user == noBlock {
		if p.free <= f.config.Reserve {
			f.collect(at)
			return Command{}, false
		}
		p.user = f.takeFree(at, false)
		f.collect(at)
	}
	c := Command{Logical: logical, Version: version, Kind: flash.Program, Class: flash.User}
	c.Page = f.nextPage(at, &p.user)
	return c, true
}

// Trim makes a logical page one that was never written. Writes accepted before
// do not bring it back, nor does Recover: trims are taken to be logged.
func (f *FTL) Trim(logical uint32) {
	f.stats.Trims++
	if f.media.trimmed == nil {
		f.media.trimmed = make([]uint32, f.logical)
	}
	f.media.trimmed[logical] = f.Stamp()
	if p := f.places[logical]; p != 0 {
		f.blocks[(p-1)/uint32(f.flash.Pages)].valid--
		f.places[logical] = 0
		f.remember(logical)
	}
}

// Trimmed reports whether a version of a logical page was trimmed.
func (f *FTL) Trimmed(logical, version uint32) bool {
	return int(logical) < len(f.media.trimmed) && version <= f.media.trimmed[logical]
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

// takeFree opens the least worn free block of a plane or, for cold data, the
// most worn one.
func (f *FTL) takeFree(at int, cold bool) int {
	best := noBlock
	for i := range f.flash.Blocks {
		b := f.block(at, i)
		if f.blocks[b].state == free && (best == noBlock || f.media.erases[b] < f.media.erases[f.block(at, best)] != cold) {
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
		if c.Class == flash.Mapping {
			f.writeMap(c.Logical)
			return
		}
		f.move(c)
	case flash.Program:
		if f.programmed(c) {
			f.remember(c.Logical)
		}
	case flash.Erase:
		f.erased(c)
	}
}

// programmed makes a new page the place of its logical page, unless a newer
// version or a trim got there first, and reports whether it did.
func (f *FTL) programmed(c Command) bool {
	b := c.Page / uint32(f.flash.Pages)
	f.media.records[c.Page] = record{c.Logical + 1, c.Version, c.Moves}
	f.blocks[b].pending--
	counts := f.counts(c)
	if counts {
		if was := f.places[c.Logical]; was != 0 {
			f.blocks[(was-1)/uint32(f.flash.Pages)].valid--
		}
		f.place(c)
	}
	if c.Source != 0 {
		f.landed(int(b) / f.flash.Blocks)
	}
	return counts
}

// counts reports whether a page that was programmed is the newest of its
// logical page.
func (f *FTL) counts(c Command) bool {
	place := f.places[c.Logical]
	if c.Source != 0 {
		return place == c.Source
	}
	return c.Version > f.Version(c.Logical) && !f.Trimmed(c.Logical, c.Version)
}

func (f *FTL) place(c Command) {
	f.places[c.Logical] = c.Page + 1
	f.blocks[c.Page/uint32(f.flash.Pages)].valid++
}

// block returns the number in all of a plane's block.
func (f *FTL) block(plane, i int) int { return plane*f.flash.Blocks + i }

// first returns the first page of a plane's block.
func (f *FTL) first(plane, i int) uint32 { return uint32(f.block(plane, i)) * uint32(f.flash.Pages) }
