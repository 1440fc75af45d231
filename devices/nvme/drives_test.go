package nvme

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"hwsim/configs"
)

// preset returns a drive of configs/drives, with values set.
func preset(t testing.TB, name string, sets ...string) Config {
	doc, err := configs.Load("drives/"+name, sets)
	require.NoError(t, err)
	var c Config
	require.NoError(t, doc.Decode(&c))
	return c
}

// The loads that figures of drives are given for.
var (
	reads4k  = load{requests: 20_000, bytes: 4096, readPct: 100}
	writes4k = load{requests: 2000, bytes: 4096}
	seqRead  = load{requests: 6_000, depth: 32, bytes: 128 << 10, readPct: 100, sequential: true}
	seqWrite = load{requests: 6_000, depth: 32, bytes: 128 << 10, sequential: true}
)

func at(l load, depth int) load {
	l.depth = depth
	if depth == 1 {
		l.requests = min(l.requests, 4000)
	}
	return l
}

// overwrites is random writes on a full drive, of twice its size to warm up
// and a quarter of that to measure: with slow tests only.
var overwrites = load{depth: 256, bytes: 4096, warm: 1}

// A figure is fitted if a number of the preset was chosen so that it comes out,
// else predicted.
type origin string

const (
	fitted    origin = "fitted"
	predicted origin = "predicted"
)

// published is a figure of ssd_measured.csv and the load that shows it.
type published struct {
	origin                             origin
	preset, device, metric, conditions string
	load                               load
	percent                            float64 // bound of the error
}

var figures = []published{
	{fitted, "p3700_800gb", "Intel P3700 800GB", "rand_read_latency_mean", "QD1,", at(reads4k, 1), 5},
	{fitted, "p3700_800gb", "Intel P3700 800GB", "rand_read_latency_mean", "QD16", at(reads4k, 16), 5},
	{fitted, "micron_9100_max", "Micron 9100 MAX 2.4TB", "rand_read_latency_mean", "QD1,", at(reads4k, 1), 5},
	{fitted, "micron_9100_max", "Micron 9100 MAX 2.4TB", "rand_read_latency_mean", "QD16", at(reads4k, 16), 5},
	{fitted, "p4800x_375gb", "Intel Optane P4800X 375GB", "rand_read_latency_mean", "QD1,", at(reads4k, 1), 5},
	{fitted, "p4800x_375gb", "Intel Optane P4800X 375GB", "rand_read_latency_mean", "QD16", at(reads4k, 16), 5},
	{fitted, "p4800x_375gb", "Intel Optane P4800X", "rand_write_iops", "QD16", at(load{requests: 20_000, bytes: 4096}, 16), 10},
	{predicted, "p4800x_375gb", "Intel Optane P4800X", "seq_read", "64 kB", load{requests: 12_000, depth: 32, bytes: 64 << 10, readPct: 100, sequential: true}, 10},
	{fitted, "p4800x_375gb", "Intel Optane P4800X", "seq_write", "64 kB", load{requests: 12_000, depth: 32, bytes: 64 << 10, sequential: true}, 10},
	{fitted, "samsung_980pro_1tb", "Samsung 980 PRO 1TB", "rand_read_iops", "QD32 T16", at(reads4k, 512), 10},
	{fitted, "samsung_980pro_1tb", "Samsung 980 PRO 1TB", "seq_read", "", seqRead, 10},
	{fitted, "samsung_980pro_1tb", "Samsung 980 PRO 1TB", "seq_write", "", seqWrite, 10},
	{fitted, "samsung_pm9a3", "Samsung PM9A3 U.2", "rand_read_iops", "", at(reads4k, 512), 10},
	{fitted, "samsung_pm9a3", "Samsung PM9A3 U.2", "seq_read", "", seqRead, 10},
	{fitted, "samsung_pm9a3", "Samsung PM9A3", "seq_read", "", seqRead, 10},
	{fitted, "samsung_pm9a3", "Samsung PM9A3 U.2", "seq_write", "", seqWrite, 10},
	{fitted, "samsung_pm9a3", "Samsung PM9A3 U.2", "rand_write_iops", "", overwrites, 10},
	{fitted, "samsung_pm1743", "Samsung PM1743", "rand_write_iops", "", overwrites, 10},
	{fitted, "intel_p5500", "Intel D7-P5500", "rand_write_iops", "", overwrites, 10},
	{fitted, "intel_p4500_4tb", "Intel P4500 4TB", "rand_write_iops", "", overwrites, 10},
	{fitted, "solidigm_p5810", "Solidigm D7-P5810", "rand_write_iops", "QD256", overwrites, 10},
	{fitted, "samsung_pm1743", "Samsung PM1743", "rand_read_iops", "", at(reads4k, 512), 10},
	{fitted, "samsung_pm1743", "Samsung PM1743", "seq_read", "", seqRead, 10},
	{fitted, "samsung_pm1743", "Samsung PM1743", "seq_write", "", seqWrite, 10},
	{fitted, "intel_p5500", "Intel D7-P5500", "rand_read_iops", "", at(reads4k, 512), 10},
	{fitted, "intel_p5500", "Intel D7-P5500", "seq_read", "", seqRead, 10},
	{fitted, "intel_p5500", "Intel D7-P5500", "seq_write", "", seqWrite, 10},
	{fitted, "intel_p4500_4tb", "Intel P4500 4TB", "rand_read_iops", "", at(reads4k, 256), 10},
	{fitted, "intel_p4500_4tb", "Intel P4500 4TB", "rand_read_latency", "", at(reads4k, 1), 10},
	{fitted, "intel_p4500_4tb", "Intel P4500 4TB", "rand_write_latency", "", at(writes4k, 1), 10},
	{fitted, "intel_p4500_4tb", "Intel P4500 4TB", "seq_read", "", seqRead, 10},
	{fitted, "intel_p4500_4tb", "Intel P4500 4TB", "seq_write", "", seqWrite, 10},
	{fitted, "samsung_pm963", "Samsung PM963", "rand_read_latency_mean", "", at(reads4k, 1), 10},
	{fitted, "samsung_pm963", "Samsung PM963", "rand_read_iops", "Q32T16", at(reads4k, 512), 10},
	{fitted, "samsung_pm963", "Samsung PM963", "rand_write_latency_mean", "", at(writes4k, 1), 10},
	{fitted, "samsung_pm963", "Samsung PM963", "seq_read", "", seqRead, 10},
	{fitted, "samsung_pm963", "Samsung PM963", "seq_write", "", seqWrite, 10},
	{fitted, "solidigm_p5336", "Solidigm D5-P5336", "rand_read_iops", "", at(reads4k, 512), 10},
	{fitted, "solidigm_p5336", "Solidigm D5-P5336", "seq_read", "", seqRead, 10},
	{fitted, "solidigm_p5336", "Solidigm D5-P5336", "seq_write", "", seqWrite, 10},
	{fitted, "solidigm_p5810", "Solidigm D7-P5810", "rand_read_iops", "QD256", at(reads4k, 256), 10},
	{fitted, "solidigm_p5810", "Solidigm D7-P5810", "write_latency", "rand", at(writes4k, 1), 10},
	{fitted, "solidigm_p5810", "Solidigm D7-P5810", "seq_read", "", seqRead, 10},
	{fitted, "solidigm_p5810", "Solidigm D7-P5810", "seq_write", "", seqWrite, 10},
	{fitted, "p5800x", "Intel Optane P5800X", "rand_read_iops", "512 B", load{requests: 20_000, depth: 192, bytes: 512, readPct: 100}, 10},
	{fitted, "p5800x", "Intel Optane P5800X 800GB", "rand_read_iops", "QD1 ", at(reads4k, 1), 10},
	{predicted, "p5800x", "Intel Optane P5800X", "seq_read", "fio", seqRead, 10},
	{predicted, "samsung_980pro_2tb", "Samsung 980 PRO 2TB", "rand_read_iops", "QD32 T16", at(reads4k, 512), 10},
	{predicted, "samsung_980pro_2tb", "Samsung 980 PRO 2TB", "seq_read", "", seqRead, 10},
	{predicted, "samsung_980pro_2tb", "Samsung 980 PRO 2TB", "seq_write", "", seqWrite, 10},
	{predicted, "samsung_980pro_2tb", "Samsung 980 PRO (10-drive host, per drive)", "rand_read_iops", "", at(reads4k, 512), 10},
	{fitted, "scaleflux_csd5310", "ScaleFlux CSD5310", "rand_read_iops", "", at(reads4k, 512), 10},
}

// elsewhere is figures that ssd_measured.csv has not.
var elsewhere = []struct {
	published
	value float64
}{
	// The data sheet, as recalled in storage.md 6.
	{published{fitted, "solidigm_p5510", "", "rand_read_iops", "", at(reads4k, 512), 10}, 930_000},
	{published{fitted, "solidigm_p5510", "", "rand_write_iops", "", overwrites, 10}, 190_000},
	{published{predicted, "solidigm_p5510", "", "seq_read", "", seqRead, 10}, 7000},
	{published{predicted, "solidigm_p5510", "", "seq_write", "", seqWrite, 10}, 4194},
	{published{fitted, "solidigm_p5510", "", "rand_read_latency", "", at(reads4k, 1), 10}, 82},
	{published{predicted, "solidigm_p5510", "", "rand_write_latency", "", at(writes4k, 1), 10}, 15},
	// The announcement of September 2019, Hardwareluxx 50889.
	{published{fitted, "samsung_pm1733", "", "rand_read_iops", "", at(reads4k, 512), 10}, 1_450_000},
	{published{fitted, "samsung_pm1733", "", "seq_read", "", seqRead, 10}, 6400},
	{published{fitted, "samsung_pm1733", "", "seq_write", "", seqWrite, 10}, 3800},
	// Puget Systems' part page of the 512 GB drive; at depth 1 the 970 series'
	// figure, Techgage.
	{published{predicted, "samsung_970pro", "", "seq_read", "", seqRead, 10}, 3500},
	{published{predicted, "samsung_970pro", "", "seq_write", "", seqWrite, 10}, 2300},
	{published{predicted, "samsung_970pro", "", "rand_read_iops", "", at(reads4k, 512), 10}, 370_000},
	{published{predicted, "samsung_970pro", "", "rand_read_iops", "", at(reads4k, 1), 10}, 15_000},
}

// siblings is figures of drives with fewer dies than a preset, with no number
// fitted. The README lists those that do not come out.
var siblings = []struct {
	sets []string
	published
}{
	{[]string{"flash.ways=2"}, published{predicted, "samsung_980pro_1tb", "Samsung 980 PRO 500GB", "rand_read_iops", "", at(reads4k, 512), 10}},
	{[]string{"flash.ways=2"}, published{predicted, "samsung_980pro_1tb", "Samsung 980 PRO 500GB", "seq_read", "", seqRead, 10}},
	{[]string{"flash.ways=1"}, published{predicted, "samsung_980pro_1tb", "Samsung 980 PRO 250GB", "rand_read_iops", "", at(reads4k, 512), 10}},
	{[]string{"flash.ways=1"}, published{predicted, "samsung_980pro_1tb", "Samsung 980 PRO 250GB", "seq_read", "", seqRead, 10}},
	{[]string{"flash.ways=2"}, published{predicted, "intel_p4500_4tb", "Intel P4500 1TB", "seq_read", "", seqRead, 10}},
}

// find returns a figure's value.
func (p *published) find(t *testing.T, rows []map[string]string) float64 {
	for _, row := range rows {
		if row["device"] == p.device && row["metric"] == p.metric && strings.Contains(row["conditions"], p.conditions) {
			return number(t, row, "value")
		}
	}
	require.Fail(t, "no such row", "%+v", p)
	return 0
}

// shown returns what a run shows, in the metric's unit.
func (p *published) shown(o *outcome) float64 {
	switch {
	case strings.Contains(p.metric, "latency") && p.load.readPct == 0:
		return o.writes.Mean().Microseconds()
	case strings.Contains(p.metric, "latency"):
		return o.reads.Mean().Microseconds()
	case p.metric == "seq_read" || p.metric == "seq_write":
		return o.iops() * float64(p.load.bytes) / 1e6
	}
	return o.iops()
}

func TestDrivesShowWhatWasPublished(t *testing.T) {
	rows := table(t, "ssd_measured.csv")
	for _, p := range figures {
		p.check(t, p.find(t, rows))
	}
	for _, p := range elsewhere {
		p.check(t, p.value)
	}
	for _, p := range siblings {
		p.check(t, p.find(t, rows), p.sets...)
	}
}

// check runs a figure's load and compares.
func (p *published) check(t *testing.T, want float64, sets ...string) {
	d := drive(t, preset(t, p.preset, sets...))
	l := p.load
	l.span, l.seed = d.Bytes(), 1
	if l.warm > 0 {
		if !allGolden {
			return
		}
		d.Fill()
		size := int(d.Bytes() / 4096)
		l.warm, l.requests = 2*size, 2*size+size/4
	}
	got := p.shown(l.run(t, d))
	t.Logf("%-20s %-24s depth %3d: %9.4g, published %9.4g (%+.1f %%, %s)", p.preset, p.metric, l.depth, got, want, 100*(got/want-1), p.origin)
	assert.InEpsilon(t, want, got, p.percent/100, "%s %s", p.preset, p.metric)
}

func TestEveryDriveIsCompared(t *testing.T) {
	compared := map[string]bool{}
	for _, p := range figures {
		compared[p.preset] = true
	}
	for _, p := range elsewhere {
		compared[p.preset] = true
	}
	for _, name := range configs.Presets("drives") {
		assert.True(t, compared[name], name)
	}
}

// A wrong value is one line that names its key.
func TestWrongDrivesAreReported(t *testing.T) {
	for set, want := range map[string]string{
		"flash.cell=plc":          "flash.cell",
		"flash.channels=0":        "flash.channels",
		"ftl.over_provision=0.01": "ftl.over_provision",
		"link.raw_gbps=-1":        "link.raw_gbps",
		"firmware_core=2":         "firmware_core",
		"ftl.allocation=CWD":      "ftl.allocation",
	} {
		doc, err := configs.Load("drives/p4800x_375gb", []string{set})
		if err == nil {
			var c Config
			err = doc.Decode(&c)
		}
		require.Error(t, err, set)
		assert.Contains(t, err.Error(), want)
		assert.NotContains(t, err.Error(), "\n", "one line")
	}
}
