package kv

import "math"

// Amount is a number of tokens: so many, or a share of others, whole ones.
type Amount struct {
	Tokens int     `toml:"tokens"` // so many tokens; with share, beside it
	Share  float64 `toml:"share"`  // share of the tokens that of names, 0 to 1
	Of     string  `toml:"of"`     // prompt, context (what a step sees) or total (what the sequence grows to); "" is context
}

// zero reports whether no amount is given.
func (a Amount) zero() bool { return a == Amount{} }

// of returns the tokens in a context.
func (a Amount) of(c Context) float64 {
	base := c.Tokens()
	switch a.Of {
	case "prompt":
		base = c.Prompt
	case "total":
		base = c.limit()
	}
	return float64(a.Tokens) + math.Floor(a.Share*float64(base)+1e-9)
}

// Select says which tokens a KV head keeps, and which of those a step attends
// to. Without sinks, recent and best it keeps all.
type Select struct {
	Sinks     int       `toml:"sinks"`     // first tokens
	Recent    Amount    `toml:"recent"`    // newest
	Best      Amount    `toml:"best"`      // those that a score prefers
	Generated bool      `toml:"generated"` // generated tokens are kept beside these
	Overhang  int       `toml:"overhang"`  // tokens beyond that before as many are dropped together, and the rest moved
	Layers    []float64 `toml:"layers"`    // budgets of layers from first to last, relative to their mean; none: all alike

	DenseHeads float64 `toml:"dense_heads"` // share of the KV heads that keep all
	SharedBy   int     `toml:"shared_by"`   // layers with one choice of tokens in common: objects of stage score are moved once for them; 0: each its own
	Every      int     `toml:"every"`       // steps between choices of what is attended to, and so between moves of those objects; 0: each step

	Attend Attend `toml:"attend"`
}

// Attend is what of the kept tokens a step reads; nothing is all.
type Attend struct {
	Amount
	Chunk  int `toml:"chunk"`  // tokens that are chosen together, and lie together
	Beside int `toml:"beside"` // tokens that are always attended to, beside those: they lie in HBM as they are

	Pages float64 `toml:"pages"` // share of the kept tokens that is read, as pages are read whole; 0: no more than the chosen
}

// forgets reports whether a head drops tokens.
func (s *Select) forgets() bool { return s.Sinks > 0 || !s.Recent.zero() || !s.Best.zero() }

// kept returns the tokens that a head of a layer keeps, on average over the
// steps between two droppings.
func (s *Select) kept(c Context, layer, layers int) float64 {
	all := float64(c.Tokens())
	if !s.forgets() {
		return all
	}
	n := float64(s.Sinks) + (s.Recent.of(c)+s.Best.of(c))*s.share(layer, layers) + float64(s.Overhang)/2
	if s.Generated {
		n += float64(c.Generated)
	}
	return min(n, all)
}

// share returns a layer's budget against the mean.
func (s *Select) share(layer, layers int) float64 {
	if len(s.Layers) == 0 {
		return 1
	}
	sum := 0.0
	for l := range layers {
		sum += s.shape(l, layers)
	}
	return s.shape(layer, layers) * float64(layers) / sum
}

// shape returns the given budget of a layer: the list is stretched over all.
func (s *Select) shape(layer, layers int) float64 { return s.Layers[layer*len(s.Layers)/layers] }

// attended returns how many of the kept tokens a step reads.
func (s *Select) attended(c Context, kept float64) float64 {
	a := &s.Attend
	if a.zero() {
		return kept
	}
	n := a.of(c)
	if a.Chunk > 1 {
		n = math.Ceil(n/float64(a.Chunk)-1e-9) * float64(a.Chunk)
	}
	return min(n+float64(a.Beside), kept)
}

// chooses reports whether steps read a part of what is kept.
func (s *Select) chooses() bool { return !s.Attend.zero() }

// dense returns how many of so many KV heads keep all.
func (s *Select) dense(heads int) float64 { return math.Round(s.DenseHeads * float64(heads)) }
