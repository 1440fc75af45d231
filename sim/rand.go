package sim

import (
	"math"
	"math/bits"
	"math/rand/v2"
)

// Rand is a seeded stream of random numbers. It is a small value: a copy goes
// on independently from the same place. Make one with NewRand or Split.
type Rand struct {
	seed uint64
	pcg  rand.PCG
}

// NewRand returns the stream of seed.
func NewRand(seed uint64) Rand {
	return Rand{seed, *rand.NewPCG(mix(seed), mix(^seed))}
}

// Split returns the stream called name below this one. It depends on the seed
// and the names on the way only, not on draws, so that a component's numbers
// stay the same whatever is added beside it.
func (r *Rand) Split(name string) Rand {
	h := mix(r.seed)
	for _, c := range []byte(name) {
		h = mix(h ^ uint64(c))
	}
	return NewRand(mix(^h)) // another step than that of a byte
}

// mix is the finaliser of splitmix64, a bijection that leaves no pattern.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Uint64 returns any 64 bits.
func (r *Rand) Uint64() uint64 { return r.pcg.Uint64() }

// IntN returns a number from 0 to n-1, n > 0.
func (r *Rand) IntN(n int) int {
	if n <= 0 {
		panic("sim: IntN of nothing")
	}
	// Lemire's method: the high word of a product, but for the few low words
	// that would favour some numbers.
	hi, lo := bits.Mul64(r.Uint64(), uint64(n))
	if lo < uint64(n) {
		for least := -uint64(n) % uint64(n); lo < least; {
			hi, lo = bits.Mul64(r.Uint64(), uint64(n))
		}
	}
	return int(hi)
}

// Float64 returns a number from 0 up to but not including 1.
func (r *Rand) Float64() float64 { return float64(r.Uint64()>>11) / (1 << 53) }

// NormFloat64 returns a normally distributed number of mean 0 and deviation 1.
func (r *Rand) NormFloat64() float64 {
	for { // Marsaglia's polar method
		x, y := 2*r.Float64()-1, 2*r.Float64()-1
		if s := x*x + y*y; s > 0 && s < 1 {
			return x * math.Sqrt(-2*math.Log(s)/s)
		}
	}
}

// Perm returns the numbers from 0 to n-1 in random order.
func (r *Rand) Perm(n int) []int {
	p := make([]int, n)
	for i := range p {
		j := r.IntN(i + 1)
		p[i], p[j] = p[j], i
	}
	return p
}
