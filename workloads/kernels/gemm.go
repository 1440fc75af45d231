package kernels

import (
	"math"

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
	w, x, y  Matrix
	elemW    float64 // bytes an element of W; activations have 2
	rows, k  int
	tileRows int
	tileCols int
	tileK    int
	Splits   int
	cluster  int
	ctas     int
	items    []item // tiles of y before splitting K
	kTiles   int    // stages of one split
	partial  uint64 // where split parts of y go, when splits > 1
	M        int    // tokens over all groups
	groups   int
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

// shape picks the tile of a product for the profile: the narrowest tile that
// holds the tokens, then the lowest whose grid fits one wave of SMs, or that
// needs the least rows one after the other; K is split while that leaves SMs
// idle. Several column tiles take tiles no lower than wide, which read least.
// (cuBLAS's choices in kernel_info.csv follow it but for ties.)
func (p *GEMMProfile) shape(rows, k, m, groups, sms int) (tileRows, tileCols, splits int) {
	tileCols = p.TileCols[len(p.TileCols)-1]
	for _, c := range p.TileCols {
		if c >= m {
			tileCols = c
			break
		}
	}
	columns := (m + tileCols - 1) / tileCols
	tiles, least := 0, math.MaxInt
	for _, r := range p.TileRows {
		if tileRows > 0 && (r*tileCols > p.TileElements || p.stages(r, tileCols) < 3) {
			break // too many accumulators, or too shallow a pipeline
		}
		if columns > 1 && r < tileCols {
			continue
		}
		n := (rows + r - 1) / r * columns * groups
		waves := (n + sms - 1) / sms
		if waves*r <= least {
			tileRows, tiles, least = r, n, waves*r
		}
		if waves == 1 {
			break
		}
	}
	splits = 1
	if groups == 1 {
		splits = max(1, min(p.MaxSplit, sms/max(tiles, 1), k/(8*p.TileK)))
	}
	return tileRows, tileCols, splits
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
	tr, tc, splits := p.shape(rows, k, m, len(groups), c.SMs)
	g := &GEMM{w: w, x: x, y: y, elemW: elemW, rows: rows, k: k, tileRows: tr, tileCols: tc, tileK: p.TileK, Splits: splits, cluster: p.Cluster,
		partial: partial, M: total, groups: len(groups)}
	for row := 0; row < rows; row += tr {
		for _, gr := range groups {
			for col := 0; col < gr.M; col += tc {
				g.items = append(g.items, g.item(gr, row, col))
			}
		}
	}
	g.kTiles = (k + p.TileK*splits - 1) / (p.TileK * splits)
	g.ctas = min(len(g.items)*splits, c.SMs)
	kernel := p.Kernel(name, g.ctas, g)
	kernel.Stages = p.stages(tr, tc)
	kernel.TileSM = p.tileTime(c, tr, tc)
	kernel.TileChain = kernel.TileSM
	return kernel, g
}

// item returns the tile of y at a row of W and a token of the group. Clusters
// lie along the tokens when they need several tiles, and share W's; else along
// W's rows, and share the tokens'.
func (g *GEMM) item(gr Group, row, col int) item {
	it := item{gr, row, col, share{0, 1}, share{0, 1}}
	if gr.M > g.tileCols {
		it.ofW = g.turn(col/g.tileCols, (gr.M+g.tileCols-1)/g.tileCols)
	} else {
		it.ofX = g.turn(row/g.tileRows, (g.rows+g.tileRows-1)/g.tileRows)
	}
	return it
}

// turn returns the share of the nth of n neighbours: the last cluster may be
// smaller.
func (g *GEMM) turn(nth, n int) share {
	first := nth / g.cluster * g.cluster
	return share{nth - first, min(g.cluster, n-first)}
}

// tileTime is how long the tensor cores take for one stage's tile: the
// arithmetic, or bringing W's tile from shared memory if that is slower.
func (p *GEMMProfile) tileTime(c *gpu.Config, rows, cols int) sim.Time {
	flops := 2 * float64(rows) * float64(cols) * float64(p.TileK)
	cores := flops / (c.TensorTFLOPS * 1e3 / float64(c.SMs))
	shared := float64(rows*p.TileK*2) / (p.SharedPerClk * c.ClockMHz / 1e3)
	return sim.FromNanoseconds(max(cores, shared))
}

func (g *GEMM) work(cta int) (n int) {
	total := len(g.items) * g.Splits
	return (total - cta + g.ctas - 1) / g.ctas
}

// Tiles implements gpu.Program.
func (g *GEMM) Tiles(cta int) int { return g.work(cta) * g.kTiles }

// Prologue implements gpu.Program.
func (g *GEMM) Prologue(_ int, runs []gpu.Run) []gpu.Run { return runs }

// Tile implements gpu.Program: the CTA's shares of a stage of W and of the
// tokens.
func (g *GEMM) Tile(cta, tile int, runs []gpu.Run) []gpu.Run {
	it, split := g.nth(cta, tile/g.kTiles)
	k0 := (split*g.kTiles + tile%g.kTiles) * g.tileK
	depth := min(g.tileK, g.k-k0)
	if depth <= 0 {
		return runs
	}
	if first, n := it.ofW.rows(min(g.tileRows, g.rows-it.row)); n > 0 {
		runs = append(runs, gpu.Run{Addr: g.w.Addr + it.W + uint64(it.row+first)*g.w.Pitch + uint64(float64(k0)*g.elemW), Pitch: g.w.Pitch,
			Rows: uint32(n), Bytes: uint32(float64(depth) * g.elemW)})
	}
	if first, n := it.ofX.rows(min(g.tileCols, it.M-it.col)); n > 0 {
		runs = append(runs, gpu.Run{Addr: g.x.Addr + it.X + uint64(it.col+first)*g.x.Pitch + uint64(k0)*2, Pitch: g.x.Pitch,
			Rows: uint32(n), Bytes: uint32(depth) * 2})
	}
	return runs
}

// nth returns the CTA's n-th tile of y and which part of K. Neighbours, that
// is a cluster, have the same part.
func (g *GEMM) nth(cta, n int) (item, int) {
	i := cta + n*g.ctas
	return g.items[i%len(g.items)], i / len(g.items)
}

// Epilogue implements gpu.Program: y, or fp32 parts of it when K is split.
func (g *GEMM) Epilogue(cta int, runs []gpu.Run) []gpu.Run {
	for n := range g.work(cta) {
		it, split := g.nth(cta, n)
		rows := uint64(min(g.tileRows, g.rows-it.row))
		out, elem := Matrix{g.y.Addr + it.Y, g.y.Pitch}, uint64(2)
		if g.Splits > 1 {
			elem = 4
			out = Matrix{g.partial + uint64(split)*uint64(g.M)*uint64(g.rows)*elem, uint64(g.rows) * elem}
		}
		runs = append(runs, gpu.Run{Addr: out.Addr + uint64(it.col)*out.Pitch + uint64(it.row)*elem, Pitch: out.Pitch,
			Rows: uint32(min(g.tileCols, it.M-it.col)), Bytes: uint32(rows * elem)})
	}
	return runs
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
