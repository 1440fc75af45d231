package ftl

import "hwsim/devices/flash"

// collect starts to empty a block of a plane that is short of free ones and
// does not yet.
func (f *FTL) collect(at int) {
	p := &f.planes[at]
	short := float64(p.free) < f.config.Threshold*float64(f.flash.Blocks) || p.free <= f.config.Reserve
	if !short || p.victim != noBlock {
		return
	}
	if v := f.choose(at); v != noBlock {
		f.empty(at, v, false)
	}
}

// empty moves all that a block of a plane holds, and erases it.
func (f *FTL) empty(at, v int, cold bool) {
	p := &f.planes[at]
	p.victim, p.cold = v, cold
	b := f.block(at, v)
	f.blocks[b].state = collected
	f.stats.Collections++
	if f.blocks[b].valid == 0 {
		f.eraseVictim(at)
		return
	}
	first := f.first(at, v)
	for page := first; page < first+uint32(f.flash.Pages); page++ {
		r := f.media.records[page]
		if r.logical != 0 && f.places[r.logical-1] == page+1 {
			p.moving++
			f.out = append(f.out, Command{Page: page, Logical: r.logical - 1, Version: r.version, Moves: r.moves + 1,
				Source: page + 1, Kind: flash.Read, Class: f.class(p)})
		}
	}
}

// class returns how a plane's collection ranks against the host.
func (f *FTL) class(p *plane) flash.Class {
	if f.config.Preemptible && p.free > f.config.Reserve {
		return flash.Collect
	}
	return flash.Urgent
}

// choose returns the block of a plane that is best to collect, or noBlock.
func (f *FTL) choose(at int) int {
	best, least := noBlock, uint16(f.flash.Pages)
	consider := func(i int) {
		b := &f.blocks[f.block(at, i)]
		if b.state == closed && b.pending == 0 && b.valid < least {
			best, least = i, b.valid
		}
	}
	if f.config.Collect == "random_greedy" {
		for range f.config.Drawn {
			consider(f.rand.IntN(f.flash.Blocks))
		}
		if best != noBlock {
			return best
		}
	}
	for i := range f.flash.Blocks {
		consider(i)
	}
	return best
}

// move writes a page of a victim that has been read to its new place. One
// that the host has written anew meanwhile need not be.
func (f *FTL) move(c Command) {
	at := int(c.Page) / f.flash.PlanePages()
	if f.places[c.Logical] != c.Source {
		f.landed(at)
		return
	}
	p := &f.planes[at]
	if p.moved == noBlock {
		p.moved = f.takeFree(at, p.cold)
	}
	f.stats.Moved++
	c.Kind, c.Class = flash.Program, f.class(p)
	c.Page = f.nextPage(at, &p.moved)
	f.out = append(f.out, c)
}

// landed notes that a valid page of a victim is safe elsewhere.
func (f *FTL) landed(at int) {
	p := &f.planes[at]
	if p.moving--; p.moving == 0 {
		f.eraseVictim(at)
	}
}

func (f *FTL) eraseVictim(at int) {
	p := &f.planes[at]
	f.out = append(f.out, Command{Page: f.first(at, p.victim), Kind: flash.Erase, Class: f.class(p)})
}

// erased frees a block, and goes on if the plane is still short.
func (f *FTL) erased(c Command) {
	b := int(c.Page) / f.flash.Pages
	at := b / f.flash.Blocks
	clear(f.media.records[c.Page : c.Page+uint32(f.flash.Pages)])
	f.media.fill[b] = 0
	f.media.erases[b]++
	f.blocks[b].state = free
	f.stats.Erased++
	f.planes[at].free++
	f.planes[at].victim = noBlock
	f.retryMaps(at)
	f.level(at)
	f.collect(at)
}

// level moves the least worn block of a plane that holds data, if it is worn so
// much less than the most worn one that its data must be cold: the host then
// wears it as well. It may need a free block until it has freed that.
func (f *FTL) level(at int) {
	p := &f.planes[at]
	if f.config.WearSpread == 0 || p.victim != noBlock || p.free < 2 {
		return
	}
	cold, most := noBlock, uint32(0)
	for i := range f.flash.Blocks {
		b := f.block(at, i)
		most = max(most, f.media.erases[b])
		if f.blocks[b].state == closed && f.blocks[b].pending == 0 &&
			(cold == noBlock || f.media.erases[b] < f.media.erases[f.block(at, cold)]) {
			cold = i
		}
	}
	if cold != noBlock && most-f.media.erases[f.block(at, cold)] > uint32(f.config.WearSpread) {
		f.stats.Levelled++
		f.empty(at, cold, true)
	}
}

// Spoil erases a block in part: nothing can be read of it, and it must be erased
// again before it is written. A power cut does this to a block that is being
// erased.
func (f *FTL) Spoil(c Command) {
	clear(f.media.records[c.Page : c.Page+uint32(f.flash.Pages)])
}

// Wear returns the least and the most erases of any block, and all.
func (f *FTL) Wear() (least, most uint32, total uint64) {
	least = ^uint32(0)
	for _, n := range f.media.erases {
		least, most, total = min(least, n), max(most, n), total+uint64(n)
	}
	return least, most, total
}
