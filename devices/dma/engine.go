package dma

import (
	"hwsim/devices"
	"hwsim/sim"
)

// enqueue gives a copy to its engine.
func (p *Port) enqueue(at sim.Time, m *devices.Message) {
	c := (*p.copies)[m.Tag]
	n := c.Engine
	e := &p.engines[n]
	e.queue = append(e.queue, job{c, uint32(m.Addr)})
	if len(e.queue) == 1 {
		p.begin(at, n)
	}
}

// begin starts the engine's first job.
func (p *Port) begin(at sim.Time, n int) {
	e := &p.engines[n]
	e.segment, e.offset, e.left = 0, 0, 0
	for _, s := range e.queue[0].copy.Segments {
		e.left += s.Bytes
	}
	if e.left == 0 {
		p.finish(at, n)
		return
	}
	p.open(at, n)
}

// open pays the start cost of the engine's current segment, or the first
// after it that is not empty, once the port's front end is done with those of
// other engines.
func (p *Port) open(at sim.Time, n int) {
	e := &p.engines[n]
	c := e.queue[0].copy
	e.skipEmpty()
	p.stats.Copies++
	e.unsent = c.Segments[e.segment].Bytes
	if c.Batch {
		e.unsent = e.left
	}
	p.front = max(at, p.front) + sim.FromNanoseconds(p.config.start(c.Out))
	if p.last != n {
		p.front += sim.FromNanoseconds(p.config.SwitchNs)
		p.last = n
	}
	e.open = p.front + p.walk(e)
	p.port.Push(e.open, sim.Arbitrate, devices.Message{Kind: segmentOpen, Tag: uint32(n)})
}

// skipEmpty goes on to a segment with bytes, of which there is one.
func (e *engine) skipEmpty() {
	for e.queue[0].copy.Segments[e.segment].Bytes == 0 {
		e.segment++
	}
}

// walk returns how long the engine waits for the translation of its current
// segment's remote end. Walks run ahead: a copy that begins where another
// ended finds its own.
func (p *Port) walk(e *engine) (wait sim.Time) {
	if e.tlb == nil {
		return 0
	}
	c := e.queue[0].copy
	seg := &c.Segments[e.segment]
	addr := seg.Src
	if c.Out {
		addr = seg.Dst
	}
	if !e.tlb.Lookup(p.key(addr)) {
		wait = sim.FromNanoseconds(p.config.WalkNs)
	}
	e.tlb.Insert(p.key(addr), struct{}{})
	e.tlb.Insert(p.key(addr+seg.Bytes), struct{}{})
	return wait
}

// pump keeps the engine's window full of requests for the current segment,
// or, of a batch, for one segment after the other.
func (p *Port) pump(at sim.Time, n int) {
	e := &p.engines[n]
	if len(e.queue) == 0 || at < e.open {
		return
	}
	c := e.queue[0].copy
	for more := true; more; {
		seg := &c.Segments[e.segment]
		for e.offset < seg.Bytes && e.inflight+uint64(p.config.ChunkBytes) <= uint64(p.config.WindowBytes) {
			bytes := uint32(min(uint64(p.config.ChunkBytes), seg.Bytes-e.offset))
			src, dst := seg.Src+e.offset, seg.Dst+e.offset
			e.offset += uint64(bytes)
			e.inflight += uint64(bytes)
			if c.Out {
				p.gather(at, n, src, dst, bytes, c.Flow)
			} else {
				p.send(at, transaction{engine: int8(n), dst: dst}, src, bytes, devices.Read, c.Flow)
			}
		}
		more = c.Batch && e.offset == seg.Bytes && e.left > e.inflight && p.follow(at, n)
	}
}

// follow goes on to a batch's next segment and reports whether the engine can
// do so at once.
func (p *Port) follow(at sim.Time, n int) bool {
	e := &p.engines[n]
	e.segment, e.offset = e.segment+1, 0
	e.skipEmpty()
	p.stats.Copies++
	wait := p.walk(e)
	if wait == 0 {
		return true
	}
	e.open = at + wait
	p.port.Push(e.open, sim.Arbitrate, devices.Message{Kind: segmentOpen, Tag: uint32(n)})
	return false
}

// gather reads a chunk of a copy out from the L2, granule by granule; the
// engine's number travels in Tag and the destination in Born, which nobody
// else needs.
func (p *Port) gather(at sim.Time, n int, src, dst uint64, bytes uint32, flow uint8) {
	for left := uint64(bytes); left > 0; {
		k := min(left, p.l2.Granule-src%p.l2.Granule)
		home, _ := p.l2.Locate(src)
		p.port.Send(int(p.l2.Port[home]), at+p.cross, sim.Deliver,
			&devices.Message{Addr: src, Bytes: uint32(k), Born: sim.Time(dst), Tag: uint32(n), From: uint16(p.port.ID()), Kind: devices.Read, Flow: flow})
		src, dst, left = src+k, dst+k, left-k
	}
}

// forward sends bytes of a copy out over the link. Where writes are posted, a
// read behind the last tells when they have arrived.
func (p *Port) forward(at sim.Time, m *devices.Message) {
	n, dst := int8(m.Tag), uint64(m.Born)
	p.stats.CopiedOut += uint64(m.Bytes)
	p.send(at, transaction{engine: n}, dst, m.Bytes, devices.Write, m.Flow)
	e := &p.engines[n]
	e.unsent -= uint64(m.Bytes)
	if e.unsent == 0 && p.wire.Posted() {
		e.flushing = true
		p.send(at, transaction{engine: n, flush: true}, dst, flushBytes, devices.Read, m.Flow)
	}
}

// flushBytes is the size of the read behind posted writes: the least that
// PCIe has.
const flushBytes = 4

// landed takes the far side's word that bytes of a copy out are stored.
func (p *Port) landed(at sim.Time, m *devices.Message) {
	p.spare = append(p.spare, int32(m.Tag))
	p.progress(at, int(p.trans[m.Tag].engine), m.Bytes)
}

// progress counts bytes of the engine's copy that have arrived.
func (p *Port) progress(at sim.Time, n int, bytes uint32) {
	e := &p.engines[n]
	e.inflight -= uint64(bytes)
	e.left -= uint64(bytes)
	e.moved += uint64(bytes)
	p.proceed(at, n)
}

// flushed takes the answer to the read behind a copy's writes.
func (p *Port) flushed(at sim.Time, n int) {
	p.engines[n].flushing = false
	p.proceed(at, n)
}

// proceed goes on with the engine's copy, to its next segment or to the next
// job when it is done.
func (p *Port) proceed(at sim.Time, n int) {
	e := &p.engines[n]
	c := e.queue[0].copy
	switch done := e.offset == c.Segments[e.segment].Bytes && e.inflight == 0; {
	case e.flushing && done:
	case e.left == 0:
		p.finish(at, n)
	case done && !c.Batch:
		e.segment++
		e.offset = 0
		p.open(at, n)
	default:
		p.pump(at, n)
	}
}

// finish reports the engine's first job and begins the next.
func (p *Port) finish(at sim.Time, n int) {
	e := &p.engines[n]
	p.port.Send(p.owner, at+p.cross, sim.Deliver, &devices.Message{Kind: devices.Done, Tag: e.queue[0].op, From: devices.NoReply})
	e.queue = e.queue[:copy(e.queue, e.queue[1:])]
	if len(e.queue) > 0 {
		p.begin(at, n)
	}
}
