package replay

import (
	"testing"

	"hwsim/devices/dram"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func channel(t testing.TB, name string) *dram.Channel {
	t.Helper()
	cfg, err := Device(name)
	require.NoError(t, err, name)
	c, err := dram.New(cfg)
	require.NoError(t, err)
	return c
}

func list(requests ...Request) *Trace { return &Trace{Requests: requests} }

// Ticks of hbm2_2000, 1 ns each: an ACT takes two clocks, so that a closed
// bank answers after tRCD 14 + 1 + tCL 14 + a burst of 2.
const (
	hit    = 14 + 2
	closed = 1 + 14 + hit
)

func TestLatencyIsFromEntryToTheLastData(t *testing.T) {
	other := uint64(1) << 20 // another row
	for name, test := range map[string]struct {
		pace     Pace
		requests []Request
		time     float64 // ns
		latency  Latency
	}{
		"closed bank":                   {Pace{}, []Request{{}}, closed, Latency{closed, closed, closed, closed}},
		"hit a long time later":         {Pace{}, []Request{{}, {Due: 100}}, 100 + hit, Latency{(closed + hit) / 2.0, closed, closed, closed}},
		"not due yet":                   {Pace{}, []Request{{Due: 50}}, 50 + closed, Latency{closed, closed, closed, closed}},
		"one outstanding":               {Pace{Depth: 1}, []Request{{}, {}}, closed + 1 + hit, Latency{(closed + hit) / 2.0, closed, closed, closed}},
		"conflict":                      {Pace{}, []Request{{}, {Due: 100, Addr: other}}, 100 + 14 - 1 + closed, Latency{closed + 6.5, closed + 13, closed + 13, closed + 13}},
		"load of 10 %":                  {Pace{Load: 10}, []Request{{}, {}, {}}, closed + 8, Latency{closed - 6, closed - 6, closed, closed}},
		"a write is posted":             {Pace{}, []Request{{Write: true}}, 1, Latency{}},
		"bursts of two pseudo-channels": {Pace{}, []Request{{Bytes: 64}}, closed + 2, Latency{closed + 2, closed + 2, closed + 2, closed + 2}},
		"nothing":                       {Pace{}, nil, 0, Latency{}},
		"order of a late due":           {Pace{}, []Request{{Due: 100}, {Due: 3}}, 100 + closed + 4, Latency{}},
		"depth leaves writes be":        {Pace{Depth: 1}, []Request{{Write: true}, {Write: true}}, 2, Latency{}},
	} {
		r := Run(channel(t, "hbm2_2000"), list(test.requests...), test.pace)
		if name == "order of a late due" {
			assert.EqualValues(t, 2, r.Stats.RD, name)
			assert.Greater(t, r.Time.Nanoseconds(), 100.0+closed, name)
			continue
		}
		assert.Equal(t, test.time, r.Time.Nanoseconds(), name)
		assert.Equal(t, test.latency, r.Read, name)
		assert.EqualValues(t, len(test.requests), r.Requests)
	}
}

func TestBandwidthCountsWholeBursts(t *testing.T) {
	r := Run(channel(t, "hbm2_2000"), list(Request{Addr: 16, Bytes: 32}, Request{}), Pace{})
	assert.EqualValues(t, 3, r.Stats.RD)
	assert.InEpsilon(t, 3*32/r.Time.Nanoseconds(), r.GBps, 1e-9)
	assert.InEpsilon(t, 100*r.GBps/32, r.PctPeak, 1e-9) // 32 GB/s
}

// tickByTick is the goldens' harness: it looks at every tick.
func tickByTick(c *dram.Channel, src Source, p Pace) (ticks int64, latencies []int64) {
	clock := c.Spec().Tick
	var r Request
	more, ends := src.Next(&r), []int64{}
	sent, last := int64(0), int64(0)
	for tick := int64(0); more || len(ends) > 0 || c.Stats().Reads < uint64(sent); tick++ {
		c.Advance(clock.Edge(tick))
		for _, d := range c.Completions() {
			if end := clock.At(d.Last); !d.Write {
				ends, last = append(ends, end), max(last, end)
				latencies = append(latencies, end-int64(d.Tag))
			}
		}
		c.Drop()
		for len(ends) > 0 && ends[0] < tick {
			ends = ends[1:]
		}
		outstanding := sent - int64(c.Stats().Reads) + int64(len(ends))
		if !more || r.Due > tick || !c.Room(r.Write) || p.Depth > 0 && !r.Write && outstanding >= int64(p.Depth) {
			continue
		}
		c.Enqueue(clock.Edge(tick), dram.Request{Addr: r.Addr, Write: r.Write, Tag: uint32(tick)})
		if !r.Write {
			sent++
		}
		last = max(last, tick+1)
		more = src.Next(&r)
	}
	return last, latencies
}

func TestJumpsAgreeWithEveryTick(t *testing.T) {
	for _, name := range []string{"hbm3_6400", "ddr5_4800bn"} {
		for _, pattern := range []string{"seq", "rand", "seqrw50", "randrw50"} {
			for _, p := range []Pace{{}, {Depth: 1}, {Depth: 7}, {Depth: 300}} {
				a, b := channel(t, name), channel(t, name)
				one, err := Generate(pattern, a.Spec(), 1, 3000, 1)
				require.NoError(t, err)
				two, err := Generate(pattern, a.Spec(), 1, 3000, 1)
				require.NoError(t, err)
				ticks, waits := tickByTick(a, one, p)
				r := Run(b, two, p)
				assert.Equal(t, a.Spec().Tick.Edge(ticks), r.Time, "%s %s %+v", name, pattern, p)
				sum, most := int64(0), int64(0)
				for _, w := range waits {
					sum, most = sum+w, max(most, w)
				}
				period := a.Spec().Tick.Period() / 1000
				assert.InEpsilon(t, float64(sum)/float64(len(waits))*period, r.Read.Mean, 1e-9)
				assert.InEpsilon(t, float64(most)*period, r.Read.Max, 1e-9)
			}
		}
	}
}

func TestLoadSetsTheRate(t *testing.T) {
	for _, load := range []int64{1, 10, 30, 70} {
		c := channel(t, "hbm3_6400")
		src, err := Generate("seq", c.Spec(), 1, 20000, 1)
		require.NoError(t, err)
		assert.InDelta(t, load, Run(c, src, Pace{Load: load}).PctPeak, 0.2)
	}
}

func TestRunsRepeat(t *testing.T) {
	run := func() *Result {
		c := channel(t, "gddr6_14000")
		src, err := Generate("randrw50", c.Spec(), 1, 5000, 3)
		require.NoError(t, err)
		return Run(c, src, Pace{Load: 50})
	}
	assert.Equal(t, run(), run())
}

func TestRunDoesNotAllocatePerRequest(t *testing.T) {
	allocs := func(n uint64) float64 {
		return testing.AllocsPerRun(1, func() {
			c := channel(t, "hbm3_6400")
			src, _ := Generate("randrw50", c.Spec(), 1, n, 1)
			Run(c, src, Pace{Load: Saturated})
		})
	}
	assert.InDelta(t, allocs(2000), allocs(8000), 20)
}

func TestQuantiles(t *testing.T) {
	var l latencies
	assert.Zero(t, l.quantile(0.5))
	assert.Zero(t, l.mean())
	for i := range int64(1000) {
		l.add(i)
	}
	assert.EqualValues(t, 500, l.quantile(0.5))
	assert.EqualValues(t, 990, l.quantile(0.99))
	assert.Equal(t, 499.5, l.mean())
	for range 9000 {
		l.add(1e6)
	}
	assert.EqualValues(t, 900, l.quantile(0.09))
	assert.InEpsilon(t, 1e6, l.quantile(0.99), 0.016)
	assert.EqualValues(t, 1e6, l.max)
}
