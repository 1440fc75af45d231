package hierarchy

import (
	"fmt"

	"hwsim/devices"
	"hwsim/devices/cache"
	"hwsim/devices/cxl"
	"hwsim/devices/dma"
	"hwsim/devices/dram"
	"hwsim/devices/gpu"
	"hwsim/devices/host"
	"hwsim/devices/link"
	"hwsim/sim"
)

// System is a machine ready to run.
type System struct {
	Config *Config
	Engine *sim.Engine[devices.Message]
	GPU    *gpu.GPU
	L2     []*cache.Group
	Space  Space
	Copies []*dma.Copy // what ops of copy engines refer to by index

	wiring   *cache.Wiring
	remotes  []remote
	channels [NumTiers][]*dram.Channel
}

// remote is a link of the GPU with both its ends.
type remote struct {
	name string
	wire *link.Link
	port *dma.Port
	far  *host.Memory
}

// slicesPerGroup is how many L2 slices share a domain.
const slicesPerGroup = 6

// Build makes the machine that c describes. Errors are of c's values.
func Build(c *Config) (*System, error) { return assemble(c, c.HBM.Channels) }

// Outline is Build with only the first of the L2's slices and HBM's channels: a
// machine that has its address space and tells peak rates, and cannot run. It makes
// the same errors as Build.
func Outline(c *Config) (*System, error) { return assemble(c, min(1, c.HBM.Channels)) }

// assemble builds the machine with the first of its L2's slices.
func assemble(c *Config, slices int) (*System, error) {
	crossbar := sim.FromNanoseconds(c.L2.CrossbarNs)
	s := &System{Config: c, Engine: sim.NewEngine[devices.Message](lookahead(c))}
	s.Space.capacity[HBM] = c.HBM.bytes()
	s.wiring = &cache.Wiring{Interleave: devices.Interleave{Granule: c.L2.GranuleBytes, Slices: uint64(c.HBM.Channels)},
		Port: make([]uint16, c.HBM.Channels), Partitions: c.L2.Partitions}
	fabric := &gpu.Fabric{L2: s.wiring, Remote: make([]uint16, NumTiers), Crossbar: crossbar, RemoteIn: sim.FromNanoseconds(c.GPU.RemoteNs), Translation: s.translation()}
	s.GPU = gpu.New(c.GPU, s.Engine, fabric)
	if err := s.buildL2(c, slices); err != nil {
		return nil, err
	}
	if c.Host != nil {
		if err := s.buildHost(c.Host, fabric); err != nil {
			return nil, fmt.Errorf("host: %w", err)
		}
	}
	if c.Peer != nil {
		if err := s.buildPeer(c.Peer, fabric); err != nil {
			return nil, fmt.Errorf("peer: %w", err)
		}
	}
	for t := range NumTiers {
		s.channels[t] = s.findChannels(t)
	}
	s.Engine.SetPending(s.GPU.Front.Pending)
	return s, nil
}

// translation returns what translates in the groups of SMs.
func (s *System) translation() *gpu.Translation {
	m := s.Config.MMU
	if m == nil {
		return nil
	}
	return &gpu.Translation{TLB: m.Group.Config, Shifts: m.shifts(), Miss: sim.FromNanoseconds(m.Group.MissNs), InUse: &s.Space.used[HBM]}
}

// lookahead is the least latency between any two domains.
func lookahead(c *Config) sim.Time {
	ns := c.L2.CrossbarNs
	if c.L2.Partitions > 1 {
		ns = min(ns, c.L2.HitNs+c.L2.BridgeNs)
	}
	if c.Host != nil {
		ns = min(ns, c.Host.Link.LatencyNs, c.GPU.RemoteNs)
	}
	if c.Peer != nil {
		ns = min(ns, c.Peer.Link.LatencyNs, c.GPU.RemoteNs)
	}
	return sim.FromNanoseconds(ns)
}

func (m *Memory) bytes() uint64 { return uint64((m.CapacityGiB - m.ReservedGiB) * (1 << 30)) }

// Stored leaves the L2 as it is after a stretch of memory has been written,
// for time that is skipped; of other tiers' memory it keeps nothing.
func (s *System) Stored(addr, bytes uint64) {
	if devices.Tier(addr) != int(HBM) {
		return
	}
	for _, g := range s.L2 {
		g.Stored(addr, bytes)
	}
}

// Loaded leaves the L2 as it is after an SM of the partition has read a
// stretch of memory, for time that is not simulated; of other tiers' memory
// it keeps nothing.
func (s *System) Loaded(addr, bytes uint64, partition int) {
	if devices.Tier(addr) != int(HBM) {
		return
	}
	for base := addr &^ (cache.LineBytes - 1); base < addr+bytes; base += cache.LineBytes {
		home, _ := s.wiring.Locate(base)
		near := s.wiring.Near(base, partition)
		if near != home && s.groupOf(near).Keep(near, base, false) {
			continue
		}
		s.groupOf(home).Keep(home, base, near != home)
	}
}

// Translated leaves the TLBs as they are after SMs of all groups have gone
// over a stretch of memory, for time that is not simulated.
func (s *System) Translated(addr, bytes uint64) {
	if s.Config.MMU == nil {
		return
	}
	tier := TierID(devices.Tier(addr))
	entry := uint64(1) << s.Config.MMU.shifts()[tier]
	for at := addr &^ (entry - 1); at < addr+bytes; at += entry {
		s.GPU.TouchTLBs(at)
		for _, r := range s.remotes {
			if r.port.ID() == s.Port(tier) {
				r.port.Touch(at)
			}
		}
	}
}

// groupOf returns the group that owns a slice.
func (s *System) groupOf(slice int) *cache.Group {
	first := s.wiring.Port[0] // groups have consecutive domains
	return s.L2[s.wiring.Port[slice]-first]
}

// buildL2 gives runs of the first slices, never across the partitions, a domain each.
func (s *System) buildL2(c *Config, slices int) error {
	perPartition := c.HBM.Channels / c.L2.Partitions
	for first := 0; first < slices; {
		end := min(first+slicesPerGroup, (first/perPartition+1)*perPartition, slices)
		var ids []int
		port := s.Engine.Port(fmt.Sprintf("l2 slices %d-%d", first, end-1))
		for id := first; id < end; id++ {
			ids = append(ids, id)
			s.wiring.Port[id] = uint16(port.ID())
		}
		g, err := cache.NewGroup(c.L2, c.HBM.DRAM, port, s.wiring, ids, s.Engine.Lookahead())
		if err != nil {
			return fmt.Errorf("hbm: %w", err)
		}
		s.Engine.Attach(port, g)
		s.L2 = append(s.L2, g)
		first = end
	}
	return nil
}

func (s *System) buildHost(h *Host, f *gpu.Fabric) error {
	r, err := s.connect("host", h.Link, h.DMA, h.FabricNs, f)
	if err != nil {
		return err
	}
	if h.JitterNs > 0 {
		r.far.Jitter(h.JitterNs, true)
	}
	if h.DDR != nil {
		if err := s.attach(r, f, DDR, h.DDR); err != nil {
			return fmt.Errorf("ddr: %w", err)
		}
	}
	if x := h.CXL; x != nil {
		units := make([]host.Unit, x.Expanders)
		for i := range units {
			e, err := cxl.New(x.Expander)
			if err != nil {
				return fmt.Errorf("cxl: %w", err)
			}
			units[i] = e
		}
		s.addTier(r, f, CXLMem, &host.Tier{Interleave: devices.Interleave{Granule: x.GranuleBytes, Slices: uint64(x.Expanders)}, Name: "cxl", Units: units},
			uint64(x.CapacityGiB*(1<<30))*uint64(x.Expanders))
	}
	return nil
}

func (s *System) buildPeer(p *Peer, f *gpu.Fabric) error {
	r, err := s.connect("peer", p.Link, p.DMA, p.FabricNs, f)
	if err != nil {
		return err
	}
	if p.JitterNs > 0 {
		r.far.Jitter(p.JitterNs, false)
	}
	return s.attach(r, f, PeerHBM, &p.HBM)
}

// connect builds a link with the GPU's port at one end and memory domain at
// the other.
func (s *System) connect(name string, l link.Config, d dma.Config, fabricNs float64, f *gpu.Fabric) (*remote, error) {
	wire, err := link.New(l)
	if err != nil {
		return nil, err
	}
	r := remote{name: name, wire: wire, far: host.New(s.Engine, name+" memory", wire, fabricNs),
		port: dma.New(d, s.Engine, name+" port", wire, s.wiring, f.Crossbar, f.RemoteIn, &s.Copies)}
	r.port.Connect(r.far.ID(), s.GPU.Front.ID())
	if m := s.Config.MMU; m != nil {
		r.port.AddMMU(m.Shared, m.shifts())
	}
	s.remotes = append(s.remotes, r)
	return &s.remotes[len(s.remotes)-1], nil
}

// attach puts DRAM channels behind a link as a tier.
func (s *System) attach(r *remote, f *gpu.Fabric, id TierID, m *Memory) error {
	units := make([]host.Unit, m.Channels)
	for i := range units {
		ch, err := dram.New(m.DRAM)
		if err != nil {
			return err
		}
		units[i] = ch
	}
	s.addTier(r, f, id, &host.Tier{Interleave: devices.Interleave{Granule: m.GranuleBytes, Slices: uint64(m.Channels)}, Name: id.String(), Units: units}, m.bytes())
	return nil
}

func (s *System) addTier(r *remote, f *gpu.Fabric, id TierID, t *host.Tier, bytes uint64) {
	r.far.Attach(int(id), t)
	f.Remote[id] = uint16(r.port.ID())
	s.Space.capacity[id] = bytes
}

// Port returns the domain of the copy engines that reach the tier, -1 if
// there is none.
func (s *System) Port(t TierID) int {
	for i := range s.remotes {
		if tiers := s.remotes[i].far.Tiers(); int(t) < len(tiers) && tiers[t] != nil {
			return s.remotes[i].port.ID()
		}
	}
	return -1
}
