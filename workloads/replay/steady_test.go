//go:build !invariants

package replay

import (
	"fmt"
	"testing"

	"hwsim/devices/dram"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// counted is a Periodic that counts the requests it was told to leave out.
type counted struct {
	Periodic
	skipped *uint64
}

func (c counted) Skip(n uint64) {
	*c.skipped += n * c.Period()
	c.Periodic.Skip(n)
}

// rows is a mix of requests that comes again a row further on each time.
type rows struct {
	mix        []Request
	sent, left uint64
	row, size  uint64 // bytes of one row of every bank, and of all
}

func (s *rows) Next(r *Request) bool {
	if s.left == 0 {
		return false
	}
	n := uint64(len(s.mix))
	*r = s.mix[s.sent%n]
	r.Addr = (r.Addr + s.sent/n*s.row) % s.size
	s.sent++
	s.left--
	return true
}

func (s *rows) Copy() Source   { c := *s; return &c }
func (s *rows) Period() uint64 { return uint64(len(s.mix)) }
func (s *rows) Row() int       { return int(s.sent / s.Period()) }
func (s *rows) Left() uint64   { return s.left }

func (s *rows) Skip(n uint64) {
	s.left -= n * s.Period()
	s.sent += n * s.Period()
}

// randomRows draws a mix over a few rows of a channel of s.
func randomRows(s *dram.Spec, seed, n uint64) *rows {
	r := splitmix(seed)
	out := &rows{left: n, row: s.Bytes() / uint64(s.Rows), size: s.Bytes()}
	addr := uint64(0)
	for range 100 + r.next()%400 {
		if r.next()%3 > 0 {
			addr = r.next() % (3 * out.row)
		}
		bytes := uint32(1 + r.next()%256)
		out.mix = append(out.mix, Request{Addr: addr, Bytes: bytes, Write: r.next()%4 == 0})
		addr += uint64(bytes)
	}
	return out
}

// bothWays runs a source with and without leaving periods out, asserts that
// it makes no difference and returns how many requests were left out.
func bothWays(t *testing.T, cfg dram.Config, src Periodic, p Pace, name string) (skipped uint64) {
	run := func(s Source) *Result {
		c, err := dram.New(cfg)
		require.NoError(t, err)
		r := Run(c, s, p)
		var sum dram.BankStats
		for _, b := range c.Banks() {
			sum.ACT, sum.Bursts = sum.ACT+b.ACT, sum.Bursts+b.Bursts
		}
		assert.Equal(t, dram.BankStats{ACT: r.Stats.ACT, Bursts: r.Stats.RD + r.Stats.WR}, sum, name)
		return r
	}
	slow := run(struct{ Source }{src.Copy()})
	assert.Equal(t, slow, run(counted{src.Copy().(Periodic), &skipped}), name)
	return skipped
}

func TestLeavingPeriodsOutChangesNothing(t *testing.T) {
	const n = 500_000
	acted := 0
	for _, device := range []string{"hbm3_6400", "ddr4_3200aa", "gddr6_14000"} {
		for _, pattern := range []string{"seq", "stride"} {
			for _, p := range []Pace{{Load: Saturated}, {Load: 50}, {Load: 7}, {Depth: 16}} {
				cfg, err := Device(device)
				require.NoError(t, err)
				s, err := dram.Standard(device)
				require.NoError(t, err)
				src, err := Generate(pattern, s, 1, n, 1)
				require.NoError(t, err)
				if bothWays(t, cfg, src.(Periodic), p, fmt.Sprint(device, pattern, p)) > 0 {
					acted++
				}
			}
		}
	}
	assert.GreaterOrEqual(t, acted, 4, "runs with something left out")
}

func TestLeavingPeriodsOutOfRandomMixesChangesNothing(t *testing.T) {
	acted := 0
	for seed := range uint64(12) {
		device := []string{"hbm3_6400", "ddr5_4800bn", "hbm2_2000", "gddr6_14000"}[seed%4]
		cfg, err := Device(device)
		require.NoError(t, err)
		cfg.Refresh = []string{cfg.Refresh, "none", "staggered"}[seed/4%3]
		cfg.Page = []string{"open", "adaptive", "closed"}[seed%3]
		cfg.Map = []string{"A", "B"}[seed%2]
		s, err := dram.Standard(device)
		require.NoError(t, err)
		p := []Pace{{Load: Saturated}, {Load: 20}, {Depth: 8}}[seed/2%3]
		if bothWays(t, cfg, randomRows(s, seed, 200_000), p, fmt.Sprint(seed)) > 0 {
			acted++
		}
	}
	assert.GreaterOrEqual(t, acted, 4, "runs with something left out")
}

func TestEveryCommandOfATraceIsRun(t *testing.T) {
	cfg, err := Device("hbm3_6400")
	require.NoError(t, err)
	c, err := dram.New(cfg)
	require.NoError(t, err)
	n := 0
	c.Trace = func(cmd dram.Command) {
		if cmd.Op == dram.RD {
			n++
		}
	}
	src, err := Generate("stride", c.Spec(), 1, 200_000, 1)
	require.NoError(t, err)
	Run(c, src, Pace{Load: Saturated})
	assert.Equal(t, 200_000, n)
}
