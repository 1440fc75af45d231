package cache

import (
	"cmp"
	"fmt"
	"math/bits"

	"hwsim/devices"
	"hwsim/devices/dram"
	"hwsim/sim"
)

// Config describes a GPU's L2 and what its slices' latencies are made of.
type Config struct {
	Bytes        uint64  `toml:"bytes"`         // whole L2
	Ways         int     `toml:"ways"`          // lines of a set, 1 to 16
	Partitions   int     `toml:"partitions"`    // halves of the L2, 1 or 2
	GranuleBytes uint64  `toml:"granule_bytes"` // contiguous bytes of one slice
	SliceGBps    float64 `toml:"slice_gbps"`    // hit bandwidth of a slice, GB/s
	StoreGBps    float64 `toml:"store_gbps"`    // at which a slice takes stores, GB/s; 0: slice_gbps
	MSHRs        int     `toml:"mshrs"`         // outstanding fetches a slice
	HitNs        float64 `toml:"hit_ns"`        // tag and data of a slice, whether they hold the line or not
	CrossbarNs   float64 `toml:"crossbar_ns"`   // SM to slice or back, one way
	BridgeNs     float64 `toml:"bridge_ns"`     // between the partitions, one way
	MemoryNs     float64 `toml:"memory_ns"`     // slice to channel and back: controller and PHY pipelines
}

// Validate reports values that no L2 can have.
func (c *Config) Validate(report func(key, message string)) {
	if c.Partitions != 1 && c.Partitions != 2 {
		report("partitions", "must be 1 or 2")
	}
	if c.Ways < 1 || c.Ways > maxWays {
		report("ways", "must be 1 to 16")
	}
	if c.GranuleBytes < LineBytes || c.GranuleBytes > maxLines*LineBytes || bits.OnesCount64(c.GranuleBytes) != 1 {
		report("granule_bytes", "must be 128, 256 or 512")
	}
	for _, v := range []struct {
		key string
		bad bool
	}{{"bytes", c.Bytes == 0}, {"slice_gbps", c.SliceGBps <= 0}, {"store_gbps", c.StoreGBps < 0}, {"mshrs", c.MSHRs < 1}, {"hit_ns", c.HitNs < 0},
		{"crossbar_ns", c.CrossbarNs < 20}, {"bridge_ns", c.HitNs+c.BridgeNs < 20 && c.Partitions == 2}, {"memory_ns", c.MemoryNs < 0}} {
		if v.bad {
			report(v.key, "must be positive (crossings at least 20 ns, the simulator's lookahead)")
		}
	}
}

// Stats counts what a group's slices did, in bytes.
type Stats struct {
	Read, Hit      uint64 // asked by readers; found valid
	CopyHit        uint64 // found in a copy of the far partition's line
	Filled         uint64 // brought from memory
	Copied         uint64 // brought from the other partition
	Written        uint64 // stored by writers
	WrittenBack    uint64 // dirty sectors sent to memory
	MSHRStalls     uint64 // requests that waited for an MSHR
	QueuePs        uint64 // summed pipeline queueing of readers
	PipelineBusyPs uint64 // summed occupancy of the slices' pipelines
}

// Add sums counters.
func (s *Stats) Add(o *Stats) {
	s.Read += o.Read
	s.Hit += o.Hit
	s.CopyHit += o.CopyHit
	s.Filled += o.Filled
	s.Copied += o.Copied
	s.Written += o.Written
	s.WrittenBack += o.WrittenBack
	s.MSHRStalls += o.MSHRStalls
	s.QueuePs += o.QueuePs
	s.PipelineBusyPs += o.PipelineBusyPs
}

// Group is the domain of some slices of one partition and their channels.
type Group struct {
	port    *sim.Port[devices.Message]
	wiring  *Wiring
	local   []int16 // slice id → index in slices, or -1
	slices  []slice
	psByte  float64
	psStore float64
	hit     sim.Time
	cross   sim.Time
	bridge  sim.Time
	memory  sim.Time
	mshrs   int
	backs   uint32   // bytes of dirty lines that a slice hands to its channel before it refuses stores
	next    sim.Time // when the channels must next be run
	slack   sim.Time // from a command in a channel to the earliest message that it can cause
	window  sim.Time // longest window of the engine
	stats   Stats
	served  sim.Histogram // time of fetches in the channels
}

// Wiring says which domain owns each slice of the L2.
type Wiring struct {
	devices.Interleave
	Port       []uint16 // slice → domain
	Partitions int
}

// Partition returns the partition of a slice.
func (w *Wiring) Partition(slice int) int { return slice * w.Partitions / int(w.Slices) }

// Mirror returns the slice that keeps copies of the given slice's lines in
// the other partition; the slice itself if there is one partition.
func (w *Wiring) Mirror(slice int) int {
	return (slice + int(w.Slices)/w.Partitions*(w.Partitions-1)) % int(w.Slices)
}

// Near returns the slice at which a requester of the given partition looks
// for addr: its home, or the home's mirror when the home is far.
func (w *Wiring) Near(addr uint64, partition int) int {
	s, _ := w.Locate(addr)
	if w.Partition(s) != partition {
		return w.Mirror(s)
	}
	return s
}

// NewGroup builds the domain that owns the given slices, all of one
// partition, each with its own channel. lookahead is the engine's.
func NewGroup(c Config, d dram.Config, port *sim.Port[devices.Message], w *Wiring, slices []int, lookahead sim.Time) (*Group, error) {
	g := &Group{port: port, wiring: w, local: make([]int16, w.Slices), psByte: 1e3 / c.SliceGBps, psStore: 1e3 / cmp.Or(c.StoreGBps, c.SliceGBps), mshrs: c.MSHRs, next: sim.Never,
		hit: sim.FromNanoseconds(c.HitNs), cross: sim.FromNanoseconds(c.CrossbarNs), bridge: sim.FromNanoseconds(c.BridgeNs),
		memory: sim.FromNanoseconds(c.MemoryNs), window: lookahead}
	g.slack = g.memory + g.hit + g.cross
	if c.Partitions > 1 {
		g.slack = g.memory + g.hit + min(g.cross, g.bridge)
	}
	for i := range g.local {
		g.local[i] = -1
	}
	g.slices = make([]slice, len(slices))
	for i, id := range slices {
		ch, err := dram.New(d)
		if err != nil {
			return nil, fmt.Errorf("channel of slice %d: %w", id, err)
		}
		g.backs = writeQueueBytes(&d, ch.Spec())
		g.slices[i] = slice{id: id, lines: newArray(c.Bytes/w.Slices, c.Ways, w.Slices, c.GranuleBytes), channel: ch}
		g.local[id] = int16(i)
	}
	return g, nil
}

// Next returns the earliest time at which the group can act.
func (g *Group) Next() sim.Time { return min(g.port.Next(), g.next) }

// Run executes everything before the horizon.
func (g *Group) Run(horizon sim.Time) {
	var m devices.Message
	for g.port.Next() < horizon {
		at := g.port.PopInto(&m)
		g.handle(at, &m)
	}
	g.next = sim.Never
	for i := range g.slices {
		g.drain(&g.slices[i], horizon)
	}
}

func (g *Group) handle(at sim.Time, m *devices.Message) {
	home, _ := g.wiring.Locate(m.Addr)
	id := home
	if g.local[id] < 0 {
		id = g.wiring.Mirror(home)
	}
	s := &g.slices[g.local[id]]
	switch m.Kind {
	case devices.Read, devices.Probe:
		g.read(s, at, m, id == home)
	case devices.Write:
		g.write(s, at, m, id == home)
	case devices.Fill:
		g.fill(s, m)
	case invalidate:
		g.invalidate(s, m)
	}
}

// drain runs the slice's channel up to the horizon and completes what it has
// served. What a channel does is first seen slack later, so it may fall behind
// by as much, and then works through several windows at once while its state
// is at hand.
func (g *Group) drain(s *slice, horizon sim.Time) {
	for s.due() < horizon+g.window-g.slack {
		s.serve(horizon)
		// Completing a fetch can hand on a stalled request, due before the horizon.
		for i := range s.channel.Completions() {
			c := &s.channel.Completions()[i]
			if c.Write {
				g.written(s, c)
				continue
			}
			g.served.Add(c.Why.Total())
			g.complete(s, int32(c.Tag), c.Last+g.memory, &c.Why)
		}
		s.channel.Drop()
	}
	if due := s.due(); due != sim.Never {
		g.next = min(g.next, max(horizon, due+g.slack-g.window))
	}
}

// Stats returns the group's counters.
func (g *Group) Stats() *Stats { return &g.stats }

// Latency returns how long fetches took in the group's channels, from the
// slice to the last byte.
func (g *Group) Latency() *sim.Histogram { return &g.served }

// Work counts the channels' commands, for the engine's choice of going
// parallel.
func (g *Group) Work() uint64 {
	var n uint64
	for i := range g.slices {
		st := g.slices[i].channel.Stats()
		n += st.ACT + st.PRE + st.RD + st.WR
	}
	return n
}

// Channels calls f with every channel of the group, in slice order.
func (g *Group) Channels(f func(slice int, c *dram.Channel)) {
	for i := range g.slices {
		f(g.slices[i].id, g.slices[i].channel)
	}
}

// Waiting says what the group holds, for the watchdog.
func (g *Group) Waiting() string {
	n, st, q := 0, 0, 0
	for i := range g.slices {
		n += g.slices[i].fetches.live()
		st += g.slices[i].stalled.len()
		q += g.slices[i].channel.Pending()
	}
	return fmt.Sprintf("%d fetches outstanding, %d requests stalled, %d in the channels", n, st, q)
}
