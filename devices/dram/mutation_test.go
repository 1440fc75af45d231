package dram

import (
	"maps"
	"slices"
	"testing"

	"hwsim/devices/dram/check"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// mutation is one timing of the controller made wrong.
type mutation struct {
	param Param
	rules []string // of which the checker must report one; none: nothing may be reported

	// Where the timing binds in no standard, why, and the true rules under
	// which it does.
	why   string
	ns    map[string]float64
	times int64 // the controller believes so many times the true value, not a clock less

	ranks int // instead of the standard's
}

// mutations are all timings.
var mutations = []mutation{
	{param: TRCDRD, rules: []string{"tRCDRD"}},
	{param: TRCDWR, rules: []string{"tRCDWR"}},
	{param: TRP, rules: []string{"tRP"}},
	{param: TRAS, rules: []string{"tRAS"}},
	{param: TRC, rules: []string{"tRC"}}, // HBM3 only: elsewhere it is no more than tRAS + tRP
	{param: TRRDS, rules: []string{"tRRDS"}},
	{param: TRRDL, rules: []string{"tRRDL"}},
	{param: TFAW, rules: []string{"tFAW"}},
	{param: TCCDS, rules: []string{"tCCDS"}, ns: map[string]float64{"tCCDS": 6},
		why: "as long as a burst, and bursts are kept apart anyway"},
	{param: TCCDL, rules: []string{"tCCDL"}},
	{param: TCCDSWR, rules: []string{"tCCDS_WR"}, ns: map[string]float64{"tCCDS_WR": 6},
		why: "as long as a burst, and bursts are kept apart anyway"},
	{param: TCCDLWR, rules: []string{"tCCDL_WR"}},
	{param: TCCDR, rules: []string{"tCCDR"}, ranks: 2},
	{param: TCL, why: "no command waits for read data but through tRTW, which is given as a whole"},
	{param: TCWL, rules: []string{"tWR", "tWTRL", "tWTRS"}}, // they count from the end of write data
	{param: TWR, rules: []string{"tWR"}},
	{param: TWTRS, rules: []string{"tWTRS"}},
	{param: TWTRL, rules: []string{"tWTRL"}},
	{param: TRTP, rules: []string{"tRTP"}},
	{param: TRTW, rules: []string{"tRTW"}},
	{param: TPPD, rules: []string{"tPPD"}},
	{param: TCS, rules: []string{"tCS"}, ranks: 2, ns: map[string]float64{"tCCDR": 0},
		why: "tCCD_R includes it, and turnarounds between ranks take longer"},
	{param: TRFCAB, rules: []string{"tRFCab"}},
	{param: TRFCPB, rules: []string{"tRFCpb"}},
	{param: TRFCSB, rules: []string{"tRFCsb"}},
	{param: TREFI, rules: []string{"refresh"}, times: 10,
		why: "a mean: only nine of it are a limit"},
	{param: TRREFD, rules: []string{"tRREFD"}},
}

// apply makes the controller's timing wrong: one clock short, or one tick
// where it is a PRE that waits, which may take any edge.
func (m *mutation) apply(s *Spec) {
	switch m.param {
	case TRAS, TRTP, TWR, TPPD:
		s.T[m.param]--
	default:
		s.T[m.param] -= s.TicksPerCK
	}
}

// stretch makes the controller's timing wrong by a factor.
func (m *mutation) stretch(s *Spec) { s.T[m.param] *= m.times }

// mutants are the controllers of a standard that mutations run on: every kind
// of refresh and both maps, refreshing often.
func mutants(standard string, ranks int, ns map[string]float64) (list []Config) {
	s, err := Standard(standard)
	if err != nil || s.BankGroups*s.BanksPerGroup*ranks > maxBanks {
		return nil
	}
	refreshes := []string{"all_bank"}
	if s.PerBank {
		refreshes = append(refreshes, "per_bank")
	}
	if s.SameBank {
		refreshes = append(refreshes, "same_bank")
	}
	no := false // a stream can stay in one bank
	overrides := map[string]float64{"tREFI": 1500}
	maps.Copy(overrides, ns)
	for _, refresh := range refreshes {
		for _, order := range []string{"A", "B"} {
			list = append(list, Config{Standard: standard, Refresh: refresh, Map: order, Hash: &no, Ranks: ranks, TimingsNs: overrides})
		}
	}
	return list
}

// streams are loads of which one makes any rule bind.
func streams(s *Spec) []stream {
	n := uint32(s.BurstBytes)
	return []stream{random(s, n), sequential(s, n), half(sequential(s, n)), half(fewRows(s, 4)), fewRows(s, 8), oneBank(s)}
}

// oneBank reads a burst of each row of one bank: slow enough to span many
// refreshes.
func oneBank(s *Spec) stream {
	return func(i int) (uint64, bool) { return uint64(i%s.Rows) * (s.Bytes() / uint64(s.Rows)), false }
}

// fewRows reads run bursts from each of random places in a few rows: hits,
// then a conflict.
func fewRows(s *Spec, run int) stream {
	r := splitmix(3)
	size, first := uint64(s.BurstBytes), uint64(0)
	return func(i int) (uint64, bool) {
		if i%run == 0 {
			first = r.next() % (64 * uint64(s.RowBytes) / size)
		}
		return (first + uint64(i%run)) * size, false
	}
}

// broken runs every stream through a controller that believes what mutate
// made of the standard, and returns what it breaks of the true rules.
func broken(t *testing.T, cfg Config, mutate func(s *Spec)) (found []check.Violation) {
	cfg = cfg.withDefaults()
	s, err := cfg.spec()
	require.NoError(t, err)
	rules := s.rules()
	mutate(s)
	const bursts = 1200
	for _, f := range streams(s) {
		c, err := newChannelOf(s, cfg)
		require.NoError(t, err)
		k, commands := check.New(rules), 0
		c.Trace = func(cmd Command) {
			commands++
			found = append(found, k.Command(cmd.checked())...)
		}
		load(c, bursts, uint32(s.BurstBytes), f)
		require.Greater(t, commands, bursts)
	}
	return found
}

// reporting returns the standards in which the checker reports one of the
// mutation's rules, or anything at all where it has none.
func (m *mutation) reporting(t *testing.T, ns map[string]float64, mutate func(s *Spec)) (in []string) {
	for _, standard := range Standards() {
		for _, cfg := range mutants(standard, m.ranks, ns) {
			if s, err := cfg.spec(); err != nil || s.T[m.param] == 0 {
				continue
			}
			if slices.ContainsFunc(broken(t, cfg, mutate), func(v check.Violation) bool {
				return m.rules == nil || slices.Contains(m.rules, v.Rule)
			}) {
				in = append(in, standard)
				break
			}
		}
	}
	return in
}

func TestCheckerReportsEveryTimingBelievedAClockShort(t *testing.T) {
	var params []Param
	for _, m := range mutations {
		params = append(params, m.param)
		t.Run(m.param.String(), func(t *testing.T) {
			if m.why != "" {
				assert.Empty(t, m.reporting(t, nil, m.apply), m.why)
			}
			if m.rules == nil {
				return
			}
			mutate := m.apply
			if m.times > 0 {
				mutate = m.stretch
			}
			in := m.reporting(t, m.ns, mutate)
			t.Logf("reported in %d standards: %v", len(in), in)
			assert.NotEmpty(t, in)
		})
	}
	for p := range numParams {
		assert.Contains(t, params, p, "every timing is made wrong once")
	}
}

func TestCheckerReportsABusBelievedFreeTooSoon(t *testing.T) {
	for _, x := range []struct {
		rule, standard string
		mutate         func(s *Spec)
	}{
		{"row bus", "hbm2_2000", func(s *Spec) { s.ActTicks-- }},
		{"column bus", "hbm3_6400", func(s *Spec) { s.ColTicks = 0 }},
		{"command bus", "ddr5_4800bn", func(s *Spec) { s.ColTicks-- }},
		{"data bus", "ddr4_3200aa", func(s *Spec) { s.Burst--; s.T[TCCDS]-- }},
		{"clock edge", "hbm3_6400", func(s *Spec) { s.TicksPerCK = 1 }},
	} {
		var rules []string
		for _, cfg := range mutants(x.standard, 0, nil) {
			for _, v := range broken(t, cfg, x.mutate) {
				rules = append(rules, v.Rule)
			}
		}
		assert.Contains(t, rules, x.rule)
	}
}

func TestControllerBreaksNoRule(t *testing.T) {
	for _, m := range append([]mutation{{}, {ranks: 2}}, mutations...) {
		if m.param != 0 && m.ns == nil {
			continue // as the first two
		}
		for _, standard := range Standards() {
			for _, cfg := range mutants(standard, m.ranks, m.ns) {
				assert.Empty(t, broken(t, cfg, func(*Spec) {}), "%+v", cfg)
			}
		}
	}
}

func TestCommandsKeepTheirNamesInTheChecker(t *testing.T) {
	for op := range numOps {
		assert.Equal(t, op.String(), Command{Op: op}.checked().Op.String())
	}
}
