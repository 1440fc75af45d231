package kernels

import (
	"hwsim/configs"
	"hwsim/devices/gpu"
	"hwsim/sim"
)

// RetrieveProfile is the kernels of landmark retrieval: scores of all chunks,
// the best of them, their fetching, and attention over what was fetched.
type RetrieveProfile struct {
	Score       Launch       `toml:"score"`
	ScoreChunks int          `toml:"score_chunks"` // chunks that a CTA scores
	Top         RowProfile   `toml:"top"`          // a CTA for each row of scores; threads are its most, as many elements an iteration
	Count       RowProfile   `toml:"count"`        // of long rows, over all CTAs: how many begin with which digit
	Pick        RowProfile   `toml:"pick"`         // of long rows: those from the last digit on
	PassNs      []float64    `toml:"pass_ns"`      // small kernels between two counts
	EndsNs      []float64    `toml:"ends_ns"`      // small kernels before the first count and after the last
	Passes      int          `toml:"passes"`       // counts over long rows, a digit each, 0 to 64
	LongRows    []RowLimit   `toml:"long_rows"`
	Gather      Launch       `toml:"gather"` // a warp a chunk; registers are those beside its data
	Attend      AttentionRow `toml:"attend"`
	HostNs      float64      `toml:"host_ns"` // least time from event to event of a graph that the measurement's host replays
}

// validate reports values that no kernel has. Libraries without retrieval leave
// all of it out.
func (p *RetrieveProfile) validate(report func(key, message string)) {
	if p.ScoreChunks == 0 {
		return
	}
	for key, l := range map[string]*Launch{"score": &p.Score, "top": &p.Top.Launch, "count": &p.Count.Launch, "pick": &p.Pick.Launch,
		"gather": &p.Gather, "attend": &p.Attend.Launch} {
		configs.Within(report, "retrieve."+key+".threads", l.Threads, 1, 1024)
		configs.Within(report, "retrieve."+key+".registers", l.Registers, 0, 255)
	}
	for key, v := range map[string]int{"score_chunks": p.ScoreChunks, "top.elements": p.Top.Elements, "count.elements": p.Count.Elements,
		"pick.elements": p.Pick.Elements, "attend.tile_tokens": p.Attend.TileTokens} {
		configs.Within(report, "retrieve."+key, v, 1, 1<<16)
	}
	configs.Within(report, "retrieve.attend.stages", p.Attend.Stages, 1, gpu.MaxStages)
	configs.Within(report, "retrieve.passes", p.Passes, 0, 64)
}

// RowLimit says from which length on so many rows or more, up to the next
// limit, are long.
type RowLimit struct {
	Rows   int `toml:"rows"`   // rows of scores, as many or more
	Length int `toml:"length"` // elements from which on so many rows are long
}

// AttentionRow is attention by one CTA for each head of a sequence.
type AttentionRow struct {
	RowProfile
	TileTokens int `toml:"tile_tokens"` // keys and values that a CTA reads at a time, 1 to 65536
}

// Retrieve are the sizes of one retrieval: rows of scores are those of a KV
// head of a sequence.
type Retrieve struct {
	Rows, Group, Dim int // KV heads of all sequences, query heads of one
	Chunks, Tokens   int // of a row, and of a chunk
	Top              int // chunks to fetch
}

// ScoreKernel builds the kernel that scores every chunk by its landmark.
func (p *RetrieveProfile) ScoreKernel(o Retrieve, q, landmarks, scores uint64) *gpu.Kernel {
	const elem = 2
	row := uint64(o.Dim) * elem
	tiles := (o.Chunks + p.ScoreChunks - 1) / p.ScoreChunks
	part := uint64(p.ScoreChunks)
	r := &Rows{Grid: [2]int{tiles, o.Rows},
		Reads: []Piece{
			{Addr: q, Inner: uint64(o.Group) * row, Bytes: uint64(o.Group) * row},
			{Addr: landmarks, Outer: part * row, Inner: uint64(o.Chunks) * row, Bytes: min(part, uint64(o.Chunks)) * row},
		},
		Writes: []Piece{{Addr: scores, Outer: part * 4, Inner: uint64(o.Chunks) * 4, Bytes: min(part, uint64(o.Chunks)) * 4}}}
	k := p.Score.Kernel("score", tiles*o.Rows, r)
	k.FixedSM, k.Even = true, true
	return k
}

// TopKernels builds the kernels that choose the best chunks of every row: one
// CTA a row, or of long rows radix selection by many.
func (p *RetrieveProfile) TopKernels(c *gpu.Config, o Retrieve, scores, index uint64) []*gpu.Kernel {
	if !p.long(o.Rows, o.Chunks) {
		l := p.Top
		l.Threads = min(l.Threads, (o.Chunks+31)/32*32)
		return []*gpu.Kernel{l.scan("top", o, l.Threads, o.Chunks, scores, index)}
	}
	block := p.block(c, o)
	var out []*gpu.Kernel
	small := func(all []float64) {
		for _, ns := range all {
			l := Launch{Threads: 256, PrologueNs: ns}
			out = append(out, l.Kernel("top", 1, &Rows{Grid: [2]int{1, 1}}))
		}
	}
	first := len(p.EndsNs) / 3
	small(p.EndsNs[:first])
	for range p.Passes {
		out = append(out, p.Count.scan("top", o, p.Count.Threads, block, scores, 0))
		small(p.PassNs)
	}
	small(p.EndsNs[first:])
	return append(out, p.Pick.scan("top", o, p.Pick.Threads, block, scores, index))
}

// long reports whether a row is for many CTAs.
func (p *RetrieveProfile) long(rows, length int) bool {
	limit := 0
	for _, l := range p.LongRows {
		if rows >= l.Rows {
			limit = l.Length
		}
	}
	return limit > 0 && length >= limit
}

// block returns how many elements of a long row a CTA takes: four or more a
// thread, for no more CTAs than fit the SMs.
func (p *RetrieveProfile) block(c *gpu.Config, o Retrieve) int {
	const least = 4
	l := p.Count
	fit := c.SMs * c.Resident(l.Kernel("", 1, nil)) * l.Threads
	return max(least, (o.Rows*o.Chunks+fit-1)/fit) * l.Threads
}

// scan builds a kernel whose CTAs read blocks of rows of floats, so many at a
// time, and write what they choose; index 0: counts of digits only. Times are
// for p.Elements at a time.
func (p *RowProfile) scan(name string, o Retrieve, step, block int, scores, index uint64) *gpu.Kernel {
	blocks := (o.Chunks + block - 1) / block
	r := &Rows{Grid: [2]int{o.Rows, blocks}, Loop: (min(block, o.Chunks) + step - 1) / step,
		LoopRead: Piece{Addr: scores, Outer: uint64(o.Chunks) * 4, Inner: uint64(block) * 4, Step: uint64(step) * 4, Bytes: uint64(min(step, o.Chunks)) * 4}}
	if index > 0 {
		n := uint64((o.Top+blocks-1)/blocks) * 8
		r.Writes = []Piece{{Addr: index, Outer: uint64(o.Top) * 8, Inner: n, Bytes: n}}
	}
	k := p.Kernel(name, o.Rows*blocks, r)
	k.Stages, k.FixedSM, k.Even = max(1, p.Stages), true, true
	share := float64(step) / float64(p.Elements)
	for _, t := range []struct {
		to *sim.Time
		ns float64
	}{{&k.Prologue, p.PrologueNs}, {&k.Epilogue, p.EpilogueNs}, {&k.TileChain, p.ChainNs}, {&k.TileSM, p.SMNs}} {
		*t.to = sim.FromNanoseconds(t.ns * share)
	}
	return k
}

// GatherKernel builds the kernel that copies the chosen chunks of every row, a
// warp each.
func (p *RetrieveProfile) GatherKernel(o Retrieve, index, from, to uint64, chosen func(row, n int) int) *gpu.Kernel {
	const lane, elem = 128, 2 // registers' bytes of a warp
	chunk := uint64(o.Tokens*o.Dim) * elem
	l := p.Gather
	l.Registers = min(255, l.Registers+int(chunk)/lane)
	return l.Kernel("fetch", o.Rows*o.Top, &gather{o, chunk, index, from, to, chosen})
}

// gather copies chunks.
type gather struct {
	Retrieve
	chunk           uint64 // bytes
	index, from, to uint64
	chosen          func(row, n int) int
}

// Tiles implements gpu.Program.
func (*gather) Tiles(int) int { return 1 }

// Prologue implements gpu.Program: which chunk.
func (g *gather) Prologue(cta int, runs []gpu.Run) []gpu.Run {
	row, n := cta%g.Rows, cta/g.Rows
	return append(runs, gpu.Run{Addr: g.index + uint64(row*g.Top+n)*8, Rows: 1, Bytes: 8})
}

// Tile implements gpu.Program.
func (g *gather) Tile(cta, _ int, runs []gpu.Run) []gpu.Run {
	row, n := cta%g.Rows, cta/g.Rows
	return append(runs, gpu.Run{Addr: g.from + uint64(row*g.Chunks+g.chosen(row, n))*g.chunk, Rows: 1, Bytes: uint32(g.chunk)})
}

// Epilogue implements gpu.Program.
func (g *gather) Epilogue(cta int, runs []gpu.Run) []gpu.Run {
	row, n := cta%g.Rows, cta/g.Rows
	return append(runs, gpu.Run{Addr: g.to + uint64(row*g.Top+n)*g.chunk, Rows: 1, Bytes: uint32(g.chunk)})
}

// AttendKernel builds the kernel that attends to the fetched chunks: a CTA for
// each row, over tiles of keys and values.
func (p *RetrieveProfile) AttendKernel(o Retrieve, q, keys, values, out uint64) *gpu.Kernel {
	const elem = 2
	a := &attendRow{Retrieve: o, row: uint64(o.Dim) * elem, tile: p.Attend.TileTokens, q: q, kv: [2]uint64{keys, values}, out: out}
	k := p.Attend.Kernel("attend", o.Rows, a)
	k.Stages = p.Attend.Stages
	k.TileChain = sim.FromNanoseconds(p.Attend.ChainNs)
	return k
}

// attendRow is attention of one row's queries.
type attendRow struct {
	Retrieve
	row  uint64 // bytes of a key or value
	tile int
	q    uint64
	kv   [2]uint64
	out  uint64
}

// tokens returns how many the row attends to.
func (a *attendRow) tokens() int { return a.Top * a.Retrieve.Tokens }

// Tiles implements gpu.Program.
func (a *attendRow) Tiles(int) int { return (a.tokens() + a.tile - 1) / a.tile }

// queries returns where the row's queries, or results, lie.
func (a *attendRow) queries(base uint64, cta int) gpu.Run {
	n := uint64(a.Group) * a.row
	return gpu.Run{Addr: base + uint64(cta)*n, Rows: 1, Bytes: uint32(n)}
}

// Prologue implements gpu.Program.
func (a *attendRow) Prologue(cta int, runs []gpu.Run) []gpu.Run {
	return append(runs, a.queries(a.q, cta))
}

// Tile implements gpu.Program.
func (a *attendRow) Tile(cta, tile int, runs []gpu.Run) []gpu.Run {
	first := tile * a.tile
	n := min(a.tile, a.tokens()-first)
	for _, base := range a.kv {
		runs = append(runs, gpu.Run{Addr: base + uint64(cta*a.tokens()+first)*a.row, Rows: 1, Bytes: uint32(uint64(n) * a.row)})
	}
	return runs
}

// Epilogue implements gpu.Program.
func (a *attendRow) Epilogue(cta int, runs []gpu.Run) []gpu.Run {
	return append(runs, a.queries(a.out, cta))
}

// Gather is the fetching of chunks of rows, whatever is in them.
type Gather struct {
	Rows, Of, Chunks int    // rows; chunks of a row; of these, those fetched
	Bytes            uint64 // of a chunk
	From, To         Stretch
	Index            uint64
}

// Gathering builds the kernel that copies chunks spread over every row.
func (p *RetrieveProfile) Gathering(g Gather) *gpu.Kernel {
	const lane = 128 // registers' bytes of a warp
	l := p.Gather
	l.Registers = min(255, l.Registers+int(g.Bytes)/lane)
	return l.Kernel("fetch", g.Rows*g.Chunks, &gathering{g})
}

type gathering struct{ Gather }

// Tiles implements gpu.Program.
func (*gathering) Tiles(int) int { return 1 }

// chunk returns the row of a CTA's chunk, its number among those fetched and
// its place among all: evenly spread.
func (g *gathering) chunk(cta int) (row, n, at int) {
	row, n = cta%g.Rows, cta/g.Rows
	return row, n, n * g.Of / g.Chunks
}

// Prologue implements gpu.Program.
func (g *gathering) Prologue(cta int, runs []gpu.Run) []gpu.Run {
	row, n, _ := g.chunk(cta)
	return append(runs, gpu.Run{Addr: g.Index + uint64(row*g.Chunks+n)*8, Rows: 1, Bytes: 8})
}

// Tile implements gpu.Program.
func (g *gathering) Tile(cta, _ int, runs []gpu.Run) []gpu.Run {
	row, _, at := g.chunk(cta)
	return g.From.Runs(uint64(row*g.Of+at)*g.Bytes, g.Bytes, runs)
}

// Epilogue implements gpu.Program.
func (g *gathering) Epilogue(cta int, runs []gpu.Run) []gpu.Run {
	row, n, _ := g.chunk(cta)
	return g.To.Runs(uint64(row*g.Chunks+n)*g.Bytes, g.Bytes, runs)
}
