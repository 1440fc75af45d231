package devices

// Interleave spreads a device's address range over its slices (or channels)
// granule by granule. The slice of a granule is rotated by a hash of its
// row of granules, so that no power-of-two stride camps on one slice, and any
// slice count is allowed: the H200 has 94 channels. The map is one to one:
// every slice gets exactly one granule of each row.
type Interleave struct {
	Granule uint64 // bytes, a power of two
	Slices  uint64
}

// Locate returns the slice that owns addr and the address within the slice.
func (m Interleave) Locate(addr uint64) (slice int, local uint64) {
	block := addr / m.Granule
	row := block / m.Slices
	slice = int((block - row*m.Slices + rotation(row)) % m.Slices)
	return slice, row*m.Granule + addr%m.Granule
}

// rotation is a fixed mix of the row, standing for the vendors' unpublished
// address hashes.
func rotation(row uint64) uint64 {
	x := row * 0x9e3779b97f4a7c15
	x ^= x >> 29
	x *= 0xbf58476d1ce4e5b9
	return x >> 40
}

// TierShift places each memory tier in its own range of 2^44 bytes: a
// physical address names its tier in the bits from TierShift up. Tier 0 is
// the GPU's own HBM.
const TierShift = 44

// Tier returns the tier that a physical address lies in.
func Tier(addr uint64) int { return int(addr >> TierShift) }

// Mix spreads a number over 64 bits, one to one (the finaliser of MurmurHash3).
func Mix(x uint64) uint64 {
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}
