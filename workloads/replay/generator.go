package replay

import (
	"fmt"
	"strconv"
	"strings"

	"hwsim/devices/dram"
)

// Request is one access of a stream.
type Request struct {
	Due   int64  // tick it may enter from, where the pace leaves that to the stream
	Addr  uint64 // byte address in the channel, or in the device of many
	Bytes uint32 // 0: the burst that Addr lies in
	Write bool
}

// bursts returns how many bursts of 1<<shift bytes r touches.
func (r *Request) bursts(shift uint) int64 {
	last := r.Addr + uint64(max(r.Bytes, 1)) - 1
	return int64(last>>shift - r.Addr>>shift + 1)
}

// Source yields the requests of a run in order.
type Source interface {
	// Next sets r to the next request, or reports that there is none.
	Next(r *Request) bool
	// Copy returns a source of the same requests from here on.
	Copy() Source
}

// Patterns describes what Generate takes.
const Patterns = "seq, rand, stride, blk<n> (n from 1), seqrw50 or randrw50"

// splitmix is the random number generator splitmix64; its value is its state.
type splitmix uint64

func (s *splitmix) next() uint64 {
	*s += 0x9E3779B97F4A7C15
	z := uint64(*s)
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// generator yields left one-burst requests: runs of run bursts, each from
// the last one's start plus step, or from a random multiple of run.
type generator struct {
	left, sent uint64 // requests
	bursts     uint64 // of all channels
	size       uint64 // bytes of a burst
	step, run  uint64
	row        uint64 // bursts of one row of every bank
	random     bool
	mixed      bool     // half the requests are writes
	r, w       splitmix // of addresses, of directions
	base, used uint64   // start of the run, and how much of it is used
}

// Generate returns n one-burst requests of a pattern to so many channels. seq
// visits all bursts in the order of their addresses, rand any; stride the same
// place in row after row (of one bank, where the row is the address map's
// highest field; channels then alternate as Array has it); blk<n> reads n
// bursts on from a random multiple of n. seqrw50 and randrw50 write half the
// time. Equal seeds give equal requests.
func Generate(pattern string, s *dram.Spec, channels int, n, seed uint64) (Source, error) {
	g := &generator{left: n, size: uint64(s.BurstBytes), step: 1, run: 1, r: splitmix(seed), w: splitmix(seed + 1)}
	g.bursts = uint64(channels) * s.Bytes() / g.size
	g.row = g.bursts / uint64(s.Rows)
	base, mixed := strings.CutSuffix(pattern, "rw50")
	g.mixed = mixed
	run, block := strings.CutPrefix(base, "blk")
	switch {
	case base == "seq":
	case base == "rand":
		g.random = true
	case base == "stride" && !mixed:
		g.step = g.row
	case block && !mixed:
		n, err := strconv.ParseUint(run, 10, 32)
		if err != nil || n < 1 || n > g.bursts {
			return nil, fmt.Errorf("pattern %q: want blk<n>, n from 1 to %d bursts", pattern, g.bursts)
		}
		g.random, g.run = true, n
	default:
		return nil, fmt.Errorf("no pattern %q; want %s", pattern, Patterns)
	}
	g.begin()
	return g, nil
}

// begin draws the first run.
func (g *generator) begin() {
	if g.random {
		g.base = g.draw()
	}
}

func (g *generator) draw() uint64 { return g.r.next() % (g.bursts / g.run) * g.run }

// Next implements Source.
func (g *generator) Next(r *Request) bool {
	if g.left == 0 {
		return false
	}
	g.left--
	g.sent++
	if g.used == g.run {
		g.used = 0
		if g.random {
			g.base = g.draw()
		} else if g.base += g.step; g.base >= g.bursts {
			g.base -= g.bursts
		}
	}
	*r = Request{Addr: (g.base + g.used) * g.size, Write: g.mixed && g.w.next()>>63 == 1}
	g.used++
	return true
}

// Copy implements Source.
func (g *generator) Copy() Source {
	c := *g
	return &c
}

// Period implements Periodic.
func (g *generator) Period() uint64 {
	if g.random || g.mixed {
		return 0
	}
	return g.row / g.step
}

// Row implements Periodic.
func (g *generator) Row() int { return int(g.sent / g.Period()) }

// Left implements Periodic.
func (g *generator) Left() uint64 { return g.left }

// Skip implements Periodic.
func (g *generator) Skip(n uint64) {
	g.left -= n * g.Period()
	g.sent += n * g.Period()
	g.base = (g.base + n*g.row) % g.bursts
}
