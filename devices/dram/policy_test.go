package dram

import (
	"testing"

	"hwsim/sim"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// policy is a channel without refresh and hash, map A, and its command log.
func policy(t *testing.T, cfg Config) (*Channel, *[]Command) {
	no := false
	cfg.Standard, cfg.Map, cfg.Hash = "ddr4_3200aa", "A", &no
	if cfg.Refresh == "" {
		cfg.Refresh = "none"
	}
	c := newChannel(t, cfg)
	var log []Command
	c.Trace = func(cmd Command) { log = append(log, cmd) }
	return c, &log
}

func count(log []Command, op Op) (n int) {
	for _, cmd := range log {
		if cmd.Op == op {
			n++
		}
	}
	return n
}

func TestFCFSServesRequestsInOrder(t *testing.T) {
	for scheduler, want := range map[string][]uint32{"fcfs": {0, 1, 2}, "frfcfs": {0, 2, 1}} {
		c, _ := policy(t, Config{Scheduler: scheduler})
		s := c.Spec()
		for i, row := range []int{0, 1, 0} { // the third hits the row of the first
			c.Enqueue(0, Request{Addr: at(s, 0, 0, 0, 0, row, i), Bytes: 64, Tag: uint32(i)})
		}
		var order []uint32
		for c.Pending() > 0 {
			c.Advance(c.Next() + 1)
			for _, d := range c.Completions() {
				order = append(order, d.Tag)
			}
			c.Drop()
		}
		assert.Equal(t, want, order, scheduler)
	}
}

func TestFCFSIsSlowerOnRandomReads(t *testing.T) {
	share := map[string]float64{}
	for _, scheduler := range []string{"fcfs", "frfcfs"} {
		c, _ := policy(t, Config{Scheduler: scheduler})
		share[scheduler] = load(c, 2000, 64, random(c.Spec(), 64))
	}
	assert.Less(t, share["fcfs"], 0.5*share["frfcfs"], "banks one after the other")
}

func TestReadsTakeDataFromQueuedWrites(t *testing.T) {
	for _, forward := range []bool{true, false} {
		c, log := policy(t, Config{Forward: forward})
		s := c.Spec()
		c.Enqueue(0, Request{Addr: at(s, 0, 0, 0, 0, 7, 0), Bytes: 64}) // keeps the channel reading
		c.Enqueue(0, Request{Addr: at(s, 0, 0, 0, 1, 5, 3), Bytes: 128, Write: true, Tag: 1})
		c.Enqueue(0, Request{Addr: at(s, 0, 0, 0, 1, 5, 4), Bytes: 64, Tag: 2})
		c.Enqueue(0, Request{Addr: at(s, 0, 0, 0, 1, 5, 5), Bytes: 64, Tag: 3}) // not written
		var answered sim.Time
		for _, d := range c.Completions() {
			require.Equal(t, uint32(2), d.Tag)
			answered = d.Last
		}
		drain(c)
		if forward {
			assert.Equal(t, s.Tick.Edge(1), answered, "a tick later")
			assert.Equal(t, uint64(1), c.Stats().Forwarded)
			assert.Equal(t, 2, count(*log, RD))
		} else {
			assert.Zero(t, c.Stats().Forwarded)
			assert.Equal(t, 3, count(*log, RD))
		}
		assert.Equal(t, uint64(3), c.Stats().Reads)
	}
}

func TestPageCapClosesARowAfterSoManyColumns(t *testing.T) {
	for _, x := range []struct{ cap, acts int }{{0, 1}, {4, 4}, {16, 1}} {
		c, log := policy(t, Config{PageCap: x.cap})
		c.Enqueue(0, Request{Addr: 0, Bytes: 16 * 64})
		drain(c)
		assert.Equal(t, x.acts, count(*log, ACT), "cap %d", x.cap)
		assert.Equal(t, 16, count(*log, RD), "cap %d", x.cap)
	}
}

func TestAutoPrechargeTakesOneColumnMoreThanTheCap(t *testing.T) {
	c, log := policy(t, Config{PageCap: 4, AutoPrecharge: true})
	c.Enqueue(0, Request{Addr: 0, Bytes: 10 * 64})
	drain(c)
	auto := 0
	for _, cmd := range *log {
		if cmd.AutoPrecharge {
			auto++
		}
	}
	assert.Equal(t, 2, count(*log, ACT))
	assert.Equal(t, 2, auto)
	assert.Zero(t, count(*log, PRE))
}

func TestAdaptivePageClosesARowLongUnused(t *testing.T) {
	for _, x := range []struct {
		page string
		hits uint64
	}{{"open", 2}, {"adaptive", 1}, {"closed", 0}} {
		c, _ := policy(t, Config{Page: x.page, PageIdleNs: 300})
		s := c.Spec()
		// Another bank's rows keep the channel awake.
		for i, ns := range []sim.Time{0, 200, 1000} { // one row: a hit after 200 ns, after 800 only if open
			for k := range sim.Time(8) {
				at0 := ns*sim.Nanosecond + k*90*sim.Nanosecond
				if k == 0 {
					c.Enqueue(at0, Request{Addr: at(s, 0, 0, 0, 0, 1, i), Bytes: 64})
				} else if ns != 0 {
					c.Enqueue(at0, Request{Addr: at(s, 0, 0, 1, 0, int(k)+10*i, 0), Bytes: 64})
				}
			}
		}
		drain(c)
		assert.Equal(t, x.hits, c.Stats().Hits, x.page)
	}
}

func TestStaggeredRefreshTakesRanksInTurn(t *testing.T) {
	c, log := policy(t, Config{Refresh: "staggered", Ranks: 2})
	s := c.Spec()
	load(c, 30000, 64, sequential(s, 64))
	var last [2]int64
	for _, cmd := range *log {
		if cmd.Op != REFab {
			continue
		}
		last[cmd.Rank] = cmd.At
		if other := last[1-cmd.Rank]; other > 0 {
			assert.Greater(t, cmd.At-other, s.T[TREFI]/4, "half an interval apart, but for what they wait")
		}
	}
	assert.Positive(t, last[0])
	assert.Positive(t, last[1])
}

// refreshesInBusyTime counts the refreshes of busy stretches of two tREFI
// between idle ones.
func refreshesInBusyTime(t *testing.T, cfg Config) int {
	cfg.Standard = "ddr4_3200aa"
	c := newChannel(t, cfg)
	s := c.Spec()
	interval := s.Tick.Edge(s.T[TREFI])
	n := 0
	var busy bool
	c.Trace = func(cmd Command) {
		if cmd.Op == REFab && busy {
			n++
		}
	}
	next := random(s, 64)
	for k := range sim.Time(8) {
		for begin, i := 10*k*interval, sim.Time(0); i < 2*interval; i += 20 * sim.Nanosecond {
			addr, _ := next(0)
			c.Enqueue(begin+i, Request{Addr: addr, Bytes: 64})
			busy = true
		}
		drain(c)
		busy = false
	}
	return n
}

func TestRefreshesWaitForIdleTime(t *testing.T) {
	asDue := refreshesInBusyTime(t, Config{})
	assert.GreaterOrEqual(t, asDue, 7, "one each stretch")
	assert.LessOrEqual(t, refreshesInBusyTime(t, Config{PullIn: 8}), asDue/7, "done before")
	assert.LessOrEqual(t, refreshesInBusyTime(t, Config{Postpone: 8}), asDue/7, "done after")
}

func TestPowerDownCostsTXPAndSavesBackground(t *testing.T) {
	run := func(down float64) (Completion, *Channel) {
		c := newChannel(t, Config{Standard: "ddr4_3200aa", Refresh: "none", PowerDownNs: down})
		one(c, 0, 0, false)
		_, done := one(c, 10*sim.Microsecond, 64, false)
		return done, c
	}
	up, c := run(0)
	down, d := run(100)
	tXP := c.Spec().Tick.Edge(10)
	assert.Equal(t, tXP, down.Last-up.Last)
	assert.Zero(t, c.Stats().PowerDown)
	assert.InDelta(t, 9.9, d.Stats().PowerDown.Nanoseconds()/1000, 0.1)
	assert.InDelta(t, 43.0/52, d.Energy(10*sim.Microsecond).Background/c.Energy(10*sim.Microsecond).Background, 0.01)
	short, _ := run(20_000)
	assert.Equal(t, up.Last, short.Last, "not idle long enough")
}

func TestEveryFamilyHasATXP(t *testing.T) {
	for _, name := range Standards() {
		s, _ := Standard(name)
		assert.NotEmpty(t, powerUp[s.Family].Source, name)
	}
}
