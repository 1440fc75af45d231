package kernels

import (
	"hwsim/devices/gpu"
	"hwsim/sim"
)

// Matrix is a row-major tensor in memory.
type Matrix struct {
	Addr  uint64
	Pitch uint64 // bytes a row
}

// At returns the matrix at an address, with the bytes from row to row.
func At(addr, pitch uint64) Matrix { return Matrix{addr, pitch} }

// GEMM is y[m, rows] = x[m, k] Wᵀ, W being [rows, k], as a CTA grid: each CTA
// owns some tiles of y and streams the K range of W and x that they need.
// Experts and heads are groups of their own W and tokens in one grid.
type GEMM struct {
	Shape
	w, x, y Matrix
	elemW   float64 // bytes an element of W
	elemX   float64 // bytes an element of x: 2 but for encoded features
	elemY   float64 // bytes an element of y: 2 but for keys and values
	onChip  bool    // y is used where it is computed
	whole   bool    // parts of y are added up before they are stored
	rows, k int
	tileK   int
	ctas    int
	items   []item // tiles of y before splitting K
	kTiles  int    // stages of one split
	late    int    // stages into the next tile of y before one is stored
	partial uint64 // where split parts of y go, when splits > 1
	M       int    // tokens over all groups
	groups  int
}

// item is one tile of y.
type item struct {
	Group
	row int // first row of W
	col int // first token of the group
	ofW share
	ofX share
}

// share is the part of an operand's tile that a CTA loads itself; the rest
// comes by multicast from the cluster.
type share struct{ nth, of int }

// rows returns the first row of the share of n and how many it has.
func (s share) rows(n int) (first, count int) {
	first = n * s.nth / s.of
	return first, n*(s.nth+1)/s.of - first
}

// Group is one independent product of the grid: byte offsets of its W, x and
// y, and its tokens.
type Group struct {
	W, X, Y uint64
	M       int
}

// stages returns how deep the tile's pipeline is.
func (p *GEMMProfile) stages(rows, cols int) int {
	return max(1, min(p.MaxStages, p.StageBytes/((rows+cols)*p.TileK*2)))
}

// Build returns the kernel of the product over the given groups of tokens.
func (p *GEMMProfile) Build(name string, c *gpu.Config, w, x, y Matrix, elemW float64, rows, k int, groups []Group, partial uint64) (*gpu.Kernel, *GEMM) {
	m, total := 0, 0
	for _, g := range groups {
		m, total = max(m, g.M), total+g.M
	}
	shape := p.Shape(c, rows, k, m, len(groups))
	g := &GEMM{Shape: shape, w: w, x: x, y: y, elemW: elemW, elemX: 2, elemY: 2, rows: rows, k: k, tileK: p.TileK, partial: partial, M: total, groups: len(groups)}
	columns := 0
	for _, gr := range groups {
		columns += (gr.M + g.Cols - 1) / g.Cols
	}
	g.items = make([]item, 0, (rows+g.Rows-1)/g.Rows*columns)
	for row := 0; row < rows; row += g.Rows {
		for _, gr := range groups {
			for col := 0; col < gr.M; col += g.Cols {
				g.items = append(g.items, g.item(gr, row, col))
			}
		}
	}
	g.kTiles = (k + p.TileK*g.Splits - 1) / (p.TileK * g.Splits)
	g.ctas = len(g.items) * g.Splits
	if p.Persistent {
		g.ctas = min(g.ctas, g.slots)
	}
	kernel := p.Kernel(name, g.ctas, g)
	kernel.Stages = p.stages(g.Rows, g.Cols)
	g.late = min(kernel.Stages, g.kTiles-1)
	kernel.TileSM = p.tileTime(c, g.Rows, g.Cols)
	kernel.TileChain = kernel.TileSM
	kernel.Merge = m > g.Cols // CTAs that stream W drift apart: merging x would make products of 64 tokens up to 8 % too fast
	kernel.TilePower = sim.FromNanoseconds(g.tileFLOPs() / (c.TensorTFLOPS * 1e3 / g.active()))
	if p.DrainGBps > 0 && g.Rows*g.Cols > p.AloneElements {
		kernel.Drain, kernel.DrainEvery = sim.FromNanoseconds(float64(g.Rows*g.Cols)*2/p.DrainGBps), g.kTiles
	}
	return kernel, g
}

// Rebuilds makes the product one that computes keys or values of so many bytes an
// element from features of so many: without a second kernel for parts of K, and
// without storing y if it is used where it is computed.
func (g *GEMM) Rebuilds(x, y float64, stored bool) {
	g.elemX, g.elemY, g.onChip, g.whole = x, y, !stored, true
}

// active returns how many SMs compute in the mean of all turns.
func (g *GEMM) active() float64 {
	tiles := len(g.items) * g.Splits
	return float64(tiles) / float64(up(tiles, g.slots)/g.slots)
}

// Counted reports whether the product needs a counter, which the library has
// set to zero first: its CTAs fetch their tiles when each has more than two.
func (g *GEMM) Counted() bool { return len(g.items)*g.Splits > 2*g.ctas }

// item returns the tile of y at a row of W and a token of the group. CTAs of a
// cluster share the tokens' tile along W's rows, and W's along the tokens.
func (g *GEMM) item(gr Group, row, col int) item {
	return item{gr, row, col, turn(col/g.Cols, up(gr.M, g.Cols)/g.Cols, g.Wide), turn(row/g.Rows, up(g.rows, g.Rows)/g.Rows, g.High)}
}

// turn returns the share of the nth of n neighbours in clusters of so many:
// the last cluster may be smaller.
func turn(nth, n, cluster int) share {
	first := nth / cluster * cluster
	return share{nth - first, min(cluster, n-first)}
}

// fragment is the rows of W that a tensor-core instruction has.
const fragment = 64

// tileTime is how long the tensor cores take for one stage's tile: the
// arithmetic, or bringing the operands from shared memory if that is slower:
// W's once, the tokens' for every fragment of W's rows.
func (p *GEMMProfile) tileTime(c *gpu.Config, rows, cols int) sim.Time {
	cores := 2 * float64(rows*cols*p.TileK) / (c.PeakTFLOPS() * 1e3 / float64(c.SMs))
	shared := float64((rows+cols*rows/fragment)*p.TileK*2) / (p.SharedPerClk * c.ClockMHz / 1e3)
	return sim.FromNanoseconds(max(cores, shared))
}

// tileFLOPs returns the arithmetic of one stage's tile.
func (g *GEMM) tileFLOPs() float64 { return 2 * float64(g.Rows*g.Cols*g.tileK) }

// work returns how many tiles the CTA has.
func (g *GEMM) work(cta int) int {
	all := len(g.items) * g.Splits
	n := all / g.ctas
	if g.place(cta, n) < all {
		n++
	}
	return n
}

// place numbers the CTA's n-th tile. CTAs take tiles back and forth: if all
// turns began with the first, the GPC that a grid fills first would have most of
// the last turn, and 28672 rows in 1.7 turns would take 4 % longer than they do.
func (g *GEMM) place(cta, n int) int {
	if n%2 > 0 {
		cta = g.ctas - 1 - cta
	}
	return n*g.ctas + cta
}

// Tiles implements gpu.Program.
func (g *GEMM) Tiles(cta int) int { return g.work(cta) * g.kTiles }

// Prologue implements gpu.Program.
func (g *GEMM) Prologue(_ int, runs []gpu.Run) []gpu.Run { return runs }

// Tile implements gpu.Program: the CTA's shares of a stage of W and of the
// tokens, and what it stores of the tile of y before this one.
func (g *GEMM) Tile(cta, tile int, runs []gpu.Run) []gpu.Run {
	done, stage := tile/g.kTiles, tile%g.kTiles
	it, split := g.nth(cta, done)
	k0 := (split*g.kTiles + stage) * g.tileK
	depth := min(g.tileK, g.k-k0)
	if first, n := it.ofW.rows(min(g.Rows, g.rows-it.row)); n > 0 && depth > 0 {
		runs = append(runs, gpu.Run{Addr: g.w.Addr + it.W + uint64(it.row+first)*g.w.Pitch + uint64(float64(k0)*g.elemW), Pitch: g.w.Pitch,
			Rows: uint32(n), Bytes: uint32(float64(depth) * g.elemW)})
	}
	if first, n := it.ofX.rows(min(g.Cols, it.M-it.col)); n > 0 && depth > 0 {
		runs = append(runs, gpu.Run{Addr: g.x.Addr + it.X + uint64(it.col+first)*g.x.Pitch + uint64(float64(k0)*g.elemX), Pitch: g.x.Pitch,
			Rows: uint32(n), Bytes: uint32(float64(depth) * g.elemX)})
	}
	if done > 0 && stage == g.late && !g.onChip {
		runs = append(runs, g.result(cta, done-1))
		runs[len(runs)-1].Store = true
	}
	return runs
}

// nth returns the CTA's n-th tile of y and which part of K. Neighbours, that
// is a cluster, have the same part.
func (g *GEMM) nth(cta, n int) (item, int) {
	i := g.place(cta, n)
	return g.items[i%len(g.items)], i / len(g.items)
}

// Epilogue implements gpu.Program: the CTA's last tile of y.
func (g *GEMM) Epilogue(cta int, runs []gpu.Run) []gpu.Run {
	if g.onChip {
		return runs
	}
	return append(runs, g.result(cta, g.work(cta)-1))
}

// result returns where the CTA's n-th tile of y goes: fp32 parts of it when K
// is split.
func (g *GEMM) result(cta, n int) gpu.Run {
	it, split := g.nth(cta, n)
	out, elem := Matrix{g.y.Addr + it.Y, g.y.Pitch}, g.elemY
	if g.Splits > 1 && !g.whole {
		elem = 4
		out = Matrix{g.partial + uint64(split)*uint64(g.M)*uint64(g.rows)*4, uint64(g.rows) * 4}
	}
	return gpu.Run{Addr: out.Addr + uint64(it.col)*out.Pitch + uint64(float64(it.row)*elem), Pitch: out.Pitch,
		Rows: uint32(min(g.Cols, it.M-it.col)), Bytes: uint32(float64(min(g.Rows, g.rows-it.row)) * elem)}
}

// WeightBytes returns the bytes of W that the product needs.
func (g *GEMM) WeightBytes() uint64 {
	return uint64(float64(g.rows)*float64(g.k)*g.elemW) * uint64(g.groups)
}

// FLOPs returns the product's arithmetic.
func (g *GEMM) FLOPs() float64 { return 2 * float64(g.M) * float64(g.rows) * float64(g.k) }

// Route sends each of m tokens to active of the experts, uniformly and
// without repetition, and returns the experts that got any, their tokens laid
// one expert after the other. Pitches are bytes of one expert's W and of one
// row of x and y.
func Route(rng *sim.Rand, experts, active, m int, w, x, y uint64) []Group {
	count := make([]int, experts)
	for range m {
		for _, e := range rng.Perm(experts)[:active] {
			count[e]++
		}
	}
	var groups []Group
	first := uint64(0)
	for e, n := range count {
		if n > 0 {
			groups = append(groups, Group{W: uint64(e) * w, X: first * x, Y: first * y, M: n})
			first += uint64(n)
		}
	}
	return groups
}

// Heads returns the groups of a block-diagonal product: each head has its own
// W and its own slice of x's and y's rows.
func Heads(n, m int, w, x, y uint64) []Group {
	groups := make([]Group, n)
	for h := range groups {
		groups[h] = Group{W: uint64(h) * w, X: uint64(h) * x, Y: uint64(h) * y, M: m}
	}
	return groups
}
