package kernels

import "hwsim/devices/gpu"

// sweepBytes is what a CTA of a sweep reads or writes: as much as one of the
// scoring kernel, 64 landmarks of 256 bytes.
const sweepBytes = 16 << 10

// Sweep builds a kernel that reads bytes from end to end, and writes some,
// under the launch of the scoring kernel: a CTA for each piece.
func (p *Profiles) Sweep(from, read, to, written uint64) *gpu.Kernel {
	ctas := int((max(read, written, 1) + sweepBytes - 1) / sweepBytes)
	r := &Rows{Grid: [2]int{1, ctas}}
	piece := func(addr, bytes uint64) []Piece {
		if bytes == 0 {
			return nil
		}
		each := (bytes + uint64(ctas) - 1) / uint64(ctas)
		return []Piece{{Addr: addr, Inner: each, Bytes: each, Limit: bytes}}
	}
	r.Reads, r.Writes = piece(from, read), piece(to, written)
	k := p.Retrieve.Score.Kernel("sweep", ctas, r)
	k.FixedSM, k.Even = true, true
	return k
}

// Beside builds one grid of two kernels that run at once on two streams: main
// with side's CTAs spread among its own, several of side's to each of these so
// that both end together.
func Beside(main, side *gpu.Kernel) *gpu.Kernel {
	const most = 32 // CTAs of side in one of the grid: what a warp each would have been
	k := *main
	n := (side.CTAs + most - 1) / most
	k.CTAs = main.CTAs + n
	k.Program = &beside{main: main, side: side, each: most, sides: n, of: k.CTAs}
	k.Merge, k.Where = false, nil
	return &k
}

// beside is two programs in one grid.
type beside struct {
	main, side      *gpu.Kernel
	each, sides, of int
}

// pick returns the CTA of the main program, or the number among those of the
// side one.
func (b *beside) pick(cta int) (n int, side bool) {
	before, after := cta*b.sides/b.of, (cta+1)*b.sides/b.of
	if after > before {
		return before, true
	}
	return cta - before, false
}

// sides calls do for the side's CTAs that one of the grid stands for.
func (b *beside) all(n int, do func(cta int)) {
	for cta := n * b.each; cta < min((n+1)*b.each, b.side.CTAs); cta++ {
		do(cta)
	}
}

// Tiles implements gpu.Program.
func (b *beside) Tiles(cta int) int {
	n, side := b.pick(cta)
	if side {
		return 1
	}
	return b.main.Program.Tiles(n)
}

// Prologue implements gpu.Program.
func (b *beside) Prologue(cta int, runs []gpu.Run) []gpu.Run {
	n, side := b.pick(cta)
	if !side {
		return b.main.Program.Prologue(n, runs)
	}
	b.all(n, func(c int) { runs = b.side.Program.Prologue(c, runs) })
	return runs
}

// Tile implements gpu.Program.
func (b *beside) Tile(cta, tile int, runs []gpu.Run) []gpu.Run {
	n, side := b.pick(cta)
	if !side {
		return b.main.Program.Tile(n, tile, runs)
	}
	b.all(n, func(c int) { runs = b.side.Program.Tile(c, 0, runs) })
	return runs
}

// Epilogue implements gpu.Program.
func (b *beside) Epilogue(cta int, runs []gpu.Run) []gpu.Run {
	n, side := b.pick(cta)
	if !side {
		return b.main.Program.Epilogue(n, runs)
	}
	b.all(n, func(c int) { runs = b.side.Program.Epilogue(c, runs) })
	return runs
}
