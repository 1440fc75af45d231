package micro

import (
	"hwsim/devices/gpu"
	"hwsim/hierarchy"
	"hwsim/sim"
)

// chasers is how many lone chases run on the SM beside the stream, so that a
// short window has many of them; together they read a thousandth of what a
// loaded machine does.
const chasers = 32

// loaded is a grid whose first CTA chases while the others stream.
type loaded struct {
	stream stream
	chased uint64 // lines
	pause  sim.Time
	period sim.Time // of an iteration at the least
}

var loadedCode = code{"loaded", 32, loadedTogether, 18, constantPace, 0}

const (
	loadedTogether = 4
	loadedLength   = 80 // instructions a round
	loadedRange    = 8 << 30
	chaseOffset    = 64 << 30 // of the chase's memory
)

func newLoaded(c *hierarchy.Config, o LoadedOptions) *loaded {
	pause := cycles(c, float64(o.PauseCycles))
	return &loaded{chased: loadedRange / line, pause: pause, period: pause + sim.Microsecond,
		stream: stream{pieces: loadedRange / piece, threads: o.Threads, blocks: o.SMs, writes: o.WritesOf4, unroll: loadedTogether}}
}

func (p *loaded) kernel(c *hierarchy.Config) *gpu.Kernel {
	k := kernel(c, loadedCode, 1+p.stream.blocks, p.stream.threads, p)
	k.Shared = 160 << 10 // one CTA a SM
	compute := k.Warps.Time
	k.Warps.Time = func(cta, tile int) (chain, sm sim.Time) {
		chain, sm = compute(cta, tile)
		if cta > 0 {
			chain += p.pause
		}
		return chain, sm
	}
	k.Warps.Flow = func(cta int) uint8 {
		if cta == 0 {
			return flowB
		}
		return flowA
	}
	return k
}

func (p *loaded) warps(cta int) int {
	if cta == 0 {
		return chasers
	}
	return p.stream.warps(cta - 1)
}

func (p *loaded) instructions(cta, _ int) int {
	if cta == 0 {
		return 0
	}
	return loadedLength
}

func (p *loaded) round(cta, warp, n int, runs []gpu.Run) []gpu.Run {
	if cta == 0 {
		return append(runs, load(chaseOffset+mix(uint64(n*chasers+warp))%p.chased*line, sector))
	}
	return p.stream.round(cta-1, warp, n, runs)
}
