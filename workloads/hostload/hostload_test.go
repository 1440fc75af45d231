package hostload

import (
	"context"
	"encoding/csv"
	"os"
	"strconv"
	"testing"

	"hwsim/configs"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func host(t *testing.T, name string) *Config {
	t.Helper()
	c, err := Preset(name)
	require.NoError(t, err)
	return c
}

func run(t *testing.T, c *Config, l Load) Result {
	t.Helper()
	r, err := Run(context.Background(), c, l)
	require.NoError(t, err)
	return r
}

func TestPacedCoresGetWhatTheyAskFor(t *testing.T) {
	c := host(t, "graviton3")
	for _, reads := range []float64{0, 0.5, 1} {
		assert.InEpsilon(t, 60, run(t, c, Load{Reads: reads, GBps: 60, Lines: 50_000}).GBps, 0.01)
	}
}

func TestLatencyRisesWithLoad(t *testing.T) {
	c := host(t, "graviton3")
	before := c.PathNs
	for _, gbps := range []float64{5, 100, 200, 250} {
		now := run(t, c, Load{Reads: 1, GBps: gbps, Lines: 50_000}).LatencyNs
		assert.Greater(t, now, before)
		before = now
	}
}

func TestFewFillsLimitACore(t *testing.T) {
	c := host(t, "graviton3")
	c.Cores, c.Fills = 1, 4
	r := run(t, c, Load{Reads: 1, Lines: 5000})
	assert.InEpsilon(t, 4*64/r.LatencyNs, r.GBps, 0.05, "bytes in flight over latency")
}

func TestEqualLoadsGiveEqualResults(t *testing.T) {
	c := host(t, "a64fx")
	l := Load{Reads: 0.5, Lines: 20_000}
	assert.Equal(t, run(t, c, l), run(t, c, l))
}

// A curve past its saturation has the same loads at higher latencies.
func TestCurvesDoNotCountWhatFoldsBack(t *testing.T) {
	c := &Curve{GBps: []float64{80, 90, 100, 70, 50, 10}, LatencyNs: []float64{300, 280, 250, 150, 120, 100}}
	assert.Equal(t, 2, c.Most())
	assert.Equal(t, 3, c.Nearest(80))
	assert.Equal(t, 4, c.Nearest(51))
	assert.Equal(t, 2, c.Nearest(99))
}

func TestPresetsAreFoundByTheirCurves(t *testing.T) {
	name, err := OfCurve("graviton3-ddr5-4800x8")
	require.NoError(t, err)
	assert.Equal(t, "graviton3", name)
	name, err = OfCurve("none")
	require.NoError(t, err)
	assert.Empty(t, name)
}

// mess reads a curve of the Mess data, which does not ship with the project.
func mess(t *testing.T, file, readPct string) *Curve {
	t.Helper()
	f, err := os.Open("../../../shared/reference/mess/" + file + ".csv")
	if err != nil {
		t.Skip("no reference data")
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	c := &Curve{}
	for _, r := range rows[1:] {
		if r[0] != readPct {
			continue
		}
		gbps, err := strconv.ParseFloat(r[1], 64)
		require.NoError(t, err)
		ns, err := strconv.ParseFloat(r[2], 64)
		require.NoError(t, err)
		c.GBps, c.LatencyNs = append(c.GBps, gbps), append(c.LatencyNs, ns)
	}
	require.NotEmpty(t, c.GBps)
	return c
}

// Bounds of the third step: saturation 5 %, latency at half and four fifths of
// the curve's own saturation 15 %.
func TestHostsFollowTheirMessCurves(t *testing.T) {
	for _, name := range configs.Presets(presets) {
		c := host(t, name)
		for _, mix := range []struct {
			pct   string
			reads float64
		}{{"100", 1}, {"50", 0.5}} {
			m := mess(t, c.Curve, mix.pct)
			saturation := m.GBps[m.Most()]
			most := run(t, c, Load{Reads: mix.reads}).GBps
			t.Logf("%s, %s %% reads: saturation %.1f GB/s (curve %.1f, %+.1f %%)", name, mix.pct, most, saturation, (most/saturation-1)*100)
			assert.InEpsilon(t, saturation, most, 0.05)
			for _, load := range []float64{0.05, 0.5, 0.8} {
				want := m.LatencyNs[m.Nearest(load*saturation)]
				got := run(t, c, Load{Reads: mix.reads, GBps: load * most}).LatencyNs
				t.Logf("  %.0f %% of it: %.0f ns (curve %.0f, %+.1f %%)", load*100, got, want, (got/want-1)*100)
				assert.InEpsilon(t, want, got, 0.15)
			}
		}
	}
}
