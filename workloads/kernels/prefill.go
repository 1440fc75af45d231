package kernels

import (
	"hwsim/configs"
	"hwsim/devices/gpu"
	"hwsim/sim"
)

// PrefillProfile is a library's causal attention of a whole prompt: a CTA
// takes rows of queries of one head over all keys and values up to them. A
// persistent kernel's CTAs that take one work tile after the other, in the
// grid's order and as they get free, are taken for a CTA a work tile.
type PrefillProfile struct {
	Launch
	Rows       int     `toml:"rows"`        // rows of queries, a work tile
	TileTokens int     `toml:"tile_tokens"` // keys and values that a CTA reads at a time, 1 to 4096
	Stages     int     `toml:"stages"`      // tiles of keys or values in flight
	ChainNs    float64 `toml:"chain_ns"`    // from a tile of keys or values to the next
	FullNs     float64 `toml:"full_ns"`     // the same where every SM has a work tile
	StartNs    float64 `toml:"start_ns"`    // of a persistent CTA before its first work tile
}

// Validate reports values that no kernel has.
func (p *PrefillProfile) Validate(report func(key, message string)) {
	configs.Within(report, "rows", p.Rows, 1, 4096)
	configs.Within(report, "tile_tokens", p.TileTokens, 1, 4096)
	configs.Within(report, "stages", p.Stages, 1, gpu.MaxStages)
	if p.ChainNs < 0 || p.FullNs < 0 || p.StartNs < 0 {
		report("chain_ns", "and full_ns and start_ns must not be negative")
	}
}

// Prefill is a causal attention over [batch, head, token, dim] tensors.
type Prefill struct {
	profile    *PrefillProfile
	heads      int // of all sequences together
	tokens     int
	row        uint64 // bytes
	q, k, v, y uint64 // addresses
}

// Build returns the kernel of so many heads of all sequences together, whose
// queries, keys, values and output lie at the addresses given.
func (p *PrefillProfile) Build(c *gpu.Config, heads, tokens, dim int, q, k, v, y uint64) (*gpu.Kernel, *Prefill) {
	f := &Prefill{profile: p, heads: heads, tokens: tokens, row: uint64(dim) * 2, q: q, k: k, v: v, y: y}
	kernel := p.Kernel("prefill", heads*f.blocks(), f)
	kernel.Stages = p.Stages
	kernel.TileChain = sim.FromNanoseconds(p.ChainNs)
	if kernel.CTAs >= c.SMs {
		kernel.TileChain = sim.FromNanoseconds(p.FullNs)
	}
	return kernel, f
}

// blocks returns the work tiles of a head.
func (f *Prefill) blocks() int { return (f.tokens + f.profile.Rows - 1) / f.profile.Rows }

// place returns the head and the queries of a work tile.
func (f *Prefill) place(cta int) (head, from, to int) {
	head, from = cta/f.blocks(), cta%f.blocks()*f.profile.Rows
	return head, from, min(from+f.profile.Rows, f.tokens)
}

// rows returns rows [from, to) of a head of a tensor.
func (f *Prefill) rows(addr uint64, head, from, to int) gpu.Run {
	return gpu.Run{Addr: addr + uint64(head*f.tokens+from)*f.row, Rows: 1, Bytes: uint32(uint64(to-from) * f.row)}
}

// Tiles implements gpu.Program: of keys and of values.
func (f *Prefill) Tiles(cta int) int {
	_, _, to := f.place(cta)
	return 2 * ((to + f.profile.TileTokens - 1) / f.profile.TileTokens)
}

// Prologue implements gpu.Program: the queries.
func (f *Prefill) Prologue(cta int, runs []gpu.Run) []gpu.Run {
	head, from, to := f.place(cta)
	return append(runs, f.rows(f.q, head, from, to))
}

// Tile implements gpu.Program.
func (f *Prefill) Tile(cta, tile int, runs []gpu.Run) []gpu.Run {
	head, _, _ := f.place(cta)
	from := tile / 2 * f.profile.TileTokens
	return append(runs, f.rows([]uint64{f.k, f.v}[tile%2], head, from, min(from+f.profile.TileTokens, f.tokens)))
}

// Epilogue implements gpu.Program.
func (f *Prefill) Epilogue(cta int, runs []gpu.Run) []gpu.Run {
	head, from, to := f.place(cta)
	return append(runs, f.rows(f.y, head, from, to))
}

// FLOPs returns the arithmetic below the diagonal.
func (f *Prefill) FLOPs() float64 {
	return 2 * float64(f.heads) * float64(f.tokens) * float64(f.tokens) * float64(f.row/2)
}
