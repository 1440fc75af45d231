package synthetic

import (
	"math/bits"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"hwsim/devices/cpu"
)

func TestMaterialsAreTheLargeReactors(t *testing.T) {
	var counts []int
	sum, mean := 0.0, 0.0
	for _, m := range materials(355) {
		counts = append(counts, len(m.nuclides))
		sum += m.share
		mean += m.share * float64(len(m.nuclides))
		seen := map[uint16]bool{}
		for _, id := range m.nuclides {
			require.Less(t, int(id), 355)
			seen[id] = true
		}
		assert.Len(t, seen, len(m.nuclides))
	}
	assert.Equal(t, []int{321, 5, 4, 4, 27, 21, 21, 21, 21, 21, 9, 9}, counts)
	assert.InDelta(t, 1.001, sum, 1e-9) // as published
	assert.InDelta(t, 55.7, mean, 0.1)
}

func TestXSBenchSearchesAndReadsItsNuclides(t *testing.T) {
	c := &Config{Kind: "xsbench"}
	g, out := startKernel[*xsbench](c)
	longest := bits.Len(uint(g.points - 2)) // ceil of the logarithm of points-1
	assert.Equal(t, 22, longest)
	lookups, most := 0, 0
	for range 2000 {
		out.accesses = out.accesses[:0]
		g.begin(out)
		probes := len(out.accesses)
		most = max(most, probes)
		require.Contains(t, []int{longest - 1, longest}, probes)
		for i, a := range out.accesses {
			require.Equal(t, uint32(min(i, 1)), a.After)
			require.Less(t, a.Addr-g.keys, uint64(g.points*keyBytes))
		}
		// the search ends at the energy or the key above
		last := int(out.accesses[probes-1].Addr-g.keys) / keyBytes
		require.InDelta(t, g.energy, last, 1)
		want := len(g.nuclides)
		for len(g.nuclides) > 0 {
			g.nuclide(out)
		}
		indices, points := 0, map[uint64]bool{}
		for i, a := range out.accesses {
			switch {
			case a.Addr >= g.rows && a.Addr < g.grids:
				require.Equal(t, uint64(g.energy), (a.Addr-g.rows)/indexBytes/uint64(g.Isotopes))
				require.Equal(t, probes-1, i-int(a.After))
				indices++
			case a.Addr >= g.grids && a.Addr < g.lists:
				points[(a.Addr-g.grids)/pointBytes] = true
				index := out.accesses[i-int(a.After)].Addr
				require.True(t, index >= g.rows && index < g.grids)
				isotope := (index - g.rows) / indexBytes % uint64(g.Isotopes)
				require.Equal(t, isotope, (a.Addr-g.grids)/pointBytes/uint64(g.GridPoints))
			}
		}
		require.Equal(t, want, indices)
		require.Len(t, points, 2*want)
		lookups++
	}
	assert.Equal(t, longest, most)
}

// the energies below a point are spread evenly over the isotopes' grids
func TestXSBenchIndicesRiseWithTheEnergy(t *testing.T) {
	c := small("xsbench")
	g, _ := startKernel[*xsbench](c)
	for id := range g.Isotopes {
		before := 0
		for g.energy = range g.points {
			at := g.below(id)
			require.True(t, at == before || at == before+1)
			require.Less(t, at, g.GridPoints-1)
			before = at
		}
		require.Equal(t, g.GridPoints-2, before)
	}
}

func TestGUPSWritesWhatItRead(t *testing.T) {
	accesses := take(t, small("gups"), 200000)
	pages := make([]float64, 256)
	for i := 0; i < len(accesses); i += 2 {
		require.Equal(t, accesses[i].Addr, accesses[i+1].Addr)
		require.False(t, accesses[i].Write)
		require.True(t, accesses[i+1].Write)
		pages[(accesses[i].Addr-Base)/4096]++
	}
	assert.Less(t, chiSquare(pages, even(256, 100000)), 4.0)
}

func TestDLRMReadsBagsOfWholeRows(t *testing.T) {
	c := small("dlrm")
	g := find("dlrm").place(c, new(space)).(*dlrm)
	table, indices, bags := 0, 0, 0
	rowLine := func(a cpu.Access) (table, row, line int) {
		n := int(a.Addr-g.rows) / lineBytes
		return n / 4 / int(g.each), n / 4 % int(g.each), n % 4
	}
	popular := make([]map[int]int, 3)
	for i := range popular {
		popular[i] = map[int]int{}
	}
	accesses := take(t, c, 400000)
	for i, a := range accesses {
		switch {
		case a.Addr < g.indices:
			in, row, line := rowLine(a)
			require.Equal(t, table, in)
			require.Equal(t, uint32(line+1), a.After)
			require.Equal(t, uint64(g.indices), max(g.indices, min(accesses[i-line-1].Addr, g.indices)))
			if line == 0 {
				popular[in][row]++
			}
		case a.Addr < g.sums:
			indices++
		case a.Write && a.Addr < g.weights.base && (a.Addr-g.sums)%256 == 192: // the last line of the sum
			require.True(t, indices >= 20 && indices <= 80, "%d indices", indices)
			table, indices = (table+1)%3, 0
			bags++
		}
	}
	require.Greater(t, bags, 500)
	each, sum := weights(int(g.each), 0.9)
	for _, rows := range popular {
		most, all := 0, 0
		for _, n := range rows {
			most = max(most, n)
			all += n
		}
		assert.InEpsilon(t, each[0]/sum, float64(most)/float64(all), 0.1)
	}
}

func TestKMersProbeAndUpdateABucket(t *testing.T) {
	c := small("kmer")
	g := find("kmer").place(c, new(space)).(*kmer)
	kmers, probes, own := 0.0, 0.0, 0.0
	buckets := make([]float64, 256) // in 256 parts
	accesses := take(t, c, 400000)
	for i, a := range accesses {
		switch {
		case a.Addr >= g.own.base:
			own++
		case a.Addr >= g.input.base:
			require.Equal(t, g.input.base+uint64(kmers)%g.input.bytes, a.Addr)
			kmers++
		case a.Write:
			require.Equal(t, accesses[i-1].Addr, a.Addr)
		default:
			require.Equal(t, g.input.base, max(g.input.base, min(g.input.base, accesses[i-int(a.After)].Addr)))
			if a.After == 1 {
				buckets[(a.Addr-g.table)/4096]++
			} else {
				require.Equal(t, (accesses[i-1].Addr-g.table+16)%(1<<20), a.Addr-g.table)
			}
			probes++
		}
	}
	assert.InDelta(t, 1.5, probes/kmers, 0.01)
	assert.InDelta(t, 1, own/kmers, 0.01)
	assert.Less(t, chiSquare(buckets, even(256, kmers)), 4.0)
}

func TestPagedKVReadsEveryByteOnce(t *testing.T) {
	for _, p := range []PagedKV{
		{Layers: 2, Sequences: 3, Tokens: 100, TokenBytes: 512, PoolBytes: 1 << 20},
		{Layers: 2, Sequences: 3, Tokens: 100, TokenBytes: 512, PieceBytes: 2048, PoolBytes: 1 << 20},
		{Layers: 2, Sequences: 3, Tokens: 100, TokenBytes: 512, PieceBytes: 128, Layout: "nhd", PoolBytes: 1 << 20},
	} {
		c := &Config{Kind: "pagedkv", PagedKV: p}
		g := find("pagedkv").place(c, new(space)).(*pagedKV)
		groups := 1
		if p.PieceBytes > 0 {
			groups = 4
		}
		require.Equal(t, groups, g.groups)
		blocks := 2 * 3 * 7
		perStep := blocks*2*(16*512/lineBytes) + blocks*groups
		lines, entries, blocksSeen := map[uint64]int{}, 0, map[uint64]bool{}
		adjacent := 0
		accesses := take(t, c, perStep)
		for i, a := range accesses {
			if a.Addr < g.keys {
				entries++
				continue
			}
			lines[a.Addr]++
			require.Less(t, accesses[i-int(a.After)].Addr, g.keys) // a table's entry
			blocksSeen[(a.Addr-g.keys)/(16*512)] = true
			if a.Addr == accesses[i-1].Addr+lineBytes {
				adjacent++
			}
		}
		assert.Equal(t, blocks*groups, entries)
		assert.Len(t, lines, blocks*2*16*512/lineBytes)
		assert.Len(t, blocksSeen, blocks*2)
		pieces := blocks * 2 * groups * g.pieces
		assert.InDelta(t, pieces*(g.PieceBytes/lineBytes-1), adjacent, float64(pieces)/4) // some blocks are neighbours
	}
}
