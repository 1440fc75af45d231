package workloads

import (
	"math"

	"hwsim/devices"
	"hwsim/hierarchy"
)

// roofline predicts the same graph without simulating it: a kernel takes its
// launch and its gap and the longest of its bytes over each tier's peak and
// its arithmetic over the tensor cores' rate; a copy its bytes over the
// slowest of tier and link. It is the baseline shown beside every prediction.
func roofline(c *Config, s *hierarchy.System, placed *decode) *Result {
	d := *placed // builds its own graph over the same layout
	d.ops, d.ends, d.waits, d.tail = nil, nil, nil, -1
	d.classes, d.flows = nil, map[string]int{}
	d.layout.kv.layers = append([]kvLayer(nil), placed.layout.kv.layers...)
	d.layout.weights = append([]layerWeights(nil), placed.layout.weights...)
	d.step(planAll(d.model.Layers), 0)
	res := &Result{}
	ends := make([]float64, len(d.ops))
	stream := 0.0
	links := map[int]float64{}            // when each port's link is free: its engines share it
	var tiers [hierarchy.NumTiers]float64 // when each far memory is free
	for i := range d.ops {
		o := &d.ops[i]
		start := 0.0
		for _, a := range o.After {
			start = math.Max(start, ends[a])
		}
		if o.copy != nil {
			tier := hierarchy.TierID(devices.Tier(o.copy.Segments[0].Src))
			port, bytes := s.Port(tier), o.bytes[tier]
			links[port] = math.Max(start, links[port]) + float64(bytes)/s.LinkGBps(tier)
			tiers[tier] = math.Max(start, tiers[tier]) + transferNs(s, o.bytes)
			ends[i] = math.Max(links[port], tiers[tier])
			res.TransferBytes += bytes
			continue
		}
		ns := c.System.GPU.LaunchNs + max(transferNs(s, o.bytes), o.flops/(c.System.GPU.TensorTFLOPS*1e3))
		start = math.Max(start, stream) + c.System.GPU.GapNs
		res.KernelNs += ns
		res.GapNs += c.System.GPU.GapNs
		ends[i] = start + ns
		stream = ends[i]
	}
	res.StepNs = stream
	res.ExposedNs = stream - res.KernelNs - res.GapNs
	return res
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

// analytic turns the roofline into a whole result.
func (r *run) analytic(roof *Result) *Result {
	res := r.header()
	res.Complete = true
	res.StepNs, res.RooflineNs = roof.StepNs, roof.StepNs
	res.KernelNs, res.GapNs, res.ExposedNs, res.TransferBytes = roof.KernelNs, roof.GapNs, roof.ExposedNs, roof.TransferBytes
	res.TokensPerSecond = float64(len(r.decode.lengths)) / roof.StepNs * 1e9
	res.BoundBy = "the roofline of its kernels"
	if roof.ExposedNs > roof.StepNs/2 {
		res.BoundBy = "the roofline of its transfers"
	}
	for _, o := range r.system.Space.Objects() {
		res.Objects = append(res.Objects, ObjectRow{Object: o.Class, Tier: o.Tier.String(), Bytes: o.Bytes})
	}
	return res
}
