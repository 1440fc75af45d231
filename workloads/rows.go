package workloads

import "hwsim/devices/gpu"

// rows is a row-wise or elementwise kernel over a two-dimensional grid: each
// CTA reads its pieces, loops if it must, and writes its results.
type rows struct {
	grid     [2]int // outer, inner
	reads    []piece
	writes   []piece
	extra    func(outer, inner int, runs []gpu.Run) []gpu.Run // writes at computed places
	loop     int
	loopRead piece
}

// piece is a CTA's part of a tensor: contiguous bytes at an address that is
// linear in the CTA's place in the grid and the iteration.
type piece struct {
	addr               uint64
	outer, inner, step uint64 // bytes from one to the next
	bytes              uint64
	limit              uint64 // end of the inner dimension's bytes, 0: none; the last piece is cut there
}

func (p *piece) run(outer, inner, step int, runs []gpu.Run) []gpu.Run {
	n := p.bytes
	if p.limit > 0 {
		if at := uint64(inner) * p.inner; at >= p.limit {
			return runs
		} else {
			n = min(n, p.limit-at)
		}
	}
	return append(runs, gpu.Run{Addr: p.addr + uint64(outer)*p.outer + uint64(inner)*p.inner + uint64(step)*p.step, Rows: 1, Bytes: uint32(n)})
}

// Tiles implements gpu.Program.
func (r *rows) Tiles(int) int { return r.loop }

// Prologue implements gpu.Program.
func (r *rows) Prologue(cta int, runs []gpu.Run) []gpu.Run {
	for i := range r.reads {
		runs = r.reads[i].run(cta/r.grid[1], cta%r.grid[1], 0, runs)
	}
	return runs
}

// Tile implements gpu.Program.
func (r *rows) Tile(cta, tile int, runs []gpu.Run) []gpu.Run {
	return r.loopRead.run(cta/r.grid[1], cta%r.grid[1], tile, runs)
}

// Epilogue implements gpu.Program.
func (r *rows) Epilogue(cta int, runs []gpu.Run) []gpu.Run {
	outer, inner := cta/r.grid[1], cta%r.grid[1]
	for i := range r.writes {
		runs = r.writes[i].run(outer, inner, 0, runs)
	}
	if r.extra != nil {
		runs = r.extra(outer, inner, runs)
	}
	return runs
}

// elementwise builds a kernel whose CTAs each take Elements of rows of width
// elements: in are the tensors read and out the one written, all of elem
// bytes an element and the given row pitches.
func (p *RowProfile) elementwise(name string, height, width int, elem uint64, in []matrix, out matrix) *gpu.Kernel {
	n := (width + p.Elements - 1) / p.Elements
	r := &rows{grid: [2]int{height, n}}
	part := func(m matrix) piece {
		b := uint64(p.Elements) * elem
		return piece{addr: m.addr, outer: m.pitch, inner: b, bytes: b, limit: uint64(width) * elem}
	}
	for _, m := range in {
		r.reads = append(r.reads, part(m))
	}
	r.writes = append(r.writes, part(out))
	return p.kernel(name, height*n, r)
}

// sum builds the kernel that adds up fp32 parts of a product into bf16 rows.
func (p *RowProfile) sum(height, width int, parts []matrix, out matrix) *gpu.Kernel {
	k := p.elementwise("", height, width, 4, parts, matrix{})
	r := k.Program.(*rows)
	n := uint64(p.Elements) * 2
	r.writes[0] = piece{addr: out.addr, outer: out.pitch, inner: n, bytes: n, limit: uint64(width) * 2}
	return k
}
