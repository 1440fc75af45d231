package kv

// Object is a further class of data that a method keeps: landmarks, codes,
// scores, time stamps, a low-rank correction.
type Object struct {
	Of     string `toml:"of"`     // what has entries: context, kept, attended, generated, dropped (a step) or one
	Tokens int    `toml:"tokens"` // of those that share one entry; 0: each has its own
	Heads  string `toml:"heads"`  // kv, query or layer: entries for each KV head, for each query head, for the layer; "" is kv

	Bytes    float64 `toml:"bytes"`    // of an entry,
	Elements float64 `toml:"elements"` // elements of it,
	Dims     float64 `toml:"dims"`     // head dimensions of them,
	Squares  float64 `toml:"squares"`  // squares of a head dimension,
	Hidden   float64 `toml:"hidden"`   // widths of the residual stream
	Bits     float64 `toml:"bits"`     // of an element; 0: as keys

	Stage Stage   `toml:"stage"` // in which it is moved
	Read  float64 `toml:"read"`  // share of the entries read,
	Write float64 `toml:"write"` // share of the entries written,
	Every int     `toml:"every"` // once in so many steps; 0: in each
	FLOPs float64 `toml:"flops"` // FLOP for each element read and each query head of its KV head
	Once  float64 `toml:"once"`  // FLOP for each element read, however many query heads there are

	LayersShare int    `toml:"layers_share"` // layers that keep and read it once in common
	Common      bool   `toml:"common"`       // of the model: one for all sequences of a batch, moved once for them
	Transient   bool   `toml:"transient"`    // made and used in the step, not kept
	Tier        Tier   `toml:"tier"`         // memory that it lies in; empty: hbm
	Note        string `toml:"note"`         // why it is so large, for readers
}

// elements returns the elements of an entry.
func (o *Object) elements(s *Shape) float64 {
	d := float64(s.KeyDim)
	return o.Elements + o.Dims*d + o.Squares*d*d + o.Hidden*float64(s.Hidden)
}

// entry returns the bytes of an entry.
func (o *Object) entry(s *Shape) float64 {
	width := s.Element
	if o.Bits > 0 {
		width = o.Bits / 8
	}
	return o.Bytes + o.elements(s)*width
}

// sets returns how many heads have entries.
func (o *Object) sets(s *Shape) float64 {
	switch o.Heads {
	case "layer":
		return 1
	case "query":
		return float64(s.KVHeads * s.Group)
	}
	return float64(s.KVHeads)
}

// entries returns the entries of a head, given the tokens of each kind.
func (o *Object) entries(t *tokens) float64 {
	n := 1.0
	switch o.Of {
	case "context":
		n = t.context
	case "kept":
		n = t.kept
	case "attended":
		n = t.attended
	case "generated":
		n = t.generated
	case "dropped":
		n = t.dropped
	}
	if o.Tokens > 1 {
		n /= float64(o.Tokens)
	}
	return n
}

// often returns the share of steps in which a layer moves it: what a choice of
// tokens is made by only when and where one is made.
func (o *Object) often(sel *Select) float64 {
	n := max(1, o.Every) * max(1, o.LayersShare)
	if o.Stage == Score {
		n *= max(1, sel.Every) * max(1, sel.SharedBy)
	}
	return 1 / float64(n)
}
