package synthetic

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"hwsim/sim"
)

func TestStreamReadsEveryWordInOrder(t *testing.T) {
	c := &Config{Kind: "stream", FootprintBytes: 4096}
	for i, a := range take(t, c, 1200) {
		require.Equal(t, uint64(Base+i%512*8), a.Addr)
	}
}

func TestStrideReadsALineAPage(t *testing.T) {
	c := &Config{Kind: "stride", FootprintBytes: 16 * 4096}
	for i, a := range take(t, c, 50) {
		require.Equal(t, uint64(Base+i%16*4096), a.Addr)
	}
	c.StrideBytes = 40000 // does not divide the footprint
	for i, a := range take(t, c, 50) {
		require.Equal(t, uint64(Base+i%2*40000), a.Addr)
	}
}

// chiSquare returns how many deviations the counts are from what is expected of
// them: the statistic less its mean, over its deviation.
func chiSquare(counts, expected []float64) float64 {
	sum := 0.0
	for i := range counts {
		sum += (counts[i] - expected[i]) * (counts[i] - expected[i]) / expected[i]
	}
	freedom := float64(len(counts) - 1)
	return (sum - freedom) / math.Sqrt(2*freedom)
}

func even(n int, total float64) []float64 {
	expected := make([]float64, n)
	for i := range expected {
		expected[i] = total / float64(n)
	}
	return expected
}

func TestUniformReadsAllLinesAlike(t *testing.T) {
	lines := make([]float64, 4096)
	for _, a := range take(t, &Config{Kind: "uniform", FootprintBytes: 4096 * 64}, 400000) {
		lines[(a.Addr-Base)/64]++
	}
	assert.Less(t, math.Abs(chiSquare(lines, even(len(lines), 400000))), 4.0)
}

func TestChaseVisitsEveryLineOnceACycle(t *testing.T) {
	for _, pages := range []int{1, 3, 16, 100} {
		n := pages * 64
		accesses := take(t, &Config{Kind: "chase", FootprintBytes: pages * 4096}, 2*n)
		seen := map[uint64]bool{}
		near := 0
		for i, a := range accesses[:n] {
			assert.Zero(t, a.Addr%64)
			seen[a.Addr] = true
			require.Equal(t, a.Addr, accesses[n+i].Addr)
			require.Equal(t, uint32(min(i, 1)), a.After)
			if i > 0 && a.Addr == accesses[i-1].Addr+64 {
				near++
			}
		}
		assert.Len(t, seen, n)
		assert.Less(t, near, n/8) // a prefetcher has nothing to go by
	}
}

func TestPermutation(t *testing.T) {
	r := sim.NewRand(1)
	for n := uint64(1); n < 600; n += 1 + n/40 {
		p := newPermutation(n, &r)
		for _, p := range []permutation{p, p.below(n/2+1, 5)} {
			seen := make([]bool, p.n)
			for i := range p.n {
				j := p.at(i)
				require.False(t, seen[j])
				seen[j] = true
				require.Equal(t, i, p.from(j))
			}
		}
	}
}

// neighbours go far from each other, and to any part of the range
func TestPermutationLeavesNoPattern(t *testing.T) {
	for seed := range uint64(10) {
		r := sim.NewRand(seed)
		p := newPermutation(3<<18, &r)
		parts, steps := make([]float64, 64), make([]float64, 64)
		for i := range uint64(1 << 13) {
			here, next := p.at(i), p.at(i+1)
			parts[here*64/p.n]++
			steps[(next+p.n-here)%p.n*64/p.n]++
		}
		assert.Less(t, chiSquare(parts, even(64, 1<<13)), 4.0)
		assert.Less(t, chiSquare(steps, even(64, 1<<13)), 4.0)
	}
}

func weights(n int, s float64) (each []float64, sum float64) {
	each = make([]float64, n)
	for k := range each {
		each[k] = math.Pow(float64(k+1), -s)
		sum += each[k]
	}
	return each, sum
}

func TestZipfIsExact(t *testing.T) {
	const draws = 1e6
	for _, n := range []int{1, 2, 40, 1000} {
		for _, s := range []float64{0, 0.5, 0.99, 1, 1.5, 2} {
			r, z := sim.NewRand(5), newZipf(uint64(n), s)
			counts := make([]float64, n)
			for range int(draws) {
				counts[z.draw(&r)]++
			}
			expected, sum := weights(n, s)
			for k := range expected {
				expected[k] *= draws / sum
			}
			for n > 1 && expected[len(expected)-1] < 10 { // too rare for the statistic one by one
				last := len(expected) - 1
				expected[last-1] += expected[last]
				counts[last-1] += counts[last]
				expected, counts = expected[:last], counts[:last]
			}
			if n == 1 {
				assert.Equal(t, draws, counts[0])
			} else {
				assert.Less(t, math.Abs(chiSquare(counts, expected)), 4.0, "n %d, s %g", n, s)
			}
		}
	}
}

func TestZipfOverManyPages(t *testing.T) {
	const n, draws = 1 << 21, 1000000
	for _, s := range []float64{0.5, 0.99, 1.2} {
		r, z := sim.NewRand(5), newZipf(n, s)
		assert.Less(t, len(z.steps), 500)
		counts := make([]float64, 22) // by the rank's length in bits
		expected := make([]float64, 22)
		for range draws {
			counts[length(z.draw(&r))]++
		}
		each, sum := weights(n, s)
		for k, w := range each {
			expected[length(uint64(k))] += w * draws / sum
		}
		assert.Less(t, math.Abs(chiSquare(counts, expected)), 4.0, "s %g", s)
	}
}

func length(rank uint64) int { return int(math.Log2(float64(rank + 1))) }

func TestZipfPagesLieInNoOrder(t *testing.T) {
	pages := make([]float64, 1024)
	for _, a := range take(t, &Config{Kind: "zipf", FootprintBytes: 4096 * 1024}, 300000) {
		pages[(a.Addr-Base)/4096]++
	}
	each, sum := weights(1024, 0.99)
	assert.InEpsilon(t, each[0]/sum*300000, max64(pages), 0.05)
	first := 0.0
	for _, n := range pages[:512] {
		first += n
	}
	assert.InDelta(t, 0.5, first/300000, 0.2) // in order it would be 0.91
}

func max64(v []float64) float64 {
	m := v[0]
	for _, x := range v {
		m = max(m, x)
	}
	return m
}

// page visits in the accesses of a visits stream, with the number of accesses to
// the program's own page and to the array after each
type pageVisit struct {
	region, page     int // 0 hot, 1 cold
	lines            map[uint64]bool
	touches          int
	chained          bool
	local, streaming int
}

func pageVisits(t *testing.T, c *Config, n int) (visits []pageVisit) {
	g := find("visits").place(c, new(space)).(*visitor)
	var last *pageVisit
	final, source := 0, 0 // numbers of the last access to a page, and of the one before the visit
	for i, a := range take(t, c, n) {
		region := -1
		for i, r := range g.regions {
			if a.Addr >= r.base && a.Addr < r.base+r.pages*4096 {
				region = i
			}
		}
		switch {
		case a.Addr-g.own.base < 4096:
			last.local++
		case region < 0:
			require.Less(t, a.Addr-g.array.base, g.array.bytes)
			last.streaming++
		default:
			page := int(a.Addr-g.regions[region].base) / 4096
			if last == nil || last.region != region || last.page != page || last.local > 0 {
				visits = append(visits, pageVisit{region: region, page: page, lines: map[uint64]bool{}, chained: a.After > 0})
				last = &visits[len(visits)-1]
				source = final
			}
			if last.chained { // all lines wait for the page before
				require.Equal(t, source, i-int(a.After))
			} else {
				require.Zero(t, a.After)
			}
			final = i
			last.touches++
			last.lines[a.Addr/64] = true
		}
	}
	return visits[:len(visits)-1]
}

func TestVisitsHaveTheirStatistics(t *testing.T) {
	share, skew, local := 0.3, 1.0, 2.5
	c := &Config{Kind: "visits", FootprintBytes: 1 << 30, Visits: Visits{
		HotShare: &share, HotBytes: 1 << 20, HotSkew: &skew, RunPages: 3, Lines: 5.25, Local: &local, Sequential: 0.75, Chain: 0.4,
	}}
	visits := pageVisits(t, c, 1000000)
	n := float64(len(visits))
	var hot, runs, chained, touches, local2, streaming float64
	pages := make([]float64, 256)
	for i, v := range visits {
		require.Len(t, v.lines, v.touches) // all different
		touches += float64(v.touches)
		local2 += float64(v.local)
		streaming += float64(v.streaming)
		next := i > 0 && v.region == visits[i-1].region && (v.page == visits[i-1].page+1 || v.region == 0 && v.page == 0 && visits[i-1].page == 255)
		if next && !v.chained {
			continue
		}
		runs++
		if v.region == 0 {
			hot++
			pages[v.page]++
		}
		if v.chained {
			chained++
		}
	}
	assert.InDelta(t, 5.25, touches/n, 0.01)
	assert.InDelta(t, 2.5, local2/n, 0.01)
	assert.InDelta(t, 0.75, streaming/n, 0.01)
	assert.InEpsilon(t, 3, n/runs, 0.01)
	assert.InDelta(t, 0.3, hot/runs, 0.01)
	assert.InDelta(t, 0.4, chained/runs, 0.01)
	each, sum := weights(256, 1)
	assert.InEpsilon(t, each[0]/sum, max64(pages)/hot, 0.05)
}
