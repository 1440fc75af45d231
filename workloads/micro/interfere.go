package micro

import (
	"context"
	"fmt"

	"hwsim/devices/dma"
	"hwsim/devices/gpu"
	"hwsim/hierarchy"
	"hwsim/sim"
)

// Interference is what two users of the memory get, in GB/s.
type Interference struct {
	AAlone, BAlone       float64
	ATogether, BTogether float64
}

// user is one of them: a stream on SMs of its own, or copies.
type user struct {
	stream *StreamOptions
	copies *copyJob
}

// users are the names that interfere.csv gives them.
var users = map[string]user{
	"hbm_read_120sm":     {stream: &StreamOptions{Range: 8 << 30, Blocks: 120, Threads: 1024}},
	"hbm_read_60sm":      {stream: &StreamOptions{Range: 8 << 30, Blocks: 60, Threads: 1024}},
	"hbm_copy_120sm":     {stream: &StreamOptions{Range: 8 << 30, Blocks: 120, Threads: 1024, WritesOf4: 2}},
	"zerocopy_read_12sm": {stream: &StreamOptions{Tier: hierarchy.DDR, Range: 1 << 30, Blocks: 12, Threads: 512}},
	"peer_read_12sm":     {stream: &StreamOptions{Tier: hierarchy.PeerHBM, Range: 4 << 30, Blocks: 12, Threads: 512}},
	"l2_resident_12sm":   {stream: &StreamOptions{Range: 16 << 20, Blocks: 12, Threads: 1024}},
	"h2d_dma":            {copies: &copyJob{remote: hierarchy.DDR}},
	"d2h_dma":            {copies: &copyJob{remote: hierarchy.DDR, out: true}},
}

// Interfere runs two users of the memory, each alone and then together.
func Interfere(ctx context.Context, c *hierarchy.Config, a, b string) (r Interference, err error) {
	ua, ok := users[a]
	ub, okB := users[b]
	if !ok || !okB || ua.stream == nil {
		return r, fmt.Errorf("interference of %q with %q: no such users", a, b)
	}
	if t := ub.tier(); t == hierarchy.PeerHBM && c.Peer == nil || t == hierarchy.DDR && (c.Host == nil || c.Host.DDR == nil) {
		return r, fmt.Errorf("interference with %q: this system has no %s", b, t)
	}
	if r.AAlone, err = ua.alone(ctx, c); err == nil {
		r.BAlone, err = ub.alone(ctx, c)
	}
	if err != nil {
		return r, err
	}
	both, err := together(ctx, c, ua, ub)
	if err != nil {
		return r, err
	}
	r.ATogether, r.BTogether = both[0], both[1]
	return r, nil
}

func (u user) tier() hierarchy.TierID {
	if u.copies != nil {
		return u.copies.remote
	}
	return u.stream.Tier
}

// alone returns what the user gets by itself.
func (u user) alone(ctx context.Context, c *hierarchy.Config) (float64, error) {
	if u.copies == nil {
		return streamRate(ctx, c, *u.stream)
	}
	v, err := together(ctx, c, u)
	if err != nil {
		return 0, err
	}
	return v[0], nil
}

// together returns what the users get at once. Their streams are one grid, the
// first CTAs of the first, so that each CTA has an SM to itself.
func together(ctx context.Context, c *hierarchy.Config, users ...user) ([]float64, error) {
	m, err := build(ctx, c)
	if err != nil {
		return nil, err
	}
	side := &sideBySide{}
	var meters []meter
	for _, u := range users {
		if u.copies != nil {
			meters = append(meters, m.copyForever(*u.copies))
			continue
		}
		p := newStream(*u.stream)
		p.from += uint64(len(side.streams)) * 2 * other // a range of its own
		p.warm(m)
		meters = append(meters, m.flow(uint8(len(side.streams))))
		side.streams = append(side.streams, p)
	}
	if len(side.streams) > 0 {
		m.launch(side.kernel(c))
	}
	return m.meters(settled, leastTime, meters...).measure()
}

// settled is when a stream has replaced what the L2 held.
const settled = 16 * sim.Microsecond

// copyForever starts a copy that does not end and returns its meter.
func (m *machine) copyForever(j copyJob) meter {
	m.copy(m.Engine.Now(), j, other, 0)
	for _, p := range m.Ports() {
		if p.ID() == m.Port(j.remote) {
			return moved(p, j.engine)
		}
	}
	return nil
}

func moved(p *dma.Port, engine int) meter {
	return func() float64 { n, _ := p.Moved(engine); return float64(n) }
}

// sideBySide is a grid made of several streams' blocks.
type sideBySide struct{ streams []*stream }

// of returns which stream a CTA belongs to, and as which of its blocks.
func (s *sideBySide) of(cta int) (n, block int) {
	for n < len(s.streams)-1 && cta >= s.streams[n].blocks {
		cta -= s.streams[n].blocks
		n++
	}
	return n, cta
}

func (s *sideBySide) kernel(c *hierarchy.Config) *gpu.Kernel {
	ctas := 0
	for _, p := range s.streams {
		ctas += p.blocks
	}
	k := kernel(c, streamCode[0].code, ctas, 1024, s)
	k.Warps.Flow = func(cta int) uint8 { n, _ := s.of(cta); return uint8(n) }
	return k
}

func (s *sideBySide) warps(cta int) int { n, block := s.of(cta); return s.streams[n].warps(block) }

func (s *sideBySide) instructions(cta, round int) int {
	n, block := s.of(cta)
	return s.streams[n].instructions(block, round)
}

func (s *sideBySide) round(cta, warp, round int, runs []gpu.Run) []gpu.Run {
	n, block := s.of(cta)
	return s.streams[n].round(block, warp, round, runs)
}
