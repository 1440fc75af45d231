package cpu

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices/cpucache"
	"hwsim/devices/dram"
	"hwsim/devices/mmu"
	"hwsim/devices/pagetable"
	"hwsim/devices/tlb"
	"hwsim/sim"
)

const (
	page  = 1 << pagetable.Shift4K
	line  = cpucache.LineBytes
	l1TLB = 1 // cycles
	l1Hit = 4
)

// typical is a core of a server.
func typical() *Config {
	t := func(entries, ways int, cycles int64) mmu.TLBConfig {
		return mmu.TLBConfig{Config: tlb.Config{Entries: entries, Ways: ways}, Cycles: cycles}
	}
	return &Config{ClockMHz: 2600, Width: 4, ROB: 224, Loads: 72,
		MMU: mmu.Config{Levels: 4, L1: []mmu.TLBConfig{t(64, 4, l1TLB)}, L2: t(1536, 12, 12), Walkers: 4, WalkLevel: 1,
			PWC: mmu.PWCConfig{Entries: []int{32, 16, 16}, Ways: 4, Cycles: 4}, Epoch: 10000},
		Caches: cpucache.Config{
			Levels: []cpucache.LevelConfig{{Bytes: 32 << 10, Ways: 8, HitCycles: l1Hit, MissCycles: 1, Replacement: "lru"},
				{Bytes: 256 << 10, Ways: 16, HitCycles: 16, MissCycles: 3, Replacement: "srrip"}, {Bytes: 1 << 20, Ways: 16, HitCycles: 28, MissCycles: 12, Replacement: "srrip"}},
			MSHRs:  64,
			Memory: cpucache.MemoryConfig{Channels: 8, GranuleBytes: 64, PathNs: 10, DRAM: dram.Config{Standard: "ddr4_2400t", Ranks: 2, Refresh: "none"}},
		},
		Pages: pagetable.PagerConfig{MemoryBytes: 4 << 30, Scatter: true}}
}

// stream yields what a function says, a number of times.
type stream struct {
	left int
	i    int
	next func(i int) Access
}

func (s *stream) Fill(batch []Access) int {
	n := min(len(batch), s.left)
	for i := range batch[:n] {
		batch[i] = s.next(s.i)
		s.i++
	}
	s.left -= n
	return n
}

func newCore(t testing.TB, change func(c *Config)) *Core {
	t.Helper()
	c := typical()
	change(c)
	fail := func(key, message string) { t.Fatalf("%s %s", key, message) }
	c.Validate(fail)
	c.MMU.Validate(fail)
	c.Caches.Validate(fail)
	k, err := New(c, 1)
	require.NoError(t, err)
	return k
}

// run runs n accesses and returns what the core did.
func (k *Core) run(t testing.TB, n int, next func(i int) Access) Stats {
	t.Helper()
	k.Forget()
	ran, err := k.Run(context.Background(), &stream{left: n, next: next}, uint64(n)+1)
	require.NoError(t, err)
	require.Equal(t, uint64(n), ran)
	s := k.Stats()
	require.Equal(t, uint64(n), s.Accesses)
	require.LessOrEqual(t, s.Translating+s.Waiting, s.Cycles)
	require.GreaterOrEqual(t, s.Translating, int64(0))
	require.GreaterOrEqual(t, s.Waiting, int64(0))
	return s
}

// local are accesses to a few lines of a page.
func local(i int) Access { return Access{Addr: uint64(i%16) * line} }

func TestHitsRunAtTheWidth(t *testing.T) {
	for _, width := range []int64{1, 2, 4, 8} {
		for _, gap := range []uint32{0, 3, 10} {
			k := newCore(t, func(c *Config) { c.Width = width })
			next := func(i int) Access {
				a := local(i)
				a.Gap, a.Write = gap, i%3 == 0
				return a
			}
			k.run(t, 100, next)
			const n = 20000
			s := k.run(t, n, next)
			require.Equal(t, uint64(n)*uint64(gap+1), s.Instructions)
			require.InDelta(t, float64(width), s.IPC(), 0.01*float64(width), "width %d, gap %d", width, gap)
			last := typical().Caches.Levels[0].HitCycles + typical().MMU.L1[0].Cycles
			require.LessOrEqual(t, s.Translating+s.Waiting, last, "but for the last access")
		}
	}
}

// What a stream that has ended still waits for is no less awaited: of one access, all
// of its time.
func TestTheLastAccessesAreAwaited(t *testing.T) {
	for _, n := range []int{1, 2, 50} {
		k := newCore(t, func(*Config) {})
		s := k.run(t, n, scattered(1, 3))
		require.Positive(t, s.Translating)
		require.Positive(t, s.Waiting)
		require.LessOrEqual(t, s.Cycles-s.Translating-s.Waiting, int64(n), "%d accesses", n)
	}
}

// Each access begins when the one before is done.
func TestAChaseTakesALatencyEach(t *testing.T) {
	for _, c := range []struct {
		after uint32
		want  float64
	}{{1, l1TLB + l1Hit}, {2, (l1TLB + l1Hit) / 2.}, {4, (l1TLB + l1Hit) / 4.}} {
		k := newCore(t, func(*Config) {})
		next := func(i int) Access {
			a := local(i)
			a.After = c.after
			return a
		}
		k.run(t, 100, next)
		s := k.run(t, 20000, next)
		require.InDelta(t, c.want, float64(s.Cycles)/20000, 0.02*c.want, "after %d", c.after)
	}
}

// A chase through memory has one miss at a time; its stalls are the data's.
func TestAChaseThroughMemoryWaitsForEachLine(t *testing.T) {
	k := newCore(t, func(*Config) {})
	r := sim.NewRand(1)
	const pages = 1000 // that the TLBs hold
	next := func(int) Access { return Access{Addr: uint64(r.IntN(pages*page)) &^ 63, After: 1} }
	k.run(t, 20000, next)
	s := k.run(t, 5000, next)
	require.Greater(t, float64(s.Cycles)/5000, 80.)
	require.Less(t, float64(s.Cycles)/5000, 250.)
	require.Greater(t, s.Waiting, s.Cycles*7/10)
}

// scattered are independent loads whose lines no cache has, on pages that the TLBs know.
func scattered(seed uint64, gap uint32) func(int) Access {
	r := sim.NewRand(seed)
	return func(int) Access { return Access{Addr: uint64(r.IntN(3<<20)) &^ 63 * 2, Gap: gap} }
}

// perMiss returns cycles an access that misses all caches, of independent ones.
func perMiss(t *testing.T, gap uint32, change func(c *Config)) float64 {
	k := newCore(t, func(c *Config) {
		c.Caches.Levels = []cpucache.LevelConfig{{Bytes: 1 << 10, Ways: 2, HitCycles: l1Hit, MissCycles: 1, Replacement: "lru"}}
		c.MMU.WalkLevel = 0
		c.MMU.L1[0].Entries = 1 << 13 // all pages
		change(c)
	})
	next := scattered(1, gap)
	k.run(t, 30000, next)
	s := k.run(t, 10000, next)
	return float64(s.Cycles) / float64(s.Accesses)
}

// n misses in flight divide the latency of one; the buffer has room for ROB/(gap+1), the load queue
// and the MSHRs for as many as they are.
func TestOverlapIsBounded(t *testing.T) {
	one := perMiss(t, 100, func(c *Config) { c.ROB = 101 })
	for _, c := range []struct {
		name     string
		gap      uint32
		inFlight float64
		change   func(c *Config)
	}{
		{"reorder buffer, gap 100", 100, 4, func(c *Config) { c.ROB = 404 }},
		{"reorder buffer, gap 24", 24, 4, func(c *Config) { c.ROB = 100 }},
		{"reorder buffer, gap 24", 24, 8, func(c *Config) { c.ROB = 200 }},
		{"load queue", 3, 1, func(c *Config) { c.Loads = 1 }},
		{"load queue", 3, 4, func(c *Config) { c.Loads = 4 }},
		{"load queue", 3, 8, func(c *Config) { c.Loads = 8 }},
		{"MSHRs", 3, 1, func(c *Config) { c.Caches.MSHRs = 1 }},
		{"MSHRs", 3, 4, func(c *Config) { c.Caches.MSHRs = 4 }},
		{"MSHRs", 3, 8, func(c *Config) { c.Caches.MSHRs = 8 }},
	} {
		got := perMiss(t, c.gap, c.change)
		require.InDelta(t, c.inFlight, one/got, 0.2*c.inFlight, "%s: %v in flight, %.1f cycles a miss, %.1f of one", c.name, c.inFlight, got, one)
	}
}

// Of 400 instructions an access, 100 fit the buffer beside the miss: the other 300 come after it, 4 a cycle.
func TestWhatTheBufferCannotHoldComesAfterTheMiss(t *testing.T) {
	one := perMiss(t, 100, func(c *Config) { c.ROB = 101 })
	got := perMiss(t, 399, func(c *Config) { c.ROB = 100 })
	require.InDelta(t, one+300/4, got, 0.05*got)
}

// What follows a mispredicted branch is dispatched when its data are there and the front end has begun anew.
func TestAMispredictedBranchHoldsUpDispatch(t *testing.T) {
	for _, c := range []struct {
		refill int64
		every  int
	}{{0, 1}, {15, 1}, {15, 10}} {
		k := newCore(t, func(cfg *Config) { cfg.Refill = c.refill })
		next := func(i int) Access {
			a := local(i)
			a.Flush, a.Gap = i%c.every == 0, 3
			return a
		}
		k.run(t, 100, next)
		s := k.run(t, 10000, next)
		branch := float64(l1TLB + l1Hit + c.refill) // and a cycle for each access with its gap
		require.InDelta(t, float64(c.every)+branch, float64(s.Cycles)*float64(c.every)/10000, 1, "%+v", c)
	}
}

func TestStoresWaitForTheirTranslationOnly(t *testing.T) {
	write := func(next func(int) Access) func(int) Access {
		return func(i int) Access {
			a := next(i)
			a.Write = true
			return a
		}
	}
	k := newCore(t, func(c *Config) { c.MMU.L1[0].Entries = 1 << 13 })
	next := write(scattered(1, 3))
	k.run(t, 30000, next)
	s := k.run(t, 5000, next)
	require.InDelta(t, 4, s.IPC(), 0.05, "all pages are known")
	require.Zero(t, s.Waiting)

	k = newCore(t, func(c *Config) { c.MMU.L1[0].Entries, c.MMU.L2.Entries = 4, 12 })
	k.run(t, 30000, next)
	s = k.run(t, 5000, next)
	require.Less(t, s.IPC(), 2.)
	require.Positive(t, s.Translating)
	require.Zero(t, s.Waiting, "and never for data")
}

// An access whose address is a store's data needs none: stores write no registers.
func TestNothingWaitsForAStore(t *testing.T) {
	k := newCore(t, func(*Config) {})
	next := func(i int) Access {
		a := local(i)
		a.Write, a.After = i%2 == 0, uint32(i%2)
		return a
	}
	k.run(t, 100, next)
	s := k.run(t, 20000, next)
	require.InDelta(t, 4, s.IPC(), 0.05)
}

func TestNewAddressSpacesHaveTheirOwnPages(t *testing.T) {
	k := newCore(t, func(*Config) {})
	k.run(t, 4, func(i int) Access { return Access{Space: uint16(i)} })
	seen := map[uint64]bool{}
	for id := range uint16(4) {
		s, err := k.Space(id)
		require.NoError(t, err)
		frame := s.Guest.Table.Walk(0)
		require.NotNil(t, frame.Leaf)
		require.False(t, seen[frame.Frame()])
		seen[frame.Frame()] = true
	}
	_, err := k.Space(MaxSpaces)
	require.ErrorContains(t, err, "address space 2048")
	_, err = k.Run(context.Background(), &stream{left: 1, next: func(int) Access { return Access{Space: MaxSpaces} }}, 1)
	require.ErrorContains(t, err, "address space 2048")
}

func TestFullMemoryEndsTheRun(t *testing.T) {
	k := newCore(t, func(c *Config) { c.Pages.MemoryBytes = 8 << 20 })
	_, err := k.Run(context.Background(), &stream{left: 1 << 14, next: func(i int) Access { return Access{Addr: uint64(i) * page} }}, 1<<14)
	require.ErrorIs(t, err, pagetable.ErrNoMemory)
}

func TestACancelledRunStops(t *testing.T) {
	k := newCore(t, func(*Config) {})
	ctx, cancel := context.WithCancel(context.Background())
	ran, err := k.Run(ctx, &stream{left: 1 << 30, next: func(i int) Access {
		if i == 5000 {
			cancel()
		}
		return local(i)
	}}, 1<<30)
	require.ErrorIs(t, err, context.Canceled)
	require.Less(t, ran, uint64(10000))
}

// mixed are streams of dependent and independent loads and stores of some pages.
func mixed(seed uint64, pages int) func(int) Access {
	r := sim.NewRand(seed)
	return func(int) Access {
		a := Access{Addr: uint64(r.IntN(pages))*page + uint64(r.IntN(page))&^63, Gap: uint32(r.IntN(12)), Write: r.IntN(4) == 0, Space: uint16(r.IntN(2))}
		switch r.IntN(4) {
		case 0:
			a.After = uint32(1 + r.IntN(5))
		case 1:
			a.Addr = uint64(r.IntN(8)) * line
		}
		return a
	}
}

func cyclesOf(t *testing.T, seed uint64, pages int, change func(c *Config)) float64 {
	k := newCore(t, change)
	next := mixed(seed, pages)
	k.run(t, 12000, next)
	return float64(k.run(t, 12000, next).Cycles)
}

// What has more of something is not slower. Memory's queues and replacement leave some slack: other times
// mean another order of accesses, and other lines that go.
func TestMoreIsNotSlower(t *testing.T) {
	const slack = 1.01
	for seed := range uint64(2) {
		for _, pages := range []int{600, 4000} {
			base := cyclesOf(t, seed, pages, func(*Config) {})
			for name, less := range map[string]func(c *Config){
				"one walker":            func(c *Config) { c.MMU.Walkers = 1 },
				"smaller second TLB":    func(c *Config) { c.MMU.L2.Entries = 192 },
				"smaller first TLB":     func(c *Config) { c.MMU.L1[0].Entries = 16 },
				"slower second TLB":     func(c *Config) { c.MMU.L2.Cycles = 30 },
				"no page-walk caches":   func(c *Config) { c.MMU.PWC.Entries = nil },
				"smaller buffer":        func(c *Config) { c.ROB = 56 },
				"fewer loads":           func(c *Config) { c.Loads = 8 },
				"fewer MSHRs":           func(c *Config) { c.Caches.MSHRs = 4 },
				"narrower":              func(c *Config) { c.Width = 2 },
				"slower L2 cache":       func(c *Config) { c.Caches.Levels[1].HitCycles = 30 },
				"memory farther away":   func(c *Config) { c.Caches.Memory.PathNs = 60 },
				"fewer memory channels": func(c *Config) { c.Caches.Memory.Channels = 1 },
			} {
				require.LessOrEqual(t, base, slack*cyclesOf(t, seed, pages, less), "%s, seed %d, %d pages", name, seed, pages)
			}
		}
	}
}

func TestSameSeedSameCounters(t *testing.T) {
	run := func(seed uint64) string {
		k := newCore(t, func(c *Config) {
			c.MMU.Victima = &mmu.VictimaConfig{Level: 1, Insert: "retag", OnEviction: true, Aware: true, CacheMPKI: 5, TLBMPKI: 5}
		})
		s := k.run(t, 20000, mixed(seed, 3000))
		return fmt.Sprintf("%+v %+v %+v", s, *k.MMU.Stats(), *k.Caches.Stats())
	}
	require.Equal(t, run(1), run(1))
	require.NotEqual(t, run(1), run(2))
}

func TestVirtualMachinesRun(t *testing.T) {
	k := newCore(t, func(c *Config) {
		c.MMU.Nested = &mmu.NestedConfig{TLB: mmu.TLBConfig{Config: tlb.Config{Entries: 64, Ways: 4}, Cycles: 1}, Levels: 4}
		c.Host = &pagetable.PagerConfig{MemoryBytes: 8 << 30}
	})
	s := k.run(t, 20000, mixed(1, 3000))
	m := k.MMU.Stats()
	require.Greater(t, m.HostWalks, m.Walks)
	require.Equal(t, m.Misses, m.Walks)
	require.Positive(t, s.Translating)
}

func TestValidateNamesWhatIsWrong(t *testing.T) {
	for want, change := range map[string]func(c *Config){
		"clock_mhz":     func(c *Config) { c.ClockMHz = 0.5 },
		"width":         func(c *Config) { c.Width = 0 },
		"rob":           func(c *Config) { c.ROB = 0 },
		"refill_cycles": func(c *Config) { c.Refill = -1 },
		"loads":         func(c *Config) { c.Loads = 0 },
		"host":          func(c *Config) { c.Host = &c.Pages },
		"pages.memory_bytes": func(c *Config) {
			c.Host, c.MMU.Nested = &pagetable.PagerConfig{MemoryBytes: 1 << 30}, &mmu.NestedConfig{}
		},
	} {
		c := typical()
		change(c)
		var got []string
		c.Validate(func(key, _ string) { got = append(got, key) })
		require.Equal(t, []string{want}, got)
	}
}

// steps returns a step of a batch of accesses.
func steps(t testing.TB, next func(int) Access) (step func()) {
	k := newCore(t, func(*Config) {})
	s := &stream{next: next}
	return func() {
		s.left = batch
		if _, err := k.Run(context.Background(), s, batch); err != nil {
			t.Fatal(err)
		}
	}
}

// A run has a buffer for what it takes from its stream; its accesses allocate nothing.
func TestAccessesAllocateNothingOnceWarm(t *testing.T) {
	for name, next := range map[string]func(int) Access{"local": local, "mixed": mixed(1, 2000)} {
		step := steps(t, next)
		for range 100 {
			step()
		}
		require.LessOrEqual(t, testing.AllocsPerRun(50, step), 1., "%s: %d accesses a step", name, batch)
	}
}

// recorded yields accesses over and over.
type recorded struct {
	accesses []Access
	at       int
}

func (r *recorded) Fill(batch []Access) int {
	n := copy(batch, r.accesses[r.at:])
	r.at = (r.at + n) % len(r.accesses)
	return n
}

// BenchmarkRun counts accesses: of a stream that the first caches and TLB hold, and of one that
// they do not.
func BenchmarkRun(b *testing.B) {
	for _, c := range []struct {
		name string
		next func(int) Access
	}{{"L1", local}, {"mixed", mixed(1, 2000)}} {
		b.Run(c.name, func(b *testing.B) {
			k := newCore(b, func(*Config) {})
			stream := &recorded{accesses: make([]Access, 64*batch)}
			for i := range stream.accesses {
				stream.accesses[i] = c.next(i)
			}
			run := func(n uint64) {
				if _, err := k.Run(context.Background(), stream, n); err != nil {
					b.Fatal(err)
				}
			}
			run(128 * batch)
			b.ReportAllocs()
			for b.Loop() {
				run(batch)
			}
			b.ReportMetric(float64(b.N)*batch/b.Elapsed().Seconds()/1e6, "M-accesses/s")
		})
	}
}
