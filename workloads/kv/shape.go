package kv

import "hwsim/models"

// Shape is what of a model a policy sees.
type Shape struct {
	Layers, Hidden   int
	KVHeads, Group   int     // KV heads of a layer, query heads of each
	KeyDim, ValueDim int     // elements of a head's key and value
	Element          float64 // bytes of an element that is not encoded
}

// ShapeOf returns a model's shape with elements of so many bytes.
func ShapeOf(m *models.Model, element float64) Shape {
	a := m.Attention()
	s := Shape{Layers: m.Layers, Hidden: m.Hidden, KVHeads: a.KVHeads, Group: a.QHeads / a.KVHeads, KeyDim: a.QKDim, ValueDim: a.VDim, Element: element}
	if m.MLA != nil {
		s.ValueDim = 0 // part of the key
	}
	return s
}

// keys, values and kv return the bytes of so many tokens of one head that are
// not encoded.
func (s *Shape) keys(tokens float64) float64   { return tokens * float64(s.KeyDim) * s.Element }
func (s *Shape) values(tokens float64) float64 { return tokens * float64(s.ValueDim) * s.Element }
func (s *Shape) kv(tokens float64) float64     { return s.keys(tokens) + s.values(tokens) }

// Context is the tokens of one sequence that a step sees, the new one among
// them.
type Context struct {
	Prompt, Generated int
	Limit             int // that the sequence may grow to; 0: it is as long as it will be
}

// Tokens returns all of them.
func (c Context) Tokens() int { return c.Prompt + c.Generated }

// limit returns how long the sequence will be.
func (c Context) limit() int { return max(c.Limit, c.Tokens()) }
