package hierarchy

import (
	"fmt"
	"math/bits"
	"strings"

	"hwsim/devices/cache"
	"hwsim/devices/card"
	"hwsim/devices/cxl"
	"hwsim/devices/dma"
	"hwsim/devices/dram"
	"hwsim/devices/gpu"
	"hwsim/devices/host"
	"hwsim/devices/link"
	"hwsim/devices/tlb"
)

// Config describes a machine, as seen from one of its GPUs.
type Config struct {
	Name string       `toml:"name"` // that reports say; any text
	GPU  gpu.Config   `toml:"gpu"`
	L2   cache.Config `toml:"l2"`
	HBM  Memory       `toml:"hbm"`
	Host *Host        `toml:"host"`
	Peer *Peer        `toml:"peer"`
	MMU  *MMU         `toml:"mmu"`  // nil: the SMs' addresses need no translation
	Cost *card.Cost   `toml:"cost"` // how it is paid for; nil: cost is not told
}

// MMU translates the SMs' addresses: a TLB for each GPC, and for
// what lies behind a link a shared one, with walkers, at the link's port.
type MMU struct {
	EntryBytes     uint64         `toml:"entry_bytes"`      // of HBM, the peer's too, that one entry covers
	HostEntryBytes uint64         `toml:"host_entry_bytes"` // of host memory
	Group          GroupTLB       `toml:"group"`
	Shared         tlb.UnitConfig `toml:"shared"`
}

// GroupTLB is the TLB of a GPC.
type GroupTLB struct {
	tlb.Config
	MissNs float64 `toml:"miss_ns"` // until the next level has answered
}

// Validate reports values that no MMU can have.
func (m *MMU) Validate(report func(key, message string)) {
	const least, most = 4096, 1 << 40
	if !powerOfTwo(m.EntryBytes, least, most) {
		report("entry_bytes", "must be a power of two from 4096 to 1 TiB")
	}
	if !powerOfTwo(m.HostEntryBytes, least, most) {
		report("host_entry_bytes", "must be a power of two from 4096 to 1 TiB")
	}
	if m.Group.MissNs < 0 || m.Group.MissNs > 1e5 {
		report("group.miss_ns", "must be 0 to 100000")
	}
}

// shifts returns the log2 of the bytes that an entry covers, by tier.
func (m *MMU) shifts() []uint8 {
	near, far := uint8(bits.TrailingZeros64(m.EntryBytes)), uint8(bits.TrailingZeros64(m.HostEntryBytes))
	return []uint8{HBM: near, DDR: far, CXLMem: far, PeerHBM: near}
}

// Reach returns how much of a tier the shared TLB covers, in bytes.
func (m *MMU) Reach(t TierID) uint64 { return uint64(m.Shared.Entries) << m.shifts()[t] }

// Memory is DRAM of one kind, its addresses spread over its channels.
type Memory struct {
	CapacityGiB  float64     `toml:"capacity_gib"`  // GiB of all channels, above 0, at most 16384; HBM at most 512
	ReservedGiB  float64     `toml:"reserved_gib"`  // taken by the driver, the context and the framework
	Channels     int         `toml:"channels"`      // channels of DRAM, 1 to 1024
	GranuleBytes uint64      `toml:"granule_bytes"` // contiguous bytes of one channel; for HBM the L2's granule rules
	DRAM         dram.Config `toml:"dram"`

	Energy *card.DRAM  `toml:"energy"` // nil: that of the DRAM's standard
	Price  *card.Price `toml:"price"`  // nil: nothing
}

// Host is what lies behind the GPU's host link.
type Host struct {
	Link     link.Config `toml:"link"`
	DMA      dma.Config  `toml:"dma"`
	FabricNs float64     `toml:"fabric_ns"` // root complex to a memory queue, one way
	JitterNs float64     `toml:"jitter_ns"` // mean of what a read waits beyond that, exponential
	SubmitNs float64     `toml:"submit_ns"` // for a program to submit copies and to see their end, without the copies
	CallNs   float64     `toml:"call_ns"`   // of the host's, to submit one copy
	EntryNs  float64     `toml:"entry_ns"`  // the same, as one of a batch
	LaunchNs float64     `toml:"launch_ns"` // of the host's, to launch one kernel
	GraphNs  float64     `toml:"graph_ns"`  // from a call that launches a graph of kernels to the first one's launch
	SyncNs   float64     `toml:"sync_ns"`   // from a kernel's end until the host that waits goes on
	Inline   *Inline     `toml:"inline"`    // nil: engines read all that they copy
	DDR      *Memory     `toml:"ddr"`
	CXL      *CXL        `toml:"cxl"`
	CPU      *host.CPU   `toml:"cpu"` // nil: the host computes nothing
}

// Inline is how the host puts the bytes of small copies to an idle GPU into
// the commands, instead of having them read.
type Inline struct {
	Bytes  uint64  `toml:"bytes"`   // of the largest such copy
	CopyNs float64 `toml:"copy_ns"` // more of the host's than for another copy, beside the bytes
	GBps   float64 `toml:"gbps"`    // GB/s at which the host copies them
}

// HostNs returns what such a copy takes the host more than another.
func (in *Inline) HostNs(bytes uint64) float64 { return in.CopyNs + float64(bytes)/in.GBps }

// Validate reports values that no host can have.
func (in *Inline) Validate(report func(key, message string)) {
	if in.CopyNs < 0 {
		report("copy_ns", "must not be negative")
	}
	if !(in.GBps >= 1e-3 && in.GBps <= 1e6) {
		report("gbps", "must be 0.001 to 1000000")
	}
}

// CXL is a set of equal memory expanders.
type CXL struct {
	Expanders    int        `toml:"expanders"`     // cards, 1 to 64
	CapacityGiB  float64    `toml:"capacity_gib"`  // each
	GranuleBytes uint64     `toml:"granule_bytes"` // contiguous bytes of one card, a power of two from 64 to 1048576
	Expander     cxl.Config `toml:"expander"`

	Energy *card.Expander `toml:"energy"` // nil: that of the DRAM's standard, and nothing for the controllers
	Price  *card.Price    `toml:"price"`  // of a card; nil: nothing
}

// Peer is another GPU of the same kind, behind an NVLink.
type Peer struct {
	Link     link.Config `toml:"link"`
	DMA      dma.Config  `toml:"dma"`
	FabricNs float64     `toml:"fabric_ns"` // link to the peer's memory queue, one way: its crossbar and L2
	JitterNs float64     `toml:"jitter_ns"` // mean of what a line read waits beyond that, exponential
	HBM      Memory      `toml:"hbm"`
}

// Validate reports values that no machine can have.
func (c *Config) Validate(report func(key, message string)) {
	c.HBM.validate(func(key, message string) { report("hbm."+key, message) }, false)
	if c.L2.Partitions == 2 && c.HBM.Channels%2 != 0 {
		report("hbm.channels", "must be even when the L2 has two partitions")
	}
	const lines = 128 * 16 // bytes of a set of the most ways
	if c.HBM.Channels > 0 && (c.L2.Bytes < uint64(c.HBM.Channels)*lines || c.L2.Bytes > 1<<34) {
		report("l2.bytes", fmt.Sprintf("must be %d (a set for each channel's slice) to %d", c.HBM.Channels*lines, 1<<34))
	}
	if c.HBM.CapacityGiB > 512 {
		report("hbm.capacity_gib", "must be at most 512: the L2's tags hold 32 bits of line number")
	}
	if c.Host != nil || c.Peer != nil {
		c.farLatency(report, "gpu.remote_ns", c.GPU.RemoteNs)
	}
	if c.Host != nil {
		c.farLatency(report, "host.link.latency_ns", c.Host.Link.LatencyNs)
	}
	if c.Peer != nil {
		c.farLatency(report, "peer.link.latency_ns", c.Peer.Link.LatencyNs)
		if c.Peer.FabricNs < 0 {
			report("peer.fabric_ns", "must not be negative")
		}
		if c.Peer.JitterNs < 0 {
			report("peer.jitter_ns", "must not be negative")
		}
	}
	if h := c.Host; h != nil {
		if h.DDR == nil && h.CXL == nil {
			report("host", "needs ddr or cxl")
		}
		if h.DDR != nil {
			h.DDR.validate(func(key, message string) { report("host.ddr."+key, message) }, true)
		}
		if x := h.CXL; x != nil {
			x.validate(func(key, message string) { report("host.cxl."+key, message) })
		}
		h.validateTimes(func(key, message string) { report("host."+key, message) })
	}
	if c.MMU == nil {
		const needs = "needs mmu, which says what an entry covers"
		if c.Host != nil && c.Host.DMA.TLB != nil {
			report("host.dma.tlb", needs)
		}
		if c.Peer != nil && c.Peer.DMA.TLB != nil {
			report("peer.dma.tlb", needs)
		}
	}
	if p := c.Peer; p != nil {
		p.HBM.validate(func(key, message string) { report("peer.hbm."+key, message) }, true)
	}
}

// validateTimes checks what the host and its fabric take.
func (h *Host) validateTimes(report func(key, message string)) {
	for _, k := range []struct {
		key string
		ns  float64
	}{{"fabric_ns", h.FabricNs}, {"jitter_ns", h.JitterNs}, {"submit_ns", h.SubmitNs}, {"call_ns", h.CallNs}, {"entry_ns", h.EntryNs}, {"launch_ns", h.LaunchNs}, {"graph_ns", h.GraphNs}, {"sync_ns", h.SyncNs}} {
		if k.ns < 0 {
			report(k.key, "must not be negative")
		}
	}
}

// farLatency checks a latency between domains, which bounds the simulator's
// windows.
func (c *Config) farLatency(report func(key, message string), key string, ns float64) {
	if ns < 20 {
		report(key, "must be at least 20 (the simulator's lookahead)")
	}
}

func (m *Memory) validate(report func(key, message string), granule bool) {
	if m.CapacityGiB <= 0 || m.CapacityGiB > 16384 {
		report("capacity_gib", "must be above 0 and at most 16384")
	}
	if m.ReservedGiB < 0 || (m.CapacityGiB > 0 && m.ReservedGiB >= m.CapacityGiB) {
		report("reserved_gib", "must be at least 0 and below capacity_gib")
	}
	if m.Channels < 1 || m.Channels > 1024 {
		report("channels", "must be 1 to 1024")
	}
	matchCard(report, m.Energy, &m.DRAM)
	if granule && !powerOfTwo(m.GranuleBytes, 64, 1<<20) {
		report("granule_bytes", "must be a power of two from 64 to 1048576")
	}
}

func (x *CXL) validate(report func(key, message string)) {
	if x.Expanders < 1 || x.Expanders > 64 {
		report("expanders", "must be 1 to 64")
	}
	if x.CapacityGiB <= 0 || x.CapacityGiB*float64(x.Expanders) > 16384 {
		report("capacity_gib", "must be above 0, and at most 16384 over all expanders")
	}
	if x.Energy != nil {
		matchCard(report, &x.Energy.DRAM, &x.Expander.DRAM)
	}
	if x.Expander.Channels > 64 {
		report("expander.channels", "must be at most 64")
	}
	if !powerOfTwo(x.GranuleBytes, 64, 1<<20) {
		report("granule_bytes", "must be a power of two from 64 to 1048576")
	}
}

// matchCard reports an energy card that is of another kind of memory.
func matchCard(report func(key, message string), e *card.DRAM, d *dram.Config) {
	if e != nil && !strings.HasPrefix(d.Standard, e.Memory) {
		report("energy.memory", fmt.Sprintf("is not of the memory, %s: want [energy] use = a card of that", d.Standard))
	}
}

func powerOfTwo(v, lo, hi uint64) bool { return v >= lo && v <= hi && v&(v-1) == 0 }
