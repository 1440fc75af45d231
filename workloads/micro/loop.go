package micro

import (
	"cmp"
	"hwsim/devices"

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
	registers int     // a thread, as the object file says; subroutines take some that the code does not show
	accesses  int     // of a round, where they leave one after the other as it is executed
	between   float64 // cycles from one of them to the next
	pace      float64 // cycles an instruction takes a warp that has its scheduler to itself; 0: constantPace
	busy      float64 // cycles for which an instruction has its scheduler; 0: one
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

// constantPace is the pace of loops that load a constant before each access and
// wait for it. Measured: one warp of stream<0> goes over 1 MiB, which the near
// L2 holds, at 10.75 GB/s, 381 ns a round of 119 instructions, of which 146 are
// the hit and 16 the port. Its stall counts say as much if a load of a constant
// takes 48 cycles. Loops without such loads have the pace of their stall counts.
const constantPace = 3.65

// kernel returns the grid of a body. A scheduler is taken up by what a warp
// executes before its first access; the little between accesses is left out.
func kernel(c *hierarchy.Config, k code, ctas, threads int, b body) *gpu.Kernel {
	time := func(cta, tile int) (chain, sm sim.Time) {
		n := float64(b.instructions(cta, tile/b.warps(cta)))
		all := n * cmp.Or(k.pace, constantPace)
		alone := all - float64(max(0, k.accesses-1))*k.between
		return cycles(c, alone), cycles(c, n*cmp.Or(k.busy, 1)*alone/max(all, 1))
	}
	return &gpu.Kernel{Name: k.name, CTAs: ctas, Threads: threads, Registers: k.registers, Stages: 1, Program: loop{b},
		Warps: &gpu.Warps{Of: b.warps, Time: time, Gap: cycles(c, k.between)}}
}

// load returns one load of a warp.
func load(addr uint64, bytes uint32) gpu.Run { return gpu.Run{Addr: addr, Rows: 1, Bytes: bytes} }

// store returns one store of a warp.
func store(addr uint64) gpu.Run { return gpu.Run{Addr: addr, Rows: 1, Bytes: piece, Store: true} }

// mix is the hash of micro.cu, from which its random addresses come.
func mix(x uint64) uint64 { return devices.Mix(x) }
