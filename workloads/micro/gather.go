package micro

import (
	"math/bits"

	"hwsim/devices/gpu"
	"hwsim/hierarchy"
)

// gather is a grid whose groups of lanes each read eight random chunks at
// once.
type gather struct {
	from, chunk     uint64
	chunks          uint64
	blocks, threads int
	groups          int // of lanes in a warp
	steps           int // pieces of a chunk, one after the other
}

// What the compiler made of the gather. For chunks of one piece all loads of an
// iteration are in flight together; larger ones are read in rounds. The pace is
// that of the stall counts. A scheduler is busy for 341 cycles an iteration of
// chunks of one piece, nearly as long as a warp alone takes for it (measured: 16
// warps of an SM read 95 GB/s within 16 MB): its multiplications have their unit
// for several cycles each. 66 registers are the object file's figure, two more
// than the code shows: an SM has room for one block of 512 threads, no more.
var (
	gatherOne  = code{"gather", 66, gatherUnroll, 6.4, 1.55, 1.6}
	gatherMany = code{"gather", 66, 2, 9, 2, 0}
)

const (
	gatherUnroll = 8
	gatherShort  = 242 // instructions of an iteration for chunks of one piece
	gatherHash   = 220 // for eight addresses of larger chunks
	gatherRound  = 14  // a round of these
)

// gatherRounds is how the sixteen loads of two steps, an iteration of the loop
// for chunks of several pieces, are in flight: the compiler takes registers of
// earlier loads for later ones.
var gatherRounds = [8]struct{ first, count int }{{0, 2}, {2, 1}, {3, 2}, {5, 2}, {7, 2}, {9, 2}, {11, 2}, {13, 3}}

func newGather(o GatherOptions) *gather {
	lanes := min(o.Chunk/16, warpLanes)
	return &gather{from: base(o.Tier), chunk: o.Chunk, chunks: o.Range / o.Chunk, blocks: o.Blocks, threads: o.Threads,
		groups: int(warpLanes / lanes), steps: int(o.Chunk / 16 / lanes)}
}

func (p *gather) kernel(c *hierarchy.Config) *gpu.Kernel {
	k := gatherMany
	if p.steps == 1 {
		k = gatherOne
		k.accesses *= p.groups
		k.between /= float64(p.groups)
	}
	return kernel(c, k, p.blocks, p.threads, p)
}

func (p *gather) warps(int) int { return p.threads / warpLanes }

func (p *gather) instructions(_, n int) int {
	switch {
	case p.steps == 1:
		return gatherShort
	case n%p.rounds() == 0:
		return gatherHash + gatherRound
	}
	return gatherRound
}

// rounds returns how many it takes to read eight chunks.
func (p *gather) rounds() int {
	if p.steps == 1 {
		return 1
	}
	return p.steps / 2 * len(gatherRounds)
}

func (p *gather) round(cta, warp, n int, runs []gpu.Run) []gpu.Run {
	w := cta*p.warps(0) + warp
	if p.steps == 1 {
		for u := range gatherUnroll {
			for g := range p.groups {
				runs = append(runs, load(p.place(w*p.groups+g, n*gatherUnroll+u), uint32(p.chunk)))
			}
		}
		return runs
	}
	n += int(mix(uint64(w)) % uint64(p.rounds())) // warps are anywhere in their chunks once the kernel has run for a while
	batch, n := n/p.rounds(), n%p.rounds()
	r := gatherRounds[n%len(gatherRounds)]
	for i := range r.count {
		step, u := (r.first+i)/gatherUnroll, (r.first+i)%gatherUnroll
		step += n / len(gatherRounds) * 2
		runs = append(runs, load(p.place(w, batch*gatherUnroll+u)+uint64(step)*piece, piece))
	}
	return runs
}

// place returns the address of the n-th chunk of a group of lanes.
func (p *gather) place(group, n int) uint64 {
	return p.from + mix(uint64(group)*1000003+uint64(n)+77777777)%p.chunks*p.chunk
}

// warm leaves in the L2 what earlier chunks of a range have brought there.
func (p *gather) warm(m *machine) {
	const matters = 4 << 30 // bytes: of a larger range the L2 holds 1.5 % at most
	if p.chunks*p.chunk > matters {
		return
	}
	for n := range m.Config.L2.Bytes * 3 / 2 / p.chunk {
		m.Loaded(p.place(-1, int(n)), p.chunk, int(mix(n)%uint64(m.Config.L2.Partitions)))
	}
}

// strided is a grid whose warps read a piece at every so many bytes.
type strided struct {
	from, stride, places uint64
	blocks, threads      int
}

var stridedCode = code{"strided", 40, stridedTogether, 11, 1.05, 0}

const (
	stridedTogether = 4
	stridedLength   = 88 // instructions a round
)

func newStrided(o GatherOptions) *strided {
	return &strided{from: base(o.Tier), stride: o.Strided, places: o.Range / o.Strided, blocks: o.Blocks, threads: o.Threads}
}

func (p *strided) kernel(c *hierarchy.Config) *gpu.Kernel {
	return kernel(c, stridedCode, p.blocks, p.threads, p)
}

func (p *strided) warps(int) int { return p.threads / warpLanes }

func (p *strided) instructions(_, _ int) int { return stridedLength }

func (p *strided) round(cta, warp, n int, runs []gpu.Run) []gpu.Run {
	all := uint64(p.blocks * p.warps(0))
	for u := range stridedTogether {
		i := uint64(cta*p.warps(0)+warp) + uint64(n*stridedTogether+u)*all
		turn := i >> (bits.Len64(p.places) - 1) // how often the range has been gone over
		runs = append(runs, load(p.from+i%p.places*p.stride+turn*piece%p.stride, piece))
	}
	return runs
}
