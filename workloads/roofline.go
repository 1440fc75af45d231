package workloads

import "hwsim/workloads/graph"

// roofline returns the baseline of a step of the decode, all layers.
func (d *decode) roofline() *graph.Totals {
	whole := *d // builds its own graph over the same layout
	whole.graph = graph.New()
	whole.layout.kv.layers = append([]kvLayer(nil), d.layout.kv.layers...)
	whole.layout.weights = append([]layerWeights(nil), d.layout.weights...)
	whole.step(planAll(d.model.Layers), 0)
	return graph.Roofline(d.system, whole.graph)
}

// analytic turns the roofline into a whole result.
func (r *run) analytic() (res *Result, err error) {
	roof := r.roof
	res = r.header()
	res.Complete = true
	res.StepNs, res.RooflineNs = roof.Ns, roof.Ns
	res.KernelNs, res.GapNs, res.ExposedNs, res.TransferBytes = roof.KernelNs, roof.GapNs, roof.ExposedNs, uint64(roof.Copied)
	res.TokensPerSecond = r.decode.tokens() / roof.Ns * 1e9
	res.Policy = r.decode.layout.method.row()
	res.BoundBy = "the roofline of its kernels"
	if roof.ExposedNs > roof.Ns/2 {
		res.BoundBy = "the roofline of its transfers"
	}
	for _, o := range r.system.Space.Objects() {
		res.Objects = append(res.Objects, ObjectRow{Object: o.Class, Tier: o.Tier.String(), Bytes: o.Bytes})
	}
	res.Energy = r.energy(r.least(roof), 0)
	res.Cost = r.cost(res)
	res.Mapping, err = r.decode.mapping(res.StepNs)
	return res, err
}
