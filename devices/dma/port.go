package dma

import (
	"fmt"

	"hwsim/devices"
	"hwsim/devices/cache"
	"hwsim/devices/link"
	"hwsim/devices/tlb"
	"hwsim/sim"
)

// Config describes the copy engines of one link.
type Config struct {
	Engines     int     `toml:"engines"`      // copies under way at once
	CopyNs      float64 `toml:"copy_ns"`      // fixed cost of starting one copy
	CopyOutNs   float64 `toml:"copy_out_ns"`  // the same for copies out of the GPU; 0: copy_ns
	SwitchNs    float64 `toml:"switch_ns"`    // the front end's time to turn to another engine
	WindowBytes uint32  `toml:"window_bytes"` // bytes that one engine keeps in flight
	ChunkBytes  uint32  `toml:"chunk_bytes"`  // one simulated transaction: a train of the link's packets
	Tags        int     `toml:"tags"`         // reads that SMs can have outstanding

	TLB    *tlb.Config `toml:"tlb"`     // of each engine's remote addresses; nil: they need no translation
	WalkNs float64     `toml:"walk_ns"` // what a copy waits for a translation that the TLB has not
}

// Validate reports values that no engine can have.
func (c *Config) Validate(report func(key, message string)) {
	if c.Engines < 1 || c.Engines > 16 {
		report("engines", "must be 1 to 16")
	}
	if c.CopyNs < 0 {
		report("copy_ns", "must not be negative")
	}
	if c.CopyOutNs < 0 {
		report("copy_out_ns", "must not be negative")
	}
	if c.SwitchNs < 0 {
		report("switch_ns", "must not be negative")
	}
	if c.ChunkBytes < 64 || c.ChunkBytes > 1<<16 {
		report("chunk_bytes", "must be 64 to 65536")
	}
	if c.WindowBytes < c.ChunkBytes {
		report("window_bytes", "must be at least chunk_bytes")
	}
	if c.Tags < 1 {
		report("tags", "must be positive")
	}
	if c.WalkNs < 0 || c.WalkNs > 1e5 {
		report("walk_ns", "must be 0 to 100000")
	}
}

// start returns the fixed cost of a copy in or out, in ns.
func (c *Config) start(out bool) float64 {
	if out && c.CopyOutNs > 0 {
		return c.CopyOutNs
	}
	return c.CopyNs
}

// Segment is one copy: contiguous at both ends.
type Segment struct {
	Src, Dst uint64
	Bytes    uint64
}

// Copy is a list of copies that one engine does in turn. Either all its
// sources or all its destinations are remote.
type Copy struct {
	Segments []Segment
	Engine   int  // which of the port's engines does it
	Out      bool // from the GPU to the remote memory
	Batch    bool // submitted as one: no segment waits for the one before to arrive
	Flow     uint8
}

// Stats counts what passed through the port, in bytes.
type Stats struct {
	CopiedIn, CopiedOut uint64
	SMRead, SMWritten   uint64
	Copies              uint64 // copies started
	TagWaits            uint64 // SM reads that found no tag
}

// Port is the domain of a GPU's end of a link.
type Port struct {
	port    *sim.Port[devices.Message]
	config  Config
	wire    *link.Link
	far     int // domain of the remote memory
	owner   int // domain that is told of a copy's end
	l2      *cache.Wiring
	cross   sim.Time
	home    sim.Time // port to SM, one way
	copies  *[]*Copy
	engines []engine
	front   sim.Time // when the engines' common front end is free
	last    int      // the engine that it served last
	trans   []transaction
	spare   []int32
	mmu     *tlb.Unit[devices.Message] // for SM requests; nil: none
	shifts  []uint8                    // of the stretch that an entry of it covers, by tier
	tags    int                        // free
	waiting []untagged                 // oldest at head
	head    int
	loads   []untagged // as waiting, but the last goes first
	stats   Stats
}

// transaction is one request on the link that will be answered.
type transaction struct {
	reader devices.Message // the SM's request, when engine < 0
	engine int8
	flush  bool // behind a copy's last write
	dst    uint64
}

// untagged is an SM's read that waits for a tag.
type untagged struct {
	read  devices.Message
	since sim.Time
}

// engine is one copy engine.
type engine struct {
	queue    []job
	segment  int    // of the first job
	offset   uint64 // bytes of the segment already asked for
	inflight uint64
	left     uint64   // bytes of the first job not yet arrived
	unsent   uint64   // bytes of a copy out, or its segment, not yet on the link
	flushing bool     // the read behind them is not answered yet
	open     sim.Time // when the segment's start cost is over
	moved    uint64   // bytes arrived, over the engine's life
	tlb      *tlb.Array[struct{}]
}

// job is a copy and the op to report.
type job struct {
	copy *Copy
	op   uint32
}

// Events that a port schedules for itself.
const (
	segmentOpen = devices.Local + iota // an engine may move a segment's bytes
	walkEnd                            // of the walker that Tag names
)

// New builds the port's domain. copies is the table that Start messages
// index.
func New(c Config, e *sim.Engine[devices.Message], name string, wire *link.Link, l2 *cache.Wiring, cross, home sim.Time, copies *[]*Copy) *Port {
	p := &Port{port: e.Port(name), config: c, wire: wire, l2: l2, cross: cross, home: home, copies: copies, tags: c.Tags, engines: make([]engine, c.Engines)}
	e.Attach(p.port, p)
	return p
}

// AddMMU puts a translation unit before the SMs' requests, reads under
// their tags. An entry of it covers 1<<shifts[tier] bytes, as one of the copy
// engines' own TLBs does.
//
// Loads without a tag then wait as they do in the SMs that they stand for,
// whose schedulers are greedy: the last to come goes first, so that few warps
// run on while the others wait. In order of arrival all would take turns, and
// their pages thrash the TLB.
func (p *Port) AddMMU(c tlb.UnitConfig, shifts []uint8) {
	p.shifts = shifts
	if p.config.TLB != nil {
		for n := range p.engines {
			p.engines[n].tlb = tlb.NewArray[struct{}](*p.config.TLB)
		}
	}
	p.mmu = tlb.NewUnit(c, p.translated, func(end sim.Time, walker int) {
		p.port.Push(end, sim.Arbitrate, devices.Message{Kind: walkEnd, Tag: uint32(walker)})
	})
}

// MMU returns the port's translation unit, nil if it has none.
func (p *Port) MMU() *tlb.Unit[devices.Message] { return p.mmu }

// Touch leaves the translation unit as it is after an access to addr,
// for time that is not simulated.
func (p *Port) Touch(addr uint64) {
	if p.mmu != nil {
		p.mmu.Touch(p.key(addr))
	}
}

// Connect names the domains at the port's other ends.
func (p *Port) Connect(far, owner int) { p.far, p.owner = far, owner }

// ID returns the port's domain.
func (p *Port) ID() int { return p.port.ID() }

// Next returns the earliest time at which the port can act.
func (p *Port) Next() sim.Time { return p.port.Next() }

// Run executes everything before the horizon.
func (p *Port) Run(horizon sim.Time) {
	var m devices.Message
	for p.port.Next() < horizon {
		at := p.port.PopInto(&m)
		switch m.Kind {
		case devices.Start:
			p.enqueue(at, &m)
		case segmentOpen:
			p.pump(at, int(m.Tag))
		case walkEnd:
			p.mmu.End(at, int(m.Tag))
		case devices.Read, devices.Load:
			p.smRead(at, &m)
		case devices.Write:
			p.translate(at, &m)
		case devices.Data:
			p.arrive(at, &m)
		case devices.Ack:
			p.landed(at, &m)
		}
	}
}

// smRead takes an SM's read, which has to have a tag.
func (p *Port) smRead(at sim.Time, m *devices.Message) {
	if p.tags > 0 {
		p.tags--
		p.translate(at, m)
		return
	}
	p.stats.TagWaits++
	if m.Kind == devices.Load && p.mmu != nil {
		p.loads = append(p.loads, untagged{*m, at})
		return
	}
	p.waiting = append(p.waiting, untagged{*m, at})
}

// giveTag passes a tag on to a read that waits for one.
func (p *Port) giveTag(at sim.Time) {
	var w untagged
	switch n := len(p.loads); {
	case n > 0:
		w, p.loads = p.loads[n-1], p.loads[:n-1]
	case p.head < len(p.waiting):
		w = p.waiting[p.head]
		if p.head++; 2*p.head >= len(p.waiting) {
			p.waiting = p.waiting[:copy(p.waiting, p.waiting[p.head:])]
			p.head = 0
		}
	default:
		p.tags++
		return
	}
	w.read.Why.Add(devices.Credit, at-w.since)
	p.translate(at, &w.read)
}

// translate has an SM's request translated.
func (p *Port) translate(at sim.Time, m *devices.Message) {
	if p.mmu == nil {
		p.pass(at, m)
		return
	}
	p.mmu.Access(at, p.key(m.Addr), *m)
}

// key names addr's translation.
func (p *Port) key(addr uint64) uint64 { return tlb.Key(0, addr, p.shifts[devices.Tier(addr)]) }

// translated goes on with an SM's request, charged for its wait.
func (p *Port) translated(at sim.Time, m devices.Message) {
	begun := m.Born + m.Why.Total() + p.home
	m.Why.Add(devices.Translate, at-begun)
	p.pass(at, &m)
}

// pass sends an SM's request over the link.
func (p *Port) pass(at sim.Time, m *devices.Message) {
	if m.Kind == devices.Write {
		p.smWrite(at, m)
		return
	}
	p.send(at, transaction{reader: *m, engine: -1}, m.Addr, m.Bytes, devices.Read, m.Flow)
}

// smWrite posts an SM's store.
func (p *Port) smWrite(at sim.Time, m *devices.Message) {
	p.stats.SMWritten += uint64(m.Bytes)
	_, last := p.wire.Reserve(at, link.Down, link.WriteData, m.Bytes)
	p.port.Send(p.far, last, sim.Deliver, m)
}

// send puts a request on the wire under a new transaction.
func (p *Port) send(at sim.Time, t transaction, addr uint64, bytes uint32, kind devices.Kind, flow uint8) {
	var id int32
	if n := len(p.spare); n > 0 {
		id, p.spare = p.spare[n-1], p.spare[:n-1]
		p.trans[id] = t
	} else {
		p.trans = append(p.trans, t)
		id = int32(len(p.trans) - 1)
	}
	packet := link.ReadRequest
	if kind == devices.Write {
		packet = link.WriteData
	}
	_, last := p.wire.Reserve(at, link.Down, packet, bytes)
	p.port.Send(p.far, last, sim.Deliver, &devices.Message{Addr: addr, Bytes: bytes, Born: at, Tag: uint32(id), From: uint16(p.port.ID()), Kind: kind, Flow: flow})
}

// arrive takes bytes that a read brought, over the link or (for a copy out)
// from the L2.
func (p *Port) arrive(at sim.Time, m *devices.Message) {
	if devices.Tier(m.Addr) == 0 {
		p.forward(at, m)
		return
	}
	t := p.trans[m.Tag]
	p.spare = append(p.spare, int32(m.Tag))
	if t.flush {
		p.flushed(at, int(t.engine))
		return
	}
	if t.engine >= 0 {
		p.store(at, t.dst, m.Bytes, m.Flow)
		p.stats.CopiedIn += uint64(m.Bytes)
		p.progress(at, int(t.engine), m.Bytes)
		return
	}
	p.stats.SMRead += uint64(m.Bytes)
	r := t.reader
	r.Kind = devices.Data
	r.Why.Merge(&m.Why)
	p.port.Send(int(r.From), at+p.home, sim.Deliver, &r)
	p.giveTag(at)
}

// store writes a copy's bytes into the GPU's memory, granule by granule.
func (p *Port) store(at sim.Time, dst uint64, bytes uint32, flow uint8) {
	for left := uint64(bytes); left > 0; {
		n := min(left, p.l2.Granule-dst%p.l2.Granule)
		home, _ := p.l2.Locate(dst)
		p.port.Send(int(p.l2.Port[home]), at+p.cross, sim.Deliver,
			&devices.Message{Addr: dst, Bytes: uint32(n), Born: at, From: devices.NoReply, Kind: devices.Write, Flow: flow})
		dst, left = dst+n, left-n
	}
}

// Stats returns the port's counters.
func (p *Port) Stats() *Stats { return &p.stats }

// Waiting says what the port holds, for the watchdog.
func (p *Port) Waiting() string {
	queued := 0
	for i := range p.engines {
		queued += len(p.engines[i].queue)
	}
	s := fmt.Sprintf("%d transactions, %d reads without a tag, %d copies queued", len(p.trans)-len(p.spare), len(p.waiting)-p.head+len(p.loads), queued)
	if p.mmu != nil {
		s += ", " + p.mmu.Waiting()
	}
	return s
}
