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
	ways    int
	sets    []set
	granule uint   // shift of a line's number to its granule's
	slices  divide // granules of a row, one a slice
	rows    divide // lines of a row of sets, one a set
}

// divide divides 32-bit numbers by n.
type divide struct {
	n       uint32
	inverse uint64 // 2⁶⁴/n, rounded up: exact for 32 bits (Lemire, Kaser, Kurz 2019)
}

func divideBy(n uint64) divide { return divide{uint32(n), ^uint64(0)/n + 1} }

func (d *divide) by(x uint32) (quotient, rest uint32) {
	if d.n == 1 {
		return x, 0
	}
	hi, _ := bits.Mul64(d.inverse, uint64(x))
	return uint32(hi), x - uint32(hi)*d.n
}

// set is one set: what it holds, and its ways in order of use.
type set struct {
	tag   [maxWays]uint32
	order uint64 // four bits a way, the most recently used lowest
	state [maxWays]state
	fetch [maxWays]uint16 // the fetch that will fill the pending sectors
	lent  uint16          // ways whose line was last read by the other partition, which keeps a copy
}

// state is a line's sector masks.
type state struct {
	valid, dirty uint8
	pending      uint8
	copied       bool // the other partition holds a copy
}

const noTag = ^uint32(0)

// newArray returns the tags of one of so many slices that take turns in
// granules.
func newArray(bytes uint64, ways int, slices, granule uint64) array {
	n := bytes / LineBytes / uint64(ways)
	a := array{ways: ways, sets: make([]set, n), granule: uint(bits.TrailingZeros64(granule / LineBytes)), slices: divideBy(slices), rows: divideBy(n)}
	for i := range a.sets {
		s := &a.sets[i]
		s.order = 0xfedcba9876543210
		for w := range s.tag {
			s.tag[w] = noTag
		}
	}
	return a
}

// of returns the line's set. Sets take turns in the lines that a slice sees,
// so that any stretch of memory fills them alike: a chase meets the end of the
// L2 as sharply as it does on an H200 (reference h200/latency.csv). Each row of
// sets is rotated by a hash, or strides would crowd in a few.
func (a *array) of(line uint32) *set {
	row, _ := a.slices.by(line >> a.granule)
	local := row<<a.granule | line&(1<<a.granule-1)
	turn, i := a.rows.by(local)
	i += uint32(uint64(turn*0x9e3779b1) * uint64(a.rows.n) >> 32)
	if i >= a.rows.n {
		i -= a.rows.n
	}
	return &a.sets[i]
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

// touch makes the way the most recently used, by this partition.
func (s *set) touch(way int) {
	s.lent &^= 1 << way
	r := s.rank(way)
	below := s.order & (1<<r - 1)
	above := s.order &^ (1<<(r+4) - 1)
	s.order = above | below<<4 | uint64(way)
}

// victim returns the way that a new line takes, noWay if all wait for data: an
// empty one, else, if the set has more than one line that is lent, the least
// recently used of them, as the other partition has it as well; else of all.
// Were lent lines kept like others, passes of all SMs over more than two thirds
// of the L2 would find nothing there; on an H200 they do up to 52 of 60 MB, and
// nothing over 56, which would fit if the last one went first, too (reference
// h200/bandwidth.csv).
func (s *set) victim(ways int) int {
	oldest := noWay
	for r := 4 * (maxWays - 1); r >= 0; r -= 4 {
		w := int(s.order >> r & 15)
		switch {
		case w >= ways || s.state[w].pending != 0:
		case s.lent&(s.lent-1) == 0 || s.lent>>w&1 != 0 || s.tag[w] == noTag:
			return w
		case oldest == noWay:
			oldest = w
		}
	}
	return oldest
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
	s.lent &^= 1 << way
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
