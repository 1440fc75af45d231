package gpu

import (
	"math"

	"gonum.org/v1/gonum/stat"

	"hwsim/sim"
)

// Progress is where the grid on the SMs stands.
type Progress struct {
	Op     int    // -1 when the SMs are idle
	Bytes  uint64 // that SMs have read since the simulation began, all kernels
	Placed int    // CTAs handed to SMs
	Left   int    // CTAs not yet done
	Total  int    // CTAs of the grid

	Crossings int // of CTAs to tiles in another memory, since the simulation began
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
		p.Crossings += g.crossings
	}
	return p
}

// Leap is work of the grid on the SMs that can be taken as done: whole CTAs
// while enough of them wait for a place (Waves), else tiles of the resident
// ones (Steps, in the mean).
type Leap struct {
	Waves int
	Steps int
	Bytes float64 // read by all of it
	Tail  float64 // ps by which the kernel's end is uncertain, for the CTAs' spread at it is
}

// leapMargin is how many tiles a leap leaves for the earliest CTA to load:
// with those in flight, draining is simulated.
const leapMargin = 2

// Leap returns the largest leap possible now, at the given rate of the grid's
// reads in bytes a ps.
func (u *GPU) Leap(now sim.Time, rate float64) Leap {
	f := u.Front
	if f.running < 0 {
		return Leap{}
	}
	k := f.ops[f.running].Kernel
	resident, live := 0, 0
	tile, whole := 0.0, 0.0 // bytes of one tile, and of all, of each resident CTA together
	u.each(k, func(c *cta) {
		resident++
		if c.live && !c.ending {
			live++
		}
		if c.tiles > 0 {
			bytes := func(tile int32) float64 { return u.runBytes(k.Program.Tile(int(c.id), int(tile), u.runs[:0])) }
			tile += bytes(min(c.next, c.tiles-1))
			whole += bytes(0)*float64(c.tiles-1) + bytes(c.tiles-1)
		}
	})
	if resident == 0 || k.Program.Tiles(0) == 0 || rate <= 0 {
		return Leap{}
	}
	if f.grid.left == k.CTAs && live < f.grid.next {
		return Leap{} // the first wave is still starting
	}
	if waves := u.equalWaves(k, resident); waves > 0 {
		first := u.runBytes(k.Program.Prologue(f.grid.next, u.runs[:0]))
		return Leap{Waves: waves, Bytes: float64(waves) * (whole + first*float64(resident))}
	}
	d := u.drift(k, now, 0)
	if live < resident || resident < f.grid.left && f.grid.next == k.CTAs || !u.told(d, now) {
		return Leap{}
	}
	steps, spread := u.steps(k, d, tile/rate)
	if steps <= 0 {
		return Leap{}
	}
	l := Leap{Steps: steps, Bytes: float64(steps) * tile}
	if f.grid.next == k.CTAs { // else other CTAs take the places of the first to end
		l.Tail = spread * tile / rate / 2
	}
	return l
}

// tellingTiles are how many the CTAs of each memory must have done, in the mean,
// before the last Mark and after it, for their paces to be told from chance.
const tellingTiles = 2

// told reports whether the CTAs' paces are known. If too little was done at the
// last Mark, it sets another as soon as that tells something.
func (u *GPU) told(d *drift, now sim.Time) bool {
	before, since, all := true, true, true
	for _, p := range d.paces {
		enough := tellingTiles * p.ctas
		before, since, all = before && p.oldDone >= enough, since && p.done-p.oldDone >= enough, all && p.done >= enough
	}
	if !before && all {
		u.Mark(now)
	}
	return before && since
}

// each calls f with every resident CTA of the kernel.
func (u *GPU) each(k *Kernel, f func(c *cta)) {
	for _, g := range u.Groups {
		for i := range g.ctas {
			if c := &g.ctas[i]; c.kernel == k {
				f(c)
			}
		}
	}
}

// steps returns by how many tiles, in the mean, the resident CTAs can leap
// with none of them reaching its end, and how many tiles (standard deviation)
// they come further apart by chance; round is the time of a tile of each.
func (u *GPU) steps(k *Kernel, d *drift, round float64) (steps int, spread float64) {
	least := math.Inf(1)
	u.each(k, func(c *cta) { least = min(least, float64(c.room())/d.share(c)) })
	d.length = least * round
	n, squares := 0.0, 0.0
	u.each(k, func(c *cta) {
		further := d.further(c)
		least = min(least, (float64(c.room())-further)/d.share(c))
		n, squares = n+1, squares+further*further
	})
	return int(least), math.Sqrt(squares/n) * d.chance
}

// room returns how many tiles a leap can take the CTA on.
func (c *cta) room() int32 { return max(0, min(c.tiles-leapMargin, c.alike)-c.next) }

// drift is how much further apart CTAs come over a leap than they are. Those
// that read from a faster memory keep their pace. Among those of one memory a
// CTA's pace differs from the mean's for good, as when it shares its SM with
// fewer, and by chance: what it is ahead of the mean of its age grows with its
// time for the one and, as a random walk, with the square root of its time for
// the other. How much of it is lasting is told by how far those ahead at the
// last Mark have gained more since.
type drift struct {
	now, length float64 // ps
	paces       []pace
	mean        float64 // tiles a ps of a CTA, of all memories
	real        float64 // share of the deviations that is more than the counting of whole tiles
	lasting     float64 // share of their variance that is of lasting differences
	chance      float64 // share of the deviations to come that the past does not tell
}

// pace is what the CTAs that read from one memory have done there, all together.
type pace struct {
	memory          int
	ctas            float64
	done, age       float64 // tiles, ps
	oldDone, oldAge float64 // at the last Mark
}

// speed returns a CTA's tiles a ps.
func (p *pace) speed() float64 { return p.done / p.age }

// of returns the pace of the CTA's memory.
func (d *drift) of(c *cta) *pace {
	for i := range d.paces {
		if d.paces[i].memory == c.memory {
			return &d.paces[i]
		}
	}
	d.paces = append(d.paces, pace{memory: c.memory})
	return &d.paces[len(d.paces)-1]
}

// drift returns the drift over a leap of so many ps.
func (u *GPU) drift(k *Kernel, now sim.Time, length float64) *drift {
	d := &drift{now: float64(now), length: length}
	u.each(k, func(c *cta) {
		p := d.of(c)
		p.ctas++
		p.done, p.age = p.done+float64(c.here()), p.age+d.age(c)
		p.oldDone, p.oldAge = p.oldDone+float64(c.noted.done), p.oldAge+c.noted.age
	})
	n, age, oldAge := 0.0, 0.0, 0.0
	for i := range d.paces {
		p := &d.paces[i]
		n, age, oldAge = n+p.ctas, age+p.age, oldAge+p.oldAge
		d.mean += p.ctas * p.speed()
	}
	d.mean /= n
	squares := 0.0
	var before, since []float64
	u.each(k, func(c *cta) {
		e, p := d.ahead(c), d.of(c)
		squares += e * e
		if c.noted.age > 0 && p.oldAge < p.age {
			before = append(before, float64(c.noted.done)-p.oldDone/p.oldAge*c.noted.age)
			since = append(since, float64(c.here()-c.noted.done)-(p.done-p.oldDone)/(p.age-p.oldAge)*(d.age(c)-c.noted.age))
		}
	})
	const counting = 1.0 / 12 // variance of rounding to whole tiles
	if v := squares / n; v > counting {
		d.real = math.Sqrt((v - counting) / v)
		if len(before) > 2 { // a lasting difference in pace of variance r makes this covariance r × time before × time since
			r := (stat.Covariance(before, since, nil) + counting) / (oldAge * (age - oldAge))
			d.lasting = max(0, min(r*age*age/(v-counting), 1))
		}
	}
	d.chance = math.Sqrt(1 - d.lasting*d.lasting)
	return d
}

// Mark notes how far every CTA has come, for leaps to tell lasting differences
// between CTAs from chance. It may be called between windows.
func (u *GPU) Mark(now sim.Time) {
	d := drift{now: float64(now)}
	for _, g := range u.Groups {
		for i := range g.ctas {
			c := &g.ctas[i]
			c.noted.done, c.noted.age = c.here(), d.age(c)
		}
	}
}

// age returns the time since the CTA began to load, leaps included.
func (d *drift) age(c *cta) float64 { return max(1, d.now-float64(c.began)+float64(c.skipped)) }

// ahead returns by how many tiles a CTA is ahead of the mean of its memory.
func (d *drift) ahead(c *cta) float64 { return float64(c.here()) - d.of(c).speed()*d.age(c) }

// further returns by how many tiles more it will be after the leap.
func (d *drift) further(c *cta) float64 {
	age := d.age(c)
	longer := (age + d.length) / age
	grows := math.Sqrt(longer*(1+(longer-1)*d.lasting)) - 1
	return grows * d.ahead(c) * d.real
}

// share returns how many tiles a CTA of its memory does while one does in the
// mean.
func (d *drift) share(c *cta) float64 {
	if len(d.paces) == 1 {
		return 1
	}
	return d.of(c).speed() / d.mean
}

// takes returns how many tiles the leap takes a CTA on, if it is so many steps for
// all in the mean. What is left of a tile at its memory's pace it gets next time.
func (d *drift) takes(c *cta, steps int) int32 {
	exact := float64(steps)*d.share(c) + c.owed
	whole := math.Round(exact)
	c.owed = exact - whole
	return int32(whole + math.Round(d.further(c)))
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
// waiting ones with as many tiles in the same memory, the last wave staying
// behind.
func (u *GPU) equalWaves(k *Kernel, resident int) int {
	g := &u.Front.grid
	first := max(0, g.next-2*resident)
	tiles := k.Program.Tiles(first)
	memory, until := k.where(first, 0)
	same := first
	for same < k.CTAs && k.Program.Tiles(same) == tiles {
		if m, n := k.where(same, 0); m != memory || min(int(n), tiles) != min(int(until), tiles) {
			break
		}
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
	return Leap{Steps: s, Bytes: each * float64(s), Tail: l.Tail}
}

// Apply takes the leap's work, of the given length, as done. What is in
// flight stays in flight; caches, banks and queues keep the state that the
// stream has left them in.
func (u *GPU) Apply(l Leap, now, length sim.Time) {
	f := u.Front
	k := f.ops[f.running].Kernel
	if l.Waves > 0 {
		u.exchange(k, l.Waves)
		return
	}
	d := u.drift(k, now, float64(length))
	u.each(k, func(c *cta) {
		c.leap = max(0, min(d.takes(c, l.Steps), c.room()))
	})
	u.each(k, func(c *cta) {
		c.next += c.leap
		c.done += c.leap
		c.leapt += c.leap
		c.skipped += length
	})
}

// exchange puts CTAs in the places of the resident ones that come so many
// waves later.
func (u *GPU) exchange(k *Kernel, waves int) {
	resident := 0
	u.each(k, func(*cta) { resident++ })
	shift := waves * resident
	u.each(k, func(c *cta) { c.id += int32(shift) })
	u.Front.grid.next += shift
	u.Front.grid.left -= shift
}
