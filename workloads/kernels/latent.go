package kernels

import (
	"slices"

	"hwsim/configs"
	"hwsim/devices/gpu"
	"hwsim/models"
	"hwsim/sim"
)

// LatentProfile is a serving library's decode attention over a compressed KV
// cache (MLA) in absorbed form: the kernels of a call beside its products, and
// how it cuts contexts.
type LatentProfile struct {
	Parts         int        `toml:"parts"`          // parts of every context; 0: CTAs for all SMs, which share all tiles evenly
	OverheadTiles int        `toml:"overhead_tiles"` // tiles that a sequence counts as beside its own where they are shared
	PageTokens    int        `toml:"page_tokens"`    // tokens of a page of the cache, 1 to 65536
	HostNs        float64    `toml:"host_ns"`        // of the host, to submit a call
	LeadNs        float64    `toml:"lead_ns"`        // the same, to submit what comes before its attending kernel
	Attend        LatentLoop `toml:"attend"`
	Few           LatentLoop `toml:"few"`     // of fewer query heads than Attend's CTA takes; no threads: the same
	One           LatentLoop `toml:"one"`     // of one query head; no threads: the same
	Append        RowProfile `toml:"append"`  // stores the new tokens' rows of the cache
	Concat        RowProfile `toml:"concat"`  // joins the halves of the queries
	Fill          RowProfile `toml:"fill"`    // sets the output to zero; no threads: it is not
	Combine       RowProfile `toml:"combine"` // joins the parts: a CTA a query head
}

// LatentLoop is the kernel that reads the cache. Its CTAs take some query
// heads, which share every tile; values are a part of the keys' bytes, which
// the L1 has then.
type LatentLoop struct {
	AttentionLoop
	TileTokens int `toml:"tile_tokens"` // tokens of a tile, 1 to 4096
	Heads      int `toml:"heads"`       // query heads a CTA
	EndTiles   int `toml:"end_tiles"`   // tiles' time that only CTAs with tokens take at their ends
}

// Validate reports values that no kernel has.
func (p *LatentProfile) Validate(report func(key, message string)) {
	configs.Within(report, "parts", p.Parts, 0, 1<<10)
	configs.Within(report, "page_tokens", p.PageTokens, 1, 1<<16)
	configs.Within(report, "attend.threads", p.Attend.Threads, 1, 1024)
	for key, l := range map[string]*LatentLoop{"attend": &p.Attend, "few": &p.Few, "one": &p.One} {
		if l.Threads > 0 {
			configs.Within(report, key+".tile_tokens", l.TileTokens, 1, 4096)
			configs.Within(report, key+".heads", l.Heads, 1, 1024)
			configs.Within(report, key+".stages", l.Stages, 1, gpu.MaxStages)
		}
	}
	if p.OverheadTiles < 0 || p.Attend.EndTiles < 0 || p.Few.EndTiles < 0 || p.One.EndTiles < 0 || p.LeadNs < 0 || p.HostNs < p.LeadNs {
		report("host_ns", "must be no less than lead_ns, which with overhead_tiles and end_tiles must not be negative")
	}
}

// Submitted returns the time of one of so many calls that the host submits one
// after the other, each of which takes the GPU so long: the GPU waits for the
// host, or the host is ahead, but for the first.
func (p *LatentProfile) Submitted(calls int, call float64) float64 {
	n := float64(calls)
	return max(n*p.HostNs, p.LeadNs+max((n-1)*p.HostNs+call, n*call)) / n
}

// loop returns the kernel for so many query heads.
func (p *LatentProfile) loop(heads int) *LatentLoop {
	switch {
	case heads == 1 && p.One.Threads > 0:
		return &p.One
	case heads < p.Attend.Heads && p.Few.Threads > 0:
		return &p.Few
	}
	return &p.Attend
}

// LatentCache is a compressed KV cache.
type LatentCache interface {
	// Rows appends the reads of tokens [from, to) of a sequence.
	Rows(seq, from, to int, runs []gpu.Run) []gpu.Run
}

// Latent is the kernel that reads the cache.
type Latent struct {
	a       models.Attention
	lengths []int
	cache   LatentCache
	tile    int
	heads   int         // a CTA
	ends    int         // tiles' time at the ends of a CTA
	work    [][]segment // of each CTA, in turn
	parts   []int       // of each sequence
	room    []int       // parts that there is room for before those of each sequence, and of all
	whole   bool        // a context in one part goes to the output at once
	q, out  Matrix
	joined  uint64 // where parts of the output go: a row of fp32 and its sum for each part of a head, one after the other
}

// segment is a CTA's work on one sequence: tokens [from, to) for some heads.
type segment struct{ seq, block, nth, from, to int }

// Build returns the attending kernel. Parts of the output go to joined.
func (p *LatentProfile) Build(c *gpu.Config, a models.Attention, lengths []int, cache LatentCache, q, out Matrix, joined uint64) (*gpu.Kernel, *Latent) {
	loop := p.loop(a.QHeads)
	t := &Latent{a: a, lengths: lengths, cache: cache, tile: loop.TileTokens, heads: min(loop.Heads, a.QHeads), ends: loop.EndTiles, q: q, out: out, joined: joined,
		parts: make([]int, len(lengths)), whole: p.Parts == 0}
	if p.Parts > 0 {
		t.cut(p.Parts)
	} else {
		t.share(c.SMs, p.OverheadTiles)
	}
	t.room = []int{0}
	for seq, parts := range t.parts {
		t.room = append(t.room, t.room[seq]+max(parts, p.Parts))
	}
	k := loop.Kernel("attention", len(t.work), t)
	k.Stages, k.FixedSM, k.Aged = loop.Stages, loop.FixedSM, loop.Aged
	k.TileChain, k.TileSM = sim.FromNanoseconds(loop.ChainNs), sim.FromNanoseconds(loop.SMNs)
	for _, ns := range loop.CrowdedNs {
		k.Crowded = append(k.Crowded, sim.FromNanoseconds(ns))
	}
	return k, t
}

// blocks returns how many CTAs' heads there are.
func (t *Latent) blocks() int { return (t.a.QHeads + t.heads - 1) / t.heads }

// cut gives every part of every context, and every block of heads, a CTA:
// sequences are the grid's fastest dimension, parts its slowest. Of short
// contexts the last parts are empty.
func (t *Latent) cut(parts int) {
	for nth := range parts {
		for block := range t.blocks() {
			for seq, n := range t.lengths {
				size := (n + parts - 1) / parts
				from := min(nth*size, n)
				t.work = append(t.work, []segment{{seq, block, nth, from, min(from+size, n)}})
				t.parts[seq] = (n + size - 1) / size
			}
		}
	}
}

// share deals all sequences' tiles out to the CTAs that fill the SMs, in
// order: a CTA takes tiles until it has its share, in which every sequence
// that it goes on to counts for a few tiles more.
func (t *Latent) share(sms, overhead int) {
	blocks := t.blocks()
	ctas, all := max(1, sms/blocks), 0
	for _, n := range t.lengths {
		all += (n+t.tile-1)/t.tile + overhead
	}
	payload := (all+ctas-1)/ctas + overhead
	seq, from := 0, 0
	for range ctas {
		var mine []segment
		for left := payload; seq < len(t.lengths) && left > overhead; {
			n := t.lengths[seq]
			to := min(n, from+(left-overhead)*t.tile)
			mine = append(mine, segment{seq: seq, nth: t.parts[seq], from: from, to: to})
			t.parts[seq]++
			left -= overhead + (to-from+t.tile-1)/t.tile
			if from = to; to == n {
				seq, from = seq+1, 0
			}
		}
		for block := range blocks {
			own := slices.Clone(mine)
			for i := range own {
				own[i].block = block
			}
			t.work = append(t.work, own)
		}
	}
}

// tiles returns how many tiles a segment has.
func (t *Latent) tiles(s *segment) int { return (s.to - s.from + t.tile - 1) / t.tile }

// Tiles implements gpu.Program: those of the cache, and as many of nothing as
// the ends of a CTA with tokens take.
func (t *Latent) Tiles(cta int) (n int) {
	for i := range t.work[cta] {
		n += t.tiles(&t.work[cta][i])
	}
	if n > 0 {
		n += t.ends
	}
	return n
}

// Prologue implements gpu.Program: the heads' queries, of all the CTA's
// sequences.
func (t *Latent) Prologue(cta int, runs []gpu.Run) []gpu.Run {
	for i := range t.work[cta] {
		runs = append(runs, t.rows(&t.work[cta][i], t.q, t.a.QKDim))
	}
	return runs
}

// rows returns a segment's rows, of so many elements, of queries or output.
func (t *Latent) rows(s *segment, m Matrix, dim int) gpu.Run {
	head := s.block * t.heads
	n := min(t.heads, t.a.QHeads-head)
	return gpu.Run{Addr: m.Addr + uint64(s.seq)*m.Pitch + uint64(head*dim)*2, Rows: 1, Bytes: uint32(n * dim * 2)}
}

// Tile implements gpu.Program.
func (t *Latent) Tile(cta, tile int, runs []gpu.Run) []gpu.Run {
	for i := range t.work[cta] {
		s := &t.work[cta][i]
		if n := t.tiles(s); tile >= n {
			tile -= n
			continue
		}
		from := s.from + tile*t.tile
		return t.cache.Rows(s.seq, from, min(from+t.tile, s.to), runs)
	}
	return runs
}

// Epilogue implements gpu.Program.
func (t *Latent) Epilogue(cta int, runs []gpu.Run) []gpu.Run {
	for i := range t.work[cta] {
		s := &t.work[cta][i]
		switch {
		case s.from == s.to:
		case t.whole && t.parts[s.seq] == 1:
			runs = append(runs, t.rows(s, t.out, t.a.VDim))
		default:
			head := s.block * t.heads
			r := t.part(s.seq, head, s.nth)
			r.Pitch, r.Rows = uint64(t.room[s.seq+1]-t.room[s.seq])*uint64(r.Bytes), uint32(min(t.heads, t.a.QHeads-head))
			runs = append(runs, r)
		}
	}
	return runs
}

// part returns the nth part of a head's output: a row of fp32 and its sum.
func (t *Latent) part(seq, head, nth int) gpu.Run {
	n := latentRow(t.a)
	return gpu.Run{Addr: t.joined + uint64(t.room[seq]*t.a.QHeads+head*(t.room[seq+1]-t.room[seq])+nth)*n, Rows: 1, Bytes: uint32(n)}
}

// latentRow returns the bytes of a part of a head's output.
func latentRow(a models.Attention) uint64 { return uint64(a.VDim+1) * 4 }

// JoinedBytes returns the most that parts of the output need.
func (p *LatentProfile) JoinedBytes(c *gpu.Config, a models.Attention, sequences int) uint64 {
	parts := sequences * p.Parts
	if p.Parts == 0 {
		parts = sequences + c.SMs // every CTA ends in a sequence
	}
	return uint64(parts*a.QHeads) * latentRow(a)
}

// latentJoin joins the parts: a CTA for each head of each sequence goes
// through them one after the other.
type latentJoin struct{ *Latent }

// Join returns the kernel that joins the parts.
func (p *LatentProfile) Join(t *Latent) *gpu.Kernel {
	k := p.Combine.Kernel("attention_reduce", len(t.lengths)*t.a.QHeads, latentJoin{t})
	k.Stages = max(1, p.Combine.Stages)
	k.TileChain, k.TileSM = sim.FromNanoseconds(p.Combine.ChainNs), sim.FromNanoseconds(p.Combine.SMNs)
	return k
}

// Tiles implements gpu.Program.
func (j latentJoin) Tiles(cta int) int {
	if n := j.parts[cta/j.a.QHeads]; n > 1 || !j.whole {
		return n
	}
	return 0
}

// Prologue implements gpu.Program.
func (j latentJoin) Prologue(_ int, runs []gpu.Run) []gpu.Run { return runs }

// Tile implements gpu.Program.
func (j latentJoin) Tile(cta, tile int, runs []gpu.Run) []gpu.Run {
	return append(runs, j.part(cta/j.a.QHeads, cta%j.a.QHeads, tile))
}

// Epilogue implements gpu.Program.
func (j latentJoin) Epilogue(cta int, runs []gpu.Run) []gpu.Run {
	if j.Tiles(cta) == 0 {
		return runs
	}
	seq, head, n := cta/j.a.QHeads, cta%j.a.QHeads, uint64(j.a.VDim*2)
	return append(runs, gpu.Run{Addr: j.out.Addr + uint64(seq)*j.out.Pitch + uint64(head)*n, Rows: 1, Bytes: uint32(n)})
}

// Store returns the kernel that stores the new tokens' rows, which lie at
// fresh; newest says where they go.
func (p *LatentProfile) Store(bytes uint64, sequences int, fresh uint64, newest func(seq int) uint64) *gpu.Kernel {
	r := &Rows{Grid: [2]int{sequences, 1}, Reads: []Piece{{Addr: fresh, Outer: bytes, Bytes: bytes}}}
	r.Extra = func(seq, _ int, runs []gpu.Run) []gpu.Run {
		return append(runs, gpu.Run{Addr: newest(seq), Rows: 1, Bytes: uint32(bytes)})
	}
	return p.Append.Kernel("", sequences, r)
}
