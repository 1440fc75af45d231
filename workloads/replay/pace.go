package replay

import "hwsim/devices/dram"

// Saturated is a load that keeps every queue full.
const Saturated = 1000

// Pace says when requests may enter. In every pace one enters a channel a tick
// at most, and one that finds no room in its queue holds back those behind it.
type Pace struct {
	// Load, if above 0, makes a request due when the bursts before it would
	// have taken that percentage of the peak rate of all channels.
	Load int64
	// Depth, if above 0, is how many reads of a channel may be outstanding.
	// Writes are posted and do not count. A read makes room the tick after its
	// last data.
	Depth int
}

// pacer sets when the requests of a stream are due.
type pacer struct {
	pace        Pace
	bursts      int64 // of the requests before
	ticks, each int64 // so many bursts take so many ticks at the pace
	shift       uint  // of a burst's bytes
}

func newPacer(s *dram.Spec, channels int, p Pace) *pacer {
	return &pacer{pace: p, ticks: s.Burst * 100, each: int64(channels*s.PseudoChannels) * p.Load, shift: burstShift(s)}
}

// stamp sets the tick from which r, the next request, may enter.
func (p *pacer) stamp(r *Request) {
	switch {
	case p.pace.Load > 0:
		r.Due = p.bursts * p.ticks / p.each
		p.bursts += r.bursts(p.shift)
	case p.pace.Depth > 0:
		r.Due = 0
	}
}

func burstShift(s *dram.Spec) (shift uint) {
	for 1<<shift < s.BurstBytes {
		shift++
	}
	return shift
}
