package hierarchy

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/configs"
	"hwsim/sim"
)

func TestEveryShippedSystemBuilds(t *testing.T) {
	for _, name := range configs.Presets("systems") {
		t.Run(name, func(t *testing.T) {
			c := preset(t, name)
			s := build(t, c)
			links := 1
			if c.Peer != nil {
				links = 2
			}
			require.Len(t, s.Links(), 2*links, "both directions of each")
			require.Len(t, s.Ports(), links)
			require.NotEqual(t, s.Port(DDR), s.Port(PeerHBM))
			require.Equal(t, -1, s.Port(CXLMem), "shipped systems have no expander")
			require.Equal(t, -1, s.Port(HBM))
			require.Equal(t, Counters{}, s.Counters(), "nothing has moved yet")
		})
	}
}

// An outline tells what placement and rooflines ask a machine, and refuses what
// Build refuses.
func TestAnOutlineTellsWhatTheMachineTells(t *testing.T) {
	for _, name := range configs.Presets("systems") {
		c := preset(t, name)
		whole := build(t, c)
		outline, err := Outline(c)
		require.NoError(t, err)
		for tier := range NumTiers {
			if c.Host == nil && (tier == DDR || tier == CXLMem) || c.Peer == nil && tier == PeerHBM || tier == CXLMem {
				continue
			}
			require.Equal(t, whole.PeakGBps(tier), outline.PeakGBps(tier), name)
			require.Equal(t, whole.CeilingGBps(tier), outline.CeilingGBps(tier), name)
			require.Equal(t, whole.Port(tier) < 0, outline.Port(tier) < 0, name)
			require.Equal(t, whole.Space, outline.Space, name)
		}
	}
	c := preset(t, "a100_80gb_sxm")
	c.HBM.DRAM.Standard = "hbm9"
	_, want := Build(c)
	require.Error(t, want)
	_, got := Outline(c)
	require.EqualError(t, got, want.Error())
}

// Datasheets: A100 80 GB 2039 GB/s, H100 SXM 3.35 TB/s; the H200's 4.8 TB/s
// is 4814 at the memory clock we measured.
func TestPeaksAreTheDatasheets(t *testing.T) {
	for name, want := range map[string]float64{"a100_80gb_sxm": 2039, "h100_sxm": 3350, "h200_sxm": 4814} {
		s := build(t, preset(t, name))
		require.InEpsilon(t, want, s.PeakGBps(HBM), 0.01, name)
		require.InEpsilon(t, want, s.PeakGBps(PeerHBM), 0.01, name)
		require.InEpsilon(t, want, s.CeilingGBps(HBM), 0.01, name)
	}
	require.InEpsilon(t, 8*25.6, build(t, preset(t, "a100_80gb_sxm")).PeakGBps(DDR), 0.01)
	// a DDR5 channel has two sub-channels of 32 bits, which are what is counted
	require.InEpsilon(t, 8*38.4, build(t, preset(t, "h200_sxm", "system.host.ddr.channels=16")).PeakGBps(DDR), 0.01)
	require.InEpsilon(t, 3*38.4, build(t, preset(t, "h200_sxm", "system.host.cxl.use=cxl_asic_x8", "system.host.cxl.expanders=3",
		"system.host.cxl.expander.channels=2")).PeakGBps(CXLMem), 0.01)
}

// Reads of far memory get no more than the link before it, whose packets
// leave 55.5 GB/s of PCIe 5 (h200/links.csv).
func TestFarMemoryIsCappedByItsLink(t *testing.T) {
	s := build(t, preset(t, "h200_sxm"))
	require.InEpsilon(t, 55.5, s.CeilingGBps(DDR), 0.02)
	require.Equal(t, s.LinkGBps(DDR), s.CeilingGBps(DDR))
	narrow := build(t, preset(t, "h200_sxm", "system.host.ddr.channels=1"))
	require.InEpsilon(t, 38.4/2, narrow.CeilingGBps(DDR), 0.01)
	require.Less(t, s.CeilingGBps(PeerHBM), 450.0)
}

// A window may be no longer than the quickest way from domain to domain.
func TestLookaheadIsTheLeastLatencyBetweenDomains(t *testing.T) {
	for _, test := range []struct {
		ns   float64
		sets []string
	}{
		{56.7, nil},
		{60, []string{"system.l2.bridge_ns=55"}},
		{50, []string{"system.l2.hit_ns=20", "system.l2.bridge_ns=30"}},
		{60, []string{"system.l2.bridge_ns=20", "system.l2.partitions=1"}},
		{30, []string{"system.l2.crossbar_ns=30"}},
		{25, []string{"system.host.link.latency_ns=25"}},
		{35, []string{"system.peer.link.latency_ns=35"}},
		{20, []string{"system.gpu.remote_ns=20"}},
	} {
		s := build(t, preset(t, "h200_sxm", test.sets...))
		require.Equal(t, sim.FromNanoseconds(test.ns), s.Engine.Lookahead(), "%v", test.sets)
	}
}

func TestBuildNamesThePartThatIsWrong(t *testing.T) {
	for want, spoil := range map[string]func(*Config){
		"hbm: ":       func(c *Config) { c.HBM.DRAM.Standard = "hbm9" },
		"host: ddr: ": func(c *Config) { c.Host.DDR.DRAM.Standard = "ddr9" },
		"host: cxl: ": func(c *Config) { c.Host.CXL.Expander.DRAM.Standard = "ddr9" },
		"peer: ":      func(c *Config) { c.Peer.HBM.DRAM.Standard = "hbm9" },
	} {
		c := preset(t, "h200_sxm", "system.host.cxl.use=cxl_asic_x8")
		spoil(c)
		_, err := Build(c)
		require.ErrorContains(t, err, want)
	}
}

// Groups of slices never reach across the partitions: the bridge is between
// domains.
func TestSlicesAreGroupedWithinPartitions(t *testing.T) {
	for _, channels := range []string{"2", "4", "10", "94"} {
		s := build(t, preset(t, "h200_sxm", "system.hbm.channels="+channels))
		half := len(s.wiring.Port) / 2
		for i, a := range s.wiring.Port {
			for j, b := range s.wiring.Port {
				if a == b {
					require.Equal(t, i < half, j < half, "slices %d and %d of %s", i, j, channels)
				}
			}
		}
	}
}

func TestEnginesAreSharedOutInTurn(t *testing.T) {
	s := build(t, preset(t, "h200_sxm")) // three engines to the host, two to the peer
	require.Equal(t, []int{0, 1, 2, 0}, []int{s.Engines(DDR, 0), s.Engines(DDR, 1), s.Engines(DDR, 2), s.Engines(DDR, 3)})
	require.Equal(t, 1, s.Engines(PeerHBM, 3))
	require.Equal(t, 0, s.Engines(CXLMem, 2), "no such tier")
}

func TestValidateReportsEachBadKey(t *testing.T) {
	cxl := []string{"system.host.cxl.use=cxl_asic_x8"}
	for key, spoil := range map[string]func(*Config){
		"hbm.capacity_gib":       func(c *Config) { c.HBM.CapacityGiB = -1 },
		"hbm.reserved_gib":       func(c *Config) { c.HBM.ReservedGiB = 1000 },
		"hbm.channels":           func(c *Config) { c.HBM.Channels = 93 },
		"host.ddr.channels":      func(c *Config) { c.Host.DDR.Channels = 0 },
		"host.ddr.granule_bytes": func(c *Config) { c.Host.DDR.GranuleBytes = 100 },
		"host.cxl.expanders":     func(c *Config) { c.Host.CXL.Expanders = 0 },
		"host.cxl.capacity_gib":  func(c *Config) { c.Host.CXL.CapacityGiB = -1 },
		"host.cxl.granule_bytes": func(c *Config) { c.Host.CXL.GranuleBytes = 3 },
		"l2.bytes":               func(c *Config) { c.L2.Bytes = 1000 },
		"gpu.remote_ns":          func(c *Config) { c.GPU.RemoteNs = 1 },
		"host.link.latency_ns":   func(c *Config) { c.Host.Link.LatencyNs = 1 },
		"peer.link.latency_ns":   func(c *Config) { c.Peer.Link.LatencyNs = 1 },
		"peer.fabric_ns":         func(c *Config) { c.Peer.FabricNs = -1 },
		"peer.jitter_ns":         func(c *Config) { c.Peer.JitterNs = -1 },
		"host":                   func(c *Config) { c.Host.DDR, c.Host.CXL = nil, nil },
		"host.fabric_ns":         func(c *Config) { c.Host.FabricNs = -1 },
		"host.jitter_ns":         func(c *Config) { c.Host.JitterNs = -1 },
		"host.call_ns":           func(c *Config) { c.Host.CallNs = -1 },
		"host.entry_ns":          func(c *Config) { c.Host.EntryNs = -1 },
		"peer.hbm.granule_bytes": func(c *Config) { c.Peer.HBM.GranuleBytes = 0 },
		"peer.hbm.capacity_gib":  func(c *Config) { c.Peer.HBM.CapacityGiB = 1e6 },
		"host.ddr.reserved_gib":  func(c *Config) { c.Host.DDR.ReservedGiB = -1 },
	} {
		c := preset(t, "h200_sxm", cxl...)
		spoil(c)
		var keys []string
		c.Validate(func(key, _ string) { keys = append(keys, key) })
		require.Equal(t, []string{key}, keys)
	}
}

func TestValidateReportsEachBadKeyOfInlineCopies(t *testing.T) {
	var keys []string
	in := Inline{CopyNs: -1}
	in.Validate(func(key, _ string) { keys = append(keys, key) })
	require.Equal(t, []string{"copy_ns", "gbps"}, keys)
}

func TestMMUIsOptional(t *testing.T) {
	c := preset(t, "h200_sxm")
	c.MMU = nil
	s := build(t, c)
	s.Translated(1<<44, 1<<30) // does nothing
	require.Equal(t, Translation{}, s.Translation())
}

// 0.69 GiB of host memory, and more of GPU memory than there is
// (h200/span.csv: peer memory shows none up to 64 GB).
func TestReachIsTheSharedTLBs(t *testing.T) {
	m := preset(t, "h200_sxm").MMU
	require.InDelta(t, 0.69, float64(m.Reach(DDR))/(1<<30), 0.01)
	require.Equal(t, m.Reach(DDR), m.Reach(CXLMem))
	require.Greater(t, m.Reach(PeerHBM), uint64(140<<30))
	require.Equal(t, uint64(64<<30), uint64(m.Group.Entries)*m.EntryBytes)
}

func TestValidateReportsEachBadKeyOfTheMMU(t *testing.T) {
	for key, spoil := range map[string]func(*MMU){
		"entry_bytes":      func(m *MMU) { m.EntryBytes = 1000 },
		"host_entry_bytes": func(m *MMU) { m.HostEntryBytes = 1 << 41 },
		"group.miss_ns":    func(m *MMU) { m.Group.MissNs = -1 },
	} {
		m := *preset(t, "h200_sxm").MMU
		spoil(&m)
		var keys []string
		m.Validate(func(key, _ string) { keys = append(keys, key) })
		require.Equal(t, []string{key}, keys)
	}
}
