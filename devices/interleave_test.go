package devices

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// sliceCounts are powers of two and the counts of real GPUs.
var sliceCounts = []uint64{1, 2, 8, 40, 64, 80, 94, 128}

func TestEverySliceOwnsOneGranuleOfEachRow(t *testing.T) {
	for _, slices := range sliceCounts {
		m := Interleave{Granule: 256, Slices: slices}
		// a few rows of granules from the start of memory, and far into it
		for _, firstRow := range []uint64{0, 1, 1000, 1 << 27} {
			for row := firstRow; row < firstRow+50; row++ {
				seen := make([]bool, slices)
				for i := range slices {
					slice, local := m.Locate((row*slices + i) * m.Granule)
					require.False(t, seen[slice], "slice %d of %d owns two granules of row %d", slice, slices, row)
					seen[slice] = true
					require.Equal(t, row*m.Granule, local)
				}
			}
		}
	}
}

func TestLocalAddressesAreUnique(t *testing.T) {
	type place struct {
		slice int
		local uint64
	}
	for _, slices := range sliceCounts {
		m := Interleave{Granule: 64, Slices: slices}
		seen := map[place]uint64{}
		for addr := uint64(0); addr < 20*slices*m.Granule; addr += 16 {
			var p place
			p.slice, p.local = m.Locate(addr)
			other, taken := seen[p]
			require.False(t, taken, "addresses %d and %d share a place", other, addr)
			seen[p] = addr
			require.Less(t, p.slice, int(slices))
			require.Equal(t, addr%m.Granule, p.local%m.Granule, "bytes of a granule stay together")
		}
	}
}

// Strides of a power of two are those of matrices' rows and KV pages: they
// must not camp on a few slices.
func TestPowerOfTwoStridesSpreadOverSlices(t *testing.T) {
	const perSlice = 400 // granules; a random spread deviates by 5 %, one of 128 slices by three times that
	for _, slices := range sliceCounts {
		m := Interleave{Granule: 256, Slices: slices}
		for _, stride := range []uint64{8 << 10, 64 << 10, 2 << 20} {
			count := make([]int, slices)
			for i := range slices * perSlice {
				slice, _ := m.Locate(i * stride)
				count[slice]++
			}
			for slice, n := range count {
				require.InEpsilon(t, perSlice, n, 0.25, "slice %d of %d at a stride of %d", slice, slices, stride)
			}
		}
	}
}

func TestAddressNamesItsTier(t *testing.T) {
	require.Equal(t, 0, Tier(0))
	require.Equal(t, 0, Tier(1<<TierShift-1))
	require.Equal(t, 3, Tier(3<<TierShift+12345))
}
