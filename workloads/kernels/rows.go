package kernels

import (
	"math/bits"

	"hwsim/devices/gpu"
	"hwsim/sim"
)

// Rows is a row-wise or elementwise kernel over a two-dimensional grid: each
// CTA reads its pieces, loops if it must, and writes its results.
type Rows struct {
	Grid     [2]int // outer, inner
	Reads    []Piece
	Writes   []Piece
	Extra    func(outer, inner int, runs []gpu.Run) []gpu.Run // writes at computed places
	Loop     int
	LoopRead Piece
}

// Piece is a CTA's part of a tensor: contiguous bytes at an address that is
// linear in the CTA's place in the grid and the iteration.
type Piece struct {
	Addr               uint64
	Outer, Inner, Step uint64 // bytes from one to the next
	Bytes              uint64
	Limit              uint64 // end of the inner dimension's bytes, 0: none; the last piece is cut there
}

func (p *Piece) run(outer, inner, step int, runs []gpu.Run) []gpu.Run {
	n := p.Bytes
	if p.Limit > 0 {
		if at := uint64(inner) * p.Inner; at >= p.Limit {
			return runs
		} else {
			n = min(n, p.Limit-at)
		}
	}
	return append(runs, gpu.Run{Addr: p.Addr + uint64(outer)*p.Outer + uint64(inner)*p.Inner + uint64(step)*p.Step, Rows: 1, Bytes: uint32(n)})
}

// Tiles implements gpu.Program.
func (r *Rows) Tiles(int) int { return r.Loop }

// Prologue implements gpu.Program.
func (r *Rows) Prologue(cta int, runs []gpu.Run) []gpu.Run {
	for i := range r.Reads {
		runs = r.Reads[i].run(cta/r.Grid[1], cta%r.Grid[1], 0, runs)
	}
	return runs
}

// Tile implements gpu.Program.
func (r *Rows) Tile(cta, tile int, runs []gpu.Run) []gpu.Run {
	return r.LoopRead.run(cta/r.Grid[1], cta%r.Grid[1], tile, runs)
}

// Epilogue implements gpu.Program.
func (r *Rows) Epilogue(cta int, runs []gpu.Run) []gpu.Run {
	outer, inner := cta/r.Grid[1], cta%r.Grid[1]
	for i := range r.Writes {
		runs = r.Writes[i].run(outer, inner, 0, runs)
	}
	if r.Extra != nil {
		runs = r.Extra(outer, inner, runs)
	}
	return runs
}

// Elementwise builds a kernel whose CTAs each take Elements of rows of width
// elements: in are the tensors read and out the one written, all of elem
// bytes an element and the given row pitches.
func (p *RowProfile) Elementwise(name string, height, width int, elem uint64, in []Matrix, out Matrix) *gpu.Kernel {
	n := (width + p.Elements - 1) / p.Elements
	r := &Rows{Grid: [2]int{height, n}}
	part := func(m Matrix) Piece {
		b := uint64(p.Elements) * elem
		return Piece{Addr: m.Addr, Outer: m.Pitch, Inner: b, Bytes: b, Limit: uint64(width) * elem}
	}
	for _, m := range in {
		r.Reads = append(r.Reads, part(m))
	}
	r.Writes = append(r.Writes, part(out))
	return p.Kernel(name, height*n, r)
}

// Norm builds a kernel whose CTAs each normalise a row: they read it, then the
// weights that all rows share, which nothing brings before the row's mean is
// known. Places up to the next power of two cost the same as elements.
func (p *RowProfile) Norm(rows, width int, in, weights, out uint64) *gpu.Kernel {
	b := uint64(width) * 2
	r := &Rows{Grid: [2]int{rows, 1}, Reads: []Piece{{Addr: in, Outer: b, Bytes: b}}, Writes: []Piece{{Addr: out, Outer: b, Bytes: b}},
		Loop: 1, LoopRead: Piece{Addr: weights, Bytes: b}}
	k := p.Kernel("norm", rows, r)
	places := 1 << bits.Len(uint(width-1))
	k.TileChain = sim.FromNanoseconds(p.ElementNs * float64(places) / float64(p.Threads))
	return k
}
