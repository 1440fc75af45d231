package kernels

import "hwsim/devices/gpu"

// sum is the kernel that adds up fp32 parts of a product into bf16 rows: a CTA
// has a block of them, a thread an element, for which it loads one part after
// the other and last, if there is one, what the product is added to.
type sum struct {
	parts         []Matrix
	added         Matrix // bf16; no address: the product is added to nothing
	out           Matrix
	height, width int
	rows          int // of a block
}

// sumCols is how many columns a block has: a warp's.
const sumCols = 32

// Sum builds the kernel that adds up the parts of a product and what it is
// added to, nothing if that has no address.
func (p *RowProfile) Sum(height, width int, parts []Matrix, added, out Matrix) *gpu.Kernel {
	s := &sum{parts: parts, added: added, out: out, height: height, width: width, rows: max(1, p.Elements/sumCols)}
	k := p.Kernel("", up(width, sumCols)/sumCols*(up(height, s.rows)/s.rows), s)
	k.FixedSM, k.Even = true, true
	return k
}

// Tiles implements gpu.Program.
func (s *sum) Tiles(int) int {
	if s.added.Addr == 0 {
		return len(s.parts)
	}
	return len(s.parts) + 1
}

// Prologue implements gpu.Program.
func (s *sum) Prologue(_ int, runs []gpu.Run) []gpu.Run { return runs }

// Tile implements gpu.Program.
func (s *sum) Tile(cta, tile int, runs []gpu.Run) []gpu.Run {
	if tile == len(s.parts) {
		return append(runs, s.block(cta, s.added, 2))
	}
	return append(runs, s.block(cta, s.parts[tile], 4))
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
