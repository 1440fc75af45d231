package dram

import (
	"testing"

	"hwsim/sim"

	"github.com/stretchr/testify/require"
)

// splitmix is the generator of the goldens (reference/dram/README.md).
type splitmix uint64

func (s *splitmix) next() uint64 {
	*s += 0x9E3779B97F4A7C15
	z := uint64(*s)
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

func newChannel(t testing.TB, cfg Config) *Channel {
	t.Helper()
	c, err := New(cfg)
	require.NoError(t, err)
	return c
}

// ramulator is the controller the goldens were made with.
func ramulator(standard, order string, reads, writes int) Config {
	no := false
	return Config{Standard: standard, Map: order, Hash: &no, QueueDepth: reads, WriteQueueDepth: writes,
		DrainHigh: 0.8, DrainLow: 0.2, HitCap: -1}
}

// drain advances c until nothing is pending and returns the last data's end.
func drain(c *Channel) sim.Time {
	var last sim.Time
	for c.Pending() > 0 {
		c.Advance(c.Next() + sim.Microsecond)
		for _, d := range c.Completions() {
			last = max(last, d.Last)
		}
		c.Drop()
	}
	return last
}

// load enqueues n requests, one a tick until the window is full, and returns
// the share of the peak rate.
func load(c *Channel, n int, bytes uint32, at func(i int) (addr uint64, write bool)) float64 {
	s := c.Spec()
	var last sim.Time
	var now sim.Time
	for i := range n {
		now = max(now, s.Tick.Edge(int64(i)))
		for c.Pending() > 2048 {
			now = max(now, c.Next()+1)
			c.Advance(now)
		}
		a, w := at(i)
		c.Enqueue(now, Request{Addr: a, Bytes: bytes, Write: w, Tag: uint32(i)})
		for _, d := range c.Completions() {
			last = max(last, d.Last)
		}
		c.Drop()
	}
	last = max(last, drain(c))
	return float64(n) * float64(bytes) / last.Nanoseconds() / s.PeakGBps()
}

type stream func(i int) (uint64, bool)

func sequential(s *Spec, bytes uint32) stream {
	return func(i int) (uint64, bool) { return uint64(i) * uint64(bytes) % s.Bytes(), false }
}

func random(s *Spec, bytes uint32) stream {
	r := splitmix(1)
	n := s.Bytes() / uint64(bytes)
	return func(int) (uint64, bool) { return r.next() % n * uint64(bytes), false }
}

func half(f stream) stream {
	w := splitmix(2)
	return func(i int) (uint64, bool) {
		a, _ := f(i)
		return a, w.next()>>63 == 1
	}
}
