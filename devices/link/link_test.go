package link

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/sim"
)

func mustPreset(t testing.TB, name string) Config {
	t.Helper()
	c, ok := Preset(name)
	require.True(t, ok, name)
	return c
}

func mustLink(t testing.TB, c Config) *Link {
	t.Helper()
	l, err := New(c)
	require.NoError(t, err)
	return l
}

// saturate sends n messages of payload bytes as fast as the link takes them,
// readPct of 100 being reads, and returns the payload rate in GB/s.
func saturate(l *Link, readPct, n int, payload uint32) float64 {
	var end sim.Time
	due := 0
	for range n {
		due += readPct
		var last sim.Time
		if due >= 100 {
			due -= 100
			_, arrived := l.Reserve(0, Down, ReadRequest, payload)
			_, last = l.Reserve(arrived, Up, ReadData, payload)
		} else {
			_, arrived := l.Reserve(0, Down, WriteData, payload)
			_, last = l.Reserve(arrived, Up, WriteAck, payload)
		}
		end = max(end, last)
	}
	return float64(n) * float64(payload) / (end - 2*l.Latency()).Nanoseconds()
}

func TestPresetsAreValid(t *testing.T) {
	require.NotEmpty(t, Presets())
	for _, name := range Presets() {
		mustLink(t, mustPreset(t, name))
	}
	_, ok := Preset("pcie9")
	require.False(t, ok)
}

func TestPresetIsACopy(t *testing.T) {
	c := mustPreset(t, "pcie5-x16")
	c.Packets.MaxPayloadBytes = 1
	require.Equal(t, 256, mustPreset(t, "pcie5-x16").Packets.MaxPayloadBytes)
}

// Ceilings of Compute Express Link memory by configuration, GB/s.
func TestCXLCeilingByMix(t *testing.T) {
	x4 := mustPreset(t, "cxl2-x8")
	x4.RawGBps = 16
	mixes := []float64{1, 3. / 4, 2. / 3, 1. / 2, 0}
	for _, row := range []struct {
		name string
		cfg  Config
		want []float64
	}{
		{"x4 32 GT/s", x4, []float64{13.4, 17.4, 19.4, 20.1, 12.0}},
		{"x8 32 GT/s", mustPreset(t, "cxl2-x8"), []float64{26.8, 34.8, 38.7, 40.2, 24.1}},
		{"x16 32 GT/s", mustPreset(t, "cxl2-x16"), []float64{53.5, 69.7, 77.4, 80.3, 48.2}},
		{"x8 64 GT/s", mustPreset(t, "cxl3-x8"), []float64{53.3, 69.4, 77.1, 80.0, 48.0}},
		{"x16 64 GT/s", mustPreset(t, "cxl3-x16"), []float64{106.7, 138.8, 154.3, 160.0, 96.0}},
	} {
		l := mustLink(t, row.cfg)
		for i, mix := range mixes {
			require.InDelta(t, row.want[i], l.Ceiling(mix), 0.06, "%s, reads %.2f", row.name, mix)
		}
	}
}

// The Mess benchmark's curve of Micron's model of an x8 expander.
func TestCXLCeilingMatchesMicronCurve(t *testing.T) {
	curve := micronCurve(t)
	require.Len(t, curve, 50)
	l := mustLink(t, mustPreset(t, "cxl2-x8"))
	var sum, worst float64
	for pct, want := range curve {
		e := math.Abs(l.Ceiling(float64(pct)/100)/want - 1)
		sum += e
		worst = max(worst, e)
	}
	mean := sum / float64(len(curve))
	t.Logf("mean error %.2f %%, worst %.2f %%", 100*mean, 100*worst)
	require.LessOrEqual(t, mean, 0.005)
	require.LessOrEqual(t, worst, 0.01)
}

// micronCurve returns the greatest bandwidth by percentage of reads.
func micronCurve(t *testing.T) map[int]float64 {
	f, err := os.Open("../../../shared/reference/mess/cxl-expander-micron-model.csv")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("reference data not present")
	}
	require.NoError(t, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	curve := map[int]float64{}
	for _, row := range rows[1:] {
		pct, err := strconv.Atoi(row[0])
		require.NoError(t, err)
		bw, err := strconv.ParseFloat(row[1], 64)
		require.NoError(t, err)
		curve[pct] = max(curve[pct], bw)
	}
	return curve
}

// Payload ceilings of PCIe x16 from header sizes alone, GB/s.
func TestPCIeCeilingByPayload(t *testing.T) {
	for _, row := range []struct {
		name   string
		writes map[int]float64 // by maximum payload
		reads  map[int]float64 // by completion size
	}{
		{"pcie3-x16", map[int]float64{128: 13.3, 256: 14.4, 512: 15.0}, map[int]float64{64: 12.0, 128: 13.6, 256: 14.6, 512: 15.2}},
		{"pcie4-x16", map[int]float64{128: 26.5, 256: 28.8, 512: 30.1}, map[int]float64{64: 24.0, 128: 27.2, 256: 29.2, 512: 30.3}},
		{"pcie5-x16", map[int]float64{128: 53.1, 256: 57.6, 512: 60.2}, map[int]float64{64: 48.0, 128: 54.5, 256: 58.4, 512: 60.6}},
	} {
		for readFraction, want := range []map[int]float64{row.writes, row.reads} {
			for size, gbps := range want {
				c := mustPreset(t, row.name)
				c.Overhead = 0
				c.Packets.MaxPayloadBytes = size
				require.InDelta(t, gbps, mustLink(t, c).Ceiling(float64(readFraction)), 0.06, "%s, %d B", row.name, size)
			}
		}
	}
}

// Measured rates that a preset explains; tolerance is relative.
func TestPresetExplainsMeasuredRate(t *testing.T) {
	for _, m := range []struct {
		what, preset string
		readFraction float64
		payload      uint32
		gbps, within float64
	}{
		{"V100 host to device copy", "pcie3-x16", 1, 1 << 20, 12.35, 0.005},
		{"A100 host to device copy", "pcie4-x16", 1, 1 << 20, 26.0, 0.01},
		{"H200 host to device copy", "pcie5-x16", 1, 1 << 20, 55.5, 0.005},
		{"H200 device to host copy", "pcie5-x16", 0, 1 << 20, 55.4, 0.015},
		{"H200 copies both ways", "pcie5-x16", 0.5, 1 << 20, 101.6, 0.015},
		{"H200 SM read of host memory", "pcie5-x16", 1, 128, 51.4, 0.01},
		{"H200 SM write of host memory", "pcie5-x16", 0, 128, 52.7, 0.05},
		{"A100 peer copy", "nvlink3-x12", 0, 1 << 20, 276, 0.01},
		{"H200 peer copy", "nvlink4-x18", 0, 1 << 20, 395, 0.01},
		{"H200 SM read of peer memory", "nvlink4-x18", 1, 128, 376, 0.005},
		{"H200 SM write of peer memory", "nvlink4-x18", 0, 128, 370, 0.02},
		{"H100 peer traffic both ways", "nvlink4-x18", 0.5, 1 << 20, 745, 0.015},
	} {
		got := mustLink(t, mustPreset(t, m.preset)).CeilingOf(m.readFraction, m.payload)
		t.Logf("%-30s measured %6.2f, here %6.2f GB/s (%+.1f %%)", m.what, m.gbps, got, 100*(got/m.gbps-1))
		require.InEpsilon(t, m.gbps, got, m.within, m.what)
	}
}

func TestSaturatedLinkReachesCeiling(t *testing.T) {
	for _, name := range Presets() {
		for _, payload := range []uint32{64, 256, 4096} {
			for pct := 0; pct <= 100; pct += 10 {
				l := mustLink(t, mustPreset(t, name))
				want := l.CeilingOf(float64(pct)/100, payload)
				require.InEpsilon(t, want, saturate(l, pct, 20_000, payload), 0.001, "%s, %d %% reads of %d B", name, pct, payload)
			}
		}
	}
}

// A closed loop that sends again the instant its message has left must not
// lose the fraction of a picosecond by which times are rounded.
func TestRoundedTimesDoNotAccumulate(t *testing.T) {
	l := mustLink(t, mustPreset(t, "nvlink4-x18"))
	const n = 1_000_000
	var now sim.Time
	for range n {
		_, last := l.Reserve(now, Down, WriteData, 256)
		now = last - l.Latency()
	}
	exact := n * 272 / (450 * 0.94) // ns
	require.InDelta(t, exact, now.Nanoseconds(), 0.001)
}

func TestLoneMessageTakesLatencyAndSerialisation(t *testing.T) {
	l := mustLink(t, mustPreset(t, "cxl2-x8"))
	first, last := l.Reserve(1000, Up, ReadData, 64)
	require.Equal(t, 1000+40*sim.Nanosecond, first)
	require.InDelta(t, 4.5*17/32, (last - first).Nanoseconds(), 0.001)
}

func TestPartialLineOccupiesWholeSlots(t *testing.T) {
	a, b := mustLink(t, mustPreset(t, "cxl2-x8")), mustLink(t, mustPreset(t, "cxl2-x8"))
	_, line := a.Reserve(0, Down, WriteData, 64)
	_, part := b.Reserve(0, Down, WriteData, 8)
	require.Equal(t, line, part)
}

func TestPostedWriteIsAcknowledgedWithoutWire(t *testing.T) {
	l := mustLink(t, mustPreset(t, "pcie5-x16"))
	l.Reserve(0, Up, ReadData, 1<<20)
	_, last := l.Reserve(0, Up, WriteAck, 256)
	require.Equal(t, l.Latency(), last)
}

func TestDirectionsDoNotDisturbEachOther(t *testing.T) {
	a, b := mustLink(t, mustPreset(t, "pcie5-x16")), mustLink(t, mustPreset(t, "pcie5-x16"))
	a.Reserve(0, Up, WriteData, 1<<20)
	_, with := a.Reserve(0, Down, WriteData, 256)
	_, alone := b.Reserve(0, Down, WriteData, 256)
	require.Equal(t, alone, with)
}

func TestUpRateMayDiffer(t *testing.T) {
	c := mustPreset(t, "nvlink4-x18")
	c.RawUpGBps = c.RawGBps / 2
	l := mustLink(t, c)
	_, down := l.Reserve(0, Down, WriteData, 1<<20)
	_, up := l.Reserve(0, Up, WriteData, 1<<20)
	require.InDelta(t, 2, float64(up-l.Latency())/float64(down-l.Latency()), 1e-6)
}

// call is one random call of Reserve.
type call struct {
	now     sim.Time
	dir     Direction
	kind    Packet
	payload uint32
}

// calls returns random calls, bursts and gaps mixed, in order of time.
func calls(seed uint64, n int) []call {
	r := rand.New(rand.NewPCG(seed, 1))
	list := make([]call, n)
	var now sim.Time
	for i := range list {
		if r.IntN(3) == 0 {
			now += sim.Time(r.IntN(20_000))
		}
		list[i] = call{now, Direction(r.IntN(2)), Packet(r.IntN(int(numPackets))), uint32(1 + r.IntN(1024))}
	}
	return list
}

func TestPayloadAndBusyTimeAreConserved(t *testing.T) {
	for _, name := range Presets() {
		l := mustLink(t, mustPreset(t, name))
		var payload, messages [numDirections]uint64
		var end sim.Time
		for _, c := range calls(7, 5000) {
			_, last := l.Reserve(c.now, c.dir, c.kind, c.payload)
			end = max(end, last)
			messages[c.dir]++
			if c.kind.carriesPayload() {
				payload[c.dir] += uint64(c.payload)
			}
		}
		for d := range numDirections {
			s := l.Stats(Direction(d))
			require.Equal(t, messages[d], s.Messages)
			require.Equal(t, payload[d], s.PayloadBytes)
			require.Greater(t, s.WireBytes, float64(s.PayloadBytes))
			require.LessOrEqual(t, s.Busy, end, "a wire cannot be busy longer than time passes")
			require.InEpsilon(t, s.WireBytes/l.config.effectiveGBps(Direction(d)), s.Busy.Nanoseconds(), 1e-6)
			require.Positive(t, s.MaxBacklog)
		}
	}
}

func TestArrivalsKeepTheOrderOfCalls(t *testing.T) {
	l := mustLink(t, mustPreset(t, "cxl2-x8"))
	var free [numDirections]sim.Time
	for _, c := range calls(3, 5000) {
		first, last := l.Reserve(c.now, c.dir, c.kind, c.payload)
		require.GreaterOrEqual(t, first, c.now+l.Latency())
		require.GreaterOrEqual(t, first, free[c.dir], "messages must not overlap")
		require.GreaterOrEqual(t, last, first)
		free[c.dir] = last
	}
}

func TestDoublingTheRateDelaysNothing(t *testing.T) {
	for _, name := range Presets() {
		for seed := range uint64(20) {
			slow := mustPreset(t, name)
			fast := slow
			fast.RawGBps *= 2
			a, b := mustLink(t, slow), mustLink(t, fast)
			for _, c := range calls(seed, 2000) {
				first, last := a.Reserve(c.now, c.dir, c.kind, c.payload)
				fastFirst, fastLast := b.Reserve(c.now, c.dir, c.kind, c.payload)
				require.LessOrEqual(t, fastFirst, first)
				require.LessOrEqual(t, fastLast, last)
			}
		}
	}
}

func TestValidateReportsEachBadKey(t *testing.T) {
	for key, spoil := range map[string]func(*Config){
		"raw_gbps":                  func(c *Config) { c.RawGBps = 0 },
		"raw_up_gbps":               func(c *Config) { c.RawUpGBps = -1 },
		"overhead":                  func(c *Config) { c.Overhead = 1 },
		"latency_ns":                func(c *Config) { c.LatencyNs = math.NaN() },
		"tags":                      func(c *Config) { c.Tags = -1 },
		"packets":                   func(c *Config) { c.Packets = nil },
		"packets.granule_bytes":     func(c *Config) { c.Packets.GranuleBytes = 0 },
		"packets.max_payload_bytes": func(c *Config) { c.Packets.MaxPayloadBytes = 0 },
		"slots.read_data":           func(c *Config) { c.Packets, c.Slots = nil, &Slots{SlotBytes: 17, LineBytes: 64, WriteData: 5} },
	} {
		c := mustPreset(t, "pcie5-x16")
		spoil(&c)
		var keys []string
		c.Validate(func(k, _ string) { keys = append(keys, k) })
		require.Equal(t, []string{key}, keys)
		_, err := New(c)
		require.ErrorContains(t, err, key)
	}
}

func TestTimesRoundDownToTheQuantum(t *testing.T) {
	c := mustPreset(t, "pcie5-x16")
	exact := mustLink(t, c)
	c.QuantumNs = 1
	whole := mustLink(t, c)
	_, e := exact.Reserve(0, Down, WriteData, 4096)
	for n := range sim.Time(3) {
		_, w := whole.Reserve(0, Down, WriteData, 4096)
		busy := (e - exact.Latency()) / sim.Nanosecond * sim.Nanosecond
		require.Equal(t, whole.Latency()+(n+1)*busy, w, "each message on its own")
	}
}

func TestReserveAllocatesNothing(t *testing.T) {
	l := mustLink(t, mustPreset(t, "pcie5-x16"))
	require.Zero(t, testing.AllocsPerRun(1000, func() { l.Reserve(0, Down, WriteData, 4096) }))
}

func BenchmarkReserve(b *testing.B) {
	for _, name := range []string{"pcie5-x16", "cxl2-x8"} {
		b.Run(name, func(b *testing.B) {
			l := mustLink(b, mustPreset(b, name))
			b.ReportAllocs()
			var now sim.Time
			for b.Loop() {
				now += 5000
				l.Reserve(now, Down, WriteData, 256)
			}
		})
	}
}

func ExampleLink_Ceiling() {
	cfg, _ := Preset("cxl2-x8")
	l, _ := New(cfg)
	fmt.Printf("reads only %.1f GB/s, two reads a write %.1f GB/s\n", l.Ceiling(1), l.Ceiling(2./3))
	// Output: reads only 26.8 GB/s, two reads a write 38.7 GB/s
}
