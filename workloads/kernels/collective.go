package kernels

import (
	"math"

	"hwsim/devices/gpu"
	"hwsim/sim"
)

// RingProfile is a library's ring collectives: CTAs (channels) that pass
// chunks on to the next GPU by storing into its memory.
type RingProfile struct {
	Channels int      `toml:"channels"` // most CTAs
	BusGBps  float64  `toml:"bus_gbps"` // of the ring, as the library's tuner has it
	LL       Protocol `toml:"ll"`       // flags in every 8 B
	LL128    Protocol `toml:"ll128"`    // flags in every 128 B
	Simple   Protocol `toml:"simple"`   // flags apart, after a fence
}

// Protocol is a way to tell the next GPU that bytes are there.
type Protocol struct {
	Launch
	Warps        int     `toml:"warps"`         // warps that move data; those that go in step count as one
	WarpNs       float64 `toml:"warp_ns"`       // of a channel's beginning, for each of them
	TripBytes    int     `toml:"trip_bytes"`    // data a warp moves at once
	WireBytes    int     `toml:"wire_bytes"`    // what it stores for them in the next GPU
	TripNs       float64 `toml:"trip_ns"`       // of a warp's instructions a trip
	ChunkBytes   int     `toml:"chunk_bytes"`   // data of a channel's step, at most
	ChannelBytes int     `toml:"channel_bytes"` // of a message, for each channel
	PerGPU       bool    `toml:"per_gpu"`       // channel_bytes is for each GPU
	Fence        bool    `toml:"fence"`         // a flag waits until the bytes before it have been taken
	BaseUs       float64 `toml:"base_us"`       // the tuner's: a call
	HopUs        float64 `toml:"hop_us"`        // a step
	Share        float64 `toml:"share"`         // share of bus_gbps
	MostGBps     float64 `toml:"most_gbps"`     // 0: no less than that
}

// Ring is one call of a collective.
type Ring struct {
	Gather bool // all-gather, each GPU's part being of Bytes; else all-reduce of Bytes
	GPUs   int
	Bytes  uint64
	Hop    sim.Time // from a store to the next GPU's seeing it
	Fence  sim.Time // until a store is known to have been taken
	// Where the GPU has its data, its results and what the GPU before it sends,
	// and where the next GPU has the last.
	In, Out, Inbox, Next uint64
}

// steps returns how often a chunk is passed on.
func (r *Ring) steps() int {
	if r.Gather {
		return r.GPUs - 1
	}
	return 2 * (r.GPUs - 1)
}

// total returns the bytes of all GPUs' results on one of them.
func (r *Ring) total() uint64 {
	if r.Gather {
		return r.Bytes * uint64(r.GPUs)
	}
	return r.Bytes
}

// Choose returns the protocol that the tuner expects to be fastest.
func (p *RingProfile) Choose(r *Ring) *Protocol {
	best, least := &p.LL, math.Inf(1)
	for _, o := range []*Protocol{&p.LL, &p.LL128, &p.Simple} {
		gbps := p.BusGBps * o.Share
		if o.MostGBps > 0 {
			gbps = min(gbps, o.MostGBps)
		}
		gbps *= float64(r.GPUs) / float64(r.steps())
		if us := o.BaseUs + float64(r.steps())*o.HopUs + float64(r.total())/gbps/1e3; us < least {
			best, least = o, us
		}
	}
	return best
}

// Build returns the kernel of a call.
func (p *RingProfile) Build(name string, o *Protocol, r Ring) *gpu.Kernel {
	each := uint64(o.ChannelBytes)
	if o.PerGPU {
		each *= uint64(r.GPUs)
	}
	warps := o.Warps
	for warps > fewestWarps && r.total()*uint64(o.Warps) < each*uint64(warps) { // a short message has fewer
		warps /= 2
	}
	channels := max(1, min(p.Channels, int(r.total()/each)))
	g := &ring{Ring: r, o: o, warps: warps, channels: channels, steps: r.list(), share: divUp(int(r.Bytes), channels)}
	if !r.Gather {
		g.share = divUp(g.share, r.GPUs)
	}
	g.share = divUp(g.share, line) * line
	g.rounds = divUp(g.share, o.ChunkBytes)
	g.chunk = min(g.share, o.ChunkBytes)
	g.trips = divUp(g.chunk, warps*o.TripBytes)
	g.trip = max(instruction, sim.FromNanoseconds(o.TripNs))
	l := o.Launch
	l.Threads -= (o.Warps - warps) * 32
	l.PrologueNs += o.WarpNs * float64(warps)
	k := l.Kernel(name, channels, g)
	k.Warps = &gpu.Warps{Of: func(int) int { return warps }, Time: g.time}
	return k
}

const (
	fewestWarps = 4   // of a channel
	line        = 128 // bytes; shares begin at lines
)

func divUp(a, b int) int { return (a + b - 1) / b }

// step is what a channel does with a chunk.
type step struct {
	in, inbox bool // reads the GPU's own data, what was sent to it
	out, next bool // writes results, sends
}

// list returns a round's steps, each for another chunk.
func (r *Ring) list() (s []step) {
	if r.Gather {
		s = append(s, step{in: true, out: true, next: true})
	} else {
		s = append(s, step{in: true, next: true})
		for range r.GPUs - 2 {
			s = append(s, step{in: true, inbox: true, next: true})
		}
		s = append(s, step{in: true, inbox: true, out: true, next: true})
	}
	for range r.GPUs - 2 {
		s = append(s, step{inbox: true, out: true, next: true})
	}
	return append(s, step{inbox: true, out: true})
}

// ring is the program of a call. Its warps go through rounds of steps of trips,
// each of which loads, then stores.
type ring struct {
	Ring
	o        *Protocol
	warps    int
	channels int
	steps    []step
	share    int // bytes of a chunk, over all rounds
	rounds   int
	chunk    int // bytes a round, but for the last
	trips    int // a chunk
	trip     sim.Time
}

// Tiles implements gpu.Program.
func (g *ring) Tiles(int) int { return g.warps * g.rounds * len(g.steps) * g.trips * 2 }

// Prologue implements gpu.Program.
func (g *ring) Prologue(_ int, runs []gpu.Run) []gpu.Run { return runs }

// Epilogue implements gpu.Program.
func (g *ring) Epilogue(_ int, runs []gpu.Run) []gpu.Run { return runs }

// Tile implements gpu.Program.
func (g *ring) Tile(cta, tile int, runs []gpu.Run) []gpu.Run {
	n, warp := tile/g.warps, tile%g.warps
	stores := n%2 == 1
	trip, n := n/2%g.trips, n/2/g.trips
	number, round := n%len(g.steps), n/len(g.steps)
	at := round*g.chunk + (trip*g.warps+warp)*g.o.TripBytes
	bytes := min(g.o.TripBytes, g.share-at, (round+1)*g.chunk-at)
	if bytes <= 0 {
		return runs
	}
	s := g.steps[number]
	data := uint64(((number%g.GPUs)*g.channels+cta)*g.share + at)
	wire := uint64(divUp(bytes*g.o.WireBytes, g.o.TripBytes))
	slot := uint64(((number%g.GPUs)*g.channels+cta)*g.share+at) * uint64(g.o.WireBytes) / uint64(g.o.TripBytes)
	add := func(on bool, addr, bytes uint64) {
		if on {
			runs = append(runs, gpu.Run{Addr: addr, Rows: 1, Bytes: uint32(bytes), Store: stores})
		}
	}
	if stores {
		add(s.out, g.Out+data, uint64(bytes))
		add(s.next, g.Next+slot, wire)
		return runs
	}
	add(s.in, g.In+data%g.Bytes, uint64(bytes))
	add(s.inbox, g.Inbox+slot, wire)
	return runs
}

// time is what a warp waits after a tile: once it has what a trip loads, for its
// own instructions; after a step's last stores for what the GPU before it sent
// in that step.
func (g *ring) time(_, tile int) (chain, sm sim.Time) {
	n := tile / g.warps
	trip := n / 2
	switch {
	case n%2 == 0:
		return g.trip, 0
	case (trip+1)%g.trips > 0 || !g.steps[trip/g.trips%len(g.steps)].next:
		return instruction, 0
	case g.o.Fence:
		return g.Hop + g.Fence, 0
	}
	return g.Hop, 0
}

// instruction is the least time between accesses.
const instruction = sim.Nanosecond
