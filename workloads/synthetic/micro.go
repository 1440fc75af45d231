package synthetic

import (
	"cmp"

	"hwsim/sim"
)

func validateStride(c *Config, report func(key, message string)) {
	if s := c.stride(); s < wordBytes || s > c.footprint() || s%wordBytes != 0 {
		report("stride_bytes", "must be a multiple of 8, at most footprint_bytes")
	}
}

func (c *Config) stride() int { return cmp.Or(c.StrideBytes, pageBytes) }

func placeStream(c *Config, m *space) generator { return newStrided(c, m, wordBytes) }

func placeStride(c *Config, m *space) generator { return newStrided(c, m, c.stride()) }

// strided reads an array in equal steps, again and again from its start.
type strided struct {
	base, bytes, step, at uint64
}

func newStrided(c *Config, m *space, step int) *strided {
	bytes := c.footprint()
	return &strided{base: m.region(bytes), bytes: uint64(bytes), step: uint64(step)}
}

func (s *strided) start(sim.Rand) {}

func (s *strided) run(out *emitter) {
	for !out.full() {
		s.next(out)
	}
}

func (s *strided) next(out *emitter) {
	out.read(s.base + s.at)
	if s.at += s.step; s.at >= s.bytes {
		s.at = 0
	}
}

// uniform reads lines of an array, each as likely as the others.
type uniform struct {
	base   uint64
	lines  int
	random sim.Rand
}

func placeUniform(c *Config, m *space) generator {
	bytes := c.footprint()
	return &uniform{base: m.region(bytes), lines: bytes / lineBytes}
}

func (u *uniform) start(r sim.Rand) { u.random = r }

func (u *uniform) run(out *emitter) {
	for !out.full() {
		out.read(u.base + uint64(u.random.IntN(u.lines))*lineBytes)
	}
}

// popular reads a random line of a page drawn by a zipf distribution, whose
// ranks lie in no order.
type popular struct {
	base   uint64
	pages  uint64
	skew   float64
	ranks  zipf
	order  permutation
	random sim.Rand
}

func validateZipf(c *Config, report func(key, message string)) {
	within(report, "skew", c.skew(), 0, 8)
}

// skew returns the exponent, by default that of the row zipf in
// champsim_tlb_synthetic.csv.
func (c *Config) skew() float64 { return value(c.Skew, 0.99) }

func placeZipf(c *Config, m *space) generator {
	bytes := c.footprint()
	return &popular{base: m.region(bytes), pages: uint64(bytes) / pageBytes, skew: c.skew()}
}

func (p *popular) start(r sim.Rand) {
	p.ranks = newZipf(p.pages, p.skew)
	p.order = newPermutation(p.pages, &r)
	p.random = r
}

func (p *popular) run(out *emitter) {
	for !out.full() {
		page := p.order.at(p.ranks.draw(&p.random))
		out.read(p.base + page*pageBytes + p.random.Uint64()>>58*lineBytes)
	}
}

// chase follows pointers through all lines of an array, in a random cycle.
type chase struct {
	base, lines, step uint64
	order             permutation
}

func placeChase(c *Config, m *space) generator {
	bytes := c.footprint()
	return &chase{base: m.region(bytes), lines: uint64(bytes) / lineBytes}
}

func (c *chase) start(r sim.Rand) { c.order = newPermutation(c.lines, &r) }

func (c *chase) run(out *emitter) {
	for !out.full() {
		out.follow(c.base+c.order.at(c.step)*lineBytes, 1)
		if c.step++; c.step == c.lines {
			c.step = 0
		}
	}
}
