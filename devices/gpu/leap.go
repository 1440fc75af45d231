package gpu

// Progress is where the grid on the SMs stands.
type Progress struct {
	Op     int    // -1 when the SMs are idle
	Bytes  uint64 // that SMs have read since the simulation began, all kernels
	Placed int    // CTAs handed to SMs
	Left   int    // CTAs not yet done
	Total  int    // CTAs of the grid
}

// Progress returns where the grid stands. It may be called between windows.
func (u *GPU) Progress() Progress {
	f := u.Front
	p := Progress{Op: f.running}
	if f.running >= 0 {
		p.Placed, p.Left, p.Total = f.grid.next, f.grid.left, f.ops[f.running].Kernel.CTAs
	}
	for _, g := range u.Groups {
		p.Bytes += g.bytes
	}
	return p
}

// Leap is work of the grid on the SMs that can be taken as done, every
// resident CTA moving on by the same amount: whole CTAs while enough of them
// wait for a place (Waves), else tiles of the resident ones (Steps).
type Leap struct {
	Waves int
	Steps int
	Bytes float64 // read by all of it
}

// leapMargin is how many tiles a leap leaves for the earliest CTA to load:
// with those in flight, draining is simulated.
const leapMargin = 2

// Leap returns the largest leap possible now.
func (u *GPU) Leap() Leap {
	f := u.Front
	if f.running < 0 {
		return Leap{}
	}
	k := f.ops[f.running].Kernel
	resident, live, least := 0, 0, int32(1<<31-1)
	tile := 0.0 // bytes of one tile of each resident CTA together
	for _, g := range u.Groups {
		for i := range g.ctas {
			c := &g.ctas[i]
			if c.kernel != k {
				continue
			}
			resident++
			if c.live && !c.ending {
				live++
				least = min(least, c.tiles-c.next)
			}
			if c.tiles > 0 {
				tile += u.runBytes(k.Program.Tile(int(c.id), int(min(c.next, c.tiles-1)), u.runs[:0]))
			}
		}
	}
	if resident == 0 || k.Program.Tiles(0) == 0 {
		return Leap{}
	}
	if f.grid.left == k.CTAs && live < f.grid.next {
		return Leap{} // the first wave is still starting
	}
	if waves := u.equalWaves(k, resident); waves > 0 {
		first := u.runBytes(k.Program.Prologue(f.grid.next, u.runs[:0]))
		return Leap{Waves: waves, Bytes: float64(waves) * (tile*float64(k.Program.Tiles(f.grid.next)) + first*float64(resident))}
	}
	steps := int(least) - leapMargin
	if live < resident || resident < f.grid.left && f.grid.next == k.CTAs || steps <= 0 {
		return Leap{}
	}
	return Leap{Steps: steps, Bytes: float64(steps) * tile}
}

// runBytes adds up runs and keeps their storage for the next call.
func (u *GPU) runBytes(runs []Run) float64 {
	n := uint64(0)
	for i := range runs {
		n += runs[i].Total()
	}
	u.runs = runs
	return float64(n)
}

// equalWaves returns how many times all resident CTAs can be exchanged for
// waiting ones with as many tiles, the last wave staying behind.
func (u *GPU) equalWaves(k *Kernel, resident int) int {
	g := &u.Front.grid
	first := max(0, g.next-2*resident)
	tiles := k.Program.Tiles(first)
	same := first
	for same < k.CTAs && k.Program.Tiles(same) == tiles {
		same++
	}
	return max(0, (same-g.next)/resident-1)
}

// Upto returns the leap cut to at most so many bytes, in whole waves or
// tiles.
func (u *GPU) Upto(l Leap, bytes float64) Leap {
	if l.Bytes == 0 || bytes >= l.Bytes {
		return l
	}
	if l.Waves > 0 {
		each := l.Bytes / float64(l.Waves)
		w := int(bytes / each)
		return Leap{Waves: w, Bytes: each * float64(w)}
	}
	each := l.Bytes / float64(l.Steps)
	s := int(bytes / each)
	return Leap{Steps: s, Bytes: each * float64(s)}
}

// Apply takes the leap's work as done. What is in flight stays in flight, so
// CTAs keep their spread; caches, banks and queues keep the state that the
// stream has left them in.
func (u *GPU) Apply(l Leap) {
	f := u.Front
	k := f.ops[f.running].Kernel
	moved := 0
	for _, g := range u.Groups {
		for i := range g.ctas {
			if c := &g.ctas[i]; c.kernel == k {
				c.next += int32(l.Steps)
				c.done += int32(l.Steps)
				c.leapt += int32(l.Steps)
				moved++
			}
		}
	}
	if l.Waves == 0 {
		return
	}
	shift := l.Waves * moved
	for _, g := range u.Groups {
		for i := range g.ctas {
			if c := &g.ctas[i]; c.kernel == k {
				c.id += int32(shift)
			}
		}
	}
	f.grid.next += shift
	f.grid.left -= shift
}
