package micro

import (
	"context"

	"hwsim/devices/gpu"
	"hwsim/hierarchy"
)

// stream is a grid that goes over a range together, each warp so many pieces
// a round with all other warps' pieces between them.
type stream struct {
	from    uint64
	pieces  uint64 // in the range
	threads int    // a block
	blocks  int
	writes  int // of four accesses
	unroll  int // accesses a round
	length  int // instructions a round
}

// What the compiler made of stream<writes>: the loop of eight accesses, all in
// flight together.
var streamCode = [5]struct {
	code
	length int
}{{code{"stream", 56, 8, 26, constantPace, 0}, 119}, {code{"stream", 48, 8, 33, constantPace, 0}, 120}, {code{"stream", 40, 8, 37, constantPace, 0}, 118}, {code{"stream", 32, 8, 33, constantPace, 0}, 101}, {code{"stream", 32, 8, 33, constantPace, 0}, 94}}

func newStream(o StreamOptions) *stream {
	return &stream{from: base(o.Tier), pieces: max(1, o.Range/piece), threads: o.Threads, blocks: o.Blocks, writes: o.WritesOf4, unroll: 8, length: streamCode[o.WritesOf4].length}
}

func (p *stream) kernel(c *hierarchy.Config) *gpu.Kernel {
	return kernel(c, streamCode[p.writes].code, p.blocks, p.threads, p)
}

func (p *stream) warps(int) int { return p.threads / warpLanes }

func (p *stream) instructions(_, _ int) int { return p.length }

func (p *stream) round(cta, warp, n int, runs []gpu.Run) []gpu.Run {
	all := uint64(p.blocks * p.warps(0))
	at := uint64(cta*p.warps(0)+warp) + uint64(n*p.unroll)*all
	for u := range p.unroll {
		runs = append(runs, p.access(u, (at+uint64(u)*all)%p.pieces))
	}
	return runs
}

// access returns the u-th access of a round.
func (p *stream) access(u int, n uint64) gpu.Run {
	if u&3 < p.writes {
		return store(p.from + other + n*piece)
	}
	return load(p.from+n*piece, piece)
}

// warm leaves the L2 as it is when the stream begins its range again: it
// matters where the range fits, and for the dirty lines that stores drive
// out.
func (p *stream) warm(m *machine) {
	held := m.Config.L2.Bytes * 9 / 8 / piece
	if p.pieces <= 2*held {
		held = p.pieces
	} else if p.writes == 0 {
		return
	}
	all := uint64(p.blocks * p.warps(0))
	partitions := m.partitions()
	for n := p.pieces - held; n < p.pieces; n++ {
		r := p.access(int(n/all%uint64(p.unroll)), n)
		if r.Store {
			m.Stored(r.Addr, piece)
			continue
		}
		block := int(n%all) / p.warps(0)
		m.Loaded(r.Addr, piece, partitions[block%len(partitions)])
	}
}

// partitions returns the L2 partition of each SM.
func (m *machine) partitions() []int {
	p := make([]int, m.Config.GPU.SMs)
	for n := range p {
		p[n] = m.GPU.Partition(n)
	}
	return p
}

// streamRate returns the rate of a stream. Its CTAs have equal parts of the
// range, so it lasts as long as those of the fullest GPC would alone, or longer.
func streamRate(ctx context.Context, c *hierarchy.Config, o StreamOptions) (gbps float64, err error) {
	gbps, err = steadyRate(ctx, c, o, anyGPC)
	if err != nil || o.Blocks >= c.GPU.SMs {
		return gbps, err
	}
	m, err := build(ctx, c)
	if err != nil {
		return 0, err
	}
	gpc, ctas := m.fullest(o.Blocks)
	alone, err := steadyRate(ctx, c, o, gpc)
	return min(gbps, alone/float64(ctas)*float64(o.Blocks)), err
}

const anyGPC = -1

// steadyRate returns the rate of a stream's CTAs on one GPC, or on all.
func steadyRate(ctx context.Context, c *hierarchy.Config, o StreamOptions, gpc int) (gbps float64, err error) {
	m, err := build(ctx, c)
	if err != nil {
		return 0, err
	}
	p := newStream(o)
	p.warm(m)
	m.Translated(p.from, o.Range)
	k := p.kernel(c)
	if gpc != anyGPC {
		k.Program = onGPC{k.Program, m, gpc}
	}
	m.launch(k)
	return m.rate(m.flow(flowA))
}

// fullest returns the GPC with most of a grid's CTAs, and how many.
func (m *machine) fullest(ctas int) (gpc, most int) {
	of := make([]int, len(m.GPU.Groups))
	for n := range ctas {
		of[m.GPU.GPC(n)]++
	}
	for i, n := range of {
		if n > most {
			gpc, most = i, n
		}
	}
	return gpc, most
}

// onGPC is a program whose CTAs elsewhere have nothing to do.
type onGPC struct {
	gpu.Program
	m   *machine
	gpc int
}

// Tiles implements gpu.Program.
func (p onGPC) Tiles(cta int) int {
	if p.m.GPU.GPC(cta) != p.gpc {
		return 0
	}
	return p.Program.Tiles(cta)
}

// passes is a grid that reads a range over and over, all of it before any
// warp begins again.
type passes struct {
	stream
	fresh bool // each pass over memory that none has read
}

// rereadCode is rereadSync's: of eight loads four are in flight together. All
// warps begin a pass at once, so that what they issue between loads, too, is in
// the others' way.
var rereadCode = code{"rereadSync", 32, rereadTogether, 29, constantPace, 1.7}

const (
	rereadTogether = 4
	rereadLength   = 58 // instructions a round
	freshRange     = 8 << 30
)

func (p *passes) instructions(_, _ int) int { return rereadLength }

// rounds returns how many a pass has: the loop's last may be empty.
func (p *passes) rounds() int {
	loop := uint64(8 * p.blocks * p.warps(0))
	return int((p.pieces+loop-1)/loop) * 8 / rereadTogether
}

func (p *passes) round(cta, warp, n int, runs []gpu.Run) []gpu.Run {
	all := uint64(p.blocks * p.warps(0))
	pass, n := uint64(n/p.rounds()), n%p.rounds()
	from := p.from
	if p.fresh {
		from += pass * p.pieces * piece % freshRange
	}
	for u := range rereadTogether {
		if at := uint64(cta*p.warps(0)+warp) + uint64(n*rereadTogether+u)*all; at < p.pieces {
			runs = append(runs, load(from+at*piece, piece))
		}
	}
	return runs
}

// reread returns the rate of a pass, its barrier included. A pass over much
// more than the L2 holds is a shorter one and the rest at the rate at which
// passes grow: beginning and end are the same.
func reread(ctx context.Context, c *hierarchy.Config, o StreamOptions) (gbps float64, err error) {
	if o.Range <= 2*c.L2.Bytes {
		ns, err := passTime(ctx, c, o, o.Range, false)
		return float64(o.Range) / ns, err
	}
	const short, long = 24 << 20, 48 << 20
	first, err := passTime(ctx, c, o, short, true)
	if err != nil {
		return 0, err
	}
	second, err := passTime(ctx, c, o, long, true)
	if err != nil {
		return 0, err
	}
	ns := second + (second-first)/(long-short)*float64(o.Range-long)
	return float64(o.Range) / ns, nil
}

// passTime returns the ns of one pass.
func passTime(ctx context.Context, c *hierarchy.Config, o StreamOptions, bytes uint64, fresh bool) (ns float64, err error) {
	m, err := build(ctx, c)
	if err != nil {
		return 0, err
	}
	o.Range = bytes
	p := &passes{stream: *newStream(o), fresh: fresh}
	if !fresh {
		p.warm(m)
	}
	k := kernel(c, rereadCode, p.blocks, p.threads, p)
	k.Warps.Barrier = p.rounds()
	m.launch(k)
	const enough = 24 << 20 // bytes
	count := int(min(max(enough/bytes, 1), 12))
	tiles := p.rounds() * p.blocks * p.warps(0)
	span, err := m.span(flowA, tiles, tiles*(1+count))
	return span.Nanoseconds() / float64(count), err
}
