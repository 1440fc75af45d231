package gpu

import (
	"slices"

	"hwsim/devices"
	"hwsim/devices/cache"
	"hwsim/sim"
)

// Warps makes the CTAs of a kernel sets of warps instead of pipelines: with n
// of them, warp w works on tiles w, w+n, w+2n and so on, one at a time, and
// waits for no other warp of its CTA. A tile is what the warp's loop has in
// flight together: its loads are all awaited, its stores are not.
type Warps struct {
	Of      func(cta int) int                        // warps of a CTA, at most MaxStages
	Time    func(cta, tile int) (chain, sm sim.Time) // from a tile's last byte to the warp's next request, above 0, and how long of that it has its scheduler to itself
	Flow    func(cta int) uint8                      // counts a CTA's requests; nil: the kernel's Flow
	Gap     sim.Time                                 // from the departure of one run of a tile to the next: instructions in between
	Barrier int                                      // tiles of each warp from one barrier of the whole grid to the next; 0: none
	L1      bool                                     // loads go through the SM's L1
}

// storeWindow is how many bytes of tiles' stores an SM has under way before
// it waits for slices to take them. Not published: more than an SM's share of
// the memory's rate × latency.
const storeWindow = 32 << 10

// Stages under which messages that carry no loads come back.
const (
	storeStage   = 0xfe // to the SM that Tag names
	barrierStage = 0xff
)

// ofWarps turns a new CTA into a set of warps; spare is storage to reuse.
func (c *cta) ofWarps(w *Warps, spare []int32) {
	c.stages, c.gap = int32(w.Of(int(c.id))), w.Gap
	if w.Flow != nil {
		c.flow = w.Flow(int(c.id))
	}
	c.warp = spare[:0]
	for n := range c.stages {
		c.warp = append(c.warp, n)
	}
}

// unit returns what one request of a CTA for addr can cover: a granule of the
// L2, whose lines travel together; over a link a warp's lines go one by one.
func (g *Group) unit(c *cta, addr uint64) uint64 {
	if devices.Tier(addr) > 0 {
		return cache.LineBytes
	}
	return g.fabric.L2.Granule
}

// warpDone takes the warp on to its next tile, to the barrier before it, or
// ends the CTA after the last.
func (g *Group) warpDone(at sim.Time, slot, warp int32) {
	c := &g.ctas[slot]
	c.done++
	g.flows[c.flow].Tiles++
	c.warp[warp] += c.stages
	if n := int32(c.kernel.Warps.Barrier); n > 0 && c.warp[warp]/c.stages%n == 0 {
		if c.waiting++; c.waiting == c.stages {
			g.arriveAtBarrier(at, slot)
		}
		return
	}
	g.goOn(at, slot, warp)
}

// goOn loads the warp's next tile.
func (g *Group) goOn(at sim.Time, slot, warp int32) {
	c := &g.ctas[slot]
	switch tile := c.warp[warp]; {
	case tile < c.tiles:
		c.next = max(c.next, tile+1)
		g.issue(at, slot, tile, warp)
	case c.done == c.tiles:
		g.compute(at, slot)
	}
}

// arriveAtBarrier tells the front end, which stands for the barrier's counter
// in the L2, that the whole CTA is there.
func (g *Group) arriveAtBarrier(at sim.Time, slot int32) {
	g.ctas[slot].waiting = 0
	g.port.Send(g.front, at+g.fabric.Crossbar, sim.Deliver,
		&devices.Message{Kind: devices.Write, Tag: uint32(slot)<<8 | barrierStage, From: uint16(g.port.ID())})
}

// store sends a store of a tile, which fills the SM's way out.
func (g *Group) store(s *sm, c *cta, m devices.Message) {
	u := &s.out
	u.free += max(g.psIssue, sim.Time(float64(m.Bytes)*g.psStore))
	u.stores += m.Bytes
	g.stores += int(m.Bytes)
	g.flows[c.flow].Written += uint64(m.Bytes)
	m.Kind, m.Born, m.Tag = devices.Write, u.free, uint32(c.sm)<<8|storeStage
	g.depart(&m)
}

// post sends a store of a CTA's end. Nothing waits for it but the end of the
// grid, and that only for stores to HBM.
func (g *Group) post(s *sm, c *cta, m *devices.Message) {
	g.flows[c.flow].Written += uint64(m.Bytes)
	m.Tag = uint32(c.sm)<<8 | storeStage
	if m.From = uint16(g.port.ID()); devices.Tier(m.Addr) > 0 {
		m.From = devices.NoReply
		return
	}
	s.out.stores += m.Bytes
	g.stores += int(m.Bytes)
}

// accepted notes that a store has been taken.
func (g *Group) accepted(at sim.Time, sm int32, m *devices.Message) {
	l1 := &g.sms[sm].l1
	if i := slices.Index(l1.storing, m.Addr); i >= 0 {
		l1.storing = slices.Delete(l1.storing, i, i+1)
	}
	if g.stores -= int(m.Bytes); g.flushing && g.stores == 0 {
		g.flush(at)
	}
}

// flush answers the front end once all stores have been taken.
func (g *Group) flush(at sim.Time) {
	if g.flushing = g.stores > 0; !g.flushing {
		g.port.Send(g.front, at+g.fabric.Crossbar, sim.Deliver, &devices.Message{Kind: devices.Ack})
	}
}

// taken goes on after a store has been taken, or the barrier passed.
func (g *Group) taken(at sim.Time, m *devices.Message) {
	n := int32(m.Tag >> 8)
	if m.Tag&0xff == barrierStage {
		for warp := range g.ctas[n].stages {
			g.goOn(at, n, warp)
		}
		return
	}
	u := &g.sms[n].out
	g.accepted(at, n, m)
	u.stores -= m.Bytes
	if u.full && u.stores < storeWindow {
		u.full = false
		g.local(max(at, u.free), issueMore, n)
	}
}

// barrier holds the CTAs of the grid until all have arrived.
type barrier struct {
	arrived []devices.Message
}

// arrive notes a CTA's arrival at the barrier, and after the last lets all
// go.
func (f *FrontEnd) arrive(at sim.Time, m *devices.Message) {
	b := &f.barrier
	b.arrived = append(b.arrived, *m)
	if len(b.arrived) < f.grid.left {
		return
	}
	for i := range b.arrived {
		a := &b.arrived[i]
		a.Kind = devices.Ack
		f.port.Send(int(a.From), at+sim.FromNanoseconds(f.config.BarrierNs)+f.cross, sim.Deliver, a)
	}
	b.arrived = b.arrived[:0]
}

// Bytes returns what the SMs have read and written under a flow.
func (u *GPU) Bytes(flow uint8) (n uint64) {
	for _, g := range u.Groups {
		f := g.Flow(flow)
		n += f.Read + f.Written
	}
	return n
}

// Tiles returns how many tiles the SMs have computed under a flow.
func (u *GPU) Tiles(flow uint8) (n uint64) {
	for _, g := range u.Groups {
		n += g.Flow(flow).Tiles
	}
	return n
}
