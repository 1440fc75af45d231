package nvme

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/sim"
)

// load is a closed loop of requests of one size.
type load struct {
	requests, depth int
	bytes           uint32
	readPct         int
	sequential      bool
	span            uint64 // of addresses, from 0
	seed            uint64
	warm            int // requests before the rate is taken
}

// outcome is what a load saw.
type outcome struct {
	reads, writes sim.Histogram
	end           sim.Time
	warm          int64 // requests, and when the last of them completed
	warmEnd       sim.Time
}

// iops returns the requests completed in a second, once warm.
func (o *outcome) iops() float64 {
	return float64(o.reads.Count()+o.writes.Count()-o.warm) / (o.end - o.warmEnd).Seconds()
}

// run sends a load to a drive.
func (l load) run(t testing.TB, d *Drive) *outcome {
	o := &outcome{}
	r := sim.NewRand(l.seed)
	places := int(l.span / uint64(l.bytes))
	require.Positive(t, places)
	sent := 0
	submit := func(at sim.Time) {
		if sent == l.requests {
			return
		}
		place := sent % places
		if !l.sequential {
			place = r.IntN(places)
		}
		d.Submit(at, Request{Addr: uint64(place) * uint64(l.bytes), Bytes: l.bytes, Write: r.IntN(100) >= l.readPct})
		sent++
	}
	for range l.depth {
		submit(0)
	}
	for d.Next() != sim.Never {
		d.Advance(d.Next() + 1)
		n := 0
		for _, c := range d.Completions() {
			if c.Write {
				o.writes.Add(c.At - c.Issued)
			} else {
				o.reads.Add(c.At - c.Issued)
			}
			o.end = c.At
			n++
			if o.reads.Count()+o.writes.Count() == int64(l.warm) {
				o.warm, o.warmEnd = int64(l.warm), c.At
			}
		}
		d.Drop()
		for range n {
			submit(o.end)
		}
	}
	require.EqualValues(t, l.requests, o.reads.Count()+o.writes.Count(), "every request completes")
	return o
}
