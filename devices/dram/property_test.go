package dram

import (
	"fmt"
	"testing"

	"hwsim/devices"
	"hwsim/sim"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// configs are what the property tests run on.
func configs() []Config {
	no := false
	list := []Config{
		{Standard: "hbm3_6400", Refresh: "per_bank"},
		{Standard: "hbm3e_h200", Refresh: "per_bank", Postpone: 1, HitCap: -1},
		{Standard: "hbm3_6400", Refresh: "all_bank", Map: "B", Hash: &no},
		{Standard: "hbm2_2000", Refresh: "per_bank", QueueDepth: 8, WriteQueueDepth: 4},
		{Standard: "hbm3_5200", Refresh: "per_bank", Ranks: 4, Page: "closed"},
		{Standard: "ddr4_3200aa", Ranks: 4, Map: "row col bank rank bankgroup"},
		{Standard: "ddr5_4800bn", Refresh: "same_bank", Ranks: 2},
		{Standard: "ddr5_5600an", Refresh: "same_bank", Postpone: 2, Page: "closed"},
		{Standard: "gddr6_14000", Refresh: "per_bank", InlineECC: 16, Forward: true},
		{Standard: "lpddr5_6400", InlineECC: 8, Map: "A", Postpone: 4, PullIn: 4},
		{Standard: "hbm3_6400", Refresh: "per_bank", Postpone: 2, PullIn: 6},
		{Standard: "ddr5_4800bn", Refresh: "same_bank", PullIn: 3, Ranks: 2, Page: "adaptive"},
		{Standard: "ddr4_3200aa", PullIn: 8, Ranks: 2},
		{Standard: "hbm3_6400", Postpone: 8},
		{Standard: "ddr4_3200aa", PowerDownNs: 50, Page: "closed"},
		{Standard: "hbm3_6400", Refresh: "per_bank", PowerDownNs: 100, PullIn: 2},
		{Standard: "hbm3_6400", Refresh: "staggered", Page: "adaptive", Forward: true},
		{Standard: "hbm3_6400", Refresh: "per_bank", RefreshFirst: true},
		{Standard: "hbm4_8000", Refresh: "per_bank", PageCap: 4, Scheduler: "fcfs"},
		{Standard: "lpddr5_6400", Refresh: "per_bank", PageCap: 2, Page: "closed"},
		{Standard: "hbm3_6400", Refresh: "per_bank", PageCap: 4, AutoPrecharge: true},
		{Standard: "ddr5_4800bn", PageCap: 1, AutoPrecharge: true, Ranks: 2, Page: "adaptive"},
		{Standard: "hbm2_2000", PageCap: 2, AutoPrecharge: true, Map: "A", HitCap: -1},
		{Standard: "ddr4_3200aa", Refresh: "staggered", Ranks: 2, Scheduler: "fcfs", Page: "adaptive"},
	}
	for _, n := range Standards() {
		list = append(list, Config{Standard: n}, Config{Standard: n, Refresh: "none", Map: "A"})
	}
	return list
}

// mix is a random stretch of traffic: bursts of requests, pauses from none
// to long enough to sleep over many refreshes, runs and scatter, both
// directions, sizes from a byte to two rows.
func mix(s *Spec, seed uint64, n int) (at []sim.Time, reqs []Request) {
	r := splitmix(seed)
	now, addr := sim.Time(0), uint64(0)
	for i := range n {
		switch v := r.next() % 100; {
		case v < 60:
		case v < 90:
			now += sim.Time(r.next() % 20_000)
		case v < 99:
			now += sim.Time(r.next() % 400_000)
		default:
			now += sim.Time(r.next() % 40_000_000)
		}
		switch r.next() % 4 {
		case 0:
			addr = r.next() % s.Bytes()
		case 1:
			addr = addr % uint64(64*s.RowBytes) // few rows: conflicts
		}
		bytes := uint32(1 + r.next()%256)
		if r.next()%16 == 0 {
			bytes = uint32(1 + r.next()%uint64(2*s.RowBytes))
		}
		at = append(at, now)
		reqs = append(reqs, Request{Addr: addr, Bytes: bytes, Write: r.next()%3 == 0, Tag: uint32(i)})
		addr = (addr + uint64(bytes)) % s.Bytes()
	}
	return at, reqs
}

// play runs the traffic, with Advance and Next called every cut, 0 for never.
func play(t testing.TB, cfg Config, at []sim.Time, reqs []Request, cut func() sim.Time) ([]Completion, Stats) {
	c := newChannel(t, cfg)
	var done []Completion
	collect := func() {
		done = append(done, c.Completions()...)
		c.Drop()
	}
	now := sim.Time(0)
	for i, r := range reqs {
		for cut != nil {
			step := cut()
			if now+step >= at[i] {
				break
			}
			now += step
			c.Advance(now)
			c.Next()
			collect()
		}
		c.Enqueue(at[i], r)
		now = at[i]
	}
	for c.Pending() > 0 {
		if cut != nil {
			now += cut()
		} else {
			now += sim.Second
		}
		next := c.Next()
		require.Less(t, next, sim.Never)
		c.Advance(max(now, next))
		collect()
	}
	assert.Equal(t, sim.Never, c.Next())
	return done, *c.Stats()
}

func TestRandomTrafficKeepsItsInvariants(t *testing.T) {
	for i, cfg := range configs() {
		c := newChannel(t, cfg)
		s := c.Spec()
		at, reqs := mix(s, uint64(i), 4000)
		done, st := play(t, cfg, at, reqs, nil)
		require.Len(t, done, len(reqs))
		name := fmt.Sprintf("%+v", cfg)
		var bursts [2]uint64
		size := uint64(s.BurstBytes)
		for _, r := range reqs {
			bursts[direction(r.Write)] += (r.Addr+uint64(r.Bytes)+size-1)/size - r.Addr/size
		}
		assert.Equal(t, bursts[read]*size, st.BytesRead+st.Forwarded*size, name)
		assert.Equal(t, bursts[write]*size, st.BytesWritten, name)
		assert.Equal(t, st.RD+st.WR, st.Hits+st.Misses+st.Conflicts, name)
		assert.Equal(t, uint64(len(reqs)), st.Reads+st.Writes, name)
		seen := make([]bool, len(reqs))
		for _, d := range done {
			require.False(t, seen[d.Tag])
			seen[d.Tag] = true
			require.Equal(t, reqs[d.Tag].Write, d.Write)
			if !cfg.Forward { // data from queued writes have no beats
				require.Greater(t, d.First, at[d.Tag])
			}
			require.Greater(t, d.Last, d.First)
			require.Equal(t, d.Last-at[d.Tag], d.Why.Total(), "the causes divide the latency")
			for cause, v := range d.Why {
				require.GreaterOrEqual(t, v, int32(0), devices.Cause(cause))
			}
		}
	}
}

func TestAdvanceCutsChangeNothing(t *testing.T) {
	for i, cfg := range configs() {
		s := newChannel(t, cfg).Spec()
		at, reqs := mix(s, uint64(100+i), 1500)
		want, wantStats := play(t, cfg, at, reqs, nil)
		r := splitmix(7)
		for name, cut := range map[string]func() sim.Time{
			"40 ns":  func() sim.Time { return 40 * sim.Nanosecond },
			"random": func() sim.Time { return 1 + sim.Time(r.next()%100_000) },
		} {
			got, stats := play(t, cfg, at, reqs, cut)
			require.Len(t, got, len(want))
			for j := range want {
				require.Equal(t, want[j], got[j], "%+v cut %s", cfg, name)
			}
			require.Equal(t, wantStats, stats, "%+v cut %s", cfg, name)
		}
	}
}

func TestIdleChannelSleepsOverRefresh(t *testing.T) {
	for _, refresh := range []string{"all_bank", "per_bank"} {
		c := newChannel(t, Config{Standard: "hbm3_6400", Refresh: refresh})
		one(c, 0, 0, false)
		assert.Equal(t, sim.Never, c.Next())
		c.Advance(sim.Second)
		one(c, sim.Second, 0, false)
		st := c.Stats()
		each := float64(st.REFab)/2 + float64(st.REFpb)/2/float64(c.Spec().Banks())
		want := float64(sim.Second) / float64(c.Spec().Tick.Edge(c.Spec().T[TREFI]))
		assert.InDelta(t, want, each, 2, refresh)
	}
}

func TestRefreshDelaysARequestThatMeetsIt(t *testing.T) {
	c := newChannel(t, Config{Standard: "ddr4_3200aa"})
	s := c.Spec()
	got, done := one(c, s.Tick.Edge(s.T[TREFI])+20*sim.Nanosecond, 0, false)
	assert.Greater(t, got, s.T[TRFCAB]*9/10)
	assert.Greater(t, done.Why[devices.Refresh], int32(300_000), "charged to refresh")
}

func TestWhyNamesRowConflictAndTurnaround(t *testing.T) {
	c, _ := plain(t, "hbm3_6400")
	s := c.Spec()
	one(c, 0, 0, false)
	_, conflict := one(c, sim.Microsecond, at(s, 0, 0, 0, 0, 1, 0), false)
	rows := s.Tick.Edge(s.T[TRP] + s.T[TRCDRD] - s.ColDelay)
	assert.InDelta(t, float64(rows), float64(conflict.Why[devices.RowMiss]), 1000)
	assert.Zero(t, conflict.Why[devices.Queue])
	c.Enqueue(2*sim.Microsecond, Request{Addr: at(s, 0, 0, 0, 0, 1, 1), Bytes: 32})
	c.Enqueue(2*sim.Microsecond, Request{Addr: at(s, 0, 0, 0, 0, 1, 2), Bytes: 32, Write: true})
	drain2 := func() (last Completion) {
		for c.Pending() > 0 {
			c.Advance(c.Next() + 1)
		}
		return c.Completions()[1]
	}
	assert.Greater(t, drain2().Why[devices.Turn], int32(0))
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	c := newChannel(t, Config{Standard: "hbm3_6400", Refresh: "per_bank"})
	next := half(random(c.Spec(), 128))
	now, i := sim.Time(0), 0
	step := func() {
		for range 100 {
			a, w := next(i)
			c.Enqueue(now, Request{Addr: a, Bytes: 128, Write: w})
			i++
		}
		for c.Pending() > 500 {
			now += 40 * sim.Nanosecond
			c.Advance(now)
		}
		c.Drop()
	}
	for range 100 {
		step()
	}
	assert.Zero(t, testing.AllocsPerRun(200, step))
}

// Banks' counts add up to their channel's.
func TestBanksAddUpToTheirChannel(t *testing.T) {
	for _, cfg := range configs() {
		c, err := New(cfg)
		require.NoError(t, err)
		at, reqs := mix(c.Spec(), 7, 3000)
		for i := range at {
			c.Enqueue(at[i], reqs[i])
		}
		c.Advance(sim.Never)
		var sum BankStats
		for _, b := range c.Banks() {
			require.LessOrEqual(t, b.ACT, b.Bursts)
			sum.ACT, sum.Bursts = sum.ACT+b.ACT, sum.Bursts+b.Bursts
		}
		s := c.Stats()
		require.Len(t, c.Banks(), c.Spec().PseudoChannels*c.Spec().Banks())
		require.Equal(t, BankStats{s.ACT, s.RD + s.WR}, sum)
		require.Equal(t, s.Hits, sum.Bursts-sum.ACT)
	}
}
