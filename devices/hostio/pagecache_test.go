package hostio_test

import (
	"testing"

	"hwsim/devices/hostio"
	"hwsim/sim"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const gib = 1 << 30

// scan reads files of a GiB each in a cycle, and returns the share of hits of
// each round.
func scan(c *hostio.PageCache, files, rounds int) (shares []float64) {
	for range rounds {
		before := c.Hits
		for f := range files {
			c.Read(hostio.FileID(f), gib)
		}
		shares = append(shares, float64(c.Hits-before)/float64(int64(files)*gib))
	}
	return shares
}

func TestFilesThatFitAreReadOnce(t *testing.T) {
	assert.Equal(t, []float64{0, 1, 1}, scan(hostio.NewPageCache(10*gib), 10, 3))
}

func TestACyclicScanLargerThanTheCacheHitsNothing(t *testing.T) {
	assert.Equal(t, []float64{0, 0, 0, 0}, scan(hostio.NewPageCache(10*gib), 12, 4))
}

// What was active before the scan outgrew the cache protects itself: later pages
// come back within the active list's size.
func TestAScanThatOutgrowsTheCacheKeepsPart(t *testing.T) {
	c := hostio.NewPageCache(80 * gib)
	require.Equal(t, []float64{0, 1}, scan(c, 80, 2))
	shares := scan(c, 88, 12)
	last := shares[len(shares)-1]
	t.Logf("shares of hits after it has grown: %.2f", shares)
	assert.Less(t, last, 80.0/88+1e-9, "no more than the cache holds")
	assert.Greater(t, shares[0], 0.5)
}

func TestWhatWasWrittenIsThere(t *testing.T) {
	c := hostio.NewPageCache(10 * gib)
	c.Write(1, gib)
	assert.EqualValues(t, gib, c.Read(1, gib))
	assert.Zero(t, c.Read(2, gib))
}

func TestNoCacheHoldsNothing(t *testing.T) {
	c := hostio.NewPageCache(-1)
	c.Write(1, 5)
	assert.Zero(t, c.Read(1, 5))
	assert.Zero(t, c.Read(1, 5))
}

func TestACacheHoldsNoMoreThanItsSize(t *testing.T) {
	r := sim.NewRand(7)
	for range 50 {
		c := hostio.NewPageCache(1 + int64(r.IntN(100*gib)))
		sizes := map[hostio.FileID]int64{}
		for range 400 {
			id := hostio.FileID(r.IntN(20))
			if r.IntN(3) == 0 {
				n := int64(r.IntN(4 * gib))
				c.Write(id, n)
				sizes[id] += n
			}
			hit := c.Read(id, sizes[id])
			require.GreaterOrEqual(t, hit, int64(0))
			require.LessOrEqual(t, hit, sizes[id])
			require.NoError(t, c.Check())
		}
	}
}

func TestWhatThePageCacheHoldsSkipsTheDrive(t *testing.T) {
	h := preset(t, "a6000_980pro")
	p := path(t, h, "disk_to_gpu")
	held := p.Held()
	assert.Zero(t, held.Busy("drive", mib))
	assert.Positive(t, held.Busy("link_in", mib))
	assert.Less(t, held.Elapsed(mib, 1), p.Elapsed(mib, 1))
}

func BenchmarkPageCache(b *testing.B) {
	c := hostio.NewPageCache(80 * gib)
	scan(c, 100, 1)
	b.ReportAllocs()
	for i := range b.N {
		c.Read(hostio.FileID(i%100), gib)
	}
}
