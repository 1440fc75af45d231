package micro

import (
	"hwsim/devices/gpu"
	"hwsim/hierarchy"
	"hwsim/sim"
)

// body is what a warp's loop does.
type body interface {
	// warps returns how many warps a CTA has.
	warps(cta int) int
	// round appends what a warp of a CTA has in flight together in the n-th
	// round of its loop.
	round(cta, warp, n int, runs []gpu.Run) []gpu.Run
	// instructions returns how many the warp executes in the n-th round.
	instructions(cta, n int) int
}

// code is what the compiler made of a kernel.
type code struct {
	name      string
	registers int // a thread
	accesses  int // of a round, where they leave one after the other as it is executed
	between   int // instructions from one of them to the next
}

// forever is more tiles than a CTA ever computes.
const forever = 1 << 30

// loop is the gpu.Program of a body.
type loop struct{ body }

// Tiles implements gpu.Program.
func (loop) Tiles(int) int { return forever }

// Prologue implements gpu.Program.
func (loop) Prologue(_ int, runs []gpu.Run) []gpu.Run { return runs }

// Epilogue implements gpu.Program.
func (loop) Epilogue(_ int, runs []gpu.Run) []gpu.Run { return runs }

// Tile implements gpu.Program.
func (l loop) Tile(cta, tile int, runs []gpu.Run) []gpu.Run {
	n := l.warps(cta)
	return l.round(cta, tile%n, tile/n, runs)
}

// cycles returns the length of so many of the SMs' cycles.
func cycles(c *hierarchy.Config, n float64) sim.Time {
	return sim.FromNanoseconds(n * 1e3 / c.GPU.ClockMHz)
}

// Cycles that an instruction takes a warp that has its scheduler to itself,
// and the SM. Four schedulers each issue one a cycle. Measured: one warp of
// stream<0> goes over 1 MiB, which the near L2 holds, at 10.75 GB/s, 381 ns a
// round of 119 instructions, of which 146 are the hit and 16 the port.
const (
	chainCycles = 3.65
	issueCycles = 0.25
)

// kernel returns the grid of a body.
func kernel(c *hierarchy.Config, k code, ctas, threads int, b body) *gpu.Kernel {
	time := func(cta, tile int) (chain, sm sim.Time) {
		n := float64(b.instructions(cta, tile/b.warps(cta)))
		rest := n - float64(max(0, k.accesses-1)*k.between)
		return cycles(c, rest*chainCycles), cycles(c, n*issueCycles)
	}
	return &gpu.Kernel{Name: k.name, CTAs: ctas, Threads: threads, Registers: k.registers, Stages: 1, Program: loop{b},
		Warps: &gpu.Warps{Of: b.warps, Time: time, Gap: cycles(c, float64(k.between)*chainCycles)}}
}

// load returns one load of a warp.
func load(addr uint64, bytes uint32) gpu.Run { return gpu.Run{Addr: addr, Rows: 1, Bytes: bytes} }

// store returns one store of a warp.
func store(addr uint64) gpu.Run { return gpu.Run{Addr: addr, Rows: 1, Bytes: piece, Store: true} }

// mix is the hash of micro.cu, from which its random addresses come.
func mix(x uint64) uint64 {
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}
