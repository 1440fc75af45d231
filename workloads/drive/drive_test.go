package drive

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"hwsim/configs"
	"hwsim/devices/flash"
	"hwsim/devices/nvme"
)

// reads is a load that every drive takes.
var reads = Load{Pattern: "rand", Requests: 2000, Bytes: 4096, Depth: 1, Seed: 1}

func preset(t *testing.T, name string) nvme.Config {
	t.Helper()
	doc, err := configs.Load("drives/"+name, nil)
	require.NoError(t, err)
	var c nvme.Config
	require.NoError(t, doc.Decode(&c))
	return c
}

func run(t *testing.T, l Load, c nvme.Config) *Result {
	t.Helper()
	r, err := l.Run(c)
	require.NoError(t, err)
	return r
}

func TestLittlesLaw(t *testing.T) {
	c := preset(t, "p4800x_375gb")
	for _, depth := range []int{1, 4, 64} {
		l := reads
		l.Depth, l.Requests = depth, 10_000
		r := run(t, l, c)
		assert.InEpsilon(t, float64(depth), r.IOPS()*r.Reads.Mean().Seconds(), 0.02, "depth %d", depth)
		assert.InEpsilon(t, r.IOPS()*4096/1e9, r.GBps(), 1e-9)
	}
}

// AnandTech 11209: 8.9 µs at depth 1, as the tests of devices/nvme have it.
func TestOptaneReadsAsMeasured(t *testing.T) {
	assert.InEpsilon(t, 8.9, run(t, reads, preset(t, "p4800x_375gb")).Reads.Mean().Microseconds(), 0.05)
}

func TestEveryPageIsCounted(t *testing.T) {
	l := reads
	l.Pattern, l.Bytes, l.Depth = "seq", 64<<10, 8
	for name, writes := range map[string]int{"reads": 0, "writes": 100} {
		l.WritePct = writes
		c := preset(t, "samsung_980pro_1tb")
		r := run(t, l, c)
		pages := l.Requests * l.Bytes / uint64(c.Flash.PageBytes)
		want := [...]uint64{flash.Read: pages, flash.Program: 0, flash.Erase: 0}
		if writes > 0 {
			want = [...]uint64{flash.Read: 0, flash.Program: pages, flash.Erase: 0}
			assert.Greater(t, r.Idle, r.Time, "the buffer is programmed after the last write")
			assert.EqualValues(t, 1, r.FTL.Amplification())
		}
		assert.Equal(t, want[:], r.Flash.Ops[:], name)
	}
}

func TestOverwritesAmplify(t *testing.T) {
	c := preset(t, "p3700_800gb")
	c.Flash.Channels, c.Flash.Ways = 2, 1 // a small drive
	l := Load{Pattern: "rand", Requests: 40_000, Bytes: 16 << 10, Depth: 32, WritePct: 100, Seed: 1}
	r := run(t, l, c)
	assert.Greater(t, r.FTL.Amplification(), 1.5)
	assert.Positive(t, r.Flash.Ops[flash.Erase])
	assert.Equal(t, r.FTL.HostWrites+r.FTL.Moved, r.Flash.Ops[flash.Program])
}

// smallP3700 is a drive of two dies.
func smallP3700(t *testing.T) nvme.Config {
	c := preset(t, "p3700_800gb")
	c.Flash.Channels, c.Flash.Ways = 2, 1
	return c
}

func TestAFullDriveCollectsFromTheStart(t *testing.T) {
	c := smallP3700(t)
	l := Load{Pattern: "rand", Requests: 2000, Bytes: 16 << 10, Depth: 32, WritePct: 100, Seed: 1}
	assert.Zero(t, run(t, l, c).Flash.Ops[flash.Erase])
	l.Fill = true
	assert.Positive(t, run(t, l, c).Flash.Ops[flash.Erase])
}

// The writes before a load are not in its counters, but in the wear.
func TestWarmWritesAreNotCounted(t *testing.T) {
	c := smallP3700(t)
	l := Load{Pattern: "rand", Requests: 4000, Bytes: 16 << 10, Depth: 32, WritePct: 50, Seed: 1, Fill: true}
	cold := run(t, l, c)
	l.Warm = 2
	warm := run(t, l, c)
	assert.EqualValues(t, 4000, warm.Requests())
	assert.InDelta(t, 2000, float64(warm.Writes.Count()), 150)
	assert.InDelta(t, float64(warm.Writes.Count()), float64(warm.FTL.HostWrites), 1100, "but those of 16 MiB that were in the buffer at the start")
	assert.Greater(t, warm.Wear.Mean, cold.Wear.Mean+1)
	assert.Greater(t, warm.FTL.Amplification(), cold.FTL.Amplification())
	assert.InEpsilon(t, float64(l.Depth), warm.IOPS()*(warm.Reads.Mean().Seconds()+warm.Writes.Mean().Seconds())/2, 0.1, "Little")
}

// The host's writes, times the amplification, wear each block to its cycles.
func TestEnduranceIsCyclesOverAmplification(t *testing.T) {
	c := smallP3700(t)
	l := Load{Pattern: "rand", Requests: 4000, Bytes: 16 << 10, Depth: 32, WritePct: 100, Seed: 1, Fill: true, Warm: 1}
	c.CapacityGB, c.Flash.Cycles, c.FTL.OverProvision = 1000, 1000, 0.25
	r := run(t, l, c)
	e := r.Endurance()
	assert.InEpsilon(t, 1000/0.75/r.MediaAmplification(), e.TBW, 1e-9)
	assert.InEpsilon(t, e.TBW/(365*5), e.DWPD, 1e-9, "of 1 TB")
	assert.InEpsilon(t, e.TBW*1e12/(r.IOPS()*16384)/86400/365, e.Years, 1e-9)
	l.Bytes = 4096 // a quarter of a page: it takes a page
	part := run(t, l, c)
	assert.Greater(t, part.MediaAmplification(), 4*part.FTL.Amplification()*0.99)
	assert.Less(t, part.Endurance().TBW, e.TBW/3)
	c.Flash.Cycles = 0
	assert.Nil(t, run(t, l, c).Endurance())
}

func TestReadAmplification(t *testing.T) {
	c := preset(t, "p3700_800gb")
	channels, cells := run(t, reads, c).ReadAmplification()
	assert.InDelta(t, 1, channels, 1e-9, "a part of a page moves its bytes")
	assert.InDelta(t, float64(c.Flash.PageBytes)/4096, cells, 1e-9, "and the cells read the page")
}

// At depth 1 each write is one program, of the data sheet's time in one of 64 dies.
func TestDiesAreBusyForTheirPrograms(t *testing.T) {
	c := preset(t, "p4800x_375gb")
	l := reads
	l.WritePct = 100
	r := run(t, l, c)
	cells := float64(l.Requests) * c.Flash.ProgramUs[0] * 1e-6
	assert.InEpsilon(t, cells/64/r.Idle.Seconds(), r.DieBusy(), 1e-9, "64 dies")
}

func TestMixHasItsShareOfWrites(t *testing.T) {
	l := reads
	l.Requests, l.Depth, l.WritePct = 10_000, 16, 30
	r := run(t, l, preset(t, "p5800x"))
	assert.EqualValues(t, l.Requests, r.Requests())
	assert.InDelta(t, 0.3, float64(r.Writes.Count())/10_000, 0.02)
}

func TestSharesAreShares(t *testing.T) {
	for _, name := range configs.Presets("drives") {
		for _, depth := range []int{1, 512} {
			for _, writes := range []int{0, 50, 100} {
				l := reads
				l.Depth, l.WritePct, l.Requests = depth, writes, 500
				c := preset(t, name)
				r := run(t, l, c)
				shares := []float64{r.ChannelBusy(), r.DieBusy()}
				if c.FirmwareReadNs > 0 {
					shares = append(shares, r.FirmwareBusy())
				}
				for _, share := range shares {
					assert.Greater(t, share, 0.0, "%s depth %d writes %d", name, depth, writes)
					assert.LessOrEqual(t, share, 1.0, "%s depth %d writes %d", name, depth, writes)
				}
			}
		}
	}
}

func TestEqualSeedsGiveEqualRuns(t *testing.T) {
	c := preset(t, "samsung_pm963")
	l := reads
	l.Depth, l.WritePct = 16, 50
	first := run(t, l, c)
	assert.Equal(t, first, run(t, l, c))
	l.Seed = 2
	assert.NotEqual(t, first.Time, run(t, l, c).Time)
}

func TestWrongLoadsAreReported(t *testing.T) {
	c := preset(t, "p4800x_375gb")
	for _, test := range []struct {
		want   string
		change func(*Load)
	}{
		{"pattern must be rand or seq", func(l *Load) { l.Pattern = "zip" }},
		{"requests must be at least 1", func(l *Load) { l.Requests = 0 }},
		{"bytes must be a multiple of 512 up to 1073741824", func(l *Load) { l.Bytes = 0 }},
		{"bytes must be a multiple of 512 up to 1073741824", func(l *Load) { l.Bytes = 700 }},
		{"bytes must be a multiple of 512 up to 1073741824", func(l *Load) { l.Bytes = 1<<30 + 512 }},
		{"depth must be 1 to 65535 with requests of 4096 bytes", func(l *Load) { l.Depth = 0 }},
		{"depth must be 1 to 65535 with requests of 4096 bytes", func(l *Load) { l.Depth = 1 << 16 }},
		{"depth must be 1 to 64 with requests of 1073741824 bytes", func(l *Load) { l.Bytes, l.Depth = 1<<30, 65 }},
		{"write_pct must be 0 to 100", func(l *Load) { l.WritePct = -1 }},
		{"warm must be 0 to 100", func(l *Load) { l.Warm = -1 }},
		{"write_pct must be 0 to 100", func(l *Load) { l.WritePct = 101 }},
	} {
		l := reads
		test.change(&l)
		_, err := l.Run(c)
		assert.EqualError(t, err, "drive load: "+test.want)
	}
	small := c
	small.Flash.Ways = 1
	l := reads
	l.Bytes = 1 << 30
	_, err := l.Run(small)
	assert.ErrorContains(t, err, "requests of 1073741824 bytes: the drive has ")
	small.QueueDepth = 0
	_, err = reads.Run(small)
	assert.ErrorContains(t, err, "queue_depth")
}
