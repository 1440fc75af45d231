package host

import "strconv"

// CPU is a host's processor as the memory traffic of its programs sees it.
// Without siblings' names an operating system puts threads on any processor,
// so that some share a core while others are idle.
type CPU struct {
	Cores      int       `toml:"cores"`       // cores of the machine, of a socket that it may share with others
	Siblings   int       `toml:"siblings"`    // processors a core
	Crowded    float64   `toml:"crowded"`     // time of instructions of a thread whose core is full, over its time alone
	Fills      int       `toml:"fills"`       // lines a core can have in flight, prefetches too
	LineBytes  uint32    `toml:"line_bytes"`  // bytes of a cache line
	LLCBytes   uint64    `toml:"llc_bytes"`   // bytes of the last cache
	LLCWays    int       `toml:"llc_ways"`    // lines of a set of the last cache
	LLCNs      float64   `toml:"llc_ns"`      // core to a line in the last cache and back
	PathNs     float64   `toml:"path_ns"`     // core to a memory queue and back
	OthersGBps float64   `toml:"others_gbps"` // lines that other users of the socket bring into the last cache
	FMAs       float64   `toml:"fmas"`        // fp32 multiply-adds a ns of a core
	Attention  Attention `toml:"attention"`
}

// Attention is how the host's library computes decode attention: as two matrix
// products a block of keys and values. A product goes through its elements as
// they arrive; with more than one query it packs them first, and computes then.
type Attention struct {
	CallNs   float64 `toml:"call_ns"` // of the framework
	Block    int     `toml:"block"`   // keys a block
	Float32  Product `toml:"float32"`
	BFloat16 Product `toml:"bfloat16"`
}

// Product is a matrix product by few rows.
type Product struct {
	LineNs float64 `toml:"line_ns"` // a line that the core's own cache has
	OneNs  float64 `toml:"one_ns"`  // an element beside, with one row
	ManyNs float64 `toml:"many_ns"` // the same with more
	Vector bool    `toml:"vector"`  // rows beyond one are multiplied by fp32 multiply-adds, not by a unit for tiles
}

// Validate reports values that no processor has.
func (c *CPU) Validate(report func(key, message string)) {
	for _, k := range []struct {
		key   string
		value float64
		most  float64
	}{{"cores", float64(c.Cores), 1024}, {"siblings", float64(c.Siblings), 8}, {"fills", float64(c.Fills), 1024}, {"line_bytes", float64(c.LineBytes), 1024},
		{"llc_bytes", float64(c.LLCBytes), 1 << 40}, {"llc_ways", float64(c.LLCWays), 64}, {"fmas", c.FMAs, 1e6}, {"attention.block", float64(c.Attention.Block), 1 << 20}} {
		if !(k.value > 0 && k.value <= k.most) {
			report(k.key, "must be positive and at most "+strconv.FormatFloat(k.most, 'f', -1, 64))
		}
	}
	if !(c.PathNs >= 20) {
		report("path_ns", "must be at least 20")
	}
	if !(c.Crowded >= 1) {
		report("crowded", "must be at least 1")
	}
	a := &c.Attention
	for _, k := range []struct {
		key string
		ns  float64
	}{{"llc_ns", c.LLCNs}, {"others_gbps", c.OthersGBps}, {"attention.call_ns", a.CallNs},
		{"attention.float32.line_ns", a.Float32.LineNs}, {"attention.float32.one_ns", a.Float32.OneNs}, {"attention.float32.many_ns", a.Float32.ManyNs},
		{"attention.bfloat16.line_ns", a.BFloat16.LineNs}, {"attention.bfloat16.one_ns", a.BFloat16.OneNs}, {"attention.bfloat16.many_ns", a.BFloat16.ManyNs}} {
		if !(k.ns >= 0) {
			report(k.key, "must not be negative")
		}
	}
}
