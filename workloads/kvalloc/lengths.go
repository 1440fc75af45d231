package kvalloc

import (
	"math"

	"hwsim/sim"
)

// LogNormal draws a number of tokens from a log-normal distribution with a
// mean, and sigma the deviation of the logarithm: at least 1.
func LogNormal(r *sim.Rand, mean, sigma float64) int {
	return max(1, int(math.Round(mean*math.Exp(sigma*r.NormFloat64()-sigma*sigma/2))))
}

// Uniform draws a number of tokens from least to most.
func Uniform(r *sim.Rand, least, most int) int { return least + r.IntN(most-least+1) }

// MostAtOnce returns how many requests of lengths that draw returns are in
// memory at once, the mean over so many fills of an empty allocator: each
// request has all of its tokens, and the first that does not fit ends a fill.
func MostAtOnce(a *Allocator, fills int, draw func() int) float64 {
	n := 0
	for range fills {
		for {
			if _, _, ok := a.Admit(draw(), 0); !ok {
				break
			}
		}
		n += a.Active()
		a.clear()
	}
	return float64(n) / float64(fills)
}

// clear ends all requests and takes back all memory.
func (a *Allocator) clear() {
	for i := range a.slots {
		if a.slots[i].active {
			a.End(i)
		}
	}
	a.Reclaim()
}
