package kernels

import (
	"maps"
	"math"
	"slices"
	"sort"

	"hwsim/configs"
	"hwsim/devices/gpu"
	"hwsim/sim"
)

// LibraryProfile is a serving library's decode attention over a paged KV
// cache: the kernels of a call, and the rule that cuts contexts into parts.
type LibraryProfile struct {
	Rule       string       `toml:"rule"`        // that cuts contexts, one of rules
	MaxParts   int          `toml:"max_parts"`   // parts of a context, at most
	MaxBatch   int          `toml:"max_batch"`   // sequences; of more none is cut; 0: any number
	Heads      int          `toml:"heads"`       // KV heads that the rule is told of; 0: those there are
	PageTokens int          `toml:"page_tokens"` // tokens of a page of the cache, 1 to 65536
	CallNs     float64      `toml:"call_ns"`     // from the end of a call to the next, beside its kernels
	ScanNs     float64      `toml:"scan_ns"`     // for every 31 sequences, which a CTA's scheduler goes through together; the uncut kernel has none
	PlanNs     float64      `toml:"plan_ns"`     // for every warp of the CTA that plans, see planners
	Append     RowProfile   `toml:"append"`      // stores the new tokens' keys and values
	Attend     FlashProfile `toml:"attend"`
	Uncut      FlashProfile `toml:"uncut"`   // the same where no context may be cut; no threads: attend
	Combine    RowProfile   `toml:"combine"` // joins the parts; Elements are rows of the output a CTA
	Always     bool         `toml:"always"`  // combine runs though no context was cut
	Regroup    RowProfile   `toml:"regroup"` // copies queries, or the output, between the model's order and the kernel's; 0 elements: it needs none
	Whole      RowProfile   `toml:"whole"`   // copies the output where both orders are the same
}

// FlashProfile is the kernel that reads the keys and values. A CTA takes a
// tile of keys and one of values in turn.
type FlashProfile struct {
	Launch
	TileTokens int     `toml:"tile_tokens"` // keys or values of a tile, 1 to 4096
	Stages     int     `toml:"stages"`      // tiles of keys or values in flight
	ChainNs    float64 `toml:"chain_ns"`    // from a tile of keys or values to the next in a CTA
	SMNs       float64 `toml:"sm_ns"`       // of which the tile has the SM to itself
	InTurn     bool    `toml:"in_turn"`     // a tile's loads leave when the tile before it is here, not when a stage is free
	FixedSM    bool    `toml:"fixed_sm"`    // prologue and epilogue have the SM to themselves
}

// Validate reports values that no kernel has.
func (p *LibraryProfile) Validate(report func(key, message string)) {
	configs.OneOf(report, "rule", p.Rule, slices.Sorted(maps.Keys(rules))...)
	configs.Within(report, "max_parts", p.MaxParts, 1, 1<<16)
	configs.Within(report, "page_tokens", p.PageTokens, 1, 1<<16)
	configs.Within(report, "attend.tile_tokens", p.Attend.TileTokens, 1, 4096)
	configs.Within(report, "attend.stages", p.Attend.Stages, 1, gpu.MaxStages)
	configs.Within(report, "combine.elements", p.Combine.Elements, 1, 1<<16)
	if p.Uncut.Threads > 0 {
		configs.Within(report, "uncut.tile_tokens", p.Uncut.TileTokens, 1, 4096)
		configs.Within(report, "uncut.stages", p.Uncut.Stages, 1, gpu.MaxStages)
	}
	if p.CallNs < 0 || p.ScanNs < 0 || p.PlanNs < 0 || p.MaxBatch < 0 || p.Heads < 0 {
		report("call_ns", "and scan_ns, plan_ns, max_batch and heads must not be negative")
	}
}

// Fixed returns what a call of a batch takes beside its kernels.
func (p *LibraryProfile) Fixed(c *gpu.Config, b *Batch) sim.Time {
	ns := p.CallNs + p.PlanNs*float64(planners(len(b.Lengths)))
	if p.attend(c, b) == &p.Attend {
		ns += p.ScanNs * float64(len(b.Lengths)) / 31
	}
	return sim.FromNanoseconds(ns)
}

// planners returns the warps of a CTA of FlashAttention 3's planning kernel: a
// power of two, for 31 sequences each, up to 32.
func planners(sequences int) int {
	n := 1
	for n < 32 && 31*n < sequences {
		n *= 2
	}
	return n
}

// attend returns the profile of the kernel that a batch is given to.
func (p *LibraryProfile) attend(c *gpu.Config, b *Batch) *FlashProfile {
	if p.Uncut.Threads > 0 && p.most(c, b) == 1 {
		return &p.Uncut
	}
	return &p.Attend
}

// Batch is the shape of a decode attention.
type Batch struct {
	QHeads, KVHeads, Dim int
	Lengths              []int // tokens of each sequence
}

// Rows returns the rows of the output.
func (b *Batch) Rows() int { return len(b.Lengths) * b.QHeads }

// Bytes returns what all keys and values have.
func (b *Batch) Bytes() (n uint64) {
	for _, tokens := range b.Lengths {
		n += uint64(tokens * b.KVHeads * b.Dim * 2 * 2)
	}
	return n
}

// group returns how many query heads share a KV head.
func (b *Batch) group() int { return b.QHeads / b.KVHeads }

// cut is how a sequence's context is cut: parts of so many tokens, of which
// the last may have fewer, and some none.
type cut struct{ parts, tokens int }

// boundedRule is per_sm where the caller left FlashAttention 3 to bound the
// parts.
const boundedRule = "per_sm_even_waves"

// rules cut the contexts of a batch.
var rules = map[string]func(p *LibraryProfile, c *gpu.Config, b *Batch) []cut{
	"even_waves": (*LibraryProfile).evenWaves,
	"fill":       (*LibraryProfile).fill,
	"per_sm":     (*LibraryProfile).perSM,
	boundedRule:  (*LibraryProfile).perSM,
}

// alike cuts every context into so many parts, as large as the longest needs.
func (p *LibraryProfile) alike(b *Batch, parts int) []cut {
	size := (p.tiles(slices.Max(b.Lengths)) + parts - 1) / parts
	return slices.Repeat([]cut{{parts, size * p.Attend.TileTokens}}, len(b.Lengths))
}

// tiles returns how many tiles so many tokens are.
func (p *LibraryProfile) tiles(tokens int) int {
	return (tokens + p.Attend.TileTokens - 1) / p.Attend.TileTokens
}

// evenWaves is FlashAttention 2's rule: of the cuts that give parts of other
// sizes, the fewest parts that fill waves of two CTAs a SM to 85 % of what the
// best of them does. Where every KV head has one query head nothing is cut,
// nor where the CTAs fill 80 % of the places.
func (p *LibraryProfile) evenWaves(c *gpu.Config, b *Batch) []cut {
	places, work, tiles := 2*c.SMs, len(b.Lengths)*b.KVHeads, p.tiles(slices.Max(b.Lengths))
	if b.group() == 1 || float64(work) >= 0.8*float64(places) {
		return p.alike(b, 1)
	}
	size := func(parts int) int { return (tiles + parts - 1) / parts }
	var cuts []int
	for n := 1; n <= min(p.MaxParts, places, tiles); n++ {
		if n == 1 || size(n) != size(n-1) {
			cuts = append(cuts, n)
		}
	}
	return p.alike(b, fewest(cuts, work, places))
}

// fewest returns the least of the cuts, which ascend, that fills the waves of
// so much work in parts to 85 % of what the best of them does.
func fewest(cuts []int, work, places int) int {
	filled := func(parts int) float64 { // the share of its waves that the grid fills
		waves := float64(work*parts) / float64(places)
		return waves / math.Ceil(waves)
	}
	best := 0.0
	for _, n := range cuts {
		best = max(best, filled(n))
	}
	return cuts[slices.IndexFunc(cuts, func(n int) bool { return filled(n) >= 0.85*best })]
}

// leastCut is the tiles up to which FlashAttention 3 cuts no context.
const leastCut = 4

// most returns how many parts a context may have. FlashAttention 3 bounds them
// as FlashAttention 2 does, by waves of one CTA a SM, as if the longest
// sequence were alone.
func (p *LibraryProfile) most(c *gpu.Config, b *Batch) int {
	switch tiles := p.tiles(slices.Max(b.Lengths)); {
	case p.MaxBatch > 0 && len(b.Lengths) > p.MaxBatch:
		return 1
	case p.Rule != boundedRule:
		return p.MaxParts
	case tiles <= leastCut || float64(b.KVHeads) >= 0.8*float64(c.SMs):
		return 1
	default:
		cuts := make([]int, min(p.MaxParts, c.SMs, tiles))
		for i := range cuts {
			cuts[i] = i + 1
		}
		return fewest(cuts, b.KVHeads, c.SMs)
	}
}

// perSM is FlashAttention 3's rule: a part has as many tiles as each SM would
// if all were dealt out with a margin of 10 %.
func (p *LibraryProfile) perSM(c *gpu.Config, b *Batch) []cut {
	total, heads := 0, b.KVHeads
	if p.Heads > 0 {
		heads = p.Heads
	}
	for _, n := range b.Lengths {
		total += p.tiles(n)
	}
	share := int(math.Ceil(float64(total) * 1.1 * float64(heads) / float64(c.SMs)))
	cuts, most := make([]cut, len(b.Lengths)), p.most(c, b)
	for i, n := range b.Lengths {
		parts := max(1, min((p.tiles(n)+share-1)/share, most))
		cuts[i] = cut{parts, (p.tiles(n) + parts - 1) / parts * p.Attend.TileTokens}
	}
	return cuts
}

// fill is FlashInfer's rule: the smallest parts of whole pages, of no fewer
// tokens than a tile, of which no more are made than places for CTAs; nothing
// is cut where there are more sequences than that.
func (p *LibraryProfile) fill(c *gpu.Config, b *Batch) []cut {
	places := c.Resident(p.Attend.Kernel("", 0, nil)) * c.SMs / b.KVHeads
	pages := func(tokens int) int { return (tokens + p.PageTokens - 1) / p.PageTokens }
	by := func(size int) (cuts []cut, all int) {
		for _, n := range b.Lengths {
			parts := (pages(n) + size - 1) / size
			cuts, all = append(cuts, cut{parts, size * p.PageTokens}), all+parts
		}
		return cuts, all
	}
	least, most := max(1, p.Attend.TileTokens/p.PageTokens), pages(slices.Max(b.Lengths))
	size := least + sort.Search(max(0, most-least), func(n int) bool { _, all := by(least + n); return all <= places })
	cuts, _ := by(size)
	return cuts
}

// Cache is a KV cache whose keys (kind 0) and values (1) are read in turn.
type Cache interface {
	// Read appends the reads of tokens [from, to) of one KV head of a sequence.
	Read(kind, seq, head, from, to int, runs []gpu.Run) []gpu.Run
}

// Flash is the kernel that reads the keys and values.
type Flash struct {
	batch  *Batch
	cache  Cache
	tile   int
	parts  []piece
	most   int // parts of a context
	q, out Matrix
	joined uint64 // where parts of the output go if there are several: fp32 rows, one part of all after the other
}

// piece is a CTA's work: tokens [from, to) for a KV head of a sequence.
type piece struct{ seq, head, nth, from, to int }

// Build returns the attending kernel of a batch. Parts of the output go to
// joined.
func (p *LibraryProfile) Build(c *gpu.Config, b *Batch, cache Cache, q, out Matrix, joined uint64) (*gpu.Kernel, *Flash) {
	attend := p.attend(c, b)
	f := &Flash{batch: b, cache: cache, tile: attend.TileTokens, q: q, out: out, joined: joined}
	cuts := rules[p.Rule](p, c, b)
	for _, cut := range cuts {
		f.most = max(f.most, cut.parts)
	}
	for i := range len(cuts) * b.KVHeads {
		seq, head := i/b.KVHeads, i%b.KVHeads
		if f.most == 1 { // sequences are the grid's faster dimension, of parts those of one sequence and head
			seq, head = i%len(cuts), i/len(cuts)
		}
		for n := range cuts[seq].parts {
			from := min(n*cuts[seq].tokens, b.Lengths[seq])
			f.parts = append(f.parts, piece{seq, head, n, from, min(from+cuts[seq].tokens, b.Lengths[seq])})
		}
	}
	k := attend.Kernel("attention", len(f.parts), f)
	k.Stages, k.FixedSM, k.InTurn = attend.Stages, attend.FixedSM, attend.InTurn
	k.TileChain, k.TileSM = sim.FromNanoseconds(attend.ChainNs), sim.FromNanoseconds(attend.SMNs)
	return k, f
}

// Parts returns into how many parts the context that has most of them is cut.
func (f *Flash) Parts() int { return f.most }

// Tiles implements gpu.Program.
func (f *Flash) Tiles(cta int) int {
	p := &f.parts[cta]
	return 2 * ((p.to - p.from + f.tile - 1) / f.tile)
}

// Prologue implements gpu.Program: the group's queries.
func (f *Flash) Prologue(cta int, runs []gpu.Run) []gpu.Run {
	return append(runs, f.group(cta, f.q))
}

// group returns the CTA's rows of queries or output.
func (f *Flash) group(cta int, m Matrix) gpu.Run {
	p, n := &f.parts[cta], uint64(f.batch.group()*f.batch.Dim*2)
	return gpu.Run{Addr: m.Addr + uint64(p.seq)*m.Pitch + uint64(p.head)*n, Rows: 1, Bytes: uint32(n)}
}

// Tile implements gpu.Program.
func (f *Flash) Tile(cta, tile int, runs []gpu.Run) []gpu.Run {
	p := &f.parts[cta]
	from := p.from + tile/2*f.tile
	return f.cache.Read(tile%2, p.seq, p.head, from, min(from+f.tile, p.to), runs)
}

// Epilogue implements gpu.Program.
func (f *Flash) Epilogue(cta int, runs []gpu.Run) []gpu.Run {
	if f.most == 1 {
		return append(runs, f.group(cta, f.out))
	}
	p, g, row := &f.parts[cta], f.batch.group(), uint64(f.batch.Dim*4)
	first := uint64(p.nth*f.batch.Rows() + p.seq*f.batch.QHeads + p.head*g)
	return append(runs, gpu.Run{Addr: f.joined + first*row, Rows: 1, Bytes: uint32(uint64(g) * row)})
}

// Joins tells whether a call runs the kernel that Join returns.
func (p *LibraryProfile) Joins(c *gpu.Config, f *Flash) bool {
	return f.most > 1 || p.Always && p.most(c, f.batch) > 1
}

// Join returns the kernel that joins the parts of a batch's output: a CTA for
// so many rows, which takes one part after the other.
func (p *LibraryProfile) Join(f *Flash) *gpu.Kernel {
	b, rows := f.batch, p.Combine.Elements
	row := uint64(rows * b.Dim * 4)
	r := &Rows{Grid: [2]int{(b.Rows() + rows - 1) / rows, 1}}
	if f.most > 1 {
		sums := uint64(f.most*rows) * 4 // what each part's rows have to be scaled by
		r.Reads = []Piece{{Addr: f.joined + uint64(f.most)*uint64(b.Rows()*b.Dim)*4, Outer: sums, Bytes: sums}}
		r.Loop = f.most
		r.LoopRead = Piece{Addr: f.joined, Outer: row, Step: uint64(b.Rows()*b.Dim) * 4, Bytes: row}
		r.Writes = []Piece{{Addr: f.out.Addr, Outer: row / 2, Bytes: row / 2}}
	}
	k := p.Combine.Kernel("", r.Grid[0], r)
	k.Stages = max(1, p.Combine.Stages)
	k.TileChain, k.TileSM = sim.FromNanoseconds(p.Combine.ChainNs), sim.FromNanoseconds(p.Combine.SMNs)
	return k
}

// Store returns the kernel that stores the new tokens' keys and values, which
// lie at kv, one token's after the other's; last says where they go.
func (p *LibraryProfile) Store(b *Batch, kv uint64, last func(kind, seq int) uint64) *gpu.Kernel {
	n := uint64(b.KVHeads * b.Dim * 2)
	r := &Rows{Grid: [2]int{len(b.Lengths), 1}, Reads: []Piece{{Addr: kv, Outer: 2 * n, Bytes: 2 * n}}}
	r.Extra = func(seq, _ int, runs []gpu.Run) []gpu.Run {
		for kind := range 2 {
			runs = append(runs, gpu.Run{Addr: last(kind, seq), Rows: 1, Bytes: uint32(n)})
		}
		return runs
	}
	return p.Append.Kernel("", r.Grid[0], r)
}

// Copies returns the kernels that copy the queries before and the output
// after the attending kernel; nil: none is needed. The kernel's order of heads
// is the model's where every KV head has one query head; for one sequence, or
// one KV head, only the strides differ.
func (p *LibraryProfile) Copies(b *Batch, from, q, out, to Matrix) (before, after *gpu.Kernel) {
	copies := func(r *RowProfile, from, to Matrix) *gpu.Kernel {
		return r.Elementwise("", len(b.Lengths), b.QHeads*b.Dim, 2, []Matrix{from}, to)
	}
	switch {
	case p.Regroup.Elements == 0 || b.group() == 1:
		return nil, nil
	case b.KVHeads == 1 || len(b.Lengths) == 1:
		return nil, copies(&p.Whole, out, to)
	}
	return copies(&p.Regroup, from, q), copies(&p.Regroup, out, to)
}
