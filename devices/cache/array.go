package cache

import "math/bits"

// Line and sector sizes of every NVIDIA L2 since Pascal, in bytes.
const (
	LineBytes   = 128
	SectorBytes = 32
)

// maxWays is what a set's order of use, four bits a way, can hold.
const maxWays = 16

// noWay stands for a line that found no way.
const noWay = -1

// array is the tag store of one slice.
type array struct {
	ways int
	sets []set
}

// set is one set: what it holds, and its ways in order of use.
type set struct {
	tag   [maxWays]uint32
	order uint64 // four bits a way, the most recently used lowest
	state [maxWays]state
	fetch [maxWays]uint16 // the fetch that will fill the pending sectors
}

// state is a line's sector masks.
type state struct {
	valid, dirty uint8
	pending      uint8
	copied       bool // the other partition holds a copy
}

const noTag = ^uint32(0)

func newArray(bytes uint64, ways int) array {
	a := array{ways: ways, sets: make([]set, bytes/LineBytes/uint64(ways))}
	for i := range a.sets {
		s := &a.sets[i]
		s.order = 0xfedcba9876543210
		for w := range s.tag {
			s.tag[w] = noTag
		}
	}
	return a
}

// of returns the line's set. The index is hashed: slices see every n-th
// granule only, and L2 set indices are hashed in hardware.
func (a *array) of(line uint32) *set {
	h := (line ^ line>>16) * 0x9e3779b1 // without the shift, lines 512 KiB apart crowd
	h ^= h >> 15
	h *= 0x85ebca6b
	return &a.sets[uint64(h)*uint64(len(a.sets))>>32]
}

// find returns the line's way, or noWay.
func (s *set) find(line uint32) int {
	for w, t := range &s.tag {
		if t == line {
			return w
		}
	}
	return noWay
}

// rank returns the place of a way in the order of use, in bits.
func (s *set) rank(way int) int {
	const ones = 0x1111111111111111
	x := s.order ^ uint64(way)*ones
	return bits.TrailingZeros64((x-ones)&^x&(ones<<3)) &^ 3
}

// touch makes the way the most recently used.
func (s *set) touch(way int) {
	r := s.rank(way)
	below := s.order & (1<<r - 1)
	above := s.order &^ (1<<(r+4) - 1)
	s.order = above | below<<4 | uint64(way)
}

// victim returns the least recently used of the set's ways that waits for no
// data, or noWay.
func (s *set) victim(ways int) int {
	for r := 4 * (maxWays - 1); r >= 0; r -= 4 {
		if w := int(s.order >> r & 15); w < ways && s.state[w].pending == 0 {
			return w
		}
	}
	return noWay
}

// claim gives the way to a line with no valid sector.
func (s *set) claim(way int, line uint32) {
	s.tag[way] = line
	s.state[way] = state{}
	s.touch(way)
}

// drop forgets the line and makes its way the next to be taken.
func (s *set) drop(way int) {
	s.tag[way] = noTag
	s.state[way] = state{}
	r := s.rank(way)
	below := s.order & (1<<r - 1)
	above := s.order >> (r + 4) << r
	s.order = uint64(way)<<60 | above | below
}

// mask returns the sectors of the line at base that [addr, end) touches.
func mask(base, addr, end uint64) uint8 {
	lo := max(addr, base)
	hi := min(end, base+LineBytes)
	first := (lo - base) / SectorBytes
	last := (hi - base + SectorBytes - 1) / SectorBytes
	return uint8(1<<last - 1<<first)
}

// span returns the bytes from a line's base to the first and past the last
// sector of m, m ≠ 0.
func span(m uint8) (from, to uint64) {
	return uint64(bits.TrailingZeros8(m)) * SectorBytes, uint64(bits.Len8(m)) * SectorBytes
}
