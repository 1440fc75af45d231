package csd

import (
	"math"

	"hwsim/sim"
)

// process draws what is chosen along an axis, of tokens or of channels: runs of
// geometric length with geometric gaps between them, in steady state.
type process struct {
	ratio    float64
	run, gap float64 // 1 / ln(1 - 1/mean) of their lengths
}

func newProcess(s *Sparsity) process {
	return process{s.Ratio, perLog(s.RunMean), perLog(s.RunMean * (1 - s.Ratio) / s.Ratio)}
}

// perLog returns what turns a logarithm into a geometric length of that mean.
func perLog(mean float64) float64 {
	if mean <= 1 {
		return 0
	}
	return 1 / math.Log1p(-1/mean)
}

// groups appends the groups of size positions, among n positions, in which at
// least one is chosen.
func (p *process) groups(rand *sim.Rand, n, size int, out []uint32) []uint32 {
	chosen := rand.Float64() < p.ratio
	next := 0 // first group that is not in out yet
	for at := 0; at < n; chosen = !chosen {
		scale := p.gap
		if chosen {
			scale = p.run
		}
		end := min(n, at+1+int(math.Log(1-rand.Float64())*scale))
		if chosen {
			for g := max(next, at/size); g <= (end-1)/size; g++ {
				out = append(out, uint32(g))
				next = g + 1
			}
		}
		at = end
	}
	return out
}

// survival returns the mean share of groups of size positions that hold a
// chosen one: none is chosen if the first is in a gap that goes on over the
// others.
func (s *Sparsity) survival(size int) float64 {
	gap := s.RunMean * (1 - s.Ratio) / s.Ratio
	return 1 - (1-s.Ratio)*math.Pow(1-1/gap, float64(size-1))
}
