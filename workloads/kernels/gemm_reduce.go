package kernels

import "hwsim/devices/gpu"

// sum is the kernel that adds up fp32 parts of a product into bf16 rows: a CTA
// has a block of them, a thread an element, for which it loads all parts.
type sum struct {
	parts         []Matrix
	out           Matrix
	height, width int
	rows          int // of a block
}

// sumCols is how many columns a block has: a warp's.
const sumCols = 32

// Sum builds the kernel that adds up the parts of a product.
func (p *RowProfile) Sum(height, width int, parts []Matrix, out Matrix) *gpu.Kernel {
	s := &sum{parts: parts, out: out, height: height, width: width, rows: max(1, p.Elements/sumCols)}
	return p.Kernel("", up(width, sumCols)/sumCols*(up(height, s.rows)/s.rows), s)
}

// Tiles implements gpu.Program.
func (s *sum) Tiles(int) int { return 0 }

// Tile implements gpu.Program.
func (s *sum) Tile(_, _ int, runs []gpu.Run) []gpu.Run { return runs }

// Prologue implements gpu.Program.
func (s *sum) Prologue(cta int, runs []gpu.Run) []gpu.Run {
	for _, m := range s.parts {
		runs = append(runs, s.block(cta, m, 4))
	}
	return runs
}

// Epilogue implements gpu.Program.
func (s *sum) Epilogue(cta int, runs []gpu.Run) []gpu.Run {
	return append(runs, s.block(cta, s.out, 2))
}

// block returns the CTA's block of a matrix with elements of so many bytes.
func (s *sum) block(cta int, m Matrix, elem int) gpu.Run {
	across := up(s.width, sumCols) / sumCols
	row, col := cta/across*s.rows, cta%across*sumCols
	return gpu.Run{Addr: m.Addr + uint64(row)*m.Pitch + uint64(col*elem), Pitch: m.Pitch,
		Rows: uint32(min(s.rows, s.height-row)), Bytes: uint32(min(sumCols, s.width-col) * elem)}
}
