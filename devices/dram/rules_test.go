package dram

import (
	"slices"
	"testing"

	"hwsim/sim"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// at is the address of a burst under MapA without hash.
func at(s *Spec, pc, rank, group, bank, row, col int) uint64 {
	x := row
	for _, d := range []struct{ v, size int }{{rank, s.Ranks}, {bank, s.BanksPerGroup}, {group, s.BankGroups},
		{pc, s.PseudoChannels}, {col, s.RowBytes / s.BurstBytes}} {
		x = x*d.size + d.v
	}
	return uint64(x) * uint64(s.BurstBytes)
}

// plain is a channel that lets rules be seen one by one.
func plain(t testing.TB, standard string) (*Channel, *[]Command) {
	no := false
	c := newChannel(t, Config{Standard: standard, Refresh: "none", Map: "A", Hash: &no})
	var log []Command
	c.Trace = func(cmd Command) { log = append(log, cmd) }
	return c, &log
}

// one runs one burst from an idle channel and returns its latency in ticks.
func one(c *Channel, now sim.Time, addr uint64, w bool) (latency int64, done Completion) {
	start := c.spec.Tick.Edge((c.spec.Tick.At(now) + 3) &^ 3)
	c.Enqueue(start, Request{Addr: addr, Bytes: uint32(c.spec.BurstBytes), Write: w})
	for c.Pending() > 0 {
		c.Advance(c.Next() + 1)
	}
	done = c.Completions()[0]
	c.Drop()
	return c.spec.Tick.At(done.Last) - c.spec.Tick.At(start), done
}

// least returns the smallest distance between a command of kind a and any
// later one of kind b that with accepts.
func least(log []Command, a, b Op, with func(x, y Command) bool) int64 {
	gap := never
	for i, x := range log {
		for _, y := range log[i+1:] {
			if x.Op == a && y.Op == b && x.PseudoChannel == y.PseudoChannel && with(x, y) {
				gap = min(gap, y.At-x.At)
			}
		}
	}
	return gap
}

func sameBank(x, y Command) bool   { return x.Banks&y.Banks != 0 }
func sameGroup(x, y Command) bool  { return x.Rank == y.Rank && x.Group == y.Group }
func otherGroup(x, y Command) bool { return x.Rank == y.Rank && x.Group != y.Group }
func otherRank(x, y Command) bool  { return x.Rank != y.Rank }

func TestUnloadedReadTakesTRCDPlusTCLPlusBurst(t *testing.T) {
	for _, name := range Standards() {
		c, _ := plain(t, name)
		s := c.Spec()
		got, _ := one(c, 0, 0, false)
		assert.Equal(t, s.T[TRCDRD]+s.ActDelay+s.T[TCL]+s.Burst, got, name)
	}
}

func TestUnloadedWriteTakesTRCDPlusTCWLPlusBurst(t *testing.T) {
	for _, name := range Standards() {
		c, _ := plain(t, name)
		s := c.Spec()
		got, _ := one(c, 0, 0, true)
		assert.Equal(t, s.T[TRCDWR]+s.ActDelay+s.T[TCWL]+s.Burst, got, name)
	}
}

func TestRowHitTakesTCLPlusBurst(t *testing.T) {
	for _, name := range Standards() {
		c, _ := plain(t, name)
		s := c.Spec()
		one(c, 0, 0, false)
		got, _ := one(c, sim.Microsecond, at(s, 0, 0, 0, 0, 0, 1), false)
		assert.Equal(t, s.ColDelay+s.T[TCL]+s.Burst, got, name)
	}
}

func TestRowConflictAddsTRP(t *testing.T) {
	for _, name := range Standards() {
		c, _ := plain(t, name)
		s := c.Spec()
		one(c, 0, 0, false)
		got, _ := one(c, sim.Microsecond, at(s, 0, 0, 0, 0, 1, 0), false)
		assert.Equal(t, s.T[TRP]+s.T[TRCDRD]+s.T[TCL]+s.Burst, got, name)
	}
}

// TestRules drives each standard so that one rule binds, and looks for its
// exact distance in the command trace.
func TestRules(t *testing.T) {
	type request struct {
		rank, group, bank, row, col int
		write, later                bool // later: once those before it are done
	}
	rules := []struct {
		name     string
		requests []request
		a, b     Op
		with     func(x, y Command) bool
		want     func(s *Spec) int64
	}{
		{"ReadAfterActivateWaitsTRCD", []request{{}}, ACT, RD, sameBank,
			func(s *Spec) int64 { return s.T[TRCDRD] + s.ActDelay - s.ColDelay }},
		{"WriteAfterActivateWaitsTRCD", []request{{write: true}}, ACT, WR, sameBank,
			func(s *Spec) int64 { return s.T[TRCDWR] + s.ActDelay - s.ColDelay }},
		{"ActivateAfterPrechargeWaitsTRP", []request{{}, {row: 1, later: true}}, PRE, ACT, sameBank,
			func(s *Spec) int64 { return s.T[TRP] - s.ActDelay }},
		{"ActivateAfterActivateOfOneBankWaitsTRC", []request{{}, {row: 1}}, ACT, ACT, sameBank,
			func(s *Spec) int64 {
				return max(s.T[TRC], max(s.T[TRAS], s.T[TRCDRD]+s.T[TRTP])+s.T[TRP])
			}},
		{"PrechargeAfterActivateWaitsTRAS", []request{{}, {row: 1}}, ACT, PRE, sameBank,
			func(s *Spec) int64 { return s.ActDelay + max(s.T[TRAS], s.T[TRCDRD]+s.T[TRTP]) }},
		{"PrechargeAfterWriteWaitsTWR", []request{{write: true}, {row: 1, write: true}}, WR, PRE, sameBank,
			func(s *Spec) int64 {
				return s.ColDelay + max(s.T[TCWL]+s.Burst+s.T[TWR], s.T[TRAS]-s.T[TRCDWR])
			}},
		{"PrechargeAfterReadWaitsTRTP", []request{{}, {col: 1}, {col: 2}, {col: 3}, {col: 4}, {col: 5}, {col: 6}, {col: 7}, {col: 8}, {col: 9}, {col: 10}, {col: 11}, {row: 1}},
			RD, PRE, sameBank, func(s *Spec) int64 { return s.ColDelay + s.T[TRTP] }},
		{"ActivatesOfOneGroupWaitTRRDL", []request{{}, {bank: 1}}, ACT, ACT, sameGroup,
			func(s *Spec) int64 { return s.T[TRRDL] }},
		{"ActivatesOfTwoGroupsWaitTRRDS", []request{{}, {group: 1}}, ACT, ACT, otherGroup,
			func(s *Spec) int64 { return s.T[TRRDS] }},
		{"ReadsOfOneGroupWaitTCCDL", []request{{}, {col: 1}}, RD, RD, sameGroup,
			func(s *Spec) int64 { return s.T[TCCDL] }},
		{"ReadsOfTwoGroupsWaitTCCDS", []request{{}, {group: 1}, {col: 1}, {group: 1, col: 1}, {col: 2}, {group: 1, col: 2}, {col: 3}, {group: 1, col: 3}}, RD, RD, otherGroup,
			func(s *Spec) int64 { return s.T[TCCDS] }},
		{"WritesOfOneGroupWaitTCCDLWR", []request{{write: true}, {col: 1, write: true}}, WR, WR, sameGroup,
			func(s *Spec) int64 { return s.T[TCCDLWR] }},
		{"WritesOfTwoGroupsWaitTCCDSWR", []request{{write: true}, {group: 1, write: true},
			{col: 1, write: true, later: true}, {group: 1, col: 1, write: true}}, WR, WR, otherGroup,
			func(s *Spec) int64 { return s.T[TCCDSWR] }},
		{"ReadToWriteWaitsTRTW", []request{{}, {col: 1, later: true}, {col: 2, write: true}}, RD, WR, sameGroup,
			func(s *Spec) int64 { return s.T[TRTW] }},
	}
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			for _, name := range Standards() {
				c, log := plain(t, name)
				s := c.Spec()
				if s.BankGroups == 1 && slices.ContainsFunc(r.requests, func(q request) bool { return q.group > 0 }) {
					continue
				}
				var now sim.Time
				for _, q := range r.requests {
					if q.later {
						now = s.Tick.Edge(c.alignUp(s.Tick.At(drain(c) + 100*sim.Nanosecond)))
					}
					c.Enqueue(now, Request{Addr: at(s, 0, q.rank, q.group, q.bank, q.row, q.col), Bytes: uint32(s.BurstBytes), Write: q.write})
				}
				drain(c)
				want := c.alignUp(r.want(s))
				if r.b == PRE {
					want = r.want(s)
				}
				assert.Equal(t, want, least(*log, r.a, r.b, r.with), name)
			}
		})
	}
}

func TestWriteToReadWaitsTWTR(t *testing.T) {
	for _, name := range Standards() {
		for _, group := range []int{0, 1} {
			c, log := plain(t, name)
			s := c.Spec()
			// The read's row is open before, the write goes first.
			one(c, 0, at(s, 0, 0, group, 0, 0, 0), false)
			one(c, sim.Microsecond, at(s, 0, 0, 0, 0, 0, 0), true)
			c.Enqueue(c.spec.Tick.Edge(c.now), Request{Addr: at(s, 0, 0, group, 0, 0, 1), Bytes: uint32(s.BurstBytes)})
			drain(c)
			want := s.T[TCWL] + s.Burst + []int64{s.T[TWTRL], s.T[TWTRS]}[group]
			assert.Equal(t, want, least(*log, WR, RD, func(x, y Command) bool { return true }), "%s group %d", name, group)
		}
	}
}

func TestFifthActivateWaitsTFAW(t *testing.T) {
	for _, name := range Standards() {
		c, log := plain(t, name)
		s := c.Spec()
		for i := range 12 {
			c.Enqueue(0, Request{Addr: at(s, 0, 0, i%s.BankGroups, i/s.BankGroups, 0, 0), Bytes: uint32(s.BurstBytes)})
		}
		drain(c)
		var acts []int64
		for _, cmd := range *log {
			if cmd.Op == ACT {
				acts = append(acts, cmd.At)
			}
		}
		require.Len(t, acts, 12)
		for i := 4; i < 12; i++ {
			want := c.alignUp(max(s.T[TFAW], 4*s.T[TRRDS]))
			assert.GreaterOrEqual(t, acts[i]-acts[i-4], want, "%s ACT %d", name, i)
			assert.LessOrEqual(t, acts[i]-acts[i-4], want+2, "%s ACT %d: a column command may take its slot", name, i)
		}
	}
}

func TestReadsOfTwoStackIdsWaitTCCDR(t *testing.T) {
	c, log := plain(t, "hbm3_6400")
	s := c.Spec()
	for i := range 8 {
		c.Enqueue(0, Request{Addr: at(s, 0, i%2, 0, 0, 0, i/2), Bytes: uint32(s.BurstBytes)})
	}
	drain(c)
	assert.Equal(t, s.T[TCCDR], least(*log, RD, RD, otherRank))
}

func TestActivateTakesThreeHalfClocksOfTheHBM3RowBus(t *testing.T) {
	c, log := plain(t, "hbm3_6400")
	s := c.Spec()
	for pc := range 2 {
		c.Enqueue(0, Request{Addr: at(s, pc, 0, 0, 0, 0, 0), Bytes: uint32(s.BurstBytes)})
	}
	drain(c)
	require.Equal(t, ACT, (*log)[1].Op)
	assert.Equal(t, int64(4), (*log)[1].At-(*log)[0].At, "the next rising edge after 1.5 CK")
}

func TestRefreshBlocksForTRFC(t *testing.T) {
	for _, x := range []struct {
		standard, refresh string
		op                Op
		length            Param
	}{
		{"hbm2_2000", "all_bank", REFab, TRFCAB}, {"hbm3_6400", "all_bank", REFab, TRFCAB}, {"ddr4_3200aa", "all_bank", REFab, TRFCAB},
		{"hbm2_2000", "per_bank", REFpb, TRFCPB}, {"hbm3_6400", "per_bank", REFpb, TRFCPB}, {"ddr5_4800bn", "same_bank", REFsb, TRFCSB},
	} {
		c := newChannel(t, Config{Standard: x.standard, Refresh: x.refresh, Postpone: 1})
		s := c.Spec()
		var log []Command
		c.Trace = func(cmd Command) { log = append(log, cmd) }
		load(c, 6000, uint32(s.BurstBytes), random(s, uint32(s.BurstBytes)))
		want := c.alignUp(s.T[x.length] - s.ActDelay)
		got := least(log, x.op, ACT, sameBank)
		assert.GreaterOrEqual(t, got, want, "%s %s", x.standard, x.refresh)
		assert.LessOrEqual(t, got, want+16, "%s %s", x.standard, x.refresh)
	}
}
