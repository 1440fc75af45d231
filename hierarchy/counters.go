package hierarchy

import (
	"math"

	"hwsim/devices/cache"
	"hwsim/devices/card"
	"hwsim/devices/cxl"
	"hwsim/devices/dma"
	"hwsim/devices/dram"
	"hwsim/devices/link"
	"hwsim/devices/tlb"
	"hwsim/sim"
)

// maxLinks is the most links a GPU has here: to its host and to a peer.
const maxLinks = 2

// Counters is a reading of what every tier and link has done, as plain
// numbers: readings can be subtracted, scaled and added. A tier's busy time
// is the sum over its data buses; divide by Buses.
type Counters [int(NumTiers)*tierFields + maxLinks*2*linkFields]float64

const (
	tierFields = 9
	linkFields = 3
)

// TierCounts are one tier's counters.
type TierCounts struct {
	Read, Written     float64 // bytes its channels moved
	BusyPs            float64 // its data buses' busy time, all together
	RowHits, Accesses float64 // column commands to an open row; all
	Commands          card.Commands
}

// LinkCounts are those of one direction of a link.
type LinkCounts struct {
	Payload, Wire float64 // bytes
	BusyPs        float64
}

// Tier returns a tier's part.
func (c *Counters) Tier(t TierID) TierCounts {
	v := c[int(t)*tierFields:]
	return TierCounts{v[0], v[1], v[2], v[3], v[4], card.Commands{Activates: v[5], ReadBits: v[6], WrittenBits: v[7], RefreshedRows: v[8]}}
}

// Link returns the part of the i-th direction of System.Links.
func (c *Counters) Link(i int) LinkCounts {
	v := c[int(NumTiers)*tierFields+i*linkFields:]
	return LinkCounts{v[0], v[1], v[2]}
}

// AddReads adds reads of a tier that nothing simulated, each row opened once.
func (c *Counters) AddReads(t TierID, bytes, rowBits float64) {
	v := c[int(t)*tierFields:]
	v[0] += bytes
	v[5] += 8 * bytes / rowBits
	v[6] += 8 * bytes
}

// ScaleRemote scales what the i-th of Ports' link and the tiers behind it have done.
func (s *System) ScaleRemote(c *Counters, i int, by float64) {
	for id, t := range s.remotes[i].far.Tiers() {
		if t != nil {
			c.ScaleTier(TierID(id), by)
		}
	}
	c.ScaleLink(i, by)
}

// ScaleTier scales what a tier has done.
func (c *Counters) ScaleTier(t TierID, by float64) {
	for f := range tierFields {
		c[int(t)*tierFields+f] *= by
	}
}

// ScaleLink scales what the link of the i-th of Ports has done, both ways.
func (c *Counters) ScaleLink(i int, by float64) {
	for f := range 2 * linkFields {
		c[int(NumTiers)*tierFields+2*i*linkFields+f] *= by
	}
}

// Counters reads the machine's counters.
func (s *System) Counters() Counters {
	var c Counters
	for t := range NumTiers {
		for _, ch := range s.Channels(t) {
			c.addChannel(t, ch)
		}
	}
	for i := range s.remotes {
		for d := range 2 {
			st := s.remotes[i].wire.Stats(link.Direction(d))
			v := c[int(NumTiers)*tierFields+(2*i+d)*linkFields:]
			v[0], v[1], v[2] = float64(st.PayloadBytes), st.WireBytes, float64(st.Busy)
		}
	}
	return c
}

// CountersAt is Counters without what links have booked beyond now, which is
// taken to be like the mean of what they have sent.
func (s *System) CountersAt(now sim.Time) Counters {
	c := s.Counters()
	for i := range s.remotes {
		for d := range 2 {
			v := c[int(NumTiers)*tierFields+(2*i+d)*linkFields:][:linkFields]
			booked := float64(max(0, s.remotes[i].wire.Free(link.Direction(d))-now))
			if booked == 0 {
				continue
			}
			sent := 1 - booked/v[2]
			for f := range v {
				v[f] *= sent
			}
		}
	}
	return c
}

// Banks returns what the banks of a tier's channels have done, channel by channel.
func (s *System) Banks(t TierID) (all [][]dram.BankStats) {
	for _, ch := range s.Channels(t) {
		all = append(all, ch.Banks())
	}
	return all
}

func (c *Counters) addChannel(t TierID, ch *dram.Channel) {
	s := ch.Stats()
	v := c[int(t)*tierFields:]
	v[0] += float64(s.BytesRead)
	v[1] += float64(s.BytesWritten)
	v[2] += float64(s.BusBusy)
	v[3] += float64(s.Hits)
	v[4] += float64(s.Hits + s.Misses + s.Conflicts)
	n := ch.Commands()
	v[5] += n.Activates
	v[6] += n.ReadBits
	v[7] += n.WrittenBits
	v[8] += n.RefreshedRows
}

// Channels returns a tier's channels of DRAM, those of all expanders one after the
// other; none of a tier that is not there.
func (s *System) Channels(t TierID) []*dram.Channel { return s.channels[t] }

func (s *System) findChannels(t TierID) (all []*dram.Channel) {
	if t == HBM {
		for _, g := range s.L2 {
			g.Channels(func(_ int, ch *dram.Channel) { all = append(all, ch) })
		}
		return all
	}
	for i := range s.remotes {
		tiers := s.remotes[i].far.Tiers()
		if int(t) >= len(tiers) || tiers[t] == nil {
			continue
		}
		for _, u := range tiers[t].Units {
			switch u := u.(type) {
			case *dram.Channel:
				all = append(all, u)
			case *cxl.Expander:
				all = append(all, u.Channels()...)
			}
		}
	}
	return all
}

// LinkInfo names one direction of a link.
type LinkInfo struct {
	Name    string
	Kind    string
	RawGBps float64
	Energy  *card.Link // nil: none
}

// Links returns both directions of each link, in the order of their counters.
func (s *System) Links() []LinkInfo {
	var out []LinkInfo
	configs := map[string]*link.Config{}
	if s.Config.Host != nil {
		configs["host"] = &s.Config.Host.Link
	}
	if s.Config.Peer != nil {
		configs["peer"] = &s.Config.Peer.Link
	}
	for _, r := range s.remotes {
		c := configs[r.name]
		up := c.RawUpGBps
		if up == 0 {
			up = c.RawGBps
		}
		out = append(out, LinkInfo{c.Kind + " to " + r.name, c.Kind, c.RawGBps, c.Energy}, LinkInfo{c.Kind + " from " + r.name, c.Kind, up, c.Energy})
	}
	return out
}

// Ports returns the ports of the GPU's links, with their copy engines.
func (s *System) Ports() []*dma.Port {
	var out []*dma.Port
	for _, r := range s.remotes {
		out = append(out, r.port)
	}
	return out
}

// Remote returns the name of what the i-th of Ports leads to.
func (s *System) Remote(i int) string { return s.remotes[i].name }

// Translation counts translations: in the TLBs of the groups of SMs, and in
// the shared ones at the ports.
type Translation struct {
	GroupHits, GroupMisses uint64
	Shared                 tlb.Stats
}

// Translation reads the TLBs' counters.
func (s *System) Translation() Translation {
	var t Translation
	t.GroupHits, t.GroupMisses = s.GPU.Translations()
	for _, p := range s.Ports() {
		if u := p.MMU(); u != nil {
			t.Shared.Add(u.Stats())
		}
	}
	return t
}

// Engines returns the copy engine that the n-th user of a tier's port gets.
func (s *System) Engines(t TierID, n int) int {
	for _, r := range s.remotes {
		if r.port.ID() == s.Port(t) {
			return n % r.port.Engines()
		}
	}
	return 0
}

// PeakGBps returns what the pins of a tier's memory can move.
func (s *System) PeakGBps(t TierID) float64 {
	m := s.memory(t)
	if m == nil {
		x := s.Config.Host.CXL
		return pinsGBps(&x.Expander.DRAM) * float64(x.Expander.Channels*x.Expanders)
	}
	return pinsGBps(&m.DRAM) * float64(m.Channels)
}

// pinsGBps returns what one channel's pins can move; 0 for a standard that
// Build has refused.
func pinsGBps(c *dram.Config) float64 {
	spec, err := dram.Standard(c.Standard)
	if err != nil {
		return 0
	}
	return spec.PeakGBps()
}

// Buses returns how many data buses a tier has.
func (s *System) Buses(t TierID) float64 {
	m := s.memory(t)
	if m == nil {
		x := s.Config.Host.CXL
		return buses(&x.Expander.DRAM) * float64(x.Expander.Channels*x.Expanders)
	}
	return buses(&m.DRAM) * float64(m.Channels)
}

func buses(c *dram.Config) float64 {
	spec, err := dram.Standard(c.Standard)
	if err != nil {
		return 1
	}
	return float64(spec.PseudoChannels)
}

// CeilingGBps returns the most that reads of a tier can get: its pins', or
// that of the link before it.
func (s *System) CeilingGBps(t TierID) float64 {
	return min(s.PeakGBps(t), s.LinkGBps(t))
}

// LinkGBps returns the most that reads over the GPU's link to a tier can get,
// infinite for HBM.
func (s *System) LinkGBps(t TierID) float64 {
	for _, r := range s.remotes {
		if t != HBM && r.port.ID() == s.Port(t) {
			return r.wire.Ceiling(1)
		}
	}
	return math.Inf(1)
}

func (s *System) memory(t TierID) *Memory {
	switch t {
	case HBM:
		return &s.Config.HBM
	case DDR:
		return s.Config.Host.DDR
	case PeerHBM:
		return &s.Config.Peer.HBM
	}
	return nil
}

// Latency returns how long requests took in a tier: for HBM inside the L2 and
// its channels, for far tiers from the GPU's port to the far memory's answer.
func (s *System) Latency(t TierID) *sim.Histogram {
	h := &sim.Histogram{}
	if t == HBM {
		for _, g := range s.L2 {
			h.Merge(g.Latency())
		}
		return h
	}
	for _, r := range s.remotes {
		if tiers := r.far.Tiers(); int(t) < len(tiers) && tiers[t] != nil {
			h.Merge(&tiers[t].Latency)
		}
	}
	return h
}

// CacheStats sums the L2's counters.
func (s *System) CacheStats() cache.Stats {
	var sum cache.Stats
	for _, g := range s.L2 {
		sum.Add(g.Stats())
	}
	return sum
}
