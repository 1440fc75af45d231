package replay

import "hwsim/sim"

// exactTicks is how many ticks a latency may be long to be counted exactly.
const exactTicks = 1 << 14

// latencies counts latencies: short ones by tick, long ones in buckets that
// a quantile is within 1/64 of. Nothing allocates.
type latencies struct {
	count, sum, max int64 // ticks
	short           [exactTicks]int64
	long            sim.Histogram // of ticks
}

func (l *latencies) add(ticks int64) {
	l.count++
	l.sum += ticks
	l.max = max(l.max, ticks)
	if ticks < exactTicks {
		l.short[ticks]++
	} else {
		l.long.Add(sim.Time(ticks))
	}
}

// merge adds all that o has counted.
func (l *latencies) merge(o *latencies) {
	l.count += o.count
	l.sum += o.sum
	l.max = max(l.max, o.max)
	for t, n := range &o.short {
		l.short[t] += n
	}
	l.long.Merge(&o.long)
}

// summary returns the figures in ns, at so many ns a tick.
func (l *latencies) summary(tick float64) Latency {
	return Latency{
		Mean: l.mean() * tick,
		P50:  float64(l.quantile(0.5)) * tick,
		P99:  float64(l.quantile(0.99)) * tick,
		Max:  float64(l.max) * tick,
	}
}

// mean returns the mean in ticks, 0 when empty.
func (l *latencies) mean() float64 {
	if l.count == 0 {
		return 0
	}
	return float64(l.sum) / float64(l.count)
}

// quantile returns the ticks that the share q of all do not exceed.
func (l *latencies) quantile(q float64) int64 {
	rank := int64(q * float64(l.count)) // latencies below the one wanted
	left := rank
	for t, n := range &l.short {
		if left -= n; left < 0 {
			return int64(t)
		}
	}
	if n := l.long.Count(); n > 0 {
		return int64(l.long.Quantile(float64(left) / float64(n)))
	}
	return l.max
}
