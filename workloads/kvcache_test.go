package workloads

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices"
	"hwsim/devices/gpu"
	"hwsim/hierarchy"
	"hwsim/sim"
	"hwsim/workloads/internal/touch"
)

// caches are ways to place a cache of uneven sequences: unit × paging × layout.
func caches(f func(name string, sets []string)) {
	for _, unit := range []string{"page", "layer", "fraction"} {
		for _, page := range []int{0, 16, 48} {
			for _, layout := range []string{"nhd", "hnd"} {
				f(fmt.Sprintf("%s %d %s", unit, page, layout), with("workload.contexts=[100,1,777,64]", "model.layers=7", thirds, zeroCopy,
					"kv.unit="+unit, fmt.Sprintf("kv.page_tokens=%d", page), "kv.layout="+layout))
			}
		}
	}
}

// extent is a piece of memory.
type extent struct{ from, to uint64 }

func requireDisjoint(t *testing.T, all []extent) {
	t.Helper()
	slices.SortFunc(all, func(a, b extent) int {
		if a.from < b.from {
			return -1
		}
		return 1
	})
	for i := 1; i < len(all); i++ {
		require.LessOrEqual(t, all[i-1].to, all[i].from)
	}
}

func TestPagesHaveOneAddressEachAndNoneOverlap(t *testing.T) {
	caches(func(name string, sets []string) {
		t.Run(name, func(t *testing.T) {
			d := place(t, sets...)
			c := &d.layout.kv
			var all []extent
			for n := range c.layers {
				l := &c.layers[n]
				var count [hierarchy.NumTiers]int
				for page := range c.pages() {
					tier, _ := l.locate(page)
					count[tier]++
					for part := range 2 {
						a := l.address(page, part)
						require.Equal(t, int(tier), devices.Tier(a))
						require.GreaterOrEqual(t, a, l.home[tier][part])
						require.LessOrEqual(t, a+c.pageBytes(part), l.home[tier][part]+uint64(l.count[tier])*c.pageBytes(part))
						all = append(all, extent{a, a + c.pageBytes(part)})
					}
				}
				require.Equal(t, l.count, count, "layer %d", n)
			}
			requireDisjoint(t, all)
		})
	})
}

// Where agrees with every page's place: pages up to until lie in one memory, the
// next in another.
func TestWhereFollowsThePages(t *testing.T) {
	caches(func(name string, sets []string) {
		t.Run(name, func(t *testing.T) {
			d := place(t, sets...)
			c := &d.layout.kv
			for n := range c.layers {
				l := &c.layers[n]
				for seq := range d.lengths {
					for page := c.firstPage[seq]; page < c.firstPage[seq+1]; page++ {
						memory, until := l.Where(seq, (page-c.firstPage[seq])*c.page)
						if l.unit == "page" {
							require.Zero(t, memory)
							require.Equal(t, math.MaxInt32, until)
							continue
						}
						tier, _ := l.locate(page)
						require.Equal(t, int(tier), memory)
						require.Zero(t, until%c.page)
						last := c.firstPage[seq] + until/c.page - 1
						require.GreaterOrEqual(t, last, page)
						tier, _ = l.locate(last)
						require.Equal(t, memory, int(tier))
						if last+1 < c.pages() {
							tier, _ = l.locate(last + 1)
							require.NotEqual(t, memory, int(tier))
						}
					}
				}
			}
		})
	})
}

func TestWhereOfFetchedPagesIsHBM(t *testing.T) {
	d := place(t, with(thirds, prefetch)...)
	l := d.layout.kv.layers[0]
	for tier := range l.seen {
		l.seen[tier] = d.layout.kv.staging[0][tier]
	}
	memory, until := l.Where(0, 0)
	require.Equal(t, int(hierarchy.HBM), memory)
	require.GreaterOrEqual(t, until, d.lengths[0])
}

func TestSplitSharesAreMetWithinOnePage(t *testing.T) {
	caches(func(name string, sets []string) {
		t.Run(name, func(t *testing.T) {
			d := place(t, sets...)
			c, shares := &d.layout.kv, d.config.KV.Split.shares()
			if d.config.KV.Unit == "layer" { // within one layer
				var count [hierarchy.NumTiers]int
				for n := range c.layers {
					for tier, pages := range c.layers[n].count {
						if pages > 0 {
							require.Equal(t, c.pages(), pages)
							count[tier]++
						}
					}
				}
				for tier, n := range count {
					require.InDelta(t, shares[tier]*float64(len(c.layers)), n, 1)
				}
				return
			}
			for n := range c.layers {
				for tier, pages := range c.layers[n].count {
					require.InDelta(t, shares[tier]*float64(c.pages()), pages, 1.0001, "layer %d tier %d of %d pages", n, tier, c.pages())
				}
			}
		})
	})
}

// Random tables and splits against plain counting.
func TestInterleavedDealsConsecutiveRanksInProportion(t *testing.T) {
	rng := sim.NewRand(11)
	for range 300 {
		var shares [hierarchy.NumTiers]float64
		sum := 0.0
		for i := range shares {
			if rng.IntN(3) > 0 {
				shares[i] = math.Ceil(10*rng.Float64()) / 10
			}
			sum += shares[i]
		}
		if sum == 0 {
			continue
		}
		for i := range shares {
			shares[i] /= sum
		}
		n := 1 + rng.IntN(400)
		var next [hierarchy.NumTiers]int
		for page := range n {
			tier, rank := interleaved(shares, page)
			require.Equal(t, next[tier], rank, "page %d of %v", page, shares)
			next[tier]++
			for i, c := range next {
				// each far tier takes whole pages of what those before it leave: it lags by less than one of each
				require.InDelta(t, shares[i]*float64(page+1), c, 3.0001, "after %d pages of %v", page+1, shares)
			}
		}
		l := kvLayer{unit: "page", shares: shares}
		require.Equal(t, l.counts(n), next, "%d pages of %v", n, shares)
	}
}

// A page table in random order is a permutation, and no order at all.
func TestPagedOrderIsAPermutationThatScatters(t *testing.T) {
	for n := uint64(1); n < 300; n++ {
		m := coprime(n)
		seen := make([]bool, n)
		neighbours := 0
		for i := range n {
			at := i * m % n
			require.False(t, seen[at], "%d pages", n)
			seen[at] = true
			if (i+1)*m%n == at+1 {
				neighbours++
			}
		}
		if n > 4 {
			require.LessOrEqual(t, neighbours, 1, "%d pages", n)
		}
	}
}

// read is checked against a plain map from each element of the cache to the
// address that locate and the layout's formula give it.
func TestReadsOfASequenceCoverItsBytesOnce(t *testing.T) {
	caches(func(name string, sets []string) {
		t.Run(name, func(t *testing.T) {
			d := place(t, sets...)
			c := &d.layout.kv
			rng := sim.NewRand(5)
			for n := range c.layers {
				l := &c.layers[n]
				got, want := touch.Cover{}, touch.Cover{}
				for seq, length := range d.lengths {
					for head := range c.heads {
						for from := 0; from < length; { // in random pieces
							to := min(length, from+1+rng.IntN(100))
							for _, r := range l.Read(seq, head, from, to, nil) {
								if !isTable(c, &r) {
									got.Add(r, c.kDim)
								}
							}
							from = to
						}
						for token := range length {
							for part := range 2 {
								want[elementAddress(l, seq, head, token, part)]++
							}
						}
					}
				}
				require.Equal(t, want, got, "layer %d", n)
			}
		})
	})
}

// elementAddress is where one token's key or value of one head lies: the
// definition of the layouts.
func elementAddress(l *kvLayer, seq, head, token, part int) uint64 {
	c := l.cache
	base := l.address(c.firstPage[seq]+token/c.page, part)
	within := token % c.page
	if c.hnd {
		return base + uint64(head*c.page+within)*c.kDim
	}
	return base + uint64(within*c.heads+head)*c.kDim
}

func isTable(c *kvCache, r *gpu.Run) bool {
	return c.paged && r.Addr >= c.tables && r.Addr < c.tables+uint64(c.pages())*4
}

// A read in pieces asks for the block-table entries of the pages it touches.
func TestPagedReadsAskForTheirTableEntries(t *testing.T) {
	d := place(t, "workload.contexts=[100,777]", "kv.page_tokens=16")
	c := &d.layout.kv
	for _, test := range []struct{ seq, from, to, first, entries int }{
		{0, 0, 16, 0, 1}, {0, 15, 17, 0, 2}, {0, 96, 100, 6, 1}, {1, 0, 64, 7, 4}, {1, 770, 777, 7 + 48, 1},
	} {
		r := c.layers[0].Read(test.seq, 1, test.from, test.to, nil)[0]
		require.Equal(t, gpu.Run{Addr: c.tables + uint64(test.first)*4, Rows: 1, Bytes: uint32(test.entries) * 4}, r)
	}
}

// Copies bring exactly a layer's far pages into its buffer, in pieces.
func TestFetchCopiesEachFarPageOnce(t *testing.T) {
	for _, limit := range []uint64{0, 512, 4096, 100000} {
		d := place(t, with(thirds, paged, prefetch)...)
		c := &d.layout.kv
		l := &c.layers[1]
		for tier := hierarchy.DDR; tier < hierarchy.NumTiers; tier++ {
			var src, dst []extent
			total := uint64(0)
			l.seen[tier] = c.staging[1][tier]
			for _, s := range l.fetch(tier, limit) {
				require.True(t, limit == 0 || s.Bytes <= limit)
				src, dst = append(src, extent{s.Src, s.Src + s.Bytes}), append(dst, extent{s.Dst, s.Dst + s.Bytes})
				require.Equal(t, int(tier), devices.Tier(s.Src))
				require.Equal(t, int(hierarchy.HBM), devices.Tier(s.Dst))
				total += s.Bytes
			}
			require.Equal(t, l.remote(tier), total)
			requireDisjoint(t, src)
			requireDisjoint(t, dst)
		}
	}
}

func TestSmallElementTypesShrinkTheCache(t *testing.T) {
	full := place(t, "kv.dtype=bf16").layout.kv
	for dtype, share := range map[string]uint64{"fp8": 2, "int8": 2, "int4": 4} {
		c := place(t, "kv.dtype="+dtype).layout.kv
		require.Equal(t, full.pageBytes(0)/share, c.pageBytes(0), dtype)
		require.Equal(t, full.pageBytes(1)/share, c.pageBytes(1), dtype)
	}
}
