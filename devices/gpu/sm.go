package gpu

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"hwsim/devices"
	"hwsim/sim"
)

// Events that a GPC schedules for itself.
const (
	prologueDone = devices.Local + iota // the CTA's fixed start cost is over
	tileDone                            // the CTA's oldest tile is computed
	dataReady                           // the port has delivered a stage's last byte
	ctaDone                             // the CTA's epilogue is over
	issueMore                           // the SM can send its next request (Tag is the SM)
	warpReady                           // a warp's bytes are here (Tag as of its requests)
	warpDone                            // a scheduler's first warp may have computed its tile (Tag is the scheduler)
	fixedDone                           // the first fixed part on an SM may be over (Tag is the SM)
)

// prologueStage is the stage number under which prologue loads are counted.
const prologueStage = MaxStages // of the epilogue's stores as well

// FlowStats sums what the requests of one flow met, for one group.
type FlowStats struct {
	Requests uint64
	Read     uint64 // bytes returned to SMs
	Written  uint64 // bytes stored by SMs, those that merge in the L1 included
	Remote   uint64 // of the bytes read, from tiers other than HBM
	Tiles    uint64 // tiles computed
	Why      [devices.NumCauses]uint64
	Latency  sim.Histogram
}

// Group is the domain of the SMs of a GPC, which share a port of the crossbar.
type Group struct {
	port      *sim.Port[devices.Message]
	front     int // the front end's domain
	fabric    *Fabric
	kernels   *[]*Kernel
	sms       []sm
	lanes     []scheduler // of all SMs, one SM's after the other
	tlb       groupTLB
	ctas      []cta
	spare     []int32
	partition int
	window    window   // of the GPC's reads
	merger    merger   // the same
	portFree  sim.Time // when the GPC's port is next idle
	psGPC     float64  // the GPC's port time a byte
	psByte    float64  // an SM's port time a byte
	psStore   float64  // a byte on its way out of an SM
	psIssue   sim.Time // between requests of one SM
	l1Hit     sim.Time
	powerLead sim.Time // that an SM can make up for of power it has not used
	horizon   sim.Time // of the current window
	stores    int      // bytes of stores that have not been taken
	flushing  bool     // the front end waits for their end
	flows     []FlowStats
	bytes     uint64 // returned to SMs, all flows
	crossings int    // of CTAs to tiles in another memory
}

// sm is one streaming multiprocessor.
type sm struct {
	portFree sim.Time // when its port is next idle
	out      issuer
	launch   uint32    // of the CTA that came last, counted from one
	coded    sim.Time  // when its code is there
	coreFree sim.Time  // when the next tile can have the SM to itself
	power    sim.Time  // when the tiles so far would have ended at the rate that power allows
	even     scheduler // of fixed parts that share the SM
	dealt    int32     // warps, among its schedulers
	resident []int32   // CTAs, the oldest first
	l1       l1
}

// cta is one resident CTA.
type cta struct {
	kernel  *Kernel
	id      int32 // in the grid
	sm      int32
	tiles   int32
	next    int32 // next tile to load
	done    int32 // tiles computed
	leapt   int32 // of these, taken as done by leaps; stages are counted without them
	leap    int32 // tiles that the current leap takes it
	stages  int32
	flow    uint8
	gap     sim.Time // from one run of a tile to the next
	began   sim.Time // to load its tiles, or those in the memory where it reads now
	skipped sim.Time // length of the leaps since
	owed    float64  // parts of a tile that they have left out
	before  int32    // tiles in other memories before
	alike   int32    // first tile that lies in another memory
	memory  int      // where those before lie
	noted   struct { // what it had done there at the last Mark
		done int32
		age  float64
	}
	busy    bool    // a tile is being computed
	live    bool    // past its prologue
	ending  bool    // past its last tile
	waiting int32   // warps at the grid's barrier
	warp    []int32 // each warp's tile
	dealt   int32   // the first one's scheduler
	pending [MaxStages + 1]int32
	ready   [MaxStages + 1]sim.Time // when the port has delivered the stage
}

func newGroup(c *Config, port *sim.Port[devices.Message], front int, f *Fabric, kernels *[]*Kernel, sms, partition int) *Group {
	clock := 1e6 / c.ClockMHz
	g := &Group{port: port, front: front, fabric: f, kernels: kernels, tlb: newGroupTLB(f.Translation), partition: partition, merger: newMerger(), window: window{bytes: cmp.Or(c.SMBytes*sms, math.MaxInt)},
		psByte: clock / c.PortBytesPerClk, psStore: clock / cmp.Or(c.StoreBytesPerClk, c.PortBytesPerClk),
		psIssue: sim.Time(clock / c.RequestsPerClock), l1Hit: sim.FromNanoseconds(c.L1HitNs), powerLead: sim.FromNanoseconds(c.PowerNs)}
	if c.GPCBytesPerClk > 0 {
		g.psGPC = clock / c.GPCBytesPerClk
	}
	for range sms {
		g.sms = append(g.sms, sm{l1: l1{bytes: c.L1Bytes}})
		g.lanes = append(g.lanes, make([]scheduler, schedulers)...)
	}
	return g
}

// Next returns the earliest time at which the group can act.
func (g *Group) Next() sim.Time { return g.port.Next() }

// Run executes everything before the horizon.
func (g *Group) Run(horizon sim.Time) {
	g.horizon = horizon
	var m devices.Message
	for g.port.Next() < horizon {
		at := g.port.PopInto(&m)
		switch m.Kind {
		case devices.Data:
			g.arrive(at, &m)
		case devices.Start:
			g.start(at, &m)
		case prologueDone:
			g.issue(at, int32(m.Tag), prologueTile, prologueStage)
		case tileDone:
			g.tileDone(at, int32(m.Tag))
		case dataReady:
			g.ready(at, int32(m.Tag))
		case ctaDone:
			g.issue(at, int32(m.Tag), epilogueTile, prologueStage)
		case fixedDone:
			g.fixedDone(at, int32(m.Tag))
		case issueMore:
			g.pump(at, int32(m.Tag))
		case warpReady:
			g.runWarp(at, int32(m.Tag>>8), int32(m.Tag&0xff))
		case warpDone:
			g.look(at, int32(m.Tag))
		case devices.Ack:
			g.taken(at, &m)
		case devices.Flush:
			g.flush(at)
		}
	}
}

// local schedules an event of the group's own.
func (g *Group) local(at sim.Time, kind devices.Kind, slot int32) {
	g.port.Push(at, sim.Arbitrate, devices.Message{Kind: kind, Tag: uint32(slot)})
}

// start makes a CTA resident. The front end says which kernel (Tag), which
// CTA (Addr) and which of the group's SMs (Bytes).
func (g *Group) start(at sim.Time, m *devices.Message) {
	var slot int32
	if n := len(g.spare); n > 0 {
		slot, g.spare = g.spare[n-1], g.spare[:n-1]
	} else {
		g.ctas = append(g.ctas, cta{})
		slot = int32(len(g.ctas) - 1)
	}
	k := (*g.kernels)[m.Tag]
	c := cta{kernel: k, id: int32(m.Addr), sm: int32(m.Bytes), tiles: int32(k.Program.Tiles(int(m.Addr))), stages: int32(k.Stages), flow: k.Flow}
	if k.Warps != nil {
		c.ofWarps(k.Warps, g.ctas[slot].warp)
		c.dealt = g.sms[c.sm].dealt % schedulers
		g.sms[c.sm].dealt += c.stages
	}
	for int(c.flow) >= len(g.flows) {
		g.flows = append(g.flows, FlowStats{})
	}
	c.memory, c.alike = k.where(int(c.id), 0)
	g.ctas[slot] = c
	g.tlb.observe()
	s := &g.sms[m.Bytes]
	s.l1.begin(m.Tag)
	s.resident = append(s.resident, slot)
	g.fixed(at, slot, s.code(at, m.Tag+1, k.Code)+k.Prologue, prologueDone)
}

// code returns how long a CTA waits for its code, which the launch's first CTA
// on the SM has asked for.
func (s *sm) code(at sim.Time, launch uint32, length sim.Time) sim.Time {
	if s.launch != launch {
		s.launch, s.coded = launch, at+length
	}
	return max(0, s.coded-at)
}

// chain returns how long a tile of a CTA takes with the SM as crowded as it is.
func (s *sm) chain(k *Kernel, slot int32) sim.Time {
	chain, n := k.TileChain, len(s.resident)
	if most := len(k.Crowded); most > 0 {
		chain = k.Crowded[min(n, most)-1]
	}
	if n > 1 && n == len(k.Aged) {
		chain = sim.Time(float64(chain) * k.Aged[slices.Index(s.resident, slot)])
	}
	return chain
}

// fill puts loads in flight in every stage.
func (g *Group) fill(at sim.Time, slot int32) {
	c := &g.ctas[slot]
	c.live, c.began = true, at
	ahead := c.stages
	if c.kernel.InTurn {
		ahead = 1
	}
	for c.next < c.tiles && c.next-c.done < ahead {
		g.load(at, slot)
	}
	g.compute(at, slot)
}

// stage returns the stage that a tile in flight occupies.
func (c *cta) stage(tile int32) int { return int((tile - c.leapt) % c.stages) }

// load issues the CTA's next tile.
func (g *Group) load(at sim.Time, slot int32) {
	c := &g.ctas[slot]
	if c.next == c.alike {
		c.cross(at)
		g.crossings++
	}
	c.next++
	g.issue(at, slot, c.next-1, int32(c.stage(c.next-1)))
}

// cross takes the CTA on to tiles in another memory: what it has done so far
// does not tell its pace there.
func (c *cta) cross(at sim.Time) {
	c.memory, c.alike = c.kernel.where(int(c.id), int(c.next))
	c.began, c.skipped, c.before, c.owed = at, 0, c.next, 0
	c.noted.done, c.noted.age = 0, 0
}

// here returns how many tiles it has done in the memory where it reads now.
func (c *cta) here() int32 { return max(0, c.done-c.before) }

// arrive takes one answer off the crossbar, through the GPC's port and the
// SM's.
func (g *Group) arrive(at sim.Time, m *devices.Message) {
	slot, stage := int32(m.Tag>>8), m.Tag&0xff
	c := &g.ctas[slot]
	s := &g.sms[c.sm]
	g.portFree = max(g.portFree, at) + sim.Time(float64(m.Bytes)*g.psGPC)
	s.portFree = max(s.portFree, g.portFree) + sim.Time(float64(m.Bytes)*g.psByte)
	c.ready[stage] = max(c.ready[stage], s.portFree)
	c.pending[stage]--
	whole := c.pending[stage] == 0 // before loads of the same tile that waited for this answer
	if c.throughL1() {
		g.landed(s, m.Addr)
	}
	g.bytes += uint64(m.Bytes)
	if devices.Tier(m.Addr) == 0 {
		g.answered(at, int(m.Bytes))
	}
	g.count(c.flow, m, s.portFree)
	if whole {
		g.complete(c.ready[stage], slot, int32(stage))
	}
	if c.kernel != nil && c.kernel.Merge {
		g.share(m)
	}
}

// complete schedules what follows when all bytes of a stage are here.
func (g *Group) complete(at sim.Time, slot, stage int32) {
	if c := &g.ctas[slot]; c.kernel.Warps != nil && stage != prologueStage {
		g.local(at, warpReady, slot<<8|stage)
		return
	}
	g.local(at, dataReady, slot)
}

// count charges the answered request to its flow; what no device claimed was
// spent in the crossbar and the caches' pipelines.
func (g *Group) count(flow uint8, m *devices.Message, end sim.Time) {
	f := &g.flows[flow]
	total := end - m.Born
	m.Why.Add(devices.Cache, max(0, total-m.Why.Total()))
	for i, v := range m.Why {
		f.Why[i] += uint64(v)
	}
	f.Requests++
	f.Read += uint64(m.Bytes)
	if devices.Tier(m.Addr) > 0 {
		f.Remote += uint64(m.Bytes)
	}
	f.Latency.Add(total)
}

// ready resumes a CTA one of whose stages is complete.
func (g *Group) ready(at sim.Time, slot int32) {
	c := &g.ctas[slot]
	if !c.live {
		g.fill(at, slot)
		return
	}
	g.compute(at, slot)
}

// compute starts the CTA's oldest tile if its bytes are here, or ends the CTA
// after its last.
func (g *Group) compute(at sim.Time, slot int32) {
	c := &g.ctas[slot]
	if c.busy {
		return
	}
	if c.done == c.tiles {
		c.busy, c.ending = true, true
		g.fixed(at, slot, c.kernel.Epilogue, ctaDone)
		return
	}
	if stage := c.stage(c.done); c.done == c.next || c.pending[stage] > 0 || c.ready[stage] > at {
		return
	}
	s := &g.sms[c.sm]
	begin := max(at, s.coreFree)
	s.coreFree = begin + c.kernel.TileSM
	c.busy = true
	if c.kernel.InTurn && c.next < c.tiles {
		g.load(at, slot)
	}
	g.local(s.powered(begin, begin+s.chain(c.kernel, slot)+c.drain(), c.kernel, g.powerLead), tileDone, slot)
}

// drain returns how much longer the CTA's oldest tile takes as the last of a
// result that must leave the accumulators for the next.
func (c *cta) drain() sim.Time {
	if n := int32(c.kernel.DrainEvery); n > 0 && (c.done+1)%n == 0 && c.done+1 < c.tiles {
		return c.kernel.Drain
	}
	return 0
}

// powered returns when a tile ends that would take from begin to end if power
// allowed it. What the SM has not used of its power it can make up for, up to
// lead.
func (s *sm) powered(begin, end sim.Time, k *Kernel, lead sim.Time) sim.Time {
	if k.TilePower == 0 {
		return end
	}
	s.power = max(s.power, begin-lead) + k.TilePower
	return max(end, s.power)
}

// tileDone frees the tile's stage for the next load and goes on.
func (g *Group) tileDone(at sim.Time, slot int32) {
	c := &g.ctas[slot]
	c.done++
	c.busy = false
	g.flows[c.flow].Tiles++
	if c.next < c.tiles && !c.kernel.InTurn {
		g.load(at, slot)
	}
	g.compute(at, slot)
}

// end tells the front end that a CTA is over.
func (g *Group) end(at sim.Time, slot int32) {
	c := &g.ctas[slot]
	done := devices.Message{Kind: devices.Done, Addr: uint64(c.id), Bytes: uint32(c.sm), From: uint16(g.port.ID())}
	g.port.Send(g.front, at+g.fabric.Crossbar, sim.Deliver, &done)
	s := &g.sms[c.sm]
	age := slices.Index(s.resident, slot)
	s.resident = slices.Delete(s.resident, age, age+1)
	c.kernel = nil
	g.spare = append(g.spare, slot)
}

// Flow returns the group's counters of one flow.
func (g *Group) Flow(flow uint8) *FlowStats {
	if int(flow) >= len(g.flows) {
		return &FlowStats{}
	}
	return &g.flows[flow]
}

// Waiting says what the group holds, for the watchdog.
func (g *Group) Waiting() string {
	return fmt.Sprintf("%d CTAs resident", len(g.ctas)-len(g.spare))
}
