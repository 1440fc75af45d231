package flexgen

import "fmt"

// Shape is a decoder of OPT's kind as FlexGen's arithmetic sees it: attention
// with as many KV heads as query heads, an MLP of four times the hidden size,
// 16-bit values.
type Shape struct {
	Layers int
	Hidden int
}

// shapes are OPT's published ones (Zhang et al., arXiv 2205.01068, table 1).
var shapes = map[string]Shape{
	"opt-6.7b": {32, 4096},
	"opt-13b":  {40, 5120},
	"opt-30b":  {48, 7168},
	"opt-66b":  {64, 9216},
	"opt-175b": {96, 12288},
}

// ShapeOf returns a model's shape by its name in lower case.
func ShapeOf(model string) (Shape, error) {
	s, ok := shapes[model]
	if !ok {
		return Shape{}, fmt.Errorf("no shape for model %q; there are opt-6.7b, -13b, -30b, -66b, -175b", model)
	}
	return s, nil
}

// attentionWeights and mlpWeights count a layer's weights: four matrices of
// hidden x hidden, two of hidden x 4 hidden.
func (s Shape) attentionWeights() float64 { return 4 * float64(s.Hidden) * float64(s.Hidden) }
func (s Shape) mlpWeights() float64       { return 8 * float64(s.Hidden) * float64(s.Hidden) }

// weightBytes returns the bytes of a layer's weights.
func (s Shape) weightBytes() float64 { return 2 * (s.attentionWeights() + s.mlpWeights()) }

// kvBytes returns the bytes of one layer's keys and values of so many tokens.
func (s Shape) kvBytes(tokens float64) float64 { return 4 * tokens * float64(s.Hidden) }

// hiddenBytes returns the bytes of so many tokens' activations.
func (s Shape) hiddenBytes(tokens float64) float64 { return 2 * tokens * float64(s.Hidden) }
