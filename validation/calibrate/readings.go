package calibrate

import (
	"cmp"
	"slices"
	"strconv"

	"hwsim/devices/dram"
	"hwsim/hierarchy"
	"hwsim/validation"
)

type row = validation.Row

// reading is how one parameter follows from rows.
type reading struct {
	key       string                             // in the system's TOML
	from      string                             // what the rows are
	field     func(s *hierarchy.Config) *float64 // nil: the system has no such part
	rows      func(s *hierarchy.Config, all []row) []row
	simulated bool // the rows' predictions with the values so far are needed
	value     func(s *hierarchy.Config, was float64, rows []row) float64
}

// readings are all of them, in their order: earlier ones enter later ones.
var readings = []reading{
	{key: "gpu.l1_hit_ns", from: "the smallest chase through the L1", simulated: true,
		field: func(s *hierarchy.Config) *float64 { return &s.GPU.L1HitNs },
		rows:  least("range_bytes", tests("chase_random", "cache_op", "ca")), value: difference(1)},

	// One reading for two parameters: their ratio stays.
	{key: "l2.hit_ns", from: "chases that hit the near L2, its share of them",
		field: func(s *hierarchy.Config) *float64 { return &s.L2.HitNs }, rows: nearL2,
		value: func(s *hierarchy.Config, was float64, rows []row) float64 {
			return mean(rows) * was / (was + 2*s.L2.CrossbarNs)
		}},
	{key: "l2.crossbar_ns", from: "half of the same less the hit",
		field: func(s *hierarchy.Config) *float64 { return &s.L2.CrossbarNs }, rows: nearL2,
		value: func(s *hierarchy.Config, _ float64, rows []row) float64 { return (mean(rows) - s.L2.HitNs) / 2 }},

	// Over the plateau before HBM half of the accesses go to memory (none where
	// there is one partition), over HBM all do; half of either cross the bridge.
	// The difference tells the memory.
	{key: "l2.memory_ns", from: "chases over 1.5 to 10 times the L2, less those over the plateau before", simulated: true,
		field: func(s *hierarchy.Config) *float64 { return &s.L2.MemoryNs }, rows: beyondPlateau,
		value: func(s *hierarchy.Config, was float64, rows []row) float64 {
			return was + float64(s.L2.Partitions)*(short(inHBM(s, rows))-short(onPlateau(s, rows)))
		}},
	{key: "l2.bridge_ns", from: "chases over the plateau before HBM, half of them there and back", simulated: true,
		field: bridge, rows: onPlateau, value: difference(1)},
	{key: "host.fabric_ns", from: "the smallest chase over host memory, there and back", simulated: true,
		field: ofHost(func(h *hierarchy.Host) *float64 { return &h.FabricNs }), rows: least("range_bytes", tests("chase_host")), value: difference(2)},
	{key: "peer.fabric_ns", from: "the smallest chase over the peer's memory, there and back", simulated: true,
		field: ofPeer(func(p *hierarchy.Peer) *float64 { return &p.FabricNs }), rows: least("range_bytes", tests("chase_peer")), value: difference(2)},

	{key: "host.link.overhead", from: "the largest copy from the host", simulated: true,
		field: ofHost(func(h *hierarchy.Host) *float64 { return &h.Link.Overhead }), rows: most("param", tests("memcpy_h2d")), value: lost},
	{key: "peer.link.overhead", from: "reads of the peer by the most CTAs", simulated: true,
		field: ofPeer(func(p *hierarchy.Peer) *float64 { return &p.Link.Overhead }), rows: most("blocks", tests("peer_read")), value: lost},
	{key: "host.dma.copy_ns", from: "the smallest copies from the host, back to back", simulated: true,
		field: ofHost(func(h *hierarchy.Host) *float64 { return &h.DMA.CopyNs }), rows: least("param", tests("memcpy_h2d")), value: each},
	{key: "host.dma.copy_out_ns", from: "the smallest copies to the host, back to back", simulated: true,
		field: ofHost(copyOut), rows: least("param", tests("memcpy_d2h")), value: each},
	{key: "host.submit_ns", from: "the smallest copy that the host waits for and the engine reads", simulated: true,
		field: ofHost(func(h *hierarchy.Host) *float64 { return &h.SubmitNs }), rows: read, value: difference(1)},
	{key: "peer.dma.copy_ns", from: "the smallest copies from the peer, back to back", simulated: true,
		field: ofPeer(func(p *hierarchy.Peer) *float64 { return &p.DMA.CopyNs }), rows: least("param", tests("memcpy_peer")), value: each},

	{key: "gpu.again_ns", from: "a kernel of one CTA in a row of itself in a graph", simulated: true,
		field: again, rows: least("param", tests("graph_node")), value: difference(1)},
	{key: "host.launch_ns", from: "empty kernels launched back to back",
		field: ofHost(func(h *hierarchy.Host) *float64 { return &h.LaunchNs }), rows: least("param", tests("launch_back_to_back")),
		value: func(_ *hierarchy.Config, _ float64, rows []row) float64 { return mean(rows) }},
	{key: "host.sync_ns", from: "an empty kernel that the host waits for", simulated: true,
		field: ofHost(func(h *hierarchy.Host) *float64 { return &h.SyncNs }), rows: least("param", tests("launch_sync")), value: difference(1)},
	{key: "host.graph_ns", from: "the shortest graph", simulated: true,
		field: ofHost(func(h *hierarchy.Host) *float64 { return &h.GraphNs }), rows: least("param", tests("graph_launch_to_end")), value: difference(1)},

	{key: "hbm.dram.timings_ns.tFAW", from: "random pieces of 32 B, whose rate is four ACTs a tFAW", simulated: true,
		field: fourActivates, rows: most("range_bytes", tests("gather_random", "param", "32")), value: ratio},
}

// difference adds what the prediction is short of to a parameter that is in
// the rows' time so many times.
func difference(times float64) func(*hierarchy.Config, float64, []row) float64 {
	return func(_ *hierarchy.Config, was float64, rows []row) float64 { return was + short(rows)/times }
}

// each is difference where a row has the parameter once a copy.
func each(_ *hierarchy.Config, was float64, rows []row) float64 {
	return was + short(rows)/number(&rows[0], "blocks")
}

// ratio scales what the rows' time is proportional to.
func ratio(_ *hierarchy.Config, was float64, rows []row) float64 {
	return was * rows[0].Measured / rows[0].Ours
}

// lost is the share of a link that does not carry packets; rates go with the
// rest.
func lost(_ *hierarchy.Config, was float64, rows []row) float64 {
	return 1 - (1-was)*rows[0].Ours/rows[0].Measured
}

// short is by how many ns the rows are predicted too fast, in the mean.
func short(rows []row) float64 {
	sum := 0.0
	for i := range rows {
		sum += rows[i].Measured - rows[i].Ours
	}
	return sum / float64(len(rows))
}

func mean(rows []row) float64 {
	sum := 0.0
	for i := range rows {
		sum += rows[i].Measured
	}
	return sum / float64(len(rows))
}

// tests picks the rows of a test whose columns have some values.
func tests(test string, columns ...string) func(all []row) []row {
	return func(all []row) (some []row) {
		for _, r := range all {
			if r.Keys["test"] == test && has(&r, columns) {
				some = append(some, r)
			}
		}
		return some
	}
}

func has(r *row, columns []string) bool {
	for c := range slices.Chunk(columns, 2) {
		if r.Keys[c[0]] != c[1] {
			return false
		}
	}
	return true
}

// least picks the row of the least number in a column.
func least(column string, of func([]row) []row) func(*hierarchy.Config, []row) []row {
	return func(_ *hierarchy.Config, all []row) []row {
		some := of(all)
		byNumber(some, column)
		return some[:min(1, len(some))]
	}
}

// most picks the row of the greatest number in a column.
func most(column string, of func([]row) []row) func(*hierarchy.Config, []row) []row {
	return func(_ *hierarchy.Config, all []row) []row {
		some := of(all)
		byNumber(some, column)
		return some[max(0, len(some)-1):]
	}
}

func byNumber(rows []row, column string) {
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(number(&a, column), number(&b, column)) })
}

// number returns the number that a cell is or begins with: 132 of "132 blocks".
func number(r *row, column string) float64 {
	cell := r.Keys[column]
	end := 0
	for end < len(cell) && cell[end] >= '0' && cell[end] <= '9' {
		end++
	}
	v, _ := strconv.ParseFloat(cell[:end], 64)
	return v
}

// The parts of a chase's range, by the size of the L2.
var (
	nearL2    = chased(0, 0.4)
	onPlateau = chased(0.66, 0.875)
	inHBM     = chased(1.5, 10)
)

// chased picks chases past the L1 whose ranges are between two multiples of
// the L2.
func chased(lo, hi float64) func(*hierarchy.Config, []row) []row {
	return func(s *hierarchy.Config, all []row) (some []row) {
		for _, r := range tests("chase_random", "cache_op", "cg")(all) {
			if share := number(&r, "range_bytes") / float64(s.L2.Bytes); lo <= share && share <= hi {
				some = append(some, r)
			}
		}
		return some
	}
}

// beyondPlateau picks chases over HBM and over the plateau before, if there
// are both.
func beyondPlateau(s *hierarchy.Config, all []row) []row {
	plateau, memory := onPlateau(s, all), inHBM(s, all)
	if len(plateau) == 0 || len(memory) == 0 {
		return nil
	}
	return append(plateau, memory...)
}

// read picks the smallest copy that the host waits for and does not put into
// the command.
func read(s *hierarchy.Config, all []row) []row {
	largest := 0.0
	if s.Host != nil && s.Host.Inline != nil {
		largest = float64(s.Host.Inline.Bytes)
	}
	rows := slices.DeleteFunc(tests("memcpy_h2d_sync")(all), func(r row) bool { return number(&r, "param") <= largest })
	byNumber(rows, "param")
	return rows[:min(1, len(rows))]
}

// again is what a kernel behind itself takes, of its own from here on.
func again(s *hierarchy.Config) *float64 {
	if s.GPU.AgainNs == 0 {
		s.GPU.AgainNs = s.GPU.GapNs + s.GPU.LaunchNs
	}
	return &s.GPU.AgainNs
}

// copyOut is what a copy to the host costs, of its own from here on.
func copyOut(h *hierarchy.Host) *float64 {
	if h.DMA.CopyOutNs == 0 {
		h.DMA.CopyOutNs = h.DMA.CopyNs
	}
	return &h.DMA.CopyOutNs
}

func bridge(s *hierarchy.Config) *float64 {
	if s.L2.Partitions < 2 {
		return nil
	}
	return &s.L2.BridgeNs
}

func ofHost(field func(*hierarchy.Host) *float64) func(*hierarchy.Config) *float64 {
	return func(s *hierarchy.Config) *float64 {
		if s.Host == nil || s.Host.DDR == nil {
			return nil
		}
		return field(s.Host)
	}
}

func ofPeer(field func(*hierarchy.Peer) *float64) func(*hierarchy.Config) *float64 {
	return func(s *hierarchy.Config) *float64 {
		if s.Peer == nil {
			return nil
		}
		return field(s.Peer)
	}
}

// fourActivates is tFAW as the standard has it with the system's changes.
func fourActivates(s *hierarchy.Config) *float64 {
	c, err := dram.New(s.HBM.DRAM)
	if err != nil {
		return nil
	}
	spec := c.Spec()
	ns := float64(spec.T[dram.TFAW]) * spec.Tick.Period() / 1e3
	return &ns
}
