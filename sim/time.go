package sim

import (
	"fmt"
	"math/bits"
)

// Time is a point in simulated time, or a span of it, in picoseconds.
// An int64 of them holds 106 days.
type Time int64

// Units of Time.
const (
	Picosecond  Time = 1
	Nanosecond       = 1000 * Picosecond
	Microsecond      = 1000 * Nanosecond
	Millisecond      = 1000 * Microsecond
	Second           = 1000 * Millisecond

	// Never is later than every event.
	Never Time = 1<<63 - 1
)

// Nanoseconds returns t in ns.
func (t Time) Nanoseconds() float64 { return float64(t) / float64(Nanosecond) }

// Microseconds returns t in µs.
func (t Time) Microseconds() float64 { return float64(t) / float64(Microsecond) }

// Seconds returns t in s.
func (t Time) Seconds() float64 { return float64(t) / float64(Second) }

// FromNanoseconds rounds ns to the nearest picosecond.
func FromNanoseconds(ns float64) Time {
	if ns < 0 {
		return -FromNanoseconds(-ns)
	}
	return Time(ns*float64(Nanosecond) + 0.5)
}

// String prints t in the largest unit that keeps it at or above one.
func (t Time) String() string {
	switch abs := max(t, -t); {
	case t == Never:
		return "never"
	case abs >= Second:
		return fmt.Sprintf("%.4g s", t.Seconds())
	case abs >= Millisecond:
		return fmt.Sprintf("%.4g ms", float64(t)/float64(Millisecond))
	case abs >= Microsecond:
		return fmt.Sprintf("%.4g µs", t.Microseconds())
	case abs >= Nanosecond:
		return fmt.Sprintf("%.4g ns", t.Nanoseconds())
	default:
		return fmt.Sprintf("%d ps", int64(t))
	}
}

// Clock is a clock whose period is the rational Num/Den picoseconds.
// Edge n lies at n·Num/Den: no rounded period is ever accumulated.
type Clock struct{ Num, Den uint64 }

// ClockHz returns the clock of hz cycles a second, hz > 0.
func ClockHz(hz uint64) Clock {
	num, den := uint64(Second), hz
	g := gcd(num, den)
	return Clock{num / g, den / g}
}

// Edge returns the time of edge n ≥ 0, rounded down to a picosecond.
func (c Clock) Edge(n int64) Time {
	hi, lo := bits.Mul64(uint64(n), c.Num)
	if hi == 0 {
		return Time(lo / c.Den)
	}
	q, _ := bits.Div64(hi, lo, c.Den)
	return Time(q)
}

// At returns the number of the first edge at or after t ≥ 0.
func (c Clock) At(t Time) int64 {
	hi, lo := bits.Mul64(uint64(t), c.Den)
	q, r := bits.Div64(hi, lo, c.Num)
	n := int64(q)
	if r != 0 {
		n++
	}
	// Edge rounds down, so the edge before may already lie at t.
	if n > 0 && c.Edge(n-1) >= t {
		n--
	}
	return n
}

// Period returns the length of one cycle in ps, unrounded.
func (c Clock) Period() float64 { return float64(c.Num) / float64(c.Den) }

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
