package gpu

import (
	"math"

	"hwsim/sim"
)

// MaxStages bounds the tiles that one CTA can have in flight.
const MaxStages = 32

// Run is a two-dimensional piece of memory: rows of contiguous bytes at a
// pitch.
type Run struct {
	Addr  uint64
	Pitch uint64 // bytes from row to row
	Rows  uint32
	Bytes uint32 // a row
	Store bool   // of a tile: its bytes are written, not read
}

// Total returns the run's bytes.
func (r *Run) Total() uint64 { return uint64(r.Rows) * uint64(r.Bytes) }

// Program says what the CTAs of one kernel read and write. Its methods are
// called from several goroutines at once and must be pure.
type Program interface {
	// Tiles returns how many tiles the CTA computes.
	Tiles(cta int) int
	// Prologue appends what the CTA must read before its first tile.
	Prologue(cta int, runs []Run) []Run
	// Tile appends what one tile reads, or stores.
	Tile(cta, tile int, runs []Run) []Run
	// Epilogue appends what the CTA writes at its end.
	Epilogue(cta int, runs []Run) []Run
}

// Where names the memory, or the mixture of memories, that a CTA's tiles lie
// in, from one on, and returns the first tile that does not.
type Where func(cta, tile int) (memory, until int)

// Kernel is one grid to run.
type Kernel struct {
	Name       string
	CTAs       int
	Threads    int      // a CTA
	Registers  int      // a thread
	Shared     int      // bytes of shared memory a CTA
	Stages     int      // tiles in flight a CTA, 1 to MaxStages
	Code       sim.Time // until an SM has the kernel's code, from its first CTA on
	Prologue   sim.Time
	Epilogue   sim.Time
	TileChain  sim.Time // least time from tile to tile within a CTA
	TileSM     sim.Time // share of that for which the tile has the SM to itself
	TilePower  sim.Time // mean time from tile to tile in a CTA that the GPU's power allows; 0: no limit
	Drain      sim.Time // further time of every DrainEvery-th tile of a CTA but the last: results leave the accumulators
	DrainEvery int
	Crowded    []sim.Time // TileChain by the number of CTAs on the SM, from one up; nil: always TileChain
	Aged       []float64  // of TileChain, by age of the CTA among as many on the SM, oldest first: issue slots go to the oldest warps; nil: all alike
	FixedSM    bool       // prologue and epilogue, too, have the SM to themselves
	Even       bool       // CTAs share the SM evenly, as warps' instructions come in turn: in fixed parts (with FixedSM), and to ask for a line a request
	InTurn     bool       // a tile's loads leave when the tile before it is here, not when a stage is free
	Merge      bool       // CTAs read the same data at the same time: what a GPC has asked for is not asked for again
	Warps      *Warps     // CTAs of independent warps instead of a pipeline of stages; nil: a pipeline
	Where      Where      // nil: all tiles lie in one memory
	Program    Program
	Flow       uint8 // index under which the kernel's requests are counted

	Residency int // CTAs a SM holds; set when the kernel is added
}

// where returns what Where does.
func (k *Kernel) where(cta, tile int) (memory int, until int32) {
	if k.Where == nil {
		return 0, math.MaxInt32
	}
	memory, n := k.Where(cta, tile)
	return memory, int32(min(n, math.MaxInt32))
}

// Resident returns how many of the kernel's CTAs fit one SM, at least one.
func (c *Config) Resident(k *Kernel) int { return c.resident(k) }

// resident returns how many of the kernel's CTAs fit one SM, at least one.
func (c *Config) resident(k *Kernel) int {
	n := min(c.CTAs, c.Threads/max(k.Threads, 1))
	if k.Registers > 0 {
		// registers are handed out by warp in units of 256
		perWarp := (k.Registers*32 + 255) / 256 * 256
		n = min(n, c.Registers/(perWarp*((k.Threads+31)/32)))
	}
	if k.Shared > 0 {
		n = min(n, c.SharedBytes/(k.Shared+1024)) // CUDA reserves 1 KiB a CTA
	}
	return max(n, 1)
}
