package hostload

import (
	"context"
	"encoding/csv"
	"math"
	"os"
	"strconv"
	"testing"

	"hwsim/configs"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func host(t *testing.T, name string) *Config {
	t.Helper()
	doc, err := configs.Load("hosts/"+name, nil)
	require.NoError(t, err)
	var c Config
	require.NoError(t, doc.Decode(&c))
	return &c
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

// curve is a measured bandwidth-latency curve at one share of reads.
type curve struct{ gbps, ns []float64 }

func (c *curve) most() (most float64) {
	for _, v := range c.gbps {
		most = max(most, v)
	}
	return most
}

// at returns the latency measured nearest to a load.
func (c *curve) at(gbps float64) float64 {
	best := 0
	for i, v := range c.gbps {
		if math.Abs(v-gbps) < math.Abs(c.gbps[best]-gbps) {
			best = i
		}
	}
	return c.ns[best]
}

// mess reads a curve of the Mess data, which does not ship with the project.
func mess(t *testing.T, file, readPct string) *curve {
	t.Helper()
	f, err := os.Open("../../../shared/reference/mess/" + file + ".csv")
	if err != nil {
		t.Skip("no reference data")
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	c := &curve{}
	for _, r := range rows[1:] {
		if r[0] != readPct {
			continue
		}
		gbps, err := strconv.ParseFloat(r[1], 64)
		require.NoError(t, err)
		ns, err := strconv.ParseFloat(r[2], 64)
		require.NoError(t, err)
		c.gbps, c.ns = append(c.gbps, gbps), append(c.ns, ns)
	}
	require.NotEmpty(t, c.gbps)
	return c
}

// Bounds of the third step: saturation 5 %, latency at half and four fifths of
// the curve's own saturation 15 %.
func TestHostsFollowTheirMessCurves(t *testing.T) {
	for _, x := range []struct{ host, file string }{
		{"spr8480", "spr8480-ddr5-4800x8"}, {"graviton3", "graviton3-ddr5-4800x8"}, {"a64fx", "a64fx-hbm2x4"},
	} {
		c := host(t, x.host)
		for _, mix := range []struct {
			pct   string
			reads float64
		}{{"100", 1}, {"50", 0.5}} {
			m := mess(t, x.file, mix.pct)
			most := run(t, c, Load{Reads: mix.reads}).GBps
			t.Logf("%s, %s %% reads: saturation %.1f GB/s (curve %.1f, %+.1f %%)", x.host, mix.pct, most, m.most(), (most/m.most()-1)*100)
			assert.InEpsilon(t, m.most(), most, 0.05)
			for _, load := range []float64{0.05, 0.5, 0.8} {
				want := m.at(load * m.most())
				got := run(t, c, Load{Reads: mix.reads, GBps: load * most}).LatencyNs
				t.Logf("  %.0f %% of it: %.0f ns (curve %.0f, %+.1f %%)", load*100, got, want, (got/want-1)*100)
				assert.InEpsilon(t, want, got, 0.15)
			}
		}
	}
}
