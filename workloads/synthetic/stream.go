package synthetic

import (
	"hwsim/devices/cpu"
	"hwsim/sim"
)

// Base is the lowest address of every stream.
const Base = 1 << 32

const (
	pageBytes  = 4096
	lineBytes  = 64
	pageLines  = pageBytes / lineBytes
	wordBytes  = 8
	alignBytes = 2 << 20 // of regions: a large page
)

// space hands out regions of the address range.
type space struct {
	bytes uint64
}

// region returns the address of a new region.
func (m *space) region(bytes int) uint64 {
	at := Base + m.bytes
	m.bytes += (uint64(bytes) + alignBytes - 1) / alignBytes * alignBytes
	return at
}

// generator makes the accesses of a stream. It is made by its kind's place,
// which only finds out where its regions lie.
type generator interface {
	// start draws what the stream needs before its first access.
	start(r sim.Rand)
	// run adds accesses until out is full, and can then go on.
	run(out *emitter)
}

// chunk is how many accesses a generator makes at a time, at least: enough to
// make its call cheap.
const chunk = 1024

// emitter collects accesses. The slice grows past the chunk by what a generator
// adds in one go, and then no more.
type emitter struct {
	accesses []cpu.Access
	before   uint64 // accesses already taken away
	gap      dither
}

func (e *emitter) full() bool { return len(e.accesses) >= chunk }

// count returns how many accesses there have been.
func (e *emitter) count() uint64 { return e.before + uint64(len(e.accesses)) }

func (e *emitter) read(addr uint64) {
	e.accesses = append(e.accesses, cpu.Access{Addr: addr, Gap: e.gap.next()})
}

func (e *emitter) write(addr uint64) {
	e.accesses = append(e.accesses, cpu.Access{Addr: addr, Gap: e.gap.next(), Write: true})
}

// follow reads an address that is the data of the access so many back.
func (e *emitter) follow(addr uint64, back uint32) {
	e.accesses = append(e.accesses, cpu.Access{Addr: addr, Gap: e.gap.next(), After: back})
}

// flush says that a branch on the data of the last access is mispredicted.
func (e *emitter) flush() { e.accesses[len(e.accesses)-1].Flush = true }

// stream hands out a generator's accesses in batches.
type stream struct {
	generator generator
	out       emitter
	taken     int // of out.accesses
}

func newStream(g generator, gap float64) *stream {
	s := &stream{generator: g, out: emitter{accesses: make([]cpu.Access, 0, 2*chunk), gap: newDither(gap)}}
	g.run(&s.out)
	for i := range s.out.accesses {
		if a := &s.out.accesses[i]; int(a.After) > i {
			a.After = 0 // nothing was before the stream
		}
	}
	return s
}

// Fill implements cpu.Stream. It always fills the batch.
func (s *stream) Fill(batch []cpu.Access) int {
	for n := 0; n < len(batch); {
		if s.taken == len(s.out.accesses) {
			s.out.before += uint64(s.taken)
			s.out.accesses, s.taken = s.out.accesses[:0], 0
			s.generator.run(&s.out)
		}
		k := copy(batch[n:], s.out.accesses[s.taken:])
		s.taken += k
		n += k
	}
	return len(batch)
}

// dither yields whole numbers that are a mean's two neighbours, in turns that
// keep their sum within one of the mean's multiple.
type dither struct {
	step, rest uint64 // 32 bits of fraction
}

func newDither(mean float64) dither { return dither{step: uint64(mean * (1 << 32))} }

func (d *dither) next() uint32 {
	d.rest += d.step
	n := uint32(d.rest >> 32)
	d.rest = uint64(uint32(d.rest))
	return n
}

// stack is a page of a program's own data: it is touched line by line in turn,
// so often that it stays in the first cache and the first TLB.
type stack struct {
	base, at uint64
	mean     dither // accesses in a row
}

func newStack(m *space, mean float64) stack {
	return stack{base: m.region(pageBytes), mean: newDither(mean)}
}

// touch reads as often as the mean says.
func (s *stack) touch(out *emitter) {
	for range s.mean.next() {
		out.read(s.base + s.at)
		s.at = (s.at + lineBytes) % pageBytes
	}
}
