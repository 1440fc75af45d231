package synthetic

import (
	"math"
	"math/bits"

	"hwsim/sim"
)

// zipf draws ranks 0 to n-1, rank k with a probability in proportion to
// (k+1)^-s, exactly and in constant time: it chooses among steps of ranks by an
// alias table, a rank in the step evenly, and keeps that with the ratio of the
// rank's weight to the step's highest. A step is at most a thirty-second of
// the ranks before it, so that nearly all draws are kept, and most at sight.
type zipf struct {
	s     float64
	steps []zipfStep
}

// zipfStep is a step of ranks, counted from 1, and a column of the alias table.
type zipfStep struct {
	first, ranks uint64
	least        float64 // weight of the last rank over that of the first
	cut          uint64  // the column is its own step below this
	other        int     // and this one from there on
}

func newZipf(n uint64, s float64) zipf {
	z := zipf{s: s}
	var weights []float64
	for first := uint64(1); first <= n; {
		ranks := min(max(1, first/32), n+1-first)
		last := first + ranks - 1
		z.steps = append(z.steps, zipfStep{first: first, ranks: ranks, least: math.Pow(float64(first)/float64(last), s)})
		weights = append(weights, float64(ranks)*math.Pow(float64(first), -s))
		first += ranks
	}
	z.alias(weights)
	return z
}

// alias fills the table: each column takes what a light step lacks of the mean
// from a heavy one (Vose's method).
func (z *zipf) alias(weights []float64) {
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	var light, heavy []int
	for i := range weights {
		weights[i] *= float64(len(weights)) / sum
		z.steps[i].cut, z.steps[i].other = math.MaxUint64, i
		if weights[i] < 1 {
			light = append(light, i)
		} else {
			heavy = append(heavy, i)
		}
	}
	for len(light) > 0 && len(heavy) > 0 {
		small, big := light[len(light)-1], heavy[len(heavy)-1]
		light = light[:len(light)-1]
		z.steps[small].cut, z.steps[small].other = uint64(weights[small]*(1<<64)), big
		if weights[big] -= 1 - weights[small]; weights[big] < 1 {
			heavy = heavy[:len(heavy)-1]
			light = append(light, big)
		}
	}
}

func (z *zipf) draw(r *sim.Rand) uint64 {
	for {
		i, part := bits.Mul64(r.Uint64(), uint64(len(z.steps)))
		step := &z.steps[i]
		if part >= step.cut {
			step = &z.steps[step.other]
		}
		if step.ranks == 1 {
			return step.first - 1
		}
		k, part := bits.Mul64(r.Uint64(), step.ranks)
		toss := float64(part>>11) / (1 << 53)
		if toss < step.least || toss < math.Pow(float64(step.first)/float64(step.first+k), z.s) {
			return step.first + k - 1
		}
	}
}
