package nvme

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"hwsim/sim"
)

// cutDrive is a drive of few pages that collects, misses in its map cache,
// writes mapping pages and levels wear.
func cutDrive(t *testing.T, seed uint64) *Drive {
	c := small()
	c.Flash.Channels, c.Flash.Ways, c.Flash.Dies, c.Flash.Planes = 2, 1, 1, 2
	c.Flash.Blocks, c.Flash.Pages, c.Flash.PageBytes = 12, 8, 512
	c.AssumeWritten = false
	c.FTL.OverProvision, c.FTL.WearSpread = 0.4, 2
	c.FTL.CacheEntries, c.FTL.MapPageBytes, c.FTL.MapWrites = 64, 512, true
	c.FTL.Superblock = seed&1 != 0
	if seed&6 != 0 {
		c.BufferBytes, c.BufferNs = 8<<10, 50
	}
	c.PowerLossProtection = seed&4 != 0
	if seed&8 != 0 {
		c.ReadAheadBytes, c.Queues = 4096, 2
	}
	return drive(t, c)
}

// cutter writes, reads and trims a drive, and cuts its power.
type cutter struct {
	*Drive
	t     *testing.T
	r     sim.Rand
	now   sim.Time
	acked []uint32 // of each logical page, the version that the host knows to be safe; 0: none, or trimmed
	busy  []bool   // an outstanding write or trim is to this page: hosts do not send another
	lost  int      // acknowledged pages that a cut took from the buffer
	tag   uint32
}

// newest returns the newest version of a logical page in the flash or in the
// buffer.
func (c *cutter) newest(logical uint32) uint32 {
	v := c.ftl.Version(logical)
	c.parts.each(func(p *part) {
		if p.isBuffered() && p.logical == logical && !c.ftl.Trimmed(logical, p.version) {
			v = max(v, p.version)
		}
	})
	return v
}

// send sends a request of a few pages.
func (c *cutter) send() {
	pages := uint64(1 + c.r.IntN(4))
	first := uint64(c.r.IntN(int(c.ftl.LogicalPages()) - int(pages)))
	r := Request{Addr: first * c.pageBytes, Bytes: uint32(pages * c.pageBytes), Tag: c.tag, Queue: uint16(c.r.IntN(len(c.queues)))}
	switch n := c.r.IntN(20); {
	case n < 1:
		r.Trim = true
	case n < 13:
		r.Write = true
	}
	if r.Write || r.Trim {
		for p := first; p < first+pages; p++ {
			if c.busy[p] {
				return
			}
		}
		for p := first; p < first+pages; p++ {
			c.busy[p] = true
			if r.Trim {
				c.acked[p] = 0
			}
		}
	}
	c.tag++
	c.Submit(c.now, r)
}

// note takes note of what completed.
func (c *cutter) note() {
	for _, done := range c.Completions() {
		if !done.Write && !done.Trim {
			continue
		}
		for p := done.Addr / c.pageBytes; p < (done.Addr+uint64(done.Bytes))/c.pageBytes; p++ {
			c.busy[p] = false
			if done.Write {
				c.acked[p] = c.newest(uint32(p))
				require.NotZero(c.t, c.acked[p], "page %d was acknowledged and is nowhere", p)
			}
		}
	}
	c.Drop()
}

// cut cuts the power and checks what is left.
func (c *cutter) cut() {
	buffered := map[uint32]bool{}
	c.parts.each(func(p *part) {
		if p.isBuffered() {
			buffered[p.logical] = true
		}
	})
	c.PowerCut(c.now)
	require.NoError(c.t, c.ftl.Check())
	for p := range c.acked {
		logical := uint32(p)
		got := c.newest(logical)
		if got < c.acked[p] {
			require.False(c.t, c.config.PowerLossProtection, "page %d: version %d, acknowledged %d", p, got, c.acked[p])
			require.True(c.t, buffered[logical], "page %d is lost and was not in the buffer", p)
			c.lost++
		}
		c.acked[p] = got // an unacknowledged write may be there or not
	}
	clear(c.busy)
}

// run sends requests, advancing one event at a time, and cuts the power at any
// of them.
func (c *cutter) run(steps int) {
	for range steps {
		switch n := c.r.IntN(2000); {
		case n == 0:
			c.cut()
		case n < 300 || c.Next() == sim.Never:
			c.send()
		default:
			c.now = c.Next()
			c.Advance(c.now + 1)
			c.note()
		}
	}
	for c.Next() != sim.Never {
		c.now = c.Next()
		c.Advance(c.now + 1)
		c.note()
	}
	require.NoError(c.t, c.ftl.Check())
	for p, v := range c.acked {
		require.GreaterOrEqual(c.t, c.ftl.Version(uint32(p)), v, "page %d, once all is programmed", p)
	}
	require.Zero(c.t, c.buffered)
}

func newCutter(t *testing.T, seed uint64) *cutter {
	d := cutDrive(t, seed)
	d.Fill()
	n := d.ftl.LogicalPages()
	c := &cutter{Drive: d, t: t, r: sim.NewRand(seed), acked: make([]uint32, n), busy: make([]bool, n)}
	for p := range c.acked {
		c.acked[p] = d.ftl.Version(uint32(p))
	}
	return c
}

// A cut at any event loses no acknowledged page, with a protected buffer or
// none, and only pages in the buffer with one that is not protected. The map is
// consistent after it. Collection, mapping writes and levelling go on meanwhile.
func TestPowerCutAtAnyEvent(t *testing.T) {
	var lost, erased, maps, levelled uint64
	for seed := range uint64(32) {
		c := newCutter(t, seed)
		c.run(20_000)
		if seed&6 == 2 {
			lost += uint64(c.lost)
		} else {
			require.Zero(t, c.lost)
		}
		s := c.FTL()
		erased, maps, levelled = erased+s.Erased, maps+s.MapWrites, levelled+s.Levelled
	}
	t.Logf("%d acknowledged pages lost from unprotected buffers; %d blocks erased, %d levelled, %d mapping pages written", lost, erased, levelled, maps)
	assert.Positive(t, lost, "an unprotected buffer loses pages")
	assert.Positive(t, erased)
	assert.Positive(t, maps)
	assert.Positive(t, levelled)
}

func FuzzPowerCut(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { newCutter(t, seed).run(5000) })
}
