package flexgen

import (
	"fmt"

	"hwsim/configs"
	"hwsim/models"
)

// Shape is a dense decoder as FlexGen's arithmetic sees it, 16-bit values. What
// is left zero is as OPT has it.
type Shape struct {
	Layers int
	Hidden int

	Heads   int  // query heads; 0: of 128 values each
	QWidth  int  // values of a token's queries; 0: Hidden
	KVWidth int  // values of a token's keys, and of its values; 0: Hidden
	FFN     int  // inner width of the MLP; 0: 4 Hidden
	Gated   bool // the MLP has a third matrix

	Outside float64 // weights outside layers: embeddings, positions, the head
}

// ShapeOf returns the shape of a model of configs/models, or of such a file.
func ShapeOf(model string) (Shape, error) {
	doc, err := configs.Load("models/"+model, nil)
	if err != nil {
		doc, err = configs.Load(model, nil)
	}
	if err != nil {
		return Shape{}, fmt.Errorf("no shape for model %q: %w", model, err)
	}
	var m models.Model
	if err := doc.Decode(&m); err != nil {
		return Shape{}, fmt.Errorf("no shape for model %q: %w", model, err)
	}
	return NewShape(&m)
}

// NewShape returns a model's shape. Latent attention and experts have none: their
// weights are not read whole by every pass.
func NewShape(m *models.Model) (Shape, error) {
	switch {
	case m.MLA != nil:
		return Shape{}, fmt.Errorf("model %s: has latent attention; want multi-head or grouped-query attention", m.Name)
	case m.MoE != nil:
		return Shape{}, fmt.Errorf("model %s: has experts; want a dense model", m.Name)
	}
	outside := float64(m.Vocab+m.LearnedPositions) * float64(m.Hidden)
	if !m.TiedEmbeddings {
		outside += float64(m.Vocab) * float64(m.Hidden)
	}
	return Shape{
		Layers: m.Layers, Hidden: m.Hidden, Heads: m.QHeads, QWidth: m.QHeads * m.HeadDim, KVWidth: m.KVHeads * m.HeadDim,
		FFN: m.FFN, Gated: m.Gated, Outside: outside,
	}, nil
}

// or returns a size, or what OPT has.
func or(size, usual int) float64 {
	if size == 0 {
		return float64(usual)
	}
	return float64(size)
}

func (s Shape) hidden() float64  { return float64(s.Hidden) }
func (s Shape) qWidth() float64  { return or(s.QWidth, s.Hidden) }
func (s Shape) kvWidth() float64 { return or(s.KVWidth, s.Hidden) }
func (s Shape) heads() float64   { return or(s.Heads, s.Hidden/128) }

// matrices returns the weights of a sublayer's matrices in the order in which
// they are loaded: queries, keys, values, output; or up, gate, down.
func (s Shape) matrices(attention bool) []float64 {
	h := s.hidden()
	if attention {
		return []float64{h * s.qWidth(), h * s.kvWidth(), h * s.kvWidth(), h * s.qWidth()}
	}
	m := []float64{h * or(s.FFN, 4*s.Hidden), h * or(s.FFN, 4*s.Hidden)}
	if s.Gated {
		m = append(m, m[0])
	}
	return m
}

func sum(values []float64) (total float64) {
	for _, v := range values {
		total += v
	}
	return total
}

// attentionWeights and mlpWeights count a layer's weights.
func (s Shape) attentionWeights() float64 { return sum(s.matrices(true)) }
func (s Shape) mlpWeights() float64       { return sum(s.matrices(false)) }

// weightBytes returns the bytes of a layer's weights.
func (s Shape) weightBytes() float64 { return 2 * (s.attentionWeights() + s.mlpWeights()) }

// kvBytes returns the bytes of one layer's keys and values of so many tokens.
func (s Shape) kvBytes(tokens float64) float64 { return 4 * tokens * s.kvWidth() }

// queryBytes returns the bytes of one layer's queries of so many tokens, or of
// what attention makes of them.
func (s Shape) queryBytes(tokens float64) float64 { return 2 * tokens * s.qWidth() }

// hiddenBytes returns the bytes of so many tokens' activations.
func (s Shape) hiddenBytes(tokens float64) float64 { return 2 * tokens * s.hidden() }

// gemmFlops returns a layer's operations of so many tokens with its weights.
func (s Shape) gemmFlops(tokens float64) float64 {
	return 2 * tokens * (s.attentionWeights() + s.mlpWeights())
}

// attentionFlops returns the operations of so many tokens with a context each.
func (s Shape) attentionFlops(tokens, context float64) float64 {
	return 4 * tokens * context * s.qWidth()
}
