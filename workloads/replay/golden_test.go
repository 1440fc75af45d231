//go:build slow

package replay

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"hwsim/devices/dram"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// golden is a run of a public simulator.
type golden struct {
	config, order, pattern, mode string
	value, n, seed               int64
	percent, mean, p99           float64 // of peak; ns
	act, ref                     float64
}

func (g golden) String() string {
	return fmt.Sprintf("%s %s %s %s %d", g.config, g.order, g.pattern, g.mode, g.value)
}

// goldens reads the rows of one simulator at base settings, and skips the test
// where the reference data are not checked out.
func goldens(t *testing.T, sim string, files ...string) []golden {
	t.Helper()
	var all []golden
	for _, name := range files {
		f, err := os.Open("../../../shared/reference/dram/" + name)
		if err != nil {
			t.Skip("no reference data: ", err)
		}
		defer f.Close()
		rows, err := csv.NewReader(f).ReadAll()
		require.NoError(t, err)
		for _, row := range rows[1:] {
			if row[0] == sim {
				all = append(all, parseGolden(t, rows[0], row))
			}
		}
	}
	return all
}

func parseGolden(t *testing.T, head, row []string) golden {
	number := func(name string) float64 {
		v, err := strconv.ParseFloat(row[slices.Index(head, name)], 64)
		require.NoError(t, err)
		return v
	}
	return golden{
		config: row[1], order: row[2], pattern: row[3], mode: row[4],
		value: int64(number("value")), n: int64(number("n_req")), seed: int64(number("seed")),
		percent: number("pct_peak"), mean: number("rd_lat_avg_ns"), p99: number("rd_lat_p99_ns"),
		act: number("ACT"), ref: number("REFab"),
	}
}

func (g golden) run(t *testing.T) (*Result, *dram.Spec) {
	cfg, err := Device(strings.ToLower(g.config))
	require.NoError(t, err, g.config)
	cfg.Map = g.order
	c, err := dram.New(cfg)
	require.NoError(t, err)
	src, err := Generate(g.pattern, c.Spec(), 1, uint64(g.n), uint64(g.seed))
	require.NoError(t, err)
	p := Pace{Load: g.value}
	if g.mode == "qd" {
		p = Pace{Depth: int(g.value)}
	}
	return Run(c, src, p), c.Spec()
}

// deviation collects how far runs are off.
type deviation struct {
	n                 int
	sum, worst, p99   float64
	act, ref, latency float64
}

func (g golden) saturated() bool { return g.mode == "load" && g.value == Saturated }

// compare reports every bound that a run misses.
func (g golden) compare(t *testing.T, d *deviation) (misses []string) {
	r, s := g.run(t)
	units := 1.0
	if s.PseudoChannels > 1 {
		units = 2
	}
	points := math.Abs(r.PctPeak - g.percent)
	relative := func(ours, theirs float64) float64 { return math.Abs(ours/theirs - 1) }
	mean, p99, act := relative(r.Read.Mean, g.mean), relative(r.Read.P99, g.p99), relative(float64(r.Stats.ACT), g.act)
	ref := math.Abs(float64(r.Stats.REFab)-g.ref) / units
	check := func(name string, got, bound float64) {
		if got > bound {
			misses = append(misses, name)
		}
	}
	d.n++
	d.act, d.ref = max(d.act, act), max(d.ref, ref)
	if g.saturated() {
		d.sum += points
		d.worst = max(d.worst, points)
		check("throughput", points, 1)
	} else if g.mode == "load" {
		d.latency, d.p99 = max(d.latency, mean), max(d.p99, p99)
		check("mean", mean, 0.05)
		check("p99", p99, 0.1)
	}
	check("ACT", act, 0.02)
	check("REFab", ref, 1)
	t.Logf("%-36s %6.2f/%6.2f %%  mean %6.1f/%6.1f  p99 %5.0f/%5.0f  ACT %5d/%5.0f  REFab %3d/%3.0f  %s",
		g, r.PctPeak, g.percent, r.Read.Mean, g.mean, r.Read.P99, g.p99, r.Stats.ACT, g.act, r.Stats.REFab, g.ref, strings.Join(misses, " "))
	return misses
}

func TestAgreesWithRamulator(t *testing.T) {
	groups := map[string]*deviation{}
	var order []string
	var sum float64
	var saturated int
	for _, g := range goldens(t, "ramulator2.1", "bw_latency_curves.csv", "granularity_saturated.csv") {
		name := fmt.Sprintf("%-12s %s %s", g.config, g.order, g.pattern)
		d := groups[name]
		if d == nil {
			d = &deviation{}
			groups[name], order = d, append(order, name)
		}
		before := d.sum
		assert.Empty(t, g.compare(t, d), g.String())
		if g.saturated() {
			sum += d.sum - before
			saturated++
		}
	}
	for _, name := range order {
		d := groups[name]
		t.Logf("%-24s %2d rows: at most %.2f points, mean %4.1f %%, p99 %4.1f %%, ACT %4.1f %%, REFab %.1f",
			name, d.n, d.worst, 100*d.latency, 100*d.p99, 100*d.act, d.ref)
	}
	t.Logf("mean of saturated rows: %.3f points", sum/float64(saturated))
	assert.LessOrEqual(t, sum/float64(saturated), 0.4)
}

// DDR5 is left out: Ramulator does not add the second clock of a RD to its
// latency, so that its closed loop runs a tick faster.
func TestClosedLoopCommandsAreRamulators(t *testing.T) {
	for _, device := range []string{"HBM2_2000", "HBM3_6400", "DDR4_3200AA"} {
		compareCommands(t, device, "rand", "qd1", Pace{Depth: 1})
	}
}
