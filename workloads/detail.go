package workloads

import "hwsim/hierarchy"

// binSplit is log2 of the bins that an octave of latencies has.
const binSplit = 3

// detail adds what the machine counted and the result's rows do not tell.
func (r *run) detail(res *Result) {
	used := tiersOf(&r.system.Space)
	res.Peaks.TFLOPS = r.system.Config.GPU.TensorTFLOPS
	for _, t := range used {
		res.Peaks.Memory = append(res.Peaks.Memory, RateRow{t.String(), r.system.CeilingGBps(t)})
		if banks := r.system.Banks(t); len(banks) > 0 {
			res.Banks = append(res.Banks, BanksRow{t.String(), int(r.system.Buses(t)) / len(banks), banks})
		}
	}
	res.Latency = r.latencies(res.Kernels, used)
	for layer := range r.decode.layout.kv.layers {
		res.KVLayers = append(res.KVLayers, PlaceRow{layer, r.decode.layout.kv.layers[layer].places()})
	}
}

// latencies are those of the kernels, in their order, and of the tiers.
func (r *run) latencies(kernels []KernelRow, used []hierarchy.TierID) (rows []LatencyRow) {
	flows := map[string]uint8{}
	for f, class := range r.graph.Graph.Classes {
		flows[class] = uint8(f)
	}
	for _, k := range kernels {
		h := r.system.GPU.Flow(flows[k.Class]).Latency
		rows = append(rows, LatencyRow{Of: k.Class, Bins: h.Bins(binSplit)})
	}
	for _, t := range used {
		if bins := r.system.Latency(t).Bins(binSplit); len(bins) > 0 {
			rows = append(rows, LatencyRow{Of: t.String(), Tier: true, Bins: bins})
		}
	}
	return rows
}

// places returns the bytes of the layer in each tier.
func (l *kvLayer) places() (bytes [hierarchy.NumTiers]uint64) {
	for t := range hierarchy.NumTiers {
		bytes[t] = l.remote(t)
	}
	return bytes
}
