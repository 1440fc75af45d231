package cache

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices"
	"hwsim/sim"
)

// traffic is random requests of both partitions over a footprint larger than
// the cache. Some lines are asked for again and again, by both.
type traffic struct {
	requests []request
	lines    bool // only whole lines
}

type request struct {
	at        sim.Time
	partition int
	kind      devices.Kind
	addr      uint64
	bytes     uint32
}

func randomTraffic(c Config, n int, lines bool) traffic {
	r := sim.NewRand(uint64(n))
	t := traffic{lines: lines}
	at := sim.Time(0)
	unit := SectorBytes
	if lines {
		unit = LineBytes
	}
	granules := int(3 * c.Bytes / c.GranuleBytes)
	for range n {
		at += sim.Time(r.IntN(2000)) // up to 2 ns: several slices are always busy
		granule := uint64(r.IntN(granules))
		if r.IntN(3) == 0 {
			granule %= 20
		}
		units := int(c.GranuleBytes) / unit
		first := r.IntN(units)
		count := 1 + r.IntN(units-first)
		kind := devices.Read
		if r.IntN(4) == 0 {
			kind = devices.Write
		}
		t.requests = append(t.requests, request{at, r.IntN(c.Partitions), kind,
			granule*c.GranuleBytes + uint64(first*unit), uint32(count * unit)})
	}
	return t
}

// play sends all requests, each with its index as its tag, and runs to the end.
func (t traffic) play(g *rig) {
	g.t.Helper()
	g.engine.SetPending(func() string {
		if n := len(t.requests) - g.answered(); n > 0 {
			return fmt.Sprintf("%d requests unanswered", n)
		}
		return ""
	})
	for i, q := range t.requests {
		g.readers[q.partition].send(q.at, q.kind, q.addr, q.bytes, uint32(i))
	}
	g.run()
}

func (g *rig) answered() (n int) {
	for _, r := range g.readers {
		n += len(r.answers)
	}
	return n
}

// asked returns the bytes that reads ask for, and those of the sectors that
// reads touch and nobody writes: these can only come from memory.
func (t traffic) asked() (reads, memory uint64) {
	touched := map[uint64]devices.Kind{}
	for _, q := range t.requests {
		if q.kind == devices.Read {
			reads += uint64(q.bytes)
		}
		for s := q.addr; s < q.addr+uint64(q.bytes); s += SectorBytes {
			touched[s] = max(touched[s], q.kind)
		}
	}
	for _, kind := range touched {
		if kind == devices.Read {
			memory += SectorBytes
		}
	}
	return reads, memory
}

// machines are shapes of L2 under which something may run short.
func machines() map[string]Config {
	of := func(change func(c *Config)) Config {
		c := testConfig()
		change(&c)
		return c
	}
	return map[string]Config{
		"two partitions":   testConfig(),
		"one partition":    of(func(c *Config) { c.Partitions, c.BridgeNs = 1, 0 }),
		"one MSHR":         of(func(c *Config) { c.MSHRs = 1 }),
		"three MSHRs":      of(func(c *Config) { c.MSHRs = 3 }),
		"one way":          of(func(c *Config) { c.Ways = 1 }),
		"two ways, 1 MSHR": of(func(c *Config) { c.Ways, c.MSHRs = 2, 1 }),
		"sixteen ways":     of(func(c *Config) { c.Ways = 16 }),
		"one line a slice": of(func(c *Config) { c.Ways, c.Bytes = 1, rigSlices*LineBytes }),
		"granules of 512":  of(func(c *Config) { c.GranuleBytes, c.MSHRs = 512, 2 }),
		"granules of 128":  of(func(c *Config) { c.GranuleBytes = 128 }),
		"short bridge":     of(func(c *Config) { c.HitNs, c.MemoryNs, c.MSHRs, c.BridgeNs = 0, 0, 2, 20 }),
		"no pipelines":     of(func(c *Config) { c.HitNs, c.MemoryNs, c.MSHRs, c.CrossbarNs, c.BridgeNs = 0, 0, 1, 20, 20 }),
	}
}

func TestEveryRequestIsAnsweredOnceWithItsOwnTag(t *testing.T) {
	for name, c := range machines() {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, c, 1)
			tr := randomTraffic(c, 1500, false)
			tr.play(g)
			seen := make([]bool, len(tr.requests))
			for p, r := range g.readers {
				for _, a := range r.answers {
					q := tr.requests[a.Tag]
					require.False(t, seen[a.Tag], "request %d answered twice", a.Tag)
					seen[a.Tag] = true
					require.Equal(t, p, q.partition)
					require.Equal(t, q.kind == devices.Read, a.Kind == devices.Data)
					require.Equal(t, q.kind == devices.Write, a.Kind == devices.Ack)
					require.Equal(t, q.bytes, a.Bytes)
					require.Equal(t, q.addr, a.Addr)
					require.Equal(t, q.at, a.Born)
					require.Equal(t, uint8(3), a.Flow)
					require.LessOrEqual(t, a.Why.Total(), a.at-a.Born, "no more is charged than was spent")
					require.GreaterOrEqual(t, a.at-q.at, ns(c.CrossbarNs, c.HitNs, c.CrossbarNs))
				}
			}
			require.NotContains(t, seen, false)
		})
	}
}

func TestBytesAreConserved(t *testing.T) {
	for name, c := range machines() {
		for _, lines := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, whole lines %v", name, lines), func(t *testing.T) {
				g := newRig(t, c, 1)
				tr := randomTraffic(c, 1500, lines)
				tr.play(g)
				s := g.stats()
				asked, memory := tr.asked()
				read, written := g.channelBytes()
				require.Equal(t, asked, s.Read)
				require.Equal(t, read, s.Filled)
				require.GreaterOrEqual(t, read, memory)
				require.LessOrEqual(t, read, asked)
				require.LessOrEqual(t, s.Hit, asked)
				require.Equal(t, written, s.WrittenBack)
				require.LessOrEqual(t, written+g.dirtyBytes(), s.Written)
				requireIdle(t, g)
			})
		}
	}
}

// requireIdle checks that nothing waits for anything once all are answered.
func requireIdle(t *testing.T, g *rig) {
	for id := range rigSlices {
		s := g.slice(id)
		require.Zero(t, s.fetches.live())
		require.Zero(t, s.waiters.live())
		require.Zero(t, s.stalled.len())
		require.Zero(t, s.channel.Pending())
		require.Empty(t, s.handed)
		for i := range s.lines.sets {
			for w, st := range s.lines.sets[i].state {
				require.Zero(t, st.pending, "slice %d set %d way %d waits for ever", id, i, w)
				require.Zero(t, st.dirty&^st.valid, "dirty sectors are valid")
			}
		}
	}
}

func TestResultsDoNotDependOnEngineWorkers(t *testing.T) {
	type result struct {
		answers [2][]answer
		stats   Stats
		latency sim.Histogram
	}
	play := func(workers int) (res result) {
		c := testConfig()
		c.MSHRs = 8
		g := newRig(t, c, 3)
		g.engine.SetWorkers(workers)
		randomTraffic(c, 4000, false).play(g)
		for p, r := range g.readers {
			res.answers[p] = r.answers
		}
		res.stats = g.stats()
		for _, group := range g.groups {
			res.latency.Merge(group.Latency())
		}
		return res
	}
	require.Equal(t, play(1), play(2))
}

// What no device claims of a request's time is that of the fixed pipelines it
// passed: all waiting has a cause.
func TestAllWaitingHasACause(t *testing.T) {
	for name, c := range machines() {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, c, 1)
			tr := randomTraffic(c, 1500, true)
			tr.play(g)
			pipelines := ns(2*c.CrossbarNs, 3*c.HitNs, 2*c.BridgeNs, c.MemoryNs)
			for _, r := range g.readers {
				for _, a := range r.answers {
					if a.Kind == devices.Data {
						require.LessOrEqual(t, a.at-a.Born-a.Why.Total(), pipelines, "%+v", a)
					}
				}
			}
		})
	}
}
