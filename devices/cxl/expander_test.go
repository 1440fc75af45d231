package cxl

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices/dram"
	"hwsim/devices/link"
	"hwsim/sim"
)

func mustPreset(t testing.TB, name string) Config {
	t.Helper()
	c, ok := Preset(name)
	require.True(t, ok, name)
	return c
}

func mustExpander(t testing.TB, c Config) *Expander {
	t.Helper()
	e, err := New(c)
	require.NoError(t, err)
	return e
}

// host keeps a fixed number of lines outstanding on an expander, spread over
// sequential streams as a bandwidth benchmark's threads are.
type host struct {
	e       *Expander
	random  *rand.Rand
	streams []uint64
	issue   []sim.Time // when each free slot may issue, sorted
	bytes   uint64
	latency sim.Time
	count   int64
	sent    map[uint32]sim.Time
	tag     uint32
}

const lineBytes = 64

func newHost(e *Expander, outstanding, streams int) *host {
	h := &host{e: e, random: rand.New(rand.NewPCG(1, 2)), issue: make([]sim.Time, outstanding), sent: map[uint32]sim.Time{}}
	for i := range streams {
		h.streams = append(h.streams, uint64(i)<<26+uint64(h.random.IntN(1<<14))*lineBytes)
	}
	return h
}

// run lets the host work until the given time, readFraction of its lines
// being reads.
func (h *host) run(until sim.Time, readFraction float64) {
	for {
		next := h.e.Next()
		for len(h.issue) > 0 && h.issue[0] <= min(next, until-1) {
			s := &h.streams[int(h.tag)%len(h.streams)]
			h.sent[h.tag] = h.issue[0]
			h.e.Enqueue(h.issue[0], dram.Request{Addr: *s, Bytes: lineBytes, Write: h.random.Float64() >= readFraction, Tag: h.tag})
			*s += lineBytes
			h.tag++
			h.issue = h.issue[1:]
			next = h.e.Next()
		}
		if next >= until {
			return
		}
		h.e.Advance(next + 1)
		for _, c := range h.e.Completions() {
			h.bytes += lineBytes
			h.latency += c.Last - h.sent[c.Tag]
			h.count++
			delete(h.sent, c.Tag)
			at, _ := slices.BinarySearch(h.issue, c.Last)
			h.issue = slices.Insert(h.issue, at, c.Last)
		}
		h.e.Drop()
	}
}

// bandwidth returns the payload rate in GB/s after warming up.
func bandwidth(t testing.TB, name string, readFraction float64) float64 {
	h := newHost(mustExpander(t, mustPreset(t, name)), 256, 16)
	const warm, end = 20 * sim.Microsecond, 120 * sim.Microsecond
	h.run(warm, readFraction)
	before := h.bytes
	h.run(end, readFraction)
	return float64(h.bytes-before) / (end - warm).Nanoseconds()
}

// idleLatency returns the mean time of a lone random read at the root port.
func idleLatency(t testing.TB, name string) float64 {
	e := mustExpander(t, mustPreset(t, name))
	r := rand.New(rand.NewPCG(3, 4))
	const n = 200
	var at, sum sim.Time
	for range n {
		e.Enqueue(at, dram.Request{Addr: uint64(r.IntN(1<<26)) * lineBytes, Bytes: lineBytes})
		for len(e.Completions()) == 0 {
			e.Advance(e.Next() + 1)
		}
		last := e.Completions()[0].Last
		sum += last - at
		at = last + 200*sim.Nanosecond
		e.Drop()
	}
	return sum.Nanoseconds() / n
}

// Load to use is the time at the root port and 60 ns from core to port.
func TestPresetIdleLatencyMatchesMeasured(t *testing.T) {
	for name, want := range map[string]float64{"asic_x8": 250 - 60, "micron_x8": 107.4 + 80, "asic_x16": 239 - 60} {
		got := idleLatency(t, name)
		t.Logf("%-10s measured %.0f ns, here %.1f", name, want, got)
		require.InEpsilon(t, want, got, 0.03, name)
	}
}

func TestPresetBandwidthMatchesMeasured(t *testing.T) {
	for _, m := range []struct {
		preset       string
		readFraction float64
		gbps, within float64
	}{
		{"asic_x8", 1, 17.8, 0.01},
		{"asic_x8", 3. / 4, 23.6, 0.03},
		{"asic_x8", 2. / 3, 25.1, 0.05},
		{"asic_x8", 1. / 2, 27.2, 0.05},
		{"micron_x8", 1, 26.76, 0.01},
		{"micron_x8", 2. / 3, 36, 0.1},
		{"asic_x16", 1, 52, 0.03},
	} {
		got := bandwidth(t, m.preset, m.readFraction)
		t.Logf("%-10s %3.0f %% reads: measured %.1f GB/s, here %.1f (%+.1f %%)", m.preset, 100*m.readFraction, m.gbps, got, 100*(got/m.gbps-1))
		require.InEpsilon(t, m.gbps, got, m.within, "%s, reads %.2f", m.preset, m.readFraction)
	}
}

func TestBandwidthStaysBelowTheLinksCeiling(t *testing.T) {
	for _, name := range Presets() {
		l, err := link.New(mustPreset(t, name).Link)
		require.NoError(t, err)
		for _, mix := range []float64{1, 0.5, 0} {
			require.LessOrEqual(t, bandwidth(t, name, mix), 1.01*l.Ceiling(mix), "%s, reads %.2f", name, mix)
		}
	}
}

// trace returns random requests in order of time.
func trace(n int, gap sim.Time) (at []sim.Time, rs []dram.Request) {
	r := rand.New(rand.NewPCG(5, 6))
	var now sim.Time
	for i := range n {
		if r.IntN(4) == 0 {
			now += sim.Time(r.Int64N(int64(gap)))
		}
		at = append(at, now)
		rs = append(rs, dram.Request{
			Addr: uint64(r.IntN(1<<24)) * lineBytes, Bytes: uint32(1+r.IntN(32)) * lineBytes,
			Write: r.IntN(3) == 0, Tag: uint32(i)})
	}
	return at, rs
}

// play runs a trace, advancing in steps, and returns the completions by tag.
func play(t testing.TB, e *Expander, at []sim.Time, rs []dram.Request, step sim.Time) []dram.Completion {
	out := make([]dram.Completion, len(rs))
	seen := 0
	collect := func() {
		for _, c := range e.Completions() {
			require.Zero(t, out[c.Tag].Last, "request %d completed twice", c.Tag)
			out[c.Tag] = c
			seen++
		}
		e.Drop()
	}
	var now sim.Time
	for i := range rs {
		for ; now+step <= at[i]; now += step {
			e.Advance(now + step)
			collect()
		}
		e.Enqueue(at[i], rs[i])
	}
	for seen < len(rs) {
		now += step
		e.Advance(now)
		collect()
	}
	return out
}

func TestEveryRequestCompletesOnceAndBytesAreConserved(t *testing.T) {
	for _, name := range Presets() {
		e := mustExpander(t, mustPreset(t, name))
		at, rs := trace(3000, 200*sim.Nanosecond)
		var read, written uint64
		for i, c := range play(t, e, at, rs, sim.Microsecond) {
			if rs[i].Write {
				written += uint64(rs[i].Bytes)
			} else {
				read += uint64(rs[i].Bytes)
			}
			require.Equal(t, rs[i].Write, c.Write)
			require.Greater(t, c.First, at[i]+2*e.Link().Latency())
			require.GreaterOrEqual(t, c.Last, c.First)
			require.Equal(t, c.Last-at[i], c.Why.Total(), "causes must account for the whole time")
		}
		require.Zero(t, e.Pending())
		require.Equal(t, read, e.Stats().ReadBytes)
		require.Equal(t, written, e.Stats().WrittenBytes)
		require.Equal(t, read, e.Link().Stats(link.Up).PayloadBytes)
		require.Equal(t, written, e.Link().Stats(link.Down).PayloadBytes)
	}
}

func TestResultDoesNotDependOnTheStep(t *testing.T) {
	at, rs := trace(1000, 200*sim.Nanosecond)
	fine := play(t, mustExpander(t, mustPreset(t, "asic_x8")), at, rs, 3*sim.Nanosecond)
	coarse := play(t, mustExpander(t, mustPreset(t, "asic_x8")), at, rs, 50*sim.Nanosecond)
	require.Equal(t, fine, coarse)
}

func TestFullQueueHoldsUpTheHost(t *testing.T) {
	c := mustPreset(t, "asic_x8")
	e := mustExpander(t, c)
	newHost(e, 256, 16).run(20*sim.Microsecond, 0.6)
	s := e.Stats()
	require.Positive(t, s.ReadWaits)
	require.LessOrEqual(t, s.ReadPeak, c.ReadQueue)
	require.LessOrEqual(t, s.WritePeak, c.WriteQueue)
}

// With 48 entries of 64 bytes and 17.8 GB/s the queue alone adds 173 ns.
func TestLoadedLatencyIsTheQueuesDrainTime(t *testing.T) {
	h := newHost(mustExpander(t, mustPreset(t, "asic_x8")), 66, 16)
	h.run(50*sim.Microsecond, 1)
	mean := h.latency.Nanoseconds() / float64(h.count)
	require.InEpsilon(t, 66*lineBytes/17.8, mean, 0.02, "Little's law")
}

func TestFasterReadPathNeverCostsBandwidth(t *testing.T) {
	last := 0.0
	for _, gbps := range []float64{5, 10, 15, 20, 25} {
		c := mustPreset(t, "asic_x8")
		c.ReadGBps = gbps
		h := newHost(mustExpander(t, c), 256, 16)
		h.run(50*sim.Microsecond, 1)
		got := float64(h.bytes) / (50 * sim.Microsecond).Nanoseconds()
		require.Greater(t, got, last)
		require.LessOrEqual(t, got, gbps)
		last = got
	}
}

func TestValidateReportsEachBadKey(t *testing.T) {
	for key, spoil := range map[string]func(*Config){
		"controller_ns": func(c *Config) { c.ControllerNs = -1 },
		"read_gbps":     func(c *Config) { c.ReadGBps = -1 },
		"read_queue":    func(c *Config) { c.ReadQueue = 0 },
		"write_queue":   func(c *Config) { c.WriteQueue = 0 },
		"line_bytes":    func(c *Config) { c.LineBytes = 0 },
		"channels":      func(c *Config) { c.Channels = 0 },
		"granule_bytes": func(c *Config) { c.GranuleBytes = 96 },
	} {
		c := mustPreset(t, "asic_x8")
		spoil(&c)
		var keys []string
		c.Validate(func(k, _ string) { keys = append(keys, k) })
		require.Equal(t, []string{key}, keys)
		_, err := New(c)
		require.ErrorContains(t, err, key)
	}
}

func TestNewRefusesBadLinkAndMemory(t *testing.T) {
	c := mustPreset(t, "asic_x8")
	c.Link.RawGBps = 0
	_, err := New(c)
	require.ErrorContains(t, err, "raw_gbps")
	c = mustPreset(t, "asic_x8")
	c.DRAM.Standard = "ddr9"
	_, err = New(c)
	require.ErrorContains(t, err, "ddr9")
}

func BenchmarkExpander(b *testing.B) {
	h := newHost(mustExpander(b, mustPreset(b, "asic_x8")), 256, 16)
	h.run(20*sim.Microsecond, 0.6)
	b.ReportAllocs()
	now, before := 20*sim.Microsecond, h.count
	for b.Loop() {
		now += sim.Microsecond
		h.run(now, 0.6)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(h.count-before), "ns/line")
}
