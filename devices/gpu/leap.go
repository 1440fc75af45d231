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
	if live < resident || resident < f.grid.left && f.grid.next == k.CTAs || !u.told(k, now) {
		return Leap{}
	}
	steps, spread := u.steps(k, now, tile/rate)
	if steps <= 0 {
		return Leap{}
	}
	l := Leap{Steps: steps, Bytes: float64(steps) * tile}
	if f.grid.next == k.CTAs { // else other CTAs take the places of the first to end
		l.Tail = spread * tile / rate / 2
	}
	return l
}

// tellingTiles are how many each CTA must have done, in the mean, before the
// last Mark and after it, for its pace to be told from chance.
const tellingTiles = 2

// told reports whether the CTAs' paces are known. If too little was done at the
// last Mark, it sets another as soon as that tells something.
func (u *GPU) told(k *Kernel, now sim.Time) bool {
	ctas, before, since := 0, 0, 0
	u.each(k, func(c *cta) { ctas, before, since = ctas+1, before+int(c.noted.done), since+int(c.done-c.noted.done) })
	enough := tellingTiles * ctas
	if before < enough && before+since >= enough {
		u.Mark(now)
	}
	return before >= enough && since >= enough
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
func (u *GPU) steps(k *Kernel, now sim.Time, round float64) (steps int, spread float64) {
	room := func(c *cta) float64 { return float64(c.tiles - c.next - leapMargin) }
	least := math.Inf(1)
	u.each(k, func(c *cta) { least = min(least, room(c)) })
	d := u.drift(k, now, least*round)
	n, squares := 0.0, 0.0
	u.each(k, func(c *cta) {
		further := d.of(c)
		least = min(least, room(c)-further)
		n, squares = n+1, squares+further*further
	})
	return int(least), math.Sqrt(squares/n) * d.chance
}

// drift is how much further apart CTAs come over a leap than they are. A CTA's
// pace differs from the mean's for good, as when its data lie in a faster tier
// or it shares its SM with fewer, and by chance: what it is ahead of the mean of
// its age grows with its time for the one and, as a random walk, with the
// square root of its time for the other. How much of it is lasting is told by
// how far those ahead at the last Mark have gained more since.
type drift struct {
	now, length float64 // ps
	speed       float64 // mean tiles a ps
	real        float64 // share of the deviations that is more than the counting of whole tiles
	lasting     float64 // share of their variance that is of lasting differences
	chance      float64 // share of the deviations to come that the past does not tell
}

// drift returns the drift over a leap of so many ps.
func (u *GPU) drift(k *Kernel, now sim.Time, length float64) drift {
	d := drift{now: float64(now), length: length}
	var age, done, oldAge, oldDone float64
	u.each(k, func(c *cta) {
		age, done = age+d.age(c), done+float64(c.done)
		oldAge, oldDone = oldAge+c.noted.age, oldDone+float64(c.noted.done)
	})
	d.speed = done / age
	n, squares := 0.0, 0.0
	var before, since []float64
	u.each(k, func(c *cta) {
		e := d.ahead(c)
		n, squares = n+1, squares+e*e
		if c.noted.age > 0 && oldAge < age {
			before = append(before, float64(c.noted.done)-oldDone/oldAge*c.noted.age)
			since = append(since, float64(c.done-c.noted.done)-(done-oldDone)/(age-oldAge)*(d.age(c)-c.noted.age))
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
			c.noted.done, c.noted.age = c.done, d.age(c)
		}
	}
}

// age returns the time since the CTA began to load, leaps included.
func (d *drift) age(c *cta) float64 { return max(1, d.now-float64(c.began)+float64(c.skipped)) }

// ahead returns by how many tiles a CTA is ahead of the mean.
func (d *drift) ahead(c *cta) float64 { return float64(c.done) - d.speed*d.age(c) }

// of returns the tiles by which the leap takes a CTA further than the mean.
func (d *drift) of(c *cta) float64 {
	age := d.age(c)
	longer := (age + d.length) / age
	grows := math.Sqrt(longer*(1+(longer-1)*d.lasting)) - 1
	return grows * d.ahead(c) * d.real
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
		n := int32(math.Round(float64(l.Steps) + d.of(c)))
		c.leap = max(0, min(n, c.tiles-c.next-leapMargin))
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
