package dram

import (
	"testing"

	"hwsim/sim"
)

// benchmark keeps the queues of an hbm3_6400 channel full for b.N bursts.
func benchmark(b *testing.B, bytes uint32, f func(*Spec, uint32) stream) {
	c := newChannel(b, Config{Standard: "hbm3_6400", Refresh: "per_bank"})
	next := f(c.Spec(), bytes)
	per := int(bytes) / c.Spec().BurstBytes
	n := b.N/per + 1
	now := sim.Time(0)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range n {
		for c.Pending() > 400/per {
			now += 40 * sim.Nanosecond
			c.Advance(now)
			c.Drop()
		}
		a, w := next(i)
		c.Enqueue(now, Request{Addr: a, Bytes: bytes, Write: w})
	}
	b.ReportMetric(float64(n*per)/b.Elapsed().Seconds()/1e6, "Mbursts/s")
}

func BenchmarkSequential(b *testing.B)    { benchmark(b, 128, sequential) }
func BenchmarkSequential32B(b *testing.B) { benchmark(b, 32, sequential) }
func BenchmarkSequential1K(b *testing.B)  { benchmark(b, 1024, sequential) }
func BenchmarkRandom(b *testing.B)        { benchmark(b, 32, random) }
func BenchmarkRandom64B(b *testing.B)     { benchmark(b, 64, random) }
func BenchmarkRandom128B(b *testing.B)    { benchmark(b, 128, random) }
func BenchmarkMix50(b *testing.B) {
	benchmark(b, 128, func(s *Spec, n uint32) stream { return half(sequential(s, n)) })
}
