package kernels

import "hwsim/devices/gpu"

// sweepBytes is what a CTA of a sweep reads or writes: as much as one of the
// scoring kernel, 64 landmarks of 256 bytes.
const sweepBytes = 16 << 10

// Sweep builds a kernel that reads so many bytes of a stretch from end to end, and
// writes some of another, under the launch of the scoring kernel: a CTA for each
// piece.
func (p *Profiles) Sweep(from Stretch, read uint64, to Stretch, written uint64) *gpu.Kernel {
	ctas := int((max(read, written, 1) + sweepBytes - 1) / sweepBytes)
	k := p.Retrieve.Score.Kernel("sweep", ctas, &sweep{from: from, to: to, read: read, written: written, of: uint64(ctas)})
	k.FixedSM, k.Even = true, true
	return k
}

// sweep is a pass over memory.
type sweep struct {
	from, to      Stretch
	read, written uint64
	of            uint64 // CTAs
}

// piece appends a CTA's share of so many bytes of a stretch: spread over all of it
// if they are fewer.
func (s *sweep) piece(cta int, of Stretch, bytes uint64, runs []gpu.Run) []gpu.Run {
	begin, end := uint64(cta)*bytes/s.of, uint64(cta+1)*bytes/s.of
	at := begin
	if all := of.Bytes(); bytes < all {
		at = uint64(cta) * (all / s.of)
	}
	return of.Runs(at, end-begin, runs)
}

// Tiles implements gpu.Program.
func (*sweep) Tiles(int) int { return 0 }

// Prologue implements gpu.Program.
func (s *sweep) Prologue(cta int, runs []gpu.Run) []gpu.Run {
	return s.piece(cta, s.from, s.read, runs)
}

// Tile implements gpu.Program.
func (*sweep) Tile(_, _ int, runs []gpu.Run) []gpu.Run { return runs }

// Epilogue implements gpu.Program.
func (s *sweep) Epilogue(cta int, runs []gpu.Run) []gpu.Run {
	return s.piece(cta, s.to, s.written, runs)
}

// Beside builds one grid of two kernels that run at once on two streams: main
// with side's CTAs, many to one, spread evenly among its own so that both end
// together.
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

// all calls do for the side's CTAs that one of the grid stands for.
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
