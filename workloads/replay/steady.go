package replay

import (
	"math"

	"hwsim/devices/dram"
)

// Periodic is a Source that comes back to the same columns a row further on.
type Periodic interface {
	Source
	// Period returns after how many requests it does, 0 if never.
	Period() uint64
	// Row returns how many periods have passed.
	Row() int
	// Left returns how many requests there are still.
	Left() uint64
	// Skip leaves out n periods of requests, which must be there.
	Skip(n uint64)
}

// A mark is made after so many requests at least, up to so many marks.
const (
	markEvery = 256
	mostMarks = 4096
)

// repeater fast-forwards a run that has become periodic, refresh and all. It
// looks at the channel's phase from time to time. When one comes again, the
// stretch since is run once more, to see whether it leads from a state to the
// same and what it counts, and then taken as done as often as there is left of
// it.
type repeater struct {
	d     *driver
	pacer *pacer
	src   Periodic

	block uint64         // periods of the source between marks
	left  int64          // requests to the next mark
	marks int            // so far
	seen  map[uint64]int // the mark that a phase of the channel was last seen at

	from   *dram.Mark // start of the stretch that is run again, or nil
	until  int        // mark at its end
	begun  driver     // as it was at from
	bursts int64      // paced before from
}

// newRepeater returns one that never acts where src has no period, or where
// somebody wants to see every command.
func newRepeater(d *driver, p *pacer, src Source) *repeater {
	r := &repeater{d: d, pacer: p, left: math.MaxInt64, seen: map[uint64]int{}}
	if s, ok := src.(Periodic); ok && d.c.Trace == nil && s.Period() > 0 {
		r.src, r.block = s, (markEvery+s.Period()-1)/s.Period()
		r.left = int64(r.block * s.Period())
	}
	return r
}

// mark is called when none are left, and returns how many requests it left out.
func (r *repeater) mark() int64 {
	r.left = int64(r.block * r.src.Period())
	if r.marks++; r.marks == mostMarks {
		r.left = math.MaxInt64
	}
	r.d.collect()
	switch {
	case r.from == nil:
		r.look()
	case r.marks < r.until:
	default:
		now := r.state()
		if now.Same(r.from) {
			return r.repeat(now)
		}
		r.from = nil // they had no more than their phase in common
	}
	return 0
}

// look begins to run the stretch again that has led back to the same phase.
func (r *repeater) look() {
	phase := r.d.c.Phase()
	if before, ok := r.seen[phase]; ok {
		if r.from = r.state(); r.from == nil {
			r.left = math.MaxInt64
		}
		r.until = 2*r.marks - before
		r.begun, r.bursts = *r.d, r.pacer.bursts
	}
	r.seen[phase] = r.marks
}

// state marks the run's state, nil if the channel's cannot come back.
func (r *repeater) state() *dram.Mark {
	m := r.d.c.Mark(r.src.Row(), uint32(r.d.tick))
	if m != nil {
		m.Add(r.d.state(m.Now())...)
		m.Add(r.pacer.state(m.Now())...)
	}
	return m
}

// repeat takes the stretch from r.from to now as done as often as it fits.
func (r *repeater) repeat(now *dram.Mark) int64 {
	r.left = math.MaxInt64
	rows := uint64(now.Row() - r.from.Row())
	n := r.src.Left() / (rows * r.src.Period())
	r.src.Skip(n * rows)
	r.d.c.Repeat(r.from, now, int64(n))
	r.d.repeat(&r.begun, now.Now()-r.from.Now(), int64(n))
	r.pacer.bursts += int64(n) * (r.pacer.bursts - r.bursts)
	return int64(n * rows * r.src.Period())
}

// state returns what the driver does next depends on, times counted from now.
func (d *driver) state(now int64) []int64 {
	state := []int64{d.tick - now, d.reads, int64(d.inDone)}
	for i := range d.inDone {
		state = append(state, d.done[(d.first+i)%len(d.done)]-now)
	}
	return state
}

// repeat takes what the driver did since begun, in so many ticks, as done n
// times more.
func (d *driver) repeat(begun *driver, ticks, n int64) {
	d.tick += n * ticks
	d.last += n * ticks
	for i := range d.done {
		d.done[i] += n * ticks
	}
	d.bursts += n * (d.bursts - begun.bursts)
	d.latency.repeat(&begun.latency, n)
}

// state returns what due times depend on. Those of a saturated stream are
// always past.
func (p *pacer) state(now int64) []int64 {
	if p.pace.Load == 0 || p.pace.Load == Saturated {
		return nil
	}
	return []int64{p.bursts*p.ticks/p.each - now, p.bursts * p.ticks % p.each}
}

// repeat adds what was counted since begun n times more.
func (l *latencies) repeat(begun *latencies, n int64) {
	l.count += n * (l.count - begun.count)
	l.sum += n * (l.sum - begun.sum)
	for t := range l.short {
		l.short[t] += n * (l.short[t] - begun.short[t])
	}
	l.long.Repeat(&begun.long, n)
}
