package kvalloc

import (
	"hwsim/hierarchy"
	"hwsim/models"
	"hwsim/sim"
)

// Pace is what an iteration takes on one GPU: its bytes from memory or its
// products on the tensor cores, at their peaks, whichever is more.
type Pace struct {
	Weights    uint64  // bytes that an iteration reads beside the cache
	TokenFLOPs float64 // of a token's products with weights, without logits
	PairFLOPs  float64 // of a token's attention to one token
	GBps       float64 // of memory
	TFLOPS     float64 // of the tensor cores
	HostNs     float64 // more of every iteration, for the host to prepare it
}

// PaceOf returns the pace of one rank's share of a model, of 2 bytes an
// element.
func PaceOf(c *hierarchy.Config, rank *models.Model) (Pace, error) {
	s, err := hierarchy.Build(c)
	if err != nil {
		return Pace{}, err
	}
	p := Pace{Weights: uint64(rank.WeightBytes(2)), GBps: s.PeakGBps(hierarchy.HBM), TFLOPS: c.GPU.TensorTFLOPS}
	for layer := range rank.Layers {
		for _, l := range rank.Linears(layer) {
			p.TokenFLOPs += 2 * float64(l.MACs())
		}
	}
	att := rank.Attention()
	p.PairFLOPs = 2 * float64(rank.Layers) * float64(att.QHeads) * float64(att.QKDim+att.VDim)
	return p, nil
}

// prefill returns the time of an iteration over prompts of so many tokens
// together, with so many pairs of a token and one before it.
func (p *Pace) prefill(tokens int, pairs float64) sim.Time {
	return p.iteration(p.Weights, float64(tokens)*p.TokenFLOPs+pairs*p.PairFLOPs)
}

// decode returns the time of an iteration over a token of each of so many
// requests that have so many bytes cached. Attention's products are left out:
// its bytes take longer.
func (p *Pace) decode(requests int, cached uint64) sim.Time {
	return p.iteration(p.Weights+cached, float64(requests)*p.TokenFLOPs)
}

func (p *Pace) iteration(bytes uint64, flops float64) sim.Time {
	return sim.FromNanoseconds(max(float64(bytes)/p.GBps, flops/p.TFLOPS/1e3) + p.HostNs)
}
