package dram

import (
	"testing"

	"hwsim/sim"

	"github.com/stretchr/testify/assert"
)

// inject runs n requests as the goldens' harness does: one request a tick at
// most enters, a refused one holds back the rest, the run ends with the last
// read. It returns the share of the peak rate.
func inject(c *Channel, n int, f stream) float64 {
	s := c.Spec()
	bytes := uint32(s.BurstBytes)
	var last sim.Time
	reads := 0
	tick := int64(0)
	for i := 0; i < n || reads > 0; tick++ {
		c.run(tick)
		for _, d := range c.Completions() {
			if !d.Write {
				reads--
				last = max(last, d.Last)
			}
		}
		c.Drop()
		if i == n {
			continue
		}
		if a, w := f(i); c.Room(w) {
			if !w {
				reads++
			}
			c.Enqueue(s.Tick.Edge(tick), Request{Addr: a, Bytes: bytes, Write: w})
			i++
		}
	}
	last = max(last, s.Tick.Edge(tick))
	return float64(n) * float64(bytes) / last.Nanoseconds() / s.PeakGBps()
}

// memo makes f answer the same when asked the same index again.
func memo(f stream) stream {
	at := -1
	var a uint64
	var w bool
	return func(i int) (uint64, bool) {
		if i != at {
			at = i
			a, w = f(i)
		}
		return a, w
	}
}

// golden is one row of reference/dram/bw_latency_curves.csv or
// other_standards.csv: Ramulator 2.1, saturated.
type golden struct {
	pattern string // seq, rand, mix (seqrw50), mixrand (randrw50)
	order   string
	n       int
	percent float64
	acts    uint64 // 0: not compared
}

var goldens = []struct {
	standard      string
	reads, writes int                // buffer entries
	ns            map[string]float64 // where Ramulator's table is not JEDEC's, see facts/dram.md section 3
	rows          []golden
}{
	{"hbm2_2000", 64, 64, nil, []golden{
		{"seq", "A", 60000, 80.4, 0}, {"seq", "B", 60000, 89.5, 2038}, {"rand", "B", 20000, 30.3, 19999},
		{"mix", "B", 60000, 78.1, 2099}, {"mixrand", "B", 20000, 29.7, 19975}}},
	{"hbm3_6400", 128, 64, nil, []golden{
		{"seq", "A", 60000, 88.7, 0}, {"seq", "B", 60000, 89.9, 2008}, {"rand", "B", 20000, 29.6, 19999},
		{"mix", "B", 60000, 63.6, 2097}, {"mixrand", "B", 20000, 28.2, 19971}}},
	{"ddr4_3200aa", 32, 32, nil, []golden{
		{"seq", "A", 60000, 61.5, 0}, {"seq", "B", 60000, 95.0, 555}, {"rand", "B", 20000, 43.5, 19998},
		{"mix", "B", 60000, 81.4, 572}, {"mixrand", "B", 20000, 42.8, 19994}}},
	{"ddr5_4800bn", 32, 32, nil, []golden{
		{"seq", "A", 60000, 86.9, 0}, {"seq", "B", 60000, 91.7, 1412}, {"rand", "B", 20000, 61.1, 20000},
		{"mix", "B", 60000, 80.0, 1499}, {"mixrand", "B", 20000, 58.5, 19997}}},
	{"ddr5_5600an", 32, 32, map[string]float64{"tCCDL": 4.284, "tRTP": 7.14, "tWTRS": 1.785}, []golden{
		{"seq", "A", 60000, 86.8, 0}, {"seq", "B", 60000, 91.7, 0}, {"rand", "B", 20000, 52.4, 0},
		{"mix", "B", 60000, 78.5, 0}, {"mixrand", "B", 20000, 49.8, 0}}},
	{"ddr5_6400an", 32, 32, map[string]float64{"tWTRS": 1.56}, []golden{
		{"seq", "A", 60000, 83.7, 0}, {"seq", "B", 60000, 91.6, 0}, {"rand", "B", 20000, 45.8, 0},
		{"mix", "B", 60000, 74.7, 0}, {"mixrand", "B", 20000, 44.2, 0}}},
	{"hbm2_2400", 64, 64, nil, []golden{
		{"seq", "A", 60000, 76.8, 0}, {"seq", "B", 60000, 89.8, 0}, {"rand", "B", 20000, 30.0, 0},
		{"mix", "B", 60000, 75.8, 0}, {"mixrand", "B", 20000, 28.2, 0}}},
	{"hbm4_8000", 128, 64, nil, []golden{
		{"seq", "A", 60000, 87.3, 0}, {"seq", "B", 60000, 87.8, 0}, {"rand", "B", 20000, 23.4, 0},
		{"mix", "B", 60000, 58.2, 0}, {"mixrand", "B", 20000, 22.1, 0}}},
	{"lpddr5_6400", 32, 32, nil, []golden{
		{"seq", "A", 60000, 79.2, 0}, {"seq", "B", 60000, 91.7, 0}, {"rand", "B", 20000, 43.4, 0},
		{"mix", "B", 60000, 71.6, 0}, {"mixrand", "B", 20000, 32.5, 0}}},
	{"gddr6_14000", 32, 32, nil, []golden{
		{"seq", "A", 60000, 72.9, 0}, {"seq", "B", 60000, 91.8, 0}, {"rand", "B", 20000, 22.9, 0},
		{"mix", "B", 60000, 64.4, 0}, {"mixrand", "B", 20000, 21.1, 0}}},
}

func TestSaturatedThroughputMatchesRamulatorWithinOnePoint(t *testing.T) {
	for _, g := range goldens {
		for _, row := range g.rows {
			cfg := ramulator(g.standard, row.order, g.reads, g.writes)
			cfg.TimingsNs = g.ns
			c := newChannel(t, cfg)
			s, n := c.Spec(), uint32(c.Spec().BurstBytes)
			f := map[string]stream{"seq": sequential(s, n), "rand": random(s, n),
				"mix": half(sequential(s, n)), "mixrand": half(random(s, n))}[row.pattern]
			got := 100 * inject(c, row.n, memo(f))
			st := *c.Stats()
			t.Logf("%s %s %s: %.1f %%, golden %.1f; ACT %d PRE %d RD %d WR %d REFab %d",
				g.standard, row.order, row.pattern, got, row.percent, st.ACT, st.PRE, st.RD, st.WR, st.REFab)
			assert.InDelta(t, row.percent, got, 1, "%s %s %s", g.standard, row.order, row.pattern)
			if row.acts > 0 {
				assert.InEpsilon(t, row.acts, st.ACT, 0.03, "%s %s %s ACTs", g.standard, row.order, row.pattern)
			}
		}
	}
}
