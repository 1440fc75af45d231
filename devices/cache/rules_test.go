package cache

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices"
	"hwsim/devices/dram"
	"hwsim/sim"
)

func TestSecondReadOfALineHits(t *testing.T) {
	g := newRig(t, testConfig(), 1)
	addr := g.homeIn(0, 0)
	g.readers[0].read(addr, 256)
	require.Equal(t, Stats{Read: 256, Filled: 256, PipelineBusyPs: 4000}, g.stats())
	g.readers[0].read(addr, 256)
	require.Equal(t, Stats{Read: 512, Filled: 256, Hit: 256, PipelineBusyPs: 8000}, g.stats())
}

func TestReadFetchesTheSectorsItAsksFor(t *testing.T) {
	for _, c := range []struct {
		name    string
		has     [][2]uint32 // offset and bytes of earlier reads
		asks    [2]uint32
		fetches uint64
	}{
		{"one sector", nil, [2]uint32{0, 32}, 32},
		{"middle sectors", nil, [2]uint32{32, 64}, 64},
		{"bytes of a sector", nil, [2]uint32{40, 8}, 32},
		{"across two lines", nil, [2]uint32{96, 64}, 64},
		{"the rest of a line", [][2]uint32{{0, 32}}, [2]uint32{0, 128}, 96},
		{"around a hole, in one run", [][2]uint32{{32, 32}}, [2]uint32{0, 128}, 128},
		{"two ends of a granule", [][2]uint32{{96, 64}}, [2]uint32{0, 256}, 192},
		{"nothing", [][2]uint32{{0, 64}, {64, 64}}, [2]uint32{0, 128}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newRig(t, testConfig(), 1)
			addr := g.homeIn(0, 0)
			for _, h := range c.has {
				g.readers[0].read(addr+uint64(h[0]), h[1])
			}
			before, _ := g.channelBytes()
			g.readers[0].read(addr+uint64(c.asks[0]), c.asks[1])
			after, _ := g.channelBytes()
			require.Equal(t, c.fetches, after-before)
			require.Equal(t, after, g.stats().Filled)
		})
	}
}

func TestWrittenSectorsAreReadWithoutAFetch(t *testing.T) {
	g := newRig(t, testConfig(), 1)
	addr := g.homeIn(0, 0)
	g.readers[0].write(addr+32, 64)
	require.Zero(t, g.stats().Filled, "stores allocate without fetching")
	g.readers[0].read(addr+32, 64)
	require.Zero(t, g.stats().Filled)
	require.Equal(t, uint64(64), g.stats().Hit)
}

func TestReadersOfOneMissingLineShareAFetch(t *testing.T) {
	for _, c := range []struct {
		name    string
		readers []int // partitions
	}{{"of one partition", []int{0, 0}}, {"of both partitions", []int{0, 1}}, {"of the far partition", []int{1, 1, 1}}} {
		t.Run(c.name, func(t *testing.T) {
			g := newRig(t, testConfig(), 1)
			addr := g.homeIn(0, 0)
			for i, p := range c.readers {
				g.readers[p].send(sim.Time(i)*sim.Nanosecond, devices.Read, addr, 128, uint32(i))
			}
			g.run()
			answers := 0
			for _, r := range g.readers {
				answers += len(r.answers)
			}
			require.Len(t, c.readers, answers)
			read, _ := g.channelBytes()
			require.Equal(t, uint64(128), read)
		})
	}
}

// A reader that wants more of a line than the fetch under way brings gets the
// rest afterwards.
func TestReadLargerThanTheFetchUnderWayIsCompleted(t *testing.T) {
	g := newRig(t, testConfig(), 1)
	addr := g.homeIn(0, 0)
	g.readers[0].send(0, devices.Read, addr, 32, 0)
	g.readers[0].send(0, devices.Read, addr, 256, 1)
	g.run()
	require.Len(t, g.readers[0].answers, 2)
	require.Equal(t, uint64(256), g.stats().Filled)
	require.NotZero(t, g.readers[0].answers[1].Why[devices.Queue], "waiting for another's fetch is queueing")
}

func TestFullMSHRsStallAndLaterServeAll(t *testing.T) {
	for _, mshrs := range []int{1, 2, 7} {
		c := testConfig()
		c.MSHRs = mshrs
		g := newRig(t, c, 1)
		const n = 40
		for i := range n {
			g.readers[0].send(0, devices.Read, g.homeAt(0, i), 128, uint32(i))
		}
		require.NoError(t, g.engine.Run(func(sim.Time) bool {
			require.LessOrEqual(t, g.slice(0).fetches.live(), mshrs)
			return false
		}))
		require.Len(t, g.readers[0].answers, n)
		require.Equal(t, uint64(n-mshrs), g.stats().MSHRStalls)
		for i, a := range g.readers[0].answers {
			if mshrs == 1 { // else the channel may choose among fetches
				require.Equal(t, uint32(i), a.Tag, "those stalled are served in order")
			}
		}
		require.Zero(t, g.slice(0).stalled.len())
	}
}

func TestStalledReadIsCountedOnce(t *testing.T) {
	c := testConfig()
	c.MSHRs = 1
	g := newRig(t, c, 1)
	half := g.homeAt(0, 0)
	g.readers[0].read(half, 128)
	at := g.now()
	g.readers[0].send(at, devices.Read, g.homeAt(0, 1), 128, 1)
	g.readers[0].send(at, devices.Read, half, 256, 2) // its second line finds no MSHR
	g.run()
	require.NotZero(t, g.stats().MSHRStalls)
	require.Equal(t, uint64(128), g.stats().Hit)
}

func TestFarLineReadAgainHitsItsCopy(t *testing.T) {
	g := newRig(t, testConfig(), 1)
	addr := g.homeIn(1, 0)
	g.readers[0].read(addr, 128)
	require.Equal(t, uint64(128), g.stats().Copied)
	require.Zero(t, g.stats().CopyHit)
	g.readers[0].read(addr, 128)
	require.Equal(t, uint64(128), g.stats().CopyHit)
	require.Equal(t, uint64(128), g.stats().Copied)
	g.readers[0].read(addr, 256)
	require.Equal(t, uint64(128+256), g.stats().Copied, "a copy of a part does not serve the whole")
}

func TestWriteInvalidatesTheFarCopy(t *testing.T) {
	for writer, name := range []string{"by the copy's own partition", "at home"} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, testConfig(), 1)
			addr := g.homeIn(1, 0)
			g.readers[0].read(addr, 256)
			g.readers[writer].write(addr, 128)
			g.readers[0].read(addr, 128)
			require.Zero(t, g.stats().CopyHit, "the written line's copy is gone")
			g.readers[0].read(addr, 128)
			require.Equal(t, uint64(128), g.stats().CopyHit, "and comes back")
			g.readers[0].read(addr+128, 128)
			require.Equal(t, uint64(256), g.stats().CopyHit, "the other line's copy stays")
		})
	}
}

// overflow is the granules of one slice that exceed its capacity k times.
func overflow(c Config, k int) int { return k * int(c.Bytes/rigSlices/c.GranuleBytes) }

func TestEveryDirtiedSectorIsWrittenBackOnce(t *testing.T) {
	for _, c := range []struct {
		name  string
		bytes uint32
		again bool
	}{{"lines", 128, false}, {"sectors", 32, false}, {"granules", 256, false}, {"written twice while cached", 96, true}} {
		t.Run(c.name, func(t *testing.T) {
			cfg := testConfig()
			g := newRig(t, cfg, 1)
			n := overflow(cfg, 3)
			for i := range n {
				at := sim.Time(i) * 10 * sim.Nanosecond
				for range 2 {
					g.readers[0].send(at, devices.Write, g.homeAt(0, i), c.bytes, 0)
					if !c.again {
						break
					}
				}
			}
			g.run()
			dirtied := uint64(n) * uint64(c.bytes)
			_, written := g.channelBytes()
			require.Equal(t, g.stats().WrittenBack, written)
			require.Equal(t, dirtied, written+g.dirtyBytes())
			require.LessOrEqual(t, g.dirtyBytes(), cfg.Bytes/rigSlices)

			for i := range overflow(cfg, 10) { // reads push out what is left
				g.readers[0].send(g.now()+sim.Time(i)*10*sim.Nanosecond, devices.Read, g.homeAt(0, n+i), 256, 0)
			}
			g.run()
			_, written = g.channelBytes()
			require.Zero(t, g.dirtyBytes())
			require.Equal(t, dirtied, written)
		})
	}
}

// After a skipped stretch of stores the L2 holds what it would had they
// passed through, and nothing has moved.
func TestSkippedStoresLeaveTheSameLines(t *testing.T) {
	held := func(store func(g *rig, addr, bytes uint64)) (*rig, []array) {
		g := newRig(t, testConfig(), 1)
		store(g, 0, 256<<10)
		store(g, 1<<20, 9<<10)
		var lines []array
		for id := range rigSlices {
			lines = append(lines, g.slice(id).lines)
		}
		return g, lines
	}
	_, real := held(func(g *rig, addr, bytes uint64) {
		for at := addr; at < addr+bytes; at += g.wiring.Granule {
			g.readers[0].write(at, uint32(g.wiring.Granule))
		}
	})
	g, skipped := held(func(g *rig, addr, bytes uint64) {
		for _, group := range g.groups {
			group.Stored(addr, bytes)
		}
	})
	require.Equal(t, real, skipped)
	_, written := g.channelBytes()
	require.Zero(t, written)
}

func TestHolesBetweenDirtySectorsAreNotWritten(t *testing.T) {
	c := testConfig()
	g := newRig(t, c, 1)
	g.readers[0].write(g.homeAt(0, 0), 32)
	g.readers[0].write(g.homeAt(0, 0)+64, 64)
	for i := range overflow(c, 10) {
		g.readers[0].send(g.now()+sim.Time(i)*10*sim.Nanosecond, devices.Read, g.homeAt(0, 1+i), 256, 0)
	}
	g.run()
	require.Equal(t, uint64(96), g.stats().WrittenBack)
}

// With one way a set, a line whose data are on their way cannot be evicted.
func TestStoreGoesAroundASetThatWaitsForData(t *testing.T) {
	c := testConfig()
	c.Ways, c.Bytes = 1, rigSlices*LineBytes // one line a slice
	g := newRig(t, c, 1)
	g.readers[0].send(0, devices.Read, g.homeAt(0, 0), 128, 0)
	g.readers[0].send(0, devices.Write, g.homeAt(0, 1), 64, 1)
	g.run()
	require.Len(t, g.readers[0].answers, 2)
	_, written := g.channelBytes()
	require.Equal(t, uint64(64), written)
	require.Zero(t, g.dirtyBytes())
	g.readers[0].read(g.homeAt(0, 0), 128)
	require.Equal(t, uint64(128), g.stats().Hit, "the line that was fetched stayed")
}

func TestUnansweredStoreSendsNoAck(t *testing.T) {
	g := newRig(t, testConfig(), 1)
	addr := g.homeIn(0, 0)
	g.readers[0].Send(int(g.wiring.Port[g.wiring.Near(addr, 0)]), sim.Microsecond, sim.Deliver,
		&devices.Message{Kind: devices.Write, Addr: addr, Bytes: 128, From: devices.NoReply})
	g.run()
	require.Empty(t, g.readers[0].answers)
	require.Equal(t, uint64(128), g.stats().Written)
}

func TestWiringPairsSlicesOfTheTwoPartitions(t *testing.T) {
	two := Wiring{Interleave: devices.Interleave{Granule: 256, Slices: 94}, Partitions: 2}
	one := two
	one.Partitions = 1
	for s := range 94 {
		require.Equal(t, s, one.Mirror(s))
		require.NotEqual(t, two.Partition(s), two.Partition(two.Mirror(s)))
		require.Equal(t, s, two.Mirror(two.Mirror(s)))
	}
	for addr := uint64(0); addr < 1<<16; addr += 256 {
		home, _ := two.Locate(addr)
		for p := range 2 {
			near := two.Near(addr, p)
			require.Equal(t, p, two.Partition(near), "a requester looks in its own partition")
			require.Contains(t, []int{home, two.Mirror(home)}, near)
		}
		require.Equal(t, home, one.Near(addr, 0))
	}
}

func TestValidateNamesEveryBadKey(t *testing.T) {
	keys := func(c Config) (bad []string) {
		c.Validate(func(key, _ string) { bad = append(bad, key) })
		return bad
	}
	require.Empty(t, keys(testConfig()))
	require.ElementsMatch(t, []string{"partitions", "ways", "granule_bytes", "bytes", "slice_gbps", "mshrs", "crossbar_ns"}, keys(Config{}))
	c := testConfig()
	c.BridgeNs, c.GranuleBytes, c.Ways, c.HitNs, c.MemoryNs = 0, 384, 17, -1, -1
	require.ElementsMatch(t, []string{"bridge_ns", "granule_bytes", "ways", "hit_ns", "memory_ns"}, keys(c))
}

// Stores that are acknowledged are taken no faster than the memory takes the
// lines that they drive out.
func TestStoresWaitForTheMemoryToTakeDirtyLines(t *testing.T) {
	c := testConfig()
	g := newRig(t, c, 1)
	r := g.readers[0]
	const stores = 8000
	began := g.now()
	for n := range uint64(stores) {
		r.send(began, devices.Write, n*g.wiring.Granule, uint32(g.wiring.Granule), 0)
	}
	g.run()
	require.Len(t, r.answers, stores)
	peak := 0.0
	for _, group := range g.groups {
		group.Channels(func(_ int, ch *dram.Channel) { peak += ch.Spec().PeakGBps() })
	}
	driven := float64(stores*g.wiring.Granule - c.Bytes - rigSlices*uint64(g.groups[0].backs))
	require.Greater(t, (r.answers[stores-1].at - began).Nanoseconds(), driven/peak)
	require.Equal(t, uint64(stores)*g.wiring.Granule, g.stats().Written, "each once")
	_, written := g.channelBytes()
	require.Equal(t, uint64(stores)*g.wiring.Granule, written+g.dirtyBytes())
}

// Lines that are kept without a simulation are found as those are that were
// read in one.
func TestKeptLinesAreFound(t *testing.T) {
	g := newRig(t, testConfig(), 1)
	near, far := g.homeIn(0, 0), g.homeIn(1, 0)
	home := func(addr uint64) int { n, _ := g.wiring.Locate(addr); return n }
	require.False(t, g.groups[0].Keep(home(near), near, false))
	require.True(t, g.groups[0].Keep(home(near), near, false))
	require.False(t, g.groups[0].Keep(g.wiring.Mirror(home(far)), far, false))
	require.False(t, g.groups[1].Keep(home(far), far, true))
	const hit = (2*60 + 26) * sim.Nanosecond
	require.Equal(t, hit, g.readers[0].read(near, 128))
	require.Equal(t, hit, g.readers[0].read(far, 128))
	g.readers[1].write(far, 128)
	require.Greater(t, g.readers[0].read(far, 128), hit+62*sim.Nanosecond, "the copy was dropped")
	require.Zero(t, g.stats().Filled)
}
