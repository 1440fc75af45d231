package workloads

import (
	"hwsim/devices/card"
	"hwsim/hierarchy"
)

// Cost is what a token costs: the machine's price written off over its life, and
// electricity. The machine is what Energy is of: all GPUs with their memories,
// without memories that hold nothing, hosts' processors, networks, racks and people. Bands are half-widths in
// the same unit.
type Cost struct {
	DollarsPerMToken float64    `json:"dollars_per_mtoken"`      // of 1e6 tokens
	Band             float64    `json:"dollars_per_mtoken_band"` // $
	MachineUSD       float64    `json:"machine_usd"`             // all parts' price
	Parts            []CostPart `json:"parts"`
}

// CostPart is what one part of the machine, or electricity, costs.
type CostPart struct {
	Part      string  `json:"part"`
	USD       float64 `json:"usd"` // to buy
	PerMToken float64 `json:"dollars_per_mtoken"`
	Band      float64 `json:"dollars_per_mtoken_band"`
}

// cost prices a result, nil if the machine has no terms of payment, no price of
// the GPU or no energy.
func (r *run) cost(res *Result) *Cost {
	terms := r.system.Config.Cost
	if terms == nil || r.system.Config.GPU.Price == nil || res.Energy == nil {
		return nil
	}
	c := &Cost{}
	mtokens := r.decode.tokens() / 1e6
	add := func(part string, price, perStep card.Amount) {
		if perStep.Value != 0 {
			each := perStep.Times(1 / mtokens)
			c.Parts = append(c.Parts, CostPart{part, price.Value, each.Value, each.Band})
			c.MachineUSD += price.Value
			c.DollarsPerMToken += each.Value
			c.Band += each.Band
		}
	}
	for _, p := range r.prices() {
		writeOff := terms.WriteOff(p.price, res.StepNs*1e-9)
		writeOff.Band += writeOff.Value * res.Bound
		add(p.part, p.price, writeOff)
	}
	stepJ := card.Amount{Value: res.Energy.StepJ, Band: res.Energy.Band * r.decode.tokens()}
	add("electricity", card.Amount{}, terms.Electricity(stepJ))
	return c
}

// priced is a part of a machine with its price in $.
type priced struct {
	part  string
	price card.Amount
}

// prices lists what the machines are made of. A peer that is there for its memory
// costs as much of a GPU as that memory is used.
func (r *run) prices() []priced {
	c, tp := r.system.Config, r.config.Workload.TP
	gpu := c.GPU.Price.Of(1, 0)
	all := []priced{{"gpu", gpu}}
	memory := func(id hierarchy.TierID, p *card.Price, devices int) card.Amount {
		if p == nil {
			return card.Amount{}
		}
		return p.Of(float64(devices), r.system.InstalledGiB(id))
	}
	for _, id := range tiersOf(&r.system.Space) {
		price := card.Amount{}
		switch id {
		case hierarchy.HBM:
			price = memory(id, c.HBM.Price, 1)
		case hierarchy.DDR:
			price = memory(id, c.Host.DDR.Price, 1)
		case hierarchy.CXLMem:
			price = memory(id, c.Host.CXL.Price, c.Host.CXL.Expanders)
		case hierarchy.PeerHBM:
			if tp < 2 {
				used := ratio(float64(r.system.Space.Used(id)), float64(r.system.Space.Capacity(id)))
				price = gpu.Plus(memory(id, c.Peer.HBM.Price, 1)).Times(used)
			}
		}
		all = append(all, priced{id.String(), price})
	}
	for i := range all {
		all[i].price = all[i].price.Times(float64(max(1, tp)))
	}
	return all
}
