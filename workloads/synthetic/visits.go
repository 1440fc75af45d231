package synthetic

import (
	"cmp"

	"hwsim/sim"
)

// Visits describes a stream by its visits of pages. The defaults are those of
// facts/translation.md, 5.1: the shares, the skew and the hot bytes are fitted
// to the curve of BFS's misses over TLB sizes, the mean run to Victima's
// reduction of walks, lines and local accesses to BFS's first-TLB misses.
type Visits struct {
	HotShare        *float64 `toml:"hot_share"`        // share of runs that begin in the hot region; 0.46
	HotBytes        int      `toml:"hot_bytes"`        // 96 MiB
	HotSkew         *float64 `toml:"hot_skew"`         // zipf exponent over its pages; 0.5
	RunPages        float64  `toml:"run_pages"`        // mean number of adjacent pages visited in a row, geometric; 1.25
	Lines           float64  `toml:"lines"`            // mean number of different lines touched in a page; 2.5
	Local           *float64 `toml:"local"`            // mean number of accesses to the program's own data after a page; 4
	Sequential      float64  `toml:"sequential"`       // mean number of accesses to the next words of an array after a page; 0
	SequentialBytes int      `toml:"sequential_bytes"` // of that array; 1 GiB
	Chain           float64  `toml:"chain"`            // share of runs whose first address is the data of the last access to a page before; 0
}

// filled returns the description with its defaults.
func (v Visits) filled() Visits {
	hotShare, hotSkew, local := value(v.HotShare, 0.46), value(v.HotSkew, 0.5), value(v.Local, 4)
	v.HotShare, v.HotSkew, v.Local = &hotShare, &hotSkew, &local
	v.HotBytes = cmp.Or(v.HotBytes, 96<<20)
	v.RunPages = cmp.Or(v.RunPages, 1.25)
	v.Lines = cmp.Or(v.Lines, 2.5)
	v.SequentialBytes = cmp.Or(v.SequentialBytes, 1<<30)
	return v
}

func validateVisits(c *Config, report func(key, message string)) {
	v := c.Visits.filled()
	within(report, "visits.hot_share", *v.HotShare, 0, 1)
	pages(report, "visits.hot_bytes", v.HotBytes)
	within(report, "visits.hot_skew", *v.HotSkew, 0, 8)
	within(report, "visits.run_pages", v.RunPages, 1, 1<<20)
	within(report, "visits.lines", v.Lines, 1, pageLines)
	within(report, "visits.local", *v.Local, 0, maxMean)
	within(report, "visits.sequential", v.Sequential, 0, maxMean)
	pages(report, "visits.sequential_bytes", v.SequentialBytes)
	within(report, "visits.chain", v.Chain, 0, 1)
}

// visitor goes from page to page.
type visitor struct {
	Visits
	regions [2]pageRegion // hot and cold
	lines   dither
	own     stack
	array   strided
	words   dither // accesses to the array in a row
	ranks   zipf
	order   permutation // of the hot pages
	random  sim.Rand

	region *pageRegion // of the run, nil before it
	page   uint64
	last   uint64 // number of the last access to a page
}

type pageRegion struct {
	base, pages uint64
}

func placeVisits(c *Config, m *space) generator {
	v := &visitor{Visits: c.Visits.filled()}
	for i, bytes := range []int{v.HotBytes, c.footprint()} {
		v.regions[i] = pageRegion{m.region(bytes), uint64(bytes) / pageBytes}
	}
	v.lines = newDither(v.Lines)
	v.own = newStack(m, *v.Local)
	v.words = newDither(v.Sequential)
	if v.Sequential > 0 {
		v.array = strided{base: m.region(v.SequentialBytes), bytes: uint64(v.SequentialBytes), step: wordBytes}
	}
	return v
}

func (v *visitor) start(r sim.Rand) {
	hot := v.regions[0].pages
	v.ranks = newZipf(hot, *v.HotSkew)
	v.order = newPermutation(hot, &r)
	v.random = r
}

func (v *visitor) run(out *emitter) {
	onward := 1 - 1/v.RunPages // chance that a run goes on
	for !out.full() {
		back := uint32(0)
		if v.region == nil {
			back = v.begin(out)
		}
		v.touch(out, back)
		v.own.touch(out)
		for range v.words.next() {
			v.array.next(out)
		}
		if v.page++; v.page == v.region.pages {
			v.page = 0
		}
		if v.random.Float64() >= onward {
			v.region = nil
		}
	}
}

// begin draws the first page of a run, and how many accesses back its address
// comes from.
func (v *visitor) begin(out *emitter) (back uint32) {
	if v.random.Float64() < *v.HotShare {
		v.region = &v.regions[0]
		v.page = v.order.at(v.ranks.draw(&v.random))
	} else {
		v.region = &v.regions[1]
		v.page = uint64(v.random.IntN(int(v.region.pages)))
	}
	if v.Chain > 0 && v.random.Float64() < v.Chain {
		return uint32(out.count() - v.last)
	}
	return 0
}

// touch reads different lines of the page: from a random one on in random odd
// steps, which come back after all lines only.
func (v *visitor) touch(out *emitter, back uint32) {
	bits := v.random.Uint64()
	line, step := bits>>58, bits|1
	addr := v.region.base + v.page*pageBytes
	for range v.lines.next() {
		out.follow(addr+line*lineBytes, back)
		line = (line + step) % pageLines
		if back > 0 {
			back++ // all lines wait for the same address
		}
	}
	v.last = out.count() - 1
}
