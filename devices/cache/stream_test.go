package cache

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices"
	"hwsim/sim"
)

// stream makes the first partition's reader keep so many requests for whole
// granules in flight, every fifth a write, until it has had n answers.
type stream struct {
	g      *rig
	next   uint64
	left   int
	flying int
}

func newStream(t testing.TB, outstanding int) *stream {
	c := testConfig()
	c.Bytes = 1 << 20
	s := &stream{g: newRig(t, c, 1), flying: outstanding}
	s.g.readers[0].onAnswer = func(at sim.Time, _ *devices.Message) {
		if s.left--; s.left >= s.flying {
			s.issue(at)
		}
	}
	return s
}

func (s *stream) issue(at sim.Time) {
	kind := devices.Read
	if s.next%5 == 0 {
		kind = devices.Write
	}
	s.g.readers[0].send(at, kind, s.next%(1<<18)*256, 256, uint32(s.next))
	s.next++
}

// run streams n requests, more than are in flight.
func (s *stream) run(n int) {
	s.left = n
	for range s.flying {
		s.issue(s.g.now())
	}
	s.g.run()
	require.Zero(s.g.t, s.left)
}

// What a run allocates, the engine's start included, does not grow with its
// requests.
func TestStreamingAllocatesNothingPerRequest(t *testing.T) {
	s := newStream(t, 256)
	s.g.engine.SetWorkers(1)
	s.run(6000) // queues and pools reach their sizes
	const n = 2000
	allocs := testing.AllocsPerRun(3, func() { s.run(n) })
	require.Less(t, allocs/n, 0.01)
	require.NotZero(t, s.g.stats().WrittenBack, "evictions are part of it")
	require.NotZero(t, s.g.stats().CopyHit+s.g.stats().Copied, "so are copies")
}

func BenchmarkStream(b *testing.B) {
	b.ReportAllocs()
	s := newStream(b, 256)
	s.run(20_000)
	b.ResetTimer()
	n := max(b.N, 1000)
	s.run(n)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(2*n), "ns/line")
}
