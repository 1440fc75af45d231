package nvme

import "hwsim/sim"

// readAhead holds pages that were read before the host asked: those behind
// reads each of which began where the last of its queue had ended.
type readAhead struct {
	pages []aheadPage // by logical page, modulo; nil: the drive does not read ahead
	next  []uint64    // of each queue: where its last read ended
}

// aheadPage is a page in the drive's memory, or on its way there.
type aheadPage struct {
	logical uint32 // + 1; 0: none
	reading bool
	stale   bool // written meanwhile: serves those that wait, and no others
	waiting fifo // parts
}

func newReadAhead(c *Config) readAhead {
	if c.ReadAheadBytes == 0 {
		return readAhead{}
	}
	a := readAhead{next: make([]uint64, max(1, c.Queues))}
	streams := max(1, c.Queues)
	a.pages = make([]aheadPage, streams*((c.ReadAheadBytes+c.MaxTransferBytes)/c.Flash.PageBytes+2))
	for i := range a.next {
		a.next[i] = ^uint64(0)
	}
	return a
}

// at returns the place of a logical page.
func (a *readAhead) at(logical uint32) *aheadPage { return &a.pages[logical%uint32(len(a.pages))] }

// drop forgets a page that is written.
func (a *readAhead) drop(logical uint32) {
	if a.pages == nil {
		return
	}
	switch p := a.at(logical); {
	case p.logical != logical+1:
	case p.reading:
		p.stale = true
	default:
		p.logical = 0
	}
}

// lookAhead reads on behind a read that goes on where the last one of its queue
// ended.
func (d *Drive) lookAhead(at sim.Time, id uint32) {
	if d.ahead.pages == nil {
		return
	}
	c := &d.commands.slots[id]
	end := c.addr + uint64(c.bytes)
	sequential := c.addr == d.ahead.next[c.queue]
	d.ahead.next[c.queue] = end
	if !sequential {
		return
	}
	last := min((end+uint64(d.config.ReadAheadBytes)-1)/d.pageBytes, uint64(d.ftl.LogicalPages())-1)
	for page := c.addr / d.pageBytes; page <= last; page++ {
		d.fetchAhead(at, uint32(page))
	}
}

// fetchAhead reads a page into memory, unless it is there already or its place
// is taken by one on its way.
func (d *Drive) fetchAhead(at sim.Time, logical uint32) {
	p := d.ahead.at(logical)
	if p.logical == logical+1 || p.reading {
		return
	}
	*p = aheadPage{logical: logical + 1, reading: true, waiting: emptied}
	d.stats.AheadReads++
	d.translate(at, d.parts.take(part{owner: none, logical: logical, bytes: uint32(d.pageBytes), ahead: true}))
}

// hitAhead serves a part from memory, now or when its page is there.
func (d *Drive) hitAhead(at sim.Time, id uint32) bool {
	if d.ahead.pages == nil {
		return false
	}
	logical := d.parts.slots[id].logical
	p := d.ahead.at(logical)
	if p.logical != logical+1 || p.stale {
		return false
	}
	d.stats.AheadHits++
	if p.reading {
		p.waiting.push(id, d.partLink)
	} else {
		d.events.Push(at+d.bufferDelay, sim.Deliver, event{bufferRead, id})
	}
	return true
}

// arrived notes a page that was read ahead, and serves the parts that wait.
func (d *Drive) arrived(at sim.Time, id uint32) {
	p := d.ahead.at(d.parts.slots[id].logical)
	d.parts.give(id)
	p.reading = false
	for !p.waiting.empty() {
		d.events.Push(at+d.bufferDelay, sim.Deliver, event{bufferRead, p.waiting.pop(d.partLink)})
	}
	if p.stale {
		p.logical = 0
	}
}
