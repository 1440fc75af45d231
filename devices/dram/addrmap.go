package dram

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// Orders of the address fields, highest first. A burst index (address over
// burst bytes) is decoded from the right. "rank" is a DDR rank or an HBM
// stack id, "pc" a pseudo-channel; "col:2" takes two bits of the column, a
// later plain "col" the rest.
const (
	// MapA keeps a row contiguous: the column lowest (Ramulator goldens, map A).
	MapA = "row rank bank bankgroup pc col"
	// MapB spreads bursts over pseudo-channels, then bank groups (map B).
	MapB = "row rank bank col bankgroup pc"
	// MapGPU keeps 128 bytes of a 32-byte-burst memory in one row and spreads
	// what follows over pseudo-channels and bank groups: on the H200 a random
	// 64 B piece costs one ACT and a 128 B one still runs at bus rate
	// (reference/h200/gather.csv).
	MapGPU = "row rank bank col bankgroup pc col:2"
)

type field uint8

const (
	fieldPC field = iota
	fieldRank
	fieldGroup
	fieldBank
	fieldRow
	fieldCol
	numFields
)

var fieldNames = [numFields]string{"pc", "rank", "bankgroup", "bank", "row", "col"}

// place is where a burst lives.
type place struct {
	pc, bank int32 // bank counts all banks of the pseudo-channel: (rank, group, bank)
	row, col int32
}

// digit is one digit of the mixed-radix burst index.
type digit struct {
	field field
	shift uint8 // of the value within its field
	bits  uint8 // radix 1<<bits; unused where size is not a power of two
	size  uint64
	pow2  bool
}

// addrMap decodes burst indices.
type addrMap struct {
	digits     []digit // lowest first
	burstShift uint8
	groups     int32
	perGroup   int32
	hash       bool
	bankBits   uint8
	bankMask   int32
	groupMask  int32

	// Bursts whose indices differ by a multiple of step within an aligned
	// block of step x run share a row of a bank.
	step, run uint64

	sliced   bool // decoded by slices
	slices   [numFields]slice
	rows     uint64
	rowShift uint8
}

// newAddrMap parses order ("" is MapGPU on HBM, MapB on DDR; "A" and "B" are
// MapA and MapB) for a geometry.
func newAddrMap(s *Spec, order string, hash bool) (*addrMap, error) {
	switch order {
	case "":
		order = MapB
		if s.PseudoChannels > 1 {
			order = MapGPU
		}
	case "A":
		order = MapA
	case "B":
		order = MapB
	}
	m := &addrMap{
		burstShift: uint8(bits.TrailingZeros(uint(s.BurstBytes))),
		groups:     int32(s.BankGroups), perGroup: int32(s.BanksPerGroup),
		hash:     hash,
		bankBits: uint8(bits.Len(uint(s.BanksPerGroup - 1))),
		bankMask: int32(s.BanksPerGroup - 1), groupMask: int32(s.BankGroups - 1),
	}
	if err := m.parse(s, strings.Fields(order)); err != nil {
		return nil, fmt.Errorf("dram: address map %q: %w", order, err)
	}
	m.findRuns()
	m.findSlices()
	return m, nil
}

// parse fills digits from the field list, highest first.
func (m *addrMap) parse(s *Spec, list []string) error {
	left := [numFields]uint64{uint64(s.PseudoChannels), uint64(s.Ranks), uint64(s.BankGroups),
		uint64(s.BanksPerGroup), uint64(s.Rows), uint64(s.columns())}
	var shift [numFields]uint8
	for i := len(list) - 1; i >= 0; i-- {
		name, width, split := strings.Cut(list[i], ":")
		f := fieldOf(name)
		if f == numFields {
			return fmt.Errorf("no field %q; nearest is %q", name, nearest(name, fieldNames[:]))
		}
		size := left[f]
		if split {
			n, err := strconv.Atoi(width)
			if err != nil || n < 1 || n > 31 || size%(1<<n) != 0 {
				return fmt.Errorf("field %q does not divide %d", list[i], size)
			}
			size = 1 << n
		}
		d := digit{field: f, shift: shift[f], size: size, pow2: size&(size-1) == 0}
		d.bits = uint8(bits.Len64(size - 1))
		m.digits = append(m.digits, d)
		left[f] /= size
		shift[f] += d.bits
	}
	for f, n := range left {
		if n > 1 {
			return fmt.Errorf("field %q is missing or does not cover its range", fieldNames[f])
		}
	}
	return nil
}

func fieldOf(name string) field {
	for f, n := range fieldNames {
		if n == name {
			return field(f)
		}
	}
	return numFields
}

// findRuns sets step and run from the lowest column digit.
func (m *addrMap) findRuns() {
	m.step = 1
	for _, d := range m.digits {
		if d.field == fieldCol {
			m.run = d.size
			return
		}
		m.step *= d.size
	}
	m.run = 1
}

// slice takes up to two runs of bits of a burst index as one field.
type slice struct {
	low, high         uint8 // where the runs begin
	lowMask, highMask uint64
	up                uint8 // where the high run goes in the field
}

func (s *slice) of(x uint64) int32 {
	return int32(x>>s.low&s.lowMask | x>>s.high&s.highMask<<s.up)
}

// findSlices sets slices if every field is at most two runs of bits, and rows
// are on top.
func (m *addrMap) findSlices() {
	var seen [numFields]int
	at := uint8(0)
	for i, d := range m.digits {
		s := &m.slices[d.field]
		switch {
		case i == len(m.digits)-1:
			m.sliced = d.field == fieldRow && seen[fieldRow] == 0
			m.rows, m.rowShift = d.size, at
			return
		case !d.pow2 || seen[d.field] == 2 || d.field == fieldRow:
			return
		case seen[d.field] == 0:
			s.low, s.lowMask = at, d.size-1
		default:
			s.high, s.highMask, s.up = at, d.size-1, d.shift
		}
		seen[d.field]++
		at += d.bits
	}
}

// decode returns the place of burst x. A burst beyond the capacity wraps.
func (m *addrMap) decode(x uint64) place {
	if !m.sliced {
		return m.decodeDigits(x)
	}
	row := x >> m.rowShift
	if row >= m.rows {
		row %= m.rows
	}
	s := &m.slices
	return m.place(s[fieldPC].of(x), s[fieldRank].of(x), s[fieldGroup].of(x), s[fieldBank].of(x), int32(row), s[fieldCol].of(x))
}

// decodeDigits is decode for any map.
func (m *addrMap) decodeDigits(x uint64) place {
	var v [numFields]int32
	for i := range m.digits {
		d := &m.digits[i]
		if d.pow2 {
			v[d.field] |= int32(x&(d.size-1)) << d.shift
			x >>= d.bits
		} else {
			v[d.field] |= int32(x%d.size) << d.shift
			x /= d.size
		}
	}
	return m.place(v[fieldPC], v[fieldRank], v[fieldGroup], v[fieldBank], v[fieldRow], v[fieldCol])
}

func (m *addrMap) place(pc, rank, group, bank, row, col int32) place {
	if m.hash {
		// Permutation-based interleaving (Zhang, Zhu, Zhang, MICRO 2000): row
		// bits move conflicting rows to other banks, one to one.
		bank ^= row & m.bankMask
		group ^= row >> m.bankBits & m.groupMask
	}
	return place{pc: pc, bank: (rank*m.groups+group)*m.perGroup + bank, row: row, col: col}
}
