package nvme

import (
	"hwsim/devices/flash"
	"hwsim/devices/link"
	"hwsim/sim"
)

// translate finds a part's entry of the map, in memory or in the flash.
func (d *Drive) translate(at sim.Time, id uint32) {
	page, ok := d.ftl.Cached(d.parts.slots[id].logical)
	d.submitCollection(at) // what left the cache may be written
	if !ok {
		d.parts.slots[id].step = mapRead
		d.flash.Submit(at, flash.Op{Kind: flash.Read, Class: flash.Mapping, Page: d.ftl.Flash(page), Bytes: uint32(d.config.FTL.MapPageBytes), Tag: id})
		return
	}
	d.access(at, id)
}

// access starts a part whose place is known.
func (d *Drive) access(at sim.Time, id uint32) {
	if d.parts.slots[id].write {
		d.store(at, id)
		return
	}
	d.read(at, id)
}

// read reads a part from the buffer, from memory, from the flash, or nowhere.
func (d *Drive) read(at sim.Time, id uint32) {
	p := &d.parts.slots[id]
	if !p.ahead && d.inBuffer != nil && d.inBuffer[p.logical] > 0 {
		d.stats.BufferHits++
		d.events.Push(at+d.bufferDelay, sim.Deliver, event{bufferRead, id})
		return
	}
	if !p.ahead && d.hitAhead(at, id) {
		return
	}
	page, ok := d.ftl.Find(p.logical)
	if !ok && d.config.AssumeWritten && d.ftl.Assume(p.logical) {
		page, ok = d.ftl.Find(p.logical)
	}
	if !ok {
		d.stats.Zeros++
		d.delivered(at, id)
		return
	}
	p.step = pageRead
	d.flash.Submit(at, flash.Op{Kind: flash.Read, Class: flash.User, Page: d.ftl.Flash(page), Bytes: p.bytes, Tag: id})
}

// delivered takes a part that was read to where it is wanted.
func (d *Drive) delivered(at sim.Time, id uint32) {
	if d.parts.slots[id].ahead {
		d.arrived(at, id)
		return
	}
	d.partRead(at, id)
}

// partRead sends a part's data, or those of the whole command, to the host.
func (d *Drive) partRead(at sim.Time, id uint32) {
	p := d.parts.slots[id]
	d.parts.give(id)
	c := &d.commands.slots[p.owner]
	c.parts--
	if !d.config.WholeTransfer {
		d.link.Reserve(at, link.Up, link.WriteData, p.bytes)
	}
	if c.parts > 0 {
		return
	}
	if d.config.WholeTransfer {
		d.link.Reserve(at, link.Up, link.WriteData, c.bytes)
	}
	d.finish(at, p.owner)
}

// store programs a part. If it is less than its page, and the page holds
// data, these are read first.
func (d *Drive) store(at sim.Time, id uint32) {
	p := &d.parts.slots[id]
	if old, ok := d.ftl.Find(p.logical); ok && uint64(p.bytes) < d.pageBytes {
		p.step = oldRead
		d.flash.Submit(at, flash.Op{Kind: flash.Read, Class: flash.User, Page: d.ftl.Flash(old), Bytes: uint32(d.pageBytes) - p.bytes, Tag: id})
		return
	}
	d.program(at, id)
}

// program programs a part, or has it wait for its plane, behind those that do.
func (d *Drive) program(at sim.Time, id uint32) {
	plane := d.ftl.Plane(d.parts.slots[id].logical)
	if !d.blocked[plane].empty() || !d.tryProgram(at, id) {
		d.stats.Stalls++
		d.blocked[plane].push(id, d.partLink)
	}
}

func (d *Drive) tryProgram(at sim.Time, id uint32) bool {
	p := &d.parts.slots[id]
	bytes := p.bytes
	if p.step == oldRead {
		bytes = uint32(d.pageBytes)
	}
	cmd, ok := d.ftl.Write(p.logical, p.version)
	if ok {
		p.step, p.command = program, cmd
		d.flash.Submit(at, flash.Op{Kind: flash.Program, Class: flash.User, Page: d.ftl.Flash(cmd.Page), Bytes: bytes, Tag: id})
	}
	d.submitCollection(at)
	return ok
}

// submitCollection passes the translation layer's commands to the flash.
func (d *Drive) submitCollection(at sim.Time) {
	if len(d.ftl.Commands()) == 0 {
		return
	}
	for _, c := range d.ftl.Commands() {
		ops := uint32(1)
		if c.Kind == flash.Erase {
			ops = d.ftl.Joined()
		}
		id := d.parts.take(part{command: c, owner: none, step: collection, ops: ops})
		for i := range ops {
			d.flash.Submit(at, flash.Op{Kind: c.Kind, Class: c.Class, Page: d.ftl.Flash(c.Page + i), Bytes: uint32(d.pageBytes), Tag: id})
		}
	}
	d.ftl.Taken()
}

// collect takes what the flash has completed.
func (d *Drive) collect(at sim.Time) {
	for _, c := range d.flash.Completions() {
		d.flashDone(at, c.Tag)
	}
	d.flash.Drop()
}

func (d *Drive) flashDone(at sim.Time, id uint32) {
	p := d.parts.slots[id]
	switch p.step {
	case mapRead:
		d.access(at, id)
	case pageRead:
		d.delivered(at, id)
	case oldRead:
		d.program(at, id)
	case program:
		d.ftl.Complete(p.command)
		d.submitCollection(at)
		d.programmed(at, id)
		d.unblock(at, d.ftl.Plane(p.logical))
	case collection:
		if d.parts.slots[id].ops--; d.parts.slots[id].ops > 0 {
			return
		}
		d.parts.give(id)
		d.ftl.Complete(p.command)
		d.submitCollection(at)
		d.unblock(at, d.ftl.PlaneOf(p.command.Page))
	}
}

// programmed ends a part that is in the flash.
func (d *Drive) programmed(at sim.Time, id uint32) {
	p := d.parts.slots[id]
	d.parts.give(id)
	if p.owner == none {
		d.buffered -= int(p.bytes)
		d.inBuffer[p.logical]--
		d.admit(at)
		return
	}
	c := &d.commands.slots[p.owner]
	if c.parts--; c.parts == 0 {
		d.finish(at, p.owner)
	}
}

// unblock programs what waits for a plane as long as that has room.
func (d *Drive) unblock(at sim.Time, plane uint32) {
	q := &d.blocked[plane]
	for !q.empty() && d.tryProgram(at, q.head) {
		q.pop(d.partLink)
	}
}
