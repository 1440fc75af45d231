package replay

import (
	"hwsim/devices/dram"
	"hwsim/sim"
)

// batch is how many completions are left to gather, which costs less than
// taking each at once.
const batch = 32

// Run sends the requests of src to an idle channel c at pace p.
func Run(c *dram.Channel, src Source, p Pace) *Result {
	d, pace := newDriver(c, p.Depth), newPacer(c.Spec(), 1, p)
	ahead := newRepeater(d, pace, src)
	requests := int64(0)
	var r Request
	for ; src.Next(&r); requests++ {
		pace.stamp(&r)
		d.send(&r)
		if ahead.left--; ahead.left == 0 {
			requests += ahead.mark()
		}
	}
	return conclude([]*driver{d}, requests)
}

// driver sends requests to one channel. It jumps from one instant at which a
// request may enter to the next.
type driver struct {
	c     *dram.Channel
	clock sim.Clock
	perPs float64 // ticks
	shift uint    // of a burst's bytes
	depth int     // reads that may be outstanding; 0: any

	tick          int64 // the next request enters no earlier
	bursts        int64
	reads         int64   // outstanding, their completion not seen
	done          []int64 // ends of outstanding reads, a ring; only with depth
	first, inDone int
	last          int64 // end of the last read
	latency       latencies
}

func newDriver(c *dram.Channel, depth int) *driver {
	s := c.Spec()
	return &driver{c: c, clock: s.Tick, perPs: 1 / s.Tick.Period(), shift: burstShift(s), depth: depth, done: make([]int64, depth)}
}

// send waits until r may enter, and enters it.
func (d *driver) send(r *Request) {
	at := max(d.tick, r.Due)
	if d.depth > 0 && !r.Write {
		at = d.awaitDepth(at)
	}
	if !d.c.Room(r.Write) {
		at = max(at, d.c.AwaitRoom(r.Write)+1)
	}
	// The tag is the tick of entry: a latency is below 2^32 ticks (a second).
	d.c.EnqueueAt(at, dram.Request{Addr: r.Addr, Bytes: r.Bytes, Write: r.Write, Tag: uint32(at)})
	d.tick = at + 1
	d.bursts += r.bursts(d.shift)
	if !r.Write {
		d.reads++
	}
	if len(d.c.Completions()) >= batch {
		d.collect()
	}
}

func (d *driver) sendAll(requests []Request) {
	for i := range requests {
		d.send(&requests[i])
	}
}

// awaitDepth returns the tick from at on at which another read may be
// outstanding. Reads end in the order in which they are seen to.
func (d *driver) awaitDepth(at int64) int64 {
	d.collect()
	for d.inDone > 0 && d.done[d.first] < at {
		d.retire()
	}
	for d.reads+int64(d.inDone) >= int64(d.depth) {
		if d.inDone == 0 {
			d.c.Advance(d.c.Next() + 1)
			d.collect()
			continue
		}
		at = max(at, d.done[d.first]+1)
		d.retire()
	}
	return at
}

func (d *driver) retire() {
	d.inDone--
	if d.first++; d.first == len(d.done) {
		d.first = 0
	}
}

// collect takes note of the reads completed.
func (d *driver) collect() {
	done := d.c.Completions()
	for i := range done {
		if done[i].Write {
			continue
		}
		end := d.ticks(done[i].Last)
		d.last = end
		d.latency.add(int64(uint32(end) - done[i].Tag))
		d.reads--
		if d.depth > 0 {
			d.done[(d.first+d.inDone)%len(d.done)] = end
			d.inDone++
		}
	}
	d.c.Drop()
}

// ticks returns the number of the edge at t, without Clock.At's divisions:
// an edge is less than half a tick off.
func (d *driver) ticks(t sim.Time) int64 { return int64(float64(t)*d.perPs + 0.5) }

// drain serves all reads and returns when the last one's data end.
func (d *driver) drain() sim.Time {
	for d.reads > 0 {
		d.c.Advance(d.c.Next() + 1)
		d.collect()
	}
	return d.clock.Edge(max(d.last, d.tick))
}

// close ends the run at end.
func (d *driver) close(end sim.Time) {
	d.c.Advance(end)
	d.c.Drop()
}
