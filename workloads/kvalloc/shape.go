package kvalloc

import (
	"fmt"

	"hwsim/models"
)

// Shape is what one GPU caches of a token.
type Shape struct {
	Buffers    int    // keys and values of each layer, apart
	TokenBytes uint64 // of a token in one buffer
}

// ShapeOf returns the shape of one rank's share of a model, with so many
// bytes an element. MLA has one buffer a layer.
func ShapeOf(rank *models.Model, elemBytes float64) Shape {
	layer := uint64(rank.KVBytesPerToken(elemBytes))
	if rank.MLA != nil {
		return Shape{Buffers: rank.Layers, TokenBytes: layer}
	}
	return Shape{Buffers: 2 * rank.Layers, TokenBytes: layer / 2}
}

// Bytes returns what so many tokens take in all buffers.
func (s Shape) Bytes(tokens int) uint64 {
	return uint64(s.Buffers) * s.TokenBytes * uint64(tokens)
}

// Memory is what an engine may use of a GPU.
type Memory struct {
	Bytes       uint64  // of the GPU
	Utilisation float64 // share that the engine uses; vLLM's and vAttention's default is 0.9
	Profiled    int     // tokens of the forward pass by which the engine finds its peak of activations: the most of an iteration
}

// For returns the bytes that are left for the caches of one rank's share of a
// model: the engine's share of the memory less the peak of a forward pass,
// which is weights and activations of 2 bytes an element.
func (m *Memory) For(rank *models.Model) (uint64, error) {
	const elem = 2
	share := int64(float64(m.Bytes) * m.Utilisation)
	weights, act := rank.WeightBytes(elem), Activations(rank, m.Profiled)
	if left := share - weights - act; left > 0 {
		return uint64(left), nil
	}
	return 0, fmt.Errorf("%s: %.2f GB of weights and %.2f GB of activations of %d tokens leave no cache in %.2f GB",
		rank.Name, float64(weights)/1e9, float64(act)/1e9, m.Profiled, float64(share)/1e9)
}

// Activations returns the peak of a forward pass over so many tokens, of 2
// bytes an element. It is in a feed-forward block's activation function, when
// the residual stream, the block's input, the up projections and the result
// are held. Logits are of a few tokens only.
func Activations(rank *models.Model, tokens int) int64 {
	const elem = 2
	inner, up := rank.FFN, rank.FFN
	if rank.MoE != nil {
		inner = max(inner, rank.MoE.ExpertFFN*(rank.MoE.Active+rank.MoE.Shared))
		up = inner
	}
	if rank.Gated {
		up *= 2
	}
	return elem * int64(tokens) * int64(2*rank.Hidden+up+inner)
}
