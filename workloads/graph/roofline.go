package graph

import (
	"math"

	"hwsim/hierarchy"
)

// Roofline predicts a graph without simulating it: a kernel takes its launch
// and its gap and the longest of its bytes over each tier's peak and its
// arithmetic over the tensor cores' rate; a copy its bytes over the slowest of
// tier and link. It is the baseline shown beside every prediction. Of the totals
// only times, bytes that must move, copied bytes and operations are known.
func Roofline(s *hierarchy.System, g *Graph) *Totals {
	t := &Totals{}
	gpu := &s.Config.GPU
	ends := make([]float64, len(g.Ops))
	links := map[int]float64{}            // when each port's link is free: its engines share it
	var tiers [hierarchy.NumTiers]float64 // when each far memory is free
	for i := range g.Ops {
		o := &g.Ops[i]
		for tier, b := range o.Bytes {
			t.Moves[tier] += float64(b)
		}
		t.FLOPs += o.FLOPs
		start := 0.0
		for _, a := range o.After {
			start = math.Max(start, ends[a])
		}
		if o.Copy != nil {
			tier := far(o.Copy)
			port, bytes := s.Port(tier), o.Bytes[tier]
			links[port] = math.Max(start, links[port]) + float64(bytes)/s.LinkGBps(tier)
			tiers[tier] = math.Max(start, tiers[tier]) + transferNs(s, o.Bytes)
			ends[i] = math.Max(links[port], tiers[tier])
			t.Copied += float64(bytes)
			continue
		}
		ns := gpu.LaunchNs + LeastNs(s, o)
		start = math.Max(start, t.Ns) + gpu.GapNs
		t.KernelNs += ns
		t.GapNs += gpu.GapNs
		ends[i] = start + ns
		t.Ns = ends[i]
	}
	t.ExposedNs = t.Ns - t.KernelNs - t.GapNs
	return t
}

// LeastNs is the longest of a kernel's bytes over each tier's peak and its
// arithmetic over the tensor cores' rate.
func LeastNs(s *hierarchy.System, o *Op) float64 {
	return max(transferNs(s, o.Bytes), o.FLOPs/(s.Config.GPU.TensorTFLOPS*1e3))
}

// transferNs is the longest of the bytes' times at their tiers' peaks.
func transferNs(s *hierarchy.System, bytes [hierarchy.NumTiers]uint64) float64 {
	ns := 0.0
	for t, b := range bytes {
		if b > 0 {
			ns = max(ns, float64(b)/s.CeilingGBps(hierarchy.TierID(t)))
		}
	}
	return ns
}
