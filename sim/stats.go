package sim

// TimeWeighted averages a value that changes at instants, such as a queue
// length, over time. The zero value stands at 0 since time 0.
type TimeWeighted struct {
	since      Time // of the present value
	value, max int64
	area       float64 // integral over time up to since
}

// Set makes value the present one from now on; now, in ps, never decreases.
func (w *TimeWeighted) Set(now Time, value int64) {
	w.area += float64(w.value) * float64(now-w.since)
	w.since, w.value = now, value
	w.max = max(w.max, value)
}

// Value returns the present value.
func (w *TimeWeighted) Value() int64 { return w.value }

// Mean returns the average from time 0 to now, in ps and not before the last
// change.
func (w *TimeWeighted) Mean(now Time) float64 {
	if now <= 0 {
		return float64(w.value)
	}
	return (w.area + float64(w.value)*float64(now-w.since)) / float64(now)
}

// Max returns the greatest value, 0 at least.
func (w *TimeWeighted) Max() int64 { return w.max }
