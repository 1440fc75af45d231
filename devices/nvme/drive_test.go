package nvme

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"hwsim/devices/flash"
	"hwsim/devices/ftl"
	"hwsim/devices/link"
	"hwsim/sim"
)

// small is a drive of 4 channels behind a link of 4 GB/s without headers.
func small() Config {
	return Config{
		Link: link.Config{Kind: "pcie", RawGBps: 4, LatencyNs: 100,
			Packets: &link.Packets{MaxPayloadBytes: 256, ReadRequestBytes: 512, GranuleBytes: 4}},
		QueueDepth: 1024, FetchLimit: 1024, MaxTransferBytes: 128 << 10, CompletionBytes: 16, FirmwareCores: 1,
		AssumeWritten: true,
		Flash: flash.Config{
			Geometry: flash.Geometry{Channels: 4, Ways: 2, Dies: 2, Planes: 2, Blocks: 32, Pages: 32, PageBytes: 4096},
			Cell:     "slc", ReadUs: []float64{10}, ProgramUs: []float64{100}, EraseUs: 1000, ChannelGBs: 1, DieInterleave: true,
			ReadCommandNs: 200, DataOutNs: 100, ProgramCommandNs: 300, EraseCommandNs: 200,
		},
		FTL: ftl.Config{Allocation: "CWDP", OverProvision: 0.28, Collect: "greedy", Threshold: 0.1, Reserve: 2},
	}
}

func drive(t testing.TB, c Config) *Drive {
	d, err := New(c)
	require.NoError(t, err)
	return d
}

// one sends a request to a drive that has been idle for a while and returns
// its latency.
func one(t testing.TB, d *Drive, r Request) sim.Time {
	start := sim.Time(0)
	if n := len(d.Completions()); n > 0 {
		start = d.Completions()[n-1].At + 10*sim.Millisecond
	}
	d.Drop()
	d.Submit(start, r)
	d.Advance(sim.Never)
	require.Len(t, d.Completions(), 1)
	return d.Completions()[0].At - start
}

const ns = sim.Nanosecond

// wire is the sum of a read's messages but its data: doorbell, entry's
// request (no bytes here), entry, completion, and four times the latency.
const wire = 1*ns + 16*ns + 4*ns + 4*100*ns

func TestPathOfARead(t *testing.T) {
	c := small()
	want := wire + 200*ns + 10_000*ns + 100*ns + 4096*ns + 1024*ns
	assert.Equal(t, want, one(t, drive(t, c), Request{Bytes: 4096}))
	c.SubmitNs, c.CompleteNs, c.FirmwareReadNs, c.PipelineReadNs = 500, 700, 2000, 3000
	assert.Equal(t, want+6200*ns, one(t, drive(t, c), Request{Bytes: 4096}))
}

func TestPartOfAPageMovesItsBytesOnly(t *testing.T) {
	want := wire + 200*ns + 10_000*ns + 100*ns + 512*ns + 128*ns
	assert.Equal(t, want, one(t, drive(t, small()), Request{Addr: 1024, Bytes: 512}))
}

func TestPageByPageOverlapsTheLink(t *testing.T) {
	c := small()
	byPage := one(t, drive(t, c), Request{Bytes: 128 << 10})
	c.WholeTransfer = true
	whole := one(t, drive(t, c), Request{Bytes: 128 << 10})
	assert.Less(t, byPage, whole-20_000*ns, "32 KiB of link time is hidden behind the channels")
}

func TestUnwrittenPagesReadAsZeros(t *testing.T) {
	c := small()
	c.AssumeWritten = false
	d := drive(t, c)
	assert.Equal(t, wire+1024*ns, one(t, d, Request{Bytes: 4096}))
	assert.EqualValues(t, 1, d.Stats().Zeros)
	assert.Zero(t, d.Flash().Ops[flash.Read])
}

func TestPathOfAWrite(t *testing.T) {
	c := small()
	data := 2*100*ns + 1024*ns // its request and its data
	want := wire + data + 300*ns + 4096*ns + 100_000*ns
	assert.Equal(t, want, one(t, drive(t, c), Request{Bytes: 4096, Write: true}))
	c.BufferBytes, c.BufferNs = 1<<20, 50
	assert.Equal(t, wire+data+50*ns, one(t, drive(t, c), Request{Bytes: 4096, Write: true}))
}

func TestPartOfAWrittenPageIsReadFirst(t *testing.T) {
	d := drive(t, small())
	one(t, d, Request{Bytes: 4096, Write: true})
	one(t, d, Request{Bytes: 512, Write: true})
	assert.EqualValues(t, 1, d.Flash().Ops[flash.Read])
}

func TestBufferedWritesFillSuperblocks(t *testing.T) {
	c := small()
	c.BufferBytes, c.FTL.Superblock = 1<<20, true
	l := load{requests: 20_000, depth: 64, bytes: 4096, span: 16 << 20}
	d := drive(t, c)
	l.run(t, d)
	s := d.Flash()
	assert.Greater(t, s.MultiPlane[flash.Program], s.Commands[flash.Program]*9/10, "random writes, two planes at a time")
}

func TestReadsHitTheBuffer(t *testing.T) {
	c := small()
	c.BufferBytes, c.BufferNs = 1<<20, 50
	d := drive(t, c)
	d.Submit(0, Request{Bytes: 4096, Write: true})
	d.Advance(20_000 * ns)
	d.Submit(20_000*ns, Request{Bytes: 4096})
	d.Advance(sim.Never)
	assert.EqualValues(t, 1, d.Stats().BufferHits)
	assert.Equal(t, 20_000*ns+wire+50*ns+1024*ns, d.Completions()[1].At)
	one(t, d, Request{Bytes: 4096})
	assert.EqualValues(t, 1, d.Stats().BufferHits, "it is programmed by now")
}

func TestAFullBufferHoldsWritesUp(t *testing.T) {
	c := small()
	c.BufferBytes = 64 << 10
	l := load{requests: 4000, depth: 8, bytes: 4096, span: 1 << 20}
	d := drive(t, c)
	o := l.run(t, d)
	// 16 dies, each with two planes at most in 100 µs: the flash sets the rate.
	assert.Less(t, o.iops(), 32/100e-6)
	assert.Greater(t, o.writes.Quantile(0.9), 20_000*ns)
}

func TestFirmwareLimitsTheRate(t *testing.T) {
	c := small()
	c.FirmwareReadNs = 4000
	l := load{requests: 5000, depth: 64, bytes: 4096, readPct: 100, span: 8 << 20}
	one := l.run(t, drive(t, c))
	assert.InEpsilon(t, 250_000, one.iops(), 0.02)
	c.FirmwareCores = 2
	two := l.run(t, drive(t, c))
	assert.InEpsilon(t, 500_000, two.iops(), 0.02)
}

func TestFetchLimitBoundsWhatIsInTheDrive(t *testing.T) {
	c := small()
	l := load{requests: 2000, depth: 32, bytes: 4096, readPct: 100, span: 8 << 20}
	free := l.run(t, drive(t, c))
	c.FetchLimit = 1
	bound := l.run(t, drive(t, c))
	assert.Greater(t, free.iops(), 3*bound.iops())
	c.FetchLimit, c.QueueDepth = 1024, 1
	queue := l.run(t, drive(t, c))
	l.depth = 1
	single := l.run(t, drive(t, c))
	assert.InEpsilon(t, single.iops(), queue.iops(), 0.01, "a queue of one entry is depth 1")
}

func TestRequestsAreSplitAtTheTransferSize(t *testing.T) {
	c := small()
	c.FirmwareReadNs, c.MaxTransferBytes = 1000, 16<<10
	d := drive(t, c)
	one(t, d, Request{Bytes: 100_000})
	assert.Equal(t, 7*1000*ns, d.Stats().FirmwareBusy)
}

func TestAMapCacheMissCostsARead(t *testing.T) {
	c := small()
	c.FTL.CacheEntries, c.FTL.MapPageBytes = 64, 512
	d := drive(t, c)
	miss := one(t, d, Request{Bytes: 4096})
	hit := one(t, d, Request{Bytes: 4096})
	assert.Equal(t, 200*ns+10_000*ns+100*ns+512*ns, miss-hit)
}

// Random requests of all sizes: each completes once, bytes are conserved, no
// plane is stuck though collection runs, and the way time is cut into calls
// of Advance changes nothing.
func TestMixedLoadIsConserved(t *testing.T) {
	for seed := range uint64(8) {
		c := small()
		c.Flash.Blocks, c.FTL.OverProvision = 8, 0.5
		if seed&1 != 0 {
			c.BufferBytes = 256 << 10
		}
		if seed&2 != 0 {
			c.FTL.CacheEntries, c.FTL.MapPageBytes = 64, 512
			c.FTL.MapWrites, c.FTL.WearSpread, c.ReadAheadBytes, c.FTL.OverProvision = true, 4, 32<<10, 0.51
		}
		if seed&4 != 0 {
			c.Flash.CacheRead, c.Flash.SuspendProgramUs, c.Flash.SuspendEraseUs = true, 5, 20
			c.FTL.Preemptible, c.FTL.Superblock = true, true
		}
		coarse, fine := mixed(t, c, seed, 1_000_000*ns), mixed(t, c, seed, 777*ns)
		require.Equal(t, coarse, fine)
	}
}

// mixed sends requests at random times, advancing to multiples of a step
// too, and returns the completions.
func mixed(t *testing.T, c Config, seed uint64, step sim.Time) []Completion {
	d := drive(t, c)
	r := sim.NewRand(seed)
	at := sim.Time(0)
	const n = 6000
	seen := make([]bool, n)
	for i := range uint32(n) {
		at += sim.Time(r.IntN(80_000)) * ns
		d.Advance(at / step * step)
		d.Advance(at)
		bytes := uint32(512 * (1 + r.IntN(40)))
		addr := uint64(r.IntN(int((d.Bytes()-uint64(bytes))/512))) * 512
		d.Submit(at, Request{Addr: addr, Bytes: bytes, Tag: i, Write: r.IntN(2) == 0})
	}
	d.Advance(sim.Never)
	for _, done := range d.Completions() {
		require.False(t, seen[done.Tag])
		seen[done.Tag] = true
		require.Greater(t, done.At, done.Issued)
	}
	require.Len(t, d.Completions(), n)
	require.Greater(t, d.FTL().Erased, uint64(0))
	require.Equal(t, d.Flash().Ops[flash.Program], d.FTL().HostWrites+d.FTL().Moved+d.FTL().MapWrites)
	return d.Completions()
}

func TestNothingIsAllocatedForARequest(t *testing.T) {
	c := small()
	c.BufferBytes = 256 << 10
	d := drive(t, c)
	l := load{requests: 60_000, depth: 32, bytes: 4096, readPct: 50, span: 8 << 20}
	l.run(t, d)
	now := sim.Time(10) * sim.Second
	r := sim.NewRand(1)
	allocs := testing.AllocsPerRun(2000, func() {
		d.Submit(now, Request{Addr: uint64(r.IntN(2048)) * 4096, Bytes: 4096, Write: r.IntN(2) == 0})
		now += 20_000 * ns
		d.Advance(now)
		d.Drop()
	})
	assert.Zero(t, allocs)
}

func TestImpossibleConfigs(t *testing.T) {
	for key, spoil := range map[string]func(*Config){
		"nvme: queue_depth":        func(c *Config) { c.QueueDepth = 0 },
		"nvme: fetch_limit":        func(c *Config) { c.FetchLimit = 0 },
		"nvme: max_transfer_bytes": func(c *Config) { c.MaxTransferBytes = 1 },
		"nvme: completion_bytes":   func(c *Config) { c.CompletionBytes = 8 },
		"nvme: firmware_cores":     func(c *Config) { c.FirmwareCores = 65 },
		"nvme: buffer_bytes":       func(c *Config) { c.BufferBytes = -1 },
		"nvme: power_loss":         func(c *Config) { c.PowerLossProtection = true },
		"nvme: read_ahead_bytes":   func(c *Config) { c.ReadAheadBytes = -1 },
		"nvme: queues":             func(c *Config) { c.Queues = 257 },
		"nvme: arbitration_burst":  func(c *Config) { c.ArbitrationBurst = -1 },
		"nvme: capacity_gb":        func(c *Config) { c.CapacityGB = -1 },
		"nvme: warranty_years":     func(c *Config) { c.WarrantyYears = 101 },
		"nvme: flash: cycles":      func(c *Config) { c.Flash.Cycles = -1 },
		"nvme: pipeline_read_ns":   func(c *Config) { c.PipelineReadNs = -1 },
		"nvme: link pcie":          func(c *Config) { c.Link.RawGBps = 0 },
		"nvme: flash: cell":        func(c *Config) { c.Flash.Cell = "" },
		"ftl: allocation":          func(c *Config) { c.FTL.Allocation = "" },
	} {
		t.Run(key, func(t *testing.T) {
			c := small()
			spoil(&c)
			_, err := New(c)
			require.Error(t, err)
			assert.Contains(t, err.Error(), key)
		})
	}
}

// BenchmarkPages reports the time of a page operation of the whole drive
// under random writes with collection.
func BenchmarkPages(b *testing.B) {
	d := drive(b, small())
	fill := load{requests: 20_000, depth: 64, bytes: 4096, span: d.Bytes()}
	fill.run(b, d)
	ops := func() uint64 {
		s := d.Flash()
		return s.Ops[flash.Read] + s.Ops[flash.Program]
	}
	now := sim.Time(1000) * sim.Second
	r := sim.NewRand(1)
	places := int(d.Bytes() / 4096)
	before := ops()
	b.ReportAllocs()
	b.ResetTimer()
	for ops()-before < uint64(b.N) {
		d.Submit(now, Request{Addr: uint64(r.IntN(places)) * 4096, Bytes: 4096, Write: true})
		now += 20_000 * ns
		d.Advance(now)
		d.Drop()
	}
}
