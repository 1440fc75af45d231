package nvme

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"hwsim/devices/flash"
	"hwsim/sim"
)

// order returns the queues of the reads that a drive which takes one command
// at a time completes, in that order; queue 0 sends its ten first.
func order(t *testing.T, burst int) []uint16 {
	c := small()
	c.Queues, c.ArbitrationBurst, c.FetchLimit = 3, burst, 1
	d := drive(t, c)
	for q := range uint16(3) {
		for i := range uint64(10) {
			d.Submit(0, Request{Addr: i * 4096, Bytes: 4096, Queue: q})
		}
	}
	d.Advance(sim.Never)
	var queues []uint16
	for _, done := range d.Completions() {
		queues = append(queues, done.Queue)
	}
	require.Len(t, queues, 30)
	return queues
}

func TestQueuesTakeTurns(t *testing.T) {
	// The first doorbell finds the other queues empty.
	assert.Equal(t, []uint16{0, 1, 2, 0, 1, 2, 0, 1, 2}, order(t, 1)[:9])
	assert.Equal(t, []uint16{0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 0, 0, 0, 0}, order(t, 4)[:16])
}

func TestAQueueWithNothingLosesItsTurn(t *testing.T) {
	c := small()
	c.Queues, c.ArbitrationBurst = 8, 8
	l := load{requests: 2000, depth: 8, bytes: 4096, readPct: 100, span: 8 << 20}
	several := l.run(t, drive(t, c))
	c.Queues, c.ArbitrationBurst = 0, 0
	one := l.run(t, drive(t, c))
	assert.Equal(t, one, several)
}

func TestEachQueueHasItsDepth(t *testing.T) {
	c := small()
	c.Queues, c.QueueDepth = 2, 1
	d := drive(t, c)
	for i := range uint64(8) { // on eight dies
		d.Submit(0, Request{Addr: i * 4096, Bytes: 4096, Queue: uint16(i % 2)})
	}
	d.Advance(sim.Never)
	end := d.Completions()[7].At
	latency := one(t, drive(t, c), Request{Bytes: 4096})
	assert.InEpsilon(t, (4 * latency).Nanoseconds(), end.Nanoseconds(), 0.1, "two at a time")
}

func TestATrimSendsARangeAndFreesItsPages(t *testing.T) {
	c := small()
	d := drive(t, c)
	one(t, d, Request{Bytes: 64 << 10, Write: true})
	got := one(t, d, Request{Addr: 1024, Bytes: 64<<10 - 1024, Trim: true})
	assert.Equal(t, wire+2*100*ns+4*ns, got, "16 bytes of range at 4 GB/s, and no time in the flash")
	assert.EqualValues(t, 15, d.FTL().Trims, "the first page is not whole in it")
	d.config.AssumeWritten = false
	one(t, d, Request{Addr: 4096, Bytes: 4096})
	assert.EqualValues(t, 1, d.Stats().Zeros)
	one(t, d, Request{Bytes: 4096})
	assert.EqualValues(t, 1, d.Flash().Ops[flash.Read], "that one is there")
}

// On a full drive, random writes to a half of which the other is trimmed cost
// less than to all.
func TestTrimmedSpaceIsRoomForCollection(t *testing.T) {
	amplification := func(trim bool) float64 {
		c := small()
		c.Flash.Blocks = 16
		d := drive(t, c)
		d.Fill()
		half := d.Bytes() / 2 &^ 4095
		if trim {
			one(t, d, Request{Addr: half, Bytes: uint32(half), Trim: true})
		}
		now := sim.Second
		r := sim.NewRand(1)
		for range 20_000 {
			d.Submit(now, Request{Addr: uint64(r.IntN(int(half/4096))) * 4096, Bytes: 4096, Write: true})
			now += 50_000 * ns
			d.Advance(now)
			d.Drop()
		}
		return d.FTL().Amplification()
	}
	full, trimmed := amplification(false), amplification(true)
	t.Logf("%.2f pages a page, %.2f with half of the drive trimmed", full, trimmed)
	assert.Less(t, trimmed, 1+(full-1)/2)
}

func ahead(bytes int) Config {
	c := small()
	c.Flash.PageBytes, c.BufferNs, c.ReadAheadBytes = 16<<10, 50, bytes
	return c
}

// The third of three reads in order comes from memory: the second began to
// read ahead.
func TestSequentialReadsAreReadAhead(t *testing.T) {
	d := drive(t, ahead(32<<10))
	first := one(t, d, Request{Bytes: 4096})
	second := one(t, d, Request{Addr: 4096, Bytes: 4096})
	third := one(t, d, Request{Addr: 8192, Bytes: 4096})
	assert.Equal(t, wire+200*ns+10_000*ns+100*ns+4096*ns+1024*ns, first)
	assert.Equal(t, first+(16-4)*1024*ns+50*ns, second, "it waits for the whole page")
	assert.Equal(t, wire+50*ns+1024*ns, third)
	assert.EqualValues(t, 2, d.Stats().AheadHits)
	assert.EqualValues(t, 3, d.Stats().AheadReads, "its own page and 32 KiB")
}

func TestRandomReadsAreNotReadAhead(t *testing.T) {
	d := drive(t, ahead(64<<10))
	for _, page := range []uint64{3, 17, 4, 18, 9} {
		one(t, d, Request{Addr: page * 16 << 10, Bytes: 4096})
	}
	assert.Zero(t, d.Stats().AheadReads)
}

func TestAWriteDropsWhatWasReadAhead(t *testing.T) {
	d := drive(t, ahead(64<<10))
	for i := range uint64(3) {
		one(t, d, Request{Addr: i * 4096, Bytes: 4096})
	}
	one(t, d, Request{Addr: 16 << 10, Bytes: 16 << 10, Write: true})
	hits := d.Stats().AheadHits
	one(t, d, Request{Addr: 16 << 10, Bytes: 4096})
	assert.Equal(t, hits, d.Stats().AheadHits)
	one(t, d, Request{Addr: 32 << 10, Bytes: 4096})
	assert.Equal(t, hits+1, d.Stats().AheadHits)
}

func TestMappingWritesTakeTheFlash(t *testing.T) {
	run := func(writes bool) (*Drive, *outcome) {
		c := small()
		c.FTL.CacheEntries, c.FTL.MapPageBytes, c.FTL.MapWrites = 64, 512, writes
		d := drive(t, c)
		d.Fill()
		l := load{requests: 20_000, depth: 32, bytes: 4096, span: d.Bytes()}
		return d, l.run(t, d)
	}
	_, without := run(false)
	d, with := run(true)
	s := d.FTL()
	assert.Positive(t, s.MapWrites)
	assert.Equal(t, d.Flash().Ops[flash.Program], s.HostWrites+s.Moved+s.MapWrites)
	assert.Less(t, with.iops(), without.iops())
	require.NoError(t, d.ftl.Check())
}
