package dram

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"hwsim/devices/dram/check"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// reference is where the data of other simulators lie, outside the repository.
const reference = "../../../shared/reference/dram"

// ramulatorRules are the rules of a standard with the peer's phase, its first
// tick being one, where CK rises, and with its refresh: a longer tRFC for
// DDR4, and clocks of whole picoseconds.
func ramulatorRules(t *testing.T, standard, preset string) check.Rules {
	s, err := Standard(standard)
	require.NoError(t, err)
	r, n := s.rules(), cycles(t, preset)
	r.RisingEdge = 1
	r.Timings.RFCab, r.Timings.REFI = n["nRFC"]*r.TicksPerCK, n["nREFI"]*r.TicksPerCK
	return r
}

// cycles returns the raw clock counts of one preset of timing_params_ns.csv.
func cycles(t *testing.T, preset string) map[string]int64 {
	f, err := os.Open(filepath.Join(reference, "timing_params_ns.csv"))
	require.NoError(t, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	name, raw := slices.Index(rows[0], "preset"), slices.Index(rows[0], "cycles")
	counts := map[string]int64{}
	for _, row := range rows[1:] {
		if row[name] != preset {
			continue
		}
		for _, pair := range strings.Fields(row[raw]) {
			key, value, _ := strings.Cut(pair, "=")
			if n, err := strconv.ParseInt(value, 10, 64); err == nil {
				counts[key] = n
			}
		}
	}
	require.NotEmpty(t, counts, preset)
	return counts
}

// dramsim3Rules are the rules of a DRAMsim3 configuration: one rank of four
// groups of four banks, its burst in clocks, tRTP as its parser leaves it.
func dramsim3Rules(t *testing.T, preset string, burst, rtp int64) check.Rules {
	n := cycles(t, preset)
	rcd := max(n["trcd"], n["trcdrd"])
	return check.Rules{PseudoChannels: 1, Ranks: 1, BankGroups: 4, BanksPerGroup: 4, TicksPerCK: 1, Burst: burst,
		ActTicks: 1, ColTicks: 1, RowTicks: 1, ActPerRank: true,
		Timings: check.Timings{RCDRD: rcd, RCDWR: rcd, RP: n["trp"], RAS: n["tras"], RC: n["tras"] + n["trp"],
			RRDS: n["trrd_s"], RRDL: n["trrd_l"], FAW: n["tfaw"], CCDS: n["tccd_s"], CCDL: n["tccd_l"],
			CL: n["cl"], CWL: n["cwl"], WR: n["twr"], WTRS: n["twtr_s"], WTRL: n["twtr_l"], RTP: rtp,
			RFCab: n["trfc"], REFI: n["trefi"]}}
}

// goldenRuns are the runs of each configuration, all reads.
var goldenRuns = []string{"rand_load", "rand_qd1", "seq_load"}

// goldenTraces are the traces and what the checker finds in them.
var goldenTraces = []struct {
	name  string
	rules func(t *testing.T) check.Rules
	found map[string]map[string]int // by run and rule
	exact []string                  // rules that some run keeps to the clock
}{
	{"ramulator2_HBM2_2000", func(t *testing.T) check.Rules { return ramulatorRules(t, "hbm2_2000", "HBM2_8Gb / HBM2_2000Mbps") },
		nil, []string{"tCCDL", "tCCDS", "tRAS", "tRC", "tRCDRD", "tRFCab", "tRP", "tRRDL", "tRRDS"}},
	{"ramulator2_HBM3_6400", func(t *testing.T) check.Rules { return ramulatorRules(t, "hbm3_6400", "HBM3_16Gb_8hi / HBM3_6400Mbps") },
		nil, []string{"tCCDL", "tCCDR", "tCCDS", "tFAW", "tPPD", "tRAS", "tRC", "tRCDRD", "tRFCab", "tRP", "tRRDL", "tRRDS"}},
	{"ramulator2_DDR4_3200AA", func(t *testing.T) check.Rules { return ramulatorRules(t, "ddr4_3200aa", "DDR4_8Gb_x8 / DDR4_3200AA") },
		nil, []string{"tCCDL", "tCCDS", "tRAS", "tRC", "tRCDRD", "tRFCab", "tRP", "tRRDL", "tRRDS"}},
	{"ramulator2_DDR5_4800BN", func(t *testing.T) check.Rules { return ramulatorRules(t, "ddr5_4800bn", "DDR5_16Gb_x8 / DDR5_4800BN") },
		nil, []string{"tCCDS", "tFAW", "tRAS", "tRC", "tRCDRD", "tRFCab", "tRP", "tRRDS", "tRTP"}},
	{"dramsim3_HBM2_8Gb_x128", func(t *testing.T) check.Rules {
		r := dramsim3Rules(t, "HBM2_8Gb_x128", 2, 5)
		r.SplitBuses, r.ActTicks = true, 2
		return r
	}, map[string]map[string]int{
		"rand_load": {"row bus": 59}, // a breach: JESD235's ACT takes two clocks of the row bus, DRAMsim3's one
	}, []string{"tCCDL", "tFAW", "tRAS", "tRC", "tRCDRD", "tRFCab", "tRP", "tRRDS"}},
	{"dramsim3_DDR4_8Gb_x8_3200", func(t *testing.T) check.Rules { return dramsim3Rules(t, "DDR4_8Gb_x8_3200", 4, 12) },
		nil, []string{"tCCDL", "tCCDS", "tFAW", "tRAS", "tRC", "tRCDRD", "tRFCab", "tRP", "tRRDL", "tRRDS"}},
}

// goldenTrace checks one trace.
func goldenTrace(t *testing.T, name, run string, r check.Rules) (found []check.Violation, commands int) {
	f, err := os.Open(filepath.Join(reference, fmt.Sprintf("cmdtrace_%s_%s.csv", name, run)))
	require.NoError(t, err)
	defer f.Close()
	found, commands, err = check.Trace(r, f)
	require.NoError(t, err)
	return found, commands
}

func needReference(t *testing.T) {
	if _, err := os.Stat(reference); err != nil {
		t.Skip("no reference data: ", err)
	}
}

func TestGoldenTraces(t *testing.T) {
	needReference(t)
	for _, g := range goldenTraces {
		for _, run := range goldenRuns {
			t.Run(g.name+"_"+run, func(t *testing.T) {
				found, commands := goldenTrace(t, g.name, run, g.rules(t))
				assert.Greater(t, commands, 800)
				counts := map[string]int{}
				for _, v := range found {
					if counts[v.Rule]++; counts[v.Rule] == 1 {
						t.Logf("first of its rule in %d commands: %v", commands, v)
					}
				}
				want := g.found[run]
				if want == nil {
					want = map[string]int{}
				}
				assert.Equal(t, want, counts)
			})
		}
	}
}

// TestGoldenTracesBindRules makes each rule a clock longer than the peer's:
// the checker sees the rules that a trace keeps to the clock.
func TestGoldenTracesBindRules(t *testing.T) {
	needReference(t)
	for _, g := range goldenTraces {
		var exact []string
		for rule, longer := range map[string]func(x *check.Timings) *int64{
			"tRCDRD": func(x *check.Timings) *int64 { return &x.RCDRD },
			"tRP":    func(x *check.Timings) *int64 { return &x.RP },
			"tRAS":   func(x *check.Timings) *int64 { return &x.RAS },
			"tRC":    func(x *check.Timings) *int64 { return &x.RC },
			"tRRDS":  func(x *check.Timings) *int64 { return &x.RRDS },
			"tRRDL":  func(x *check.Timings) *int64 { return &x.RRDL },
			"tFAW":   func(x *check.Timings) *int64 { return &x.FAW },
			"tCCDS":  func(x *check.Timings) *int64 { return &x.CCDS },
			"tCCDL":  func(x *check.Timings) *int64 { return &x.CCDL },
			"tCCDR":  func(x *check.Timings) *int64 { return &x.CCDR },
			"tRTP":   func(x *check.Timings) *int64 { return &x.RTP },
			"tPPD":   func(x *check.Timings) *int64 { return &x.PPD },
			"tRFCab": func(x *check.Timings) *int64 { return &x.RFCab },
		} {
			r := g.rules(t)
			*longer(&r.Timings) += r.TicksPerCK
			for _, run := range goldenRuns {
				found, _ := goldenTrace(t, g.name, run, r)
				if slices.ContainsFunc(found, func(v check.Violation) bool { return v.Rule == rule }) {
					exact = append(exact, rule)
					break
				}
			}
		}
		slices.Sort(exact)
		assert.Equal(t, g.exact, exact, g.name)
	}
}
