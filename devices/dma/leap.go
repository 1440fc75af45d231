package dma

// Moved returns the bytes that an engine has brought, and whether it is at
// work.
func (p *Port) Moved(engine int) (bytes uint64, busy bool) {
	e := &p.engines[engine]
	return e.moved, len(e.queue) > 0
}

// Engines returns the number of the port's copy engines.
func (p *Port) Engines() int { return len(p.engines) }

// Phase names what an engine is doing: a long segment is a phase of its own,
// a row of short ones is one together.
func (p *Port) Phase(engine int) (op, segment int) {
	e := &p.engines[engine]
	if e.queue[0].copy.Segments[e.segment].Bytes > leapMargin*uint64(p.config.WindowBytes) {
		segment = e.segment
	}
	return int(e.queue[0].op), segment
}

// leapMargin is how many windows of bytes a leap leaves to a segment's end.
const leapMargin = 4

// Leap returns how many bytes of an engine's copy can be taken as moved:
// within the current segment if that is long, else whole segments like it.
func (p *Port) Leap(engine int) (bytes, unit uint64) {
	e := &p.engines[engine]
	if len(e.queue) == 0 {
		return 0, 1
	}
	segs := e.queue[0].copy.Segments
	seg := segs[e.segment]
	chunk := uint64(p.config.ChunkBytes)
	margin := leapMargin * uint64(p.config.WindowBytes)
	if seg.Bytes > margin && seg.Bytes-e.offset > margin {
		return (seg.Bytes - e.offset - margin) / chunk * chunk, chunk
	}
	if seg.Bytes > margin {
		return 0, seg.Bytes // the end of a long one: its drain is simulated
	}
	like := 0
	for i := e.segment + 1; i < len(segs) && segs[i].Bytes == seg.Bytes; i++ {
		like++
	}
	return uint64(max(0, like-1)) * seg.Bytes, seg.Bytes
}

// Apply takes bytes of an engine's copy, a multiple of Leap's unit and at
// most its bytes, as moved, and passes where they went to landed.
func (p *Port) Apply(engine int, bytes uint64, landed func(dst, bytes uint64)) {
	e := &p.engines[engine]
	segs := e.queue[0].copy.Segments
	e.left -= bytes
	seg := segs[e.segment]
	within := seg.Bytes-e.offset > leapMargin*uint64(p.config.WindowBytes)
	if within || e.queue[0].copy.Batch {
		e.unsent -= bytes
	}
	if within {
		landed(seg.Dst+e.offset, bytes)
		e.offset += bytes
		return
	}
	for ; bytes > 0; bytes -= segs[e.segment].Bytes {
		e.segment++ // the current one goes on; as many behind it are done
		landed(segs[e.segment].Dst, segs[e.segment].Bytes)
	}
}
