package kv

// Coding is how an element is stored. Nothing is the cache's own type.
type Coding struct {
	Bits         float64 `toml:"bits"`          // of an element
	Group        int     `toml:"group"`         // elements with parameters in common
	ParamBytes   float64 `toml:"param_bytes"`   // of a group: a scale and a zero point of 16 bits are 4
	TokenBytes   float64 `toml:"token_bytes"`   // parameters of a token of a layer, beside those
	Outliers     float64 `toml:"outliers"`      // share of the elements stored once more, exactly
	OutlierBytes float64 `toml:"outlier_bytes"` // of each, with its place
}

// plain reports whether nothing is encoded.
func (c *Coding) plain() bool { return c.Bits == 0 }

// element returns the bytes of an element, its share of the parameters
// included; plain is what it has if it is not encoded.
func (c *Coding) element(plain float64) float64 {
	if c.plain() {
		return plain
	}
	b := c.Bits/8 + c.Outliers*c.OutlierBytes
	if c.Group > 0 {
		b += c.ParamBytes / float64(c.Group)
	}
	return b
}

// Encode says in how many bits keys and values lie.
type Encode struct {
	Keys   Coding `toml:"keys"`
	Values Coding `toml:"values"`

	High      Coding  `toml:"high"`       // of the tokens that matter
	HighShare float64 `toml:"high_share"` // share of the tokens that matter, 0 to 1; 0: none

	Window      int  `toml:"window"`       // newest tokens that are not encoded yet
	KeyBlocks   bool `toml:"key_blocks"`   // keys are encoded a window at a time, so that half a window waits on average
	Buffer      int  `toml:"buffer"`       // generated tokens are encoded so many at a time: half of them wait on average
	RecodeEvery int  `toml:"recode_every"` // steps between encodings of the whole cache anew; 0: none
}

// element returns the mean bytes of an element under a coding.
func (e *Encode) element(c *Coding, plain float64) float64 {
	return e.HighShare*e.High.element(plain) + (1-e.HighShare)*c.element(plain)
}

// waiting returns how many of a head's newest keys and values are not encoded.
func (e *Encode) waiting(t *tokens) (keys, values float64) {
	keys, values = float64(e.Window), float64(e.Window)
	if e.KeyBlocks {
		keys /= 2
	}
	buffered := min(float64(e.Buffer), t.generated) / 2
	return min(keys+buffered, t.kept), min(values+buffered, t.kept)
}

// waits reports whether new tokens are not encoded at once.
func (e *Encode) waits() bool { return e.Window > 0 || e.Buffer > 0 }

// part returns the bytes of a head's keys or values of so many tokens, of which
// some wait.
func (e *Encode) part(c *Coding, s *Shape, dim, tokens, waiting float64) float64 {
	if c.plain() || dim == 0 {
		return tokens * dim * s.Element
	}
	coded := tokens - waiting
	return waiting*dim*s.Element + coded*(dim*e.element(c, s.Element)+c.TokenBytes/float64(s.KVHeads))
}

// Narrow reports whether keys are stored in fewer bits than they are computed
// in.
func (e *Encode) Narrow() bool { return !e.Keys.plain() }
