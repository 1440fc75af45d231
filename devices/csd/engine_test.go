package csd

import (
	"testing"

	"hwsim/configs"
	"hwsim/sim"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func preset(t testing.TB, name string, sets ...string) *Config {
	t.Helper()
	d, err := configs.Load("csd/"+name, sets)
	require.NoError(t, err)
	c := &Config{}
	require.NoError(t, d.Decode(c))
	return c
}

func device(t testing.TB, name string, sets ...string) Device {
	t.Helper()
	d, err := New(preset(t, name, sets...))
	require.NoError(t, err)
	return d
}

func attend(t testing.TB, d Device, l Load) Result {
	t.Helper()
	r, err := d.Attend(l)
	require.NoError(t, err)
	return r
}

// each returns a head's part of a time, µs.
func each(t sim.Time, l Load) float64 { return t.Microseconds() / float64(l.Heads) }

func TestOneHeadOfOneGroupByHand(t *testing.T) {
	r := attend(t, device(t, "instinfer"), Load{Heads: 1, Context: 16})
	const read = 290_000 + 4_000_000 + 30_000 + 2_925_714 + 2_288_268 // command, tR, data, filter; ps
	const gemv = 153_985                                              // 2 x 16 x 128 operations on both kernels, rounded and halved
	const softmax = 28_070                                            // 16 scores, likewise
	assert.Equal(t, sim.Time(read), r.Access, "keys and values are on different channels")
	assert.InDelta(t, 2*gemv+softmax, float64(r.Exposed), 3)
	assert.Equal(t, Traffic{1, 4096, 4096}, r.Keys)
	assert.Equal(t, Traffic{1, 4096, 4096}, r.Values)
	assert.Zero(t, r.Columns)
}

func TestDenseReadsEveryFullGroupOnce(t *testing.T) {
	d := device(t, "instinfer")
	for _, context := range []int{1, 15, 16, 17, 500, 1025} {
		r := attend(t, d, Load{Heads: 40, Context: context})
		assert.InDelta(t, 40*(context/16), r.Keys.Pieces, 1e-6)
		assert.Equal(t, r.Keys, r.Values)
		assert.Positive(t, r.Time)
	}
}

func TestDenseIsTheBusAndTheLastProduct(t *testing.T) {
	l := Load{Heads: 200, Context: 1536}
	r := attend(t, device(t, "instinfer"), l)
	const bus = 24 * (290 + 30 + 4096/1.4) / 1000 // µs: pages of a channel
	assert.InEpsilon(t, bus, each(r.Access, l), 0.05)
	assert.InEpsilon(t, 2*1536*128/(2*13.3)/1000, each(r.Exposed, l), 0.01)
}

func TestSeveralHeadsHideTheProduct(t *testing.T) {
	l := Load{Heads: 400, Context: 1536}
	for _, tR := range []string{"4", "25", "50"} {
		r := attend(t, device(t, "instinfer", "engine.exact_heads=8", "flash.read_us=["+tR+"]"), l)
		t.Logf("tR %s µs: %.2f µs a head, %.2f GB/s", tR, each(r.Time, l), r.Bytes()/r.Time.Nanoseconds())
		assert.InEpsilon(t, 77.9, each(r.Time, l), 0.03, "the bus, whatever tR is")
	}
}

func TestLatencyOfTheFlashIsSeenOnceAHead(t *testing.T) {
	l := Load{Heads: 200, Context: 1536}
	var us []float64
	for _, tR := range []string{"2", "4", "8", "25"} {
		us = append(us, each(attend(t, device(t, "instinfer", "flash.read_us=["+tR+"]"), l).Time, l))
	}
	t.Logf("tR 2, 4, 8, 25 µs: %.1f µs a head", us)
	assert.InEpsilon(t, us[0], us[1], 0.01)
	assert.InDelta(t, us[0]+6, us[2], 3)
	assert.InDelta(t, us[0]+23, us[3], 5)
}

func TestSparseReadsTheGroupsThatHoldAChosenOne(t *testing.T) {
	c := preset(t, "instinfer")
	l := Load{Heads: 3000, Context: 2048, Sparse: true}
	r := attend(t, device(t, "instinfer"), l)
	for name, part := range map[string]struct {
		got   Traffic
		pages float64
	}{"columns": {r.Columns, 8 * 16}, "keys": {r.Keys, 128}, "values": {r.Values, 128}} {
		assert.InEpsilon(t, c.Sparsity.survival(16), part.got.Pieces/part.pages/3000, 0.02, name)
	}
	assert.Equal(t, r.Keys.Pieces, r.Values.Pieces)
	wanted := 1.0/16 + 1.0/8 // of keys and values
	assert.InEpsilon(t, wanted*3000*2048*512, r.Columns.Wanted+r.Keys.Wanted+r.Values.Wanted, 1e-9)
	assert.InEpsilon(t, 1.5*c.Sparsity.survival(16)/wanted, r.Amplification(), 0.02)
}

func TestChosenOnesHaveTheDensityAndRunsAskedFor(t *testing.T) {
	for _, s := range []Sparsity{{Ratio: 0.125, RunMean: 7}, {Ratio: 0.125, RunMean: 1}, {Ratio: 0.5, RunMean: 20}} {
		p := newProcess(&s)
		rand := sim.NewRand(3)
		const n, draws = 128, 20_000
		var alone, grouped int
		for range draws {
			groups := p.groups(&rand, n, 16, nil)
			for i, g := range groups {
				require.Less(t, g, uint32(n/16))
				require.True(t, i == 0 || g > groups[i-1], "in order, once")
			}
			grouped += len(groups)
			alone += len(p.groups(&rand, n, 1, nil))
		}
		assert.InEpsilon(t, s.Ratio, float64(alone)/n/draws, 0.02)
		assert.InEpsilon(t, s.survival(16), float64(grouped)/(n/16)/draws, 0.02)
	}
}

// Whatever the load, parts sum up, reads are bounded, and the result is the same again.
func TestAnyLoad(t *testing.T) {
	rand := sim.NewRand(5)
	for range 30 {
		l := Load{Heads: 1 + rand.IntN(60), Context: 1 + rand.IntN(700), Sparse: rand.IntN(2) == 0}
		name := []string{"instinfer", "cxl_near_memory"}[rand.IntN(2)]
		r := attend(t, device(t, name), l)
		assert.Equal(t, r, attend(t, device(t, name), l), "%+v", l)
		assert.Equal(t, r.Time, r.Access+r.Exposed, "%+v", l)
		assert.GreaterOrEqual(t, r.Exposed, sim.Time(0), "%+v", l)
		assert.Equal(t, l.Heads, r.Simulated)
		assert.LessOrEqual(t, r.Keys.Bytes, float64(l.Heads*l.Context*256), "%+v", l)
		assert.LessOrEqual(t, r.Columns.Bytes, float64(l.Heads*l.Context*256), "%+v", l)
	}
}

func TestASampledRunAgreesWithTheExactOne(t *testing.T) {
	for _, l := range []Load{
		{Heads: 6000, Context: 600, Sparse: true}, {Heads: 6000, Context: 1300, Sparse: true},
		{Heads: 3000, Context: 1700, Sparse: true}, {Heads: 3000, Context: 1000},
	} {
		exact := attend(t, device(t, "instinfer"), l)
		l.Precision = 0.01
		sampled := attend(t, device(t, "instinfer"), l)
		off := float64(sampled.Time)/float64(exact.Time) - 1
		t.Logf("%+v: %d of %d heads, %+.2f %%, bound %.2f %%", l, sampled.Simulated, l.Heads, 100*off, 100*sampled.Bound)
		assert.Less(t, sampled.Simulated, l.Heads/2)
		assert.InDelta(t, 0, off, sampled.Bound+1e-3, "and the ends of a run")
		assert.InDelta(t, exact.Bytes(), sampled.Bytes(), 0.02*exact.Bytes())
	}
}

func TestMemoryIsReadAtItsChannelsRate(t *testing.T) {
	l := Load{Heads: 200, Context: 1536}
	r := attend(t, device(t, "cxl_near_memory"), l)
	const peak = 4 * 4.8 * 4 // GB/s: channels of 32 bits at 4.8 GT/s
	rate := r.Bytes() / r.Time.Nanoseconds()
	t.Logf("%.1f of %.1f GB/s", rate, peak)
	assert.InDelta(t, 0.97*peak, rate, 0.03*peak)
	assert.Equal(t, 1.0, r.Amplification(), "no page is read for a part of it")
	assert.Zero(t, r.Columns.Pieces)

	l.Sparse = true
	r = attend(t, device(t, "cxl_near_memory"), l)
	assert.Less(t, r.Keys.Bytes, 1.1*r.Keys.Wanted, "tokens are read alone")
	assert.Greater(t, r.Columns.Bytes, 2*r.Columns.Wanted, "but channels by bursts of 32")

	l.Sparse = false
	slow := attend(t, device(t, "cxl_near_memory", "engine.gemv_gflops=5"), l)
	assert.InEpsilon(t, 2*2*1536*128/(2*5.0)/1000, each(slow.Time, l), 0.1, "slower kernels are the limit")
}

// A group's queries share what is read; scores, sums and products are theirs each.
func TestAGroupsQueriesShareTheirPages(t *testing.T) {
	one, four := Load{Heads: 1, Context: 16}, Load{Heads: 1, Context: 16, Queries: 4}
	const gemv, softmax = 153_985, 28_070 // ps, as by hand above
	alone, group := attend(t, device(t, "instinfer"), one), attend(t, device(t, "instinfer"), four)
	assert.Equal(t, alone.Access, group.Access)
	assert.Equal(t, alone.Keys, group.Keys)
	assert.Equal(t, alone.Values, group.Values)
	assert.InDelta(t, 4*(2*gemv+softmax), float64(group.Exposed), 12)
	one.Queries = 1
	assert.Equal(t, alone, attend(t, device(t, "instinfer"), one), "as many as heads")

	few, many := Load{Heads: 400, Context: 1024, Sparse: true}, Load{Heads: 400, Context: 1024, Sparse: true, Queries: 8}
	alone, group = attend(t, device(t, "instinfer"), few), attend(t, device(t, "instinfer"), many)
	assert.Equal(t, alone.Bytes(), group.Bytes(), "they choose together")
	kernel := 8 * (2*1024*16/13.3/1000 + 1024/285.0) // µs of approximate scores on the one kernel
	assert.Greater(t, each(group.Time, many), kernel)
	assert.Less(t, each(alone.Time, few), kernel)
}

func TestLoadsThatCannotBe(t *testing.T) {
	d := device(t, "instinfer")
	for want, l := range map[string]Load{
		"load: heads must be 1 to 16777216":    {Context: 1},
		"load: context must be 1 to 131072":    {Heads: 1},
		"load: queries must be 0 to 256":       {Heads: 1, Context: 1, Queries: 257},
		"load: precision must be 0 to below 1": {Heads: 1, Context: 1, Precision: 1},
	} {
		_, err := d.Attend(l)
		require.EqualError(t, err, "csd: "+want)
	}
}

func TestAttendingAllocatesNothing(t *testing.T) {
	for _, name := range configs.Presets("csd") {
		d := device(t, name)
		l := Load{Heads: 40, Context: 500, Sparse: true}
		for range 10 {
			attend(t, d, l)
		}
		assert.Zero(t, testing.AllocsPerRun(5, func() { attend(t, d, l) }), name)
	}
}

// BenchmarkPages reports the page reads a CPU second.
func BenchmarkPages(b *testing.B) {
	for name, sparse := range map[string]bool{"dense": false, "sparse": true} {
		b.Run(name, func(b *testing.B) {
			d := device(b, "instinfer")
			l := Load{Heads: 500, Context: 1536, Sparse: sparse}
			attend(b, d, l)
			b.ReportAllocs()
			b.ResetTimer()
			pages := 0.0
			for pages < float64(b.N) {
				r := attend(b, d, l)
				pages += r.Bytes() / 4096
			}
			b.ReportMetric(pages/b.Elapsed().Seconds()/1e6, "Mpages/s")
		})
	}
}
