package replay

import (
	"hwsim/devices/dram"
	"hwsim/sim"
)

// batch is how many completions are left to gather, which costs less than
// taking each at once.
const batch = 32

// Saturated is a load that keeps every queue full.
const Saturated = 1000

// Pace says when requests may enter. In every pace one enters a tick at most,
// and one that finds no room in its queue holds back those behind it.
type Pace struct {
	// Load, if above 0, makes a request due when the bursts before it would
	// have taken that percentage of the channel's peak rate.
	Load int64
	// Depth, if above 0, is how many reads may be outstanding. Writes are
	// posted and do not count. A read makes room the tick after its last data.
	Depth int
}

// Latency is read latency in ns, from entry to the end of the last data.
type Latency struct{ Mean, P50, P99, Max float64 }

// Result is what a run took.
type Result struct {
	Requests int64
	Time     sim.Time // from 0 to the last read's data, or the last entry
	GBps     float64  // of whole bursts, writes counted as posted; 1e9 B/s
	PctPeak  float64  // of the channel's peak rate
	Read     Latency
	Stats    dram.Stats
}

// BurstsPerACT returns how many bursts an opened row served; 0 without ACTs.
func (r *Result) BurstsPerACT() float64 {
	if r.Stats.ACT == 0 {
		return 0
	}
	return float64(r.Stats.RD+r.Stats.WR) / float64(r.Stats.ACT)
}

// Run sends the requests of src to an idle channel c at pace p. It jumps from
// one instant at which a request may enter to the next.
func Run(c *dram.Channel, src Source, p Pace) *Result {
	d := newDriver(c, p)
	var r Request
	for src.Next(&r) {
		d.send(&r)
	}
	return d.finish()
}

// driver is one run.
type driver struct {
	c        *dram.Channel
	clock    sim.Clock
	perPs    float64 // ticks
	shift    uint    // of a burst's bytes
	pace     Pace
	perBurst [2]int64 // ticks of a burst at the pace: numerator, denominator

	tick             int64 // the next request enters no earlier
	requests, bursts int64
	reads            int64   // outstanding, their completion not seen
	done             []int64 // ends of outstanding reads, a ring; only with pace.Depth
	first, inDone    int
	last             int64 // end of the last read
	latency          latencies
}

func newDriver(c *dram.Channel, p Pace) *driver {
	s := c.Spec()
	d := &driver{c: c, clock: s.Tick, perPs: 1 / s.Tick.Period(), pace: p, done: make([]int64, p.Depth),
		perBurst: [2]int64{s.Burst * 100, int64(s.PseudoChannels) * p.Load}}
	for 1<<d.shift < s.BurstBytes {
		d.shift++
	}
	return d
}

// send waits until r may enter, and enters it.
func (d *driver) send(r *Request) {
	at := max(d.tick, d.due(r))
	if d.pace.Depth > 0 && !r.Write {
		at = d.awaitDepth(at)
	}
	if !d.c.Room(r.Write) {
		at = max(at, d.c.AwaitRoom(r.Write)+1)
	}
	// The tag is the tick of entry: a latency is below 2^32 ticks (a second).
	d.c.EnqueueAt(at, dram.Request{Addr: r.Addr, Bytes: r.Bytes, Write: r.Write, Tag: uint32(at)})
	d.tick = at + 1
	d.requests++
	d.bursts += d.burstsOf(r)
	if !r.Write {
		d.reads++
	}
	if len(d.c.Completions()) >= batch {
		d.collect()
	}
}

// due returns the tick from which r may enter.
func (d *driver) due(r *Request) int64 {
	if d.pace.Load > 0 {
		return d.bursts * d.perBurst[0] / d.perBurst[1]
	}
	if d.pace.Depth > 0 {
		return 0
	}
	return r.Due
}

func (d *driver) burstsOf(r *Request) int64 {
	end := r.Addr + uint64(max(r.Bytes, 1)) + 1<<d.shift - 1
	return int64(end>>d.shift - r.Addr>>d.shift)
}

// awaitDepth returns the tick from at on at which another read may be
// outstanding. Reads end in the order in which they are seen to.
func (d *driver) awaitDepth(at int64) int64 {
	d.collect()
	for d.inDone > 0 && d.done[d.first] < at {
		d.retire()
	}
	for d.reads+int64(d.inDone) >= int64(d.pace.Depth) {
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
		if d.pace.Depth > 0 {
			d.done[(d.first+d.inDone)%len(d.done)] = end
			d.inDone++
		}
	}
	d.c.Drop()
}

// ticks returns the number of the edge at t, without Clock.At's divisions:
// an edge is less than half a tick off.
func (d *driver) ticks(t sim.Time) int64 { return int64(float64(t)*d.perPs + 0.5) }

// finish serves all reads and ends the run with the last one's data.
func (d *driver) finish() *Result {
	for d.reads > 0 {
		d.c.Advance(d.c.Next() + 1)
		d.collect()
	}
	end := d.clock.Edge(max(d.last, d.tick))
	d.c.Advance(end)
	d.c.Drop()
	r := &Result{Requests: d.requests, Time: end, Stats: *d.c.Stats()}
	if end > 0 {
		r.GBps = float64(d.bursts<<d.shift) / end.Nanoseconds()
	}
	r.PctPeak = 100 * r.GBps / d.c.Spec().PeakGBps()
	ns := d.clock.Period() / 1000
	r.Read = Latency{
		Mean: d.latency.mean() * ns,
		P50:  float64(d.latency.quantile(0.5)) * ns,
		P99:  float64(d.latency.quantile(0.99)) * ns,
		Max:  float64(d.latency.max) * ns,
	}
	return r
}
