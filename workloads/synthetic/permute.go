package synthetic

import (
	"math/bits"

	"hwsim/devices"
	"hwsim/sim"
)

// permutation maps 0 to n-1 one to one onto themselves without a table: rounds
// of invertible steps on the fewest bits that hold n-1, repeated until the
// result is below n (cycle walking), at most twice in the mean.
type permutation struct {
	n, mask        uint64
	shift          uint // at least half of the bits, so that x ^ x>>shift undoes itself
	key            uint64
	times, inverse [3]uint64
}

func newPermutation(n uint64, r *sim.Rand) permutation {
	var p permutation
	for i := range p.times {
		p.times[i] = r.Uint64() | 1
		p.inverse[i] = oddInverse(p.times[i])
	}
	return p.below(n, r.Uint64())
}

// below returns a permutation of 0 to n-1, one for each key.
func (p *permutation) below(n, key uint64) permutation {
	q := *p
	width := uint(bits.Len64(n - 1))
	q.n, q.mask, q.shift = n, 1<<width-1, max(1, (width+1)/2)
	q.key = devices.Mix(key) & q.mask
	return q
}

// oddInverse returns the inverse of an odd number modulo 2^64.
func oddInverse(x uint64) uint64 {
	y := x // right in 3 bits; each of Newton's steps doubles them
	for range 5 {
		y *= 2 - x*y
	}
	return y
}

// at returns where i goes.
func (p *permutation) at(i uint64) uint64 {
	for {
		i ^= p.key
		i ^= i >> p.shift
		i = i * p.times[0] & p.mask
		i ^= i >> p.shift
		i = i * p.times[1] & p.mask
		i ^= i >> p.shift
		i = i * p.times[2] & p.mask
		i ^= i >> p.shift
		if i < p.n {
			return i
		}
	}
}

// from returns what goes to i.
func (p *permutation) from(i uint64) uint64 {
	for {
		i ^= i >> p.shift
		i = i * p.inverse[2] & p.mask
		i ^= i >> p.shift
		i = i * p.inverse[1] & p.mask
		i ^= i >> p.shift
		i = i * p.inverse[0] & p.mask
		i ^= i >> p.shift
		i ^= p.key
		if i < p.n {
			return i
		}
	}
}
