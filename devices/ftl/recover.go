package ftl

// Recover forgets all that a power cut takes: the map, the open blocks, and
// commands under way, which must not be completed any more. It rebuilds them
// from the pages' records. Programs and erases that the cut interrupted have
// not happened, but their pages are spoilt. Versions are not used again.
func (f *FTL) Recover() {
	clear(f.places)
	clear(f.blocks)
	f.out = f.out[:0]
	f.forgetMap()
	for page := range f.media.records {
		f.reclaim(uint32(page))
	}
	for _, place := range f.places {
		if place != 0 {
			f.blocks[(place-1)/uint32(f.flash.Pages)].valid++
		}
	}
	for at := range f.planes {
		f.reopen(at)
	}
}

// reclaim makes a page the place of its logical page if its record is the
// newest so far: of the latest version, and of that the last moved.
func (f *FTL) reclaim(page uint32) {
	r := f.media.records[page]
	if r.logical == 0 {
		return
	}
	if f.Trimmed(r.logical-1, r.version) {
		return
	}
	if place := f.places[r.logical-1]; place != 0 {
		was := f.media.records[place-1]
		if r.version < was.version || r.version == was.version && r.moves <= was.moves {
			return
		}
	}
	f.places[r.logical-1] = page + 1
}

// reopen finds the state of a plane's blocks. Of those partly written, which
// are two at most, writing goes on.
func (f *FTL) reopen(at int) {
	p := &f.planes[at]
	*p = plane{user: noBlock, moved: noBlock, victim: noBlock}
	for i := range f.flash.Blocks {
		b := f.block(at, i)
		switch fill := int(f.media.fill[b]); {
		case fill == 0:
			p.free++
		case fill == f.flash.Pages:
			f.blocks[b].state = closed
		case p.moved == noBlock:
			f.blocks[b].state, p.moved = open, i
		default:
			f.blocks[b].state, p.user = open, i
		}
	}
}
