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
// after it that is not empty.
func (p *Port) open(at sim.Time, n int) {
	e := &p.engines[n]
	for e.queue[0].copy.Segments[e.segment].Bytes == 0 {
		e.segment++
	}
	p.stats.Copies++
	e.open = at + sim.FromNanoseconds(p.config.start(e.queue[0].copy.Out))
	p.port.Push(e.open, sim.Arbitrate, devices.Message{Kind: segmentOpen, Tag: uint32(n)})
}

// pump keeps the engine's window full of requests for the current segment.
func (p *Port) pump(at sim.Time, n int) {
	e := &p.engines[n]
	if len(e.queue) == 0 || at < e.open {
		return
	}
	c := e.queue[0].copy
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

// forward sends bytes of a copy out over the link.
func (p *Port) forward(at sim.Time, m *devices.Message) {
	p.stats.CopiedOut += uint64(m.Bytes)
	p.send(at, transaction{engine: int8(m.Tag)}, uint64(m.Born), m.Bytes, devices.Write, m.Flow)
}

// landed takes the far side's word that bytes of a copy out are stored.
func (p *Port) landed(at sim.Time, m *devices.Message) {
	p.spare = append(p.spare, int32(m.Tag))
	p.progress(at, int(p.trans[m.Tag].engine), m.Bytes)
}

// progress counts bytes of the engine's copy that have arrived and goes on to
// the next segment or job when they were the last.
func (p *Port) progress(at sim.Time, n int, bytes uint32) {
	e := &p.engines[n]
	e.inflight -= uint64(bytes)
	e.left -= uint64(bytes)
	e.moved += uint64(bytes)
	seg := &e.queue[0].copy.Segments[e.segment]
	switch {
	case e.left == 0:
		p.finish(at, n)
	case e.offset == seg.Bytes && e.inflight == 0:
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
	p.port.Send(p.front, at+p.cross, sim.Deliver, &devices.Message{Kind: devices.Done, Tag: e.queue[0].op, From: devices.NoReply})
	e.queue = e.queue[:copy(e.queue, e.queue[1:])]
	if len(e.queue) > 0 {
		p.begin(at, n)
	}
}
