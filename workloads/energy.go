package workloads

import (
	"hwsim/devices/card"
	"hwsim/hierarchy"
	"hwsim/workloads/graph"
)

// Energy is what a step takes of the GPU, its memories and links, in J: of all
// GPUs where a model is divided among several. Memories that hold nothing are taken
// not to be there. Hosts' processors, networks, fans
// and supplies are left out. Bands are half-widths of the same unit, added up as
// if all figures were wrong in one direction.
type Energy struct {
	JoulesPerToken float64      `json:"joules_per_token"`
	Band           float64      `json:"joules_per_token_band"` // J
	StepJ          float64      `json:"step_j"`                // all parts
	Watts          float64      `json:"mean_w"`                // StepJ over the step's time
	Commands       string       `json:"commands"`              // of DRAM: counted, or least
	Parts          []EnergyPart `json:"parts"`
}

// Where the commands of DRAM come from.
const (
	countedCommands = "counted" // by the channels
	leastCommands   = "least"   // the roofline's bytes, every row opened once, no refreshes: about a lower bound
)

// EnergyPart is what one thing takes that a component does.
type EnergyPart struct {
	Component string  `json:"component"` // hbm, ddr, cxl, peer, a kind of link, l2, sms, gpu
	Of        string  `json:"of"`        // rows, bits, refreshes, link, wire, access, fabric, compute, rest
	J         float64 `json:"j"`
	Band      float64 `json:"j_band"`
}

// activity is what a step did, as energy counts it.
type activity struct {
	ns       float64
	commands string
	tiers    [hierarchy.NumTiers]card.Commands
	links    []float64 // bits on the wire, by direction of System.Links
	asked    float64   // bits between the L2 and SMs
	flops    float64
}

// counted takes a simulated step's activity from its counters.
func (r *run) counted(t *graph.Totals) *activity {
	a := &activity{ns: t.Ns, commands: countedCommands, flops: t.FLOPs}
	for _, id := range tiersOf(&r.system.Space) {
		a.tiers[id] = t.Machine.Tier(id).Commands
	}
	for i := range r.system.Links() {
		a.links = append(a.links, 8*t.Machine.Link(i).Wire)
	}
	for i := range t.Classes {
		a.asked += 8 * (t.Classes[i].Read + t.Classes[i].Written)
	}
	return a
}

// least is the activity of a step that is not simulated: the bytes that must
// move, copies into HBM, each row opened once, no headers and no refreshes.
func (r *run) least(t *graph.Totals) *activity {
	a := &activity{ns: t.Ns, commands: leastCommands, flops: t.FLOPs, links: make([]float64, len(r.system.Links()))}
	for _, id := range tiersOf(&r.system.Space) {
		bits := 8 * t.Moves[id]
		if i := r.system.LinkFrom(id); i >= 0 {
			a.links[i] += bits
		}
		a.asked += bits
		a.tiers[id].ReadBits = bits
	}
	a.asked -= 8 * t.Copied // by copy engines, not SMs
	a.tiers[hierarchy.HBM].WrittenBits = 8 * t.Copied
	for _, id := range tiersOf(&r.system.Space) {
		c := &a.tiers[id]
		c.Activates = (c.ReadBits + c.WrittenBits) / r.system.RowBits(id)
	}
	return a
}

// energy prices a step's activity by the machine's cards, nil if the GPU has
// none. bound is the relative error of the step's time.
func (r *run) energy(a *activity, bound float64) *Energy {
	gpu := r.system.Config.GPU.Energy
	if gpu == nil {
		return nil
	}
	e := &Energy{Commands: a.commands}
	s := meter{e, float64(max(1, r.config.Workload.TP)), a.ns * 1e-9, bound}
	hbmBits := a.tiers[hierarchy.HBM].ReadBits + a.tiers[hierarchy.HBM].WrittenBits
	for _, id := range tiersOf(&r.system.Space) {
		r.tierEnergy(&s, id, a.tiers[id])
	}
	for i, l := range r.system.Links() {
		if l.Energy != nil {
			s.work(l.Name, "wire", l.Energy.Bits(a.links[i]))
		}
	}
	s.work("l2", "access", gpu.L2(a.asked+hbmBits))
	s.work("sms", "fabric", gpu.Fabric(a.asked))
	s.work("sms", "compute", gpu.Compute(a.flops))
	s.rest("gpu", gpu.Static())
	sum := card.Amount{}
	for _, p := range e.Parts {
		sum = sum.Plus(card.Amount{Value: p.J, Band: p.Band})
	}
	e.StepJ, e.Watts = sum.Value, ratio(sum.Value, s.seconds)
	e.JoulesPerToken, e.Band = sum.Value/r.decode.tokens(), sum.Band/r.decode.tokens()
	return e
}

// tierEnergy adds a memory's parts. A peer's memory is refreshed and kept for the
// peer.
func (r *run) tierEnergy(s *meter, id hierarchy.TierID, c card.Commands) {
	memory, name := r.system.Card(id), id.String()
	s.work(name, "rows", memory.Rows(c))
	s.work(name, "bits", memory.Bits(c))
	if id == hierarchy.PeerHBM {
		return
	}
	s.work(name, "refreshes", memory.Refreshes(c))
	rest := memory.Static(r.system.InstalledGiB(id))
	if id == hierarchy.CXLMem {
		if x := r.system.Config.Host.CXL; x.Energy != nil {
			s.work(name, "link", x.Energy.Link(c.ReadBits+c.WrittenBits))
			rest = rest.Plus(x.Energy.Controllers(float64(x.Expanders)))
		}
	}
	s.rest(name, rest)
}

// meter collects the parts of so many like machines over a step.
type meter struct {
	energy   *Energy
	machines float64
	seconds  float64
	bound    float64 // relative error of seconds
}

// work adds what something has taken, in pJ.
func (m *meter) work(component, of string, pj card.Amount) {
	m.add(component, of, pj.Times(1e-12))
}

// rest adds what something draws at rest, in W.
func (m *meter) rest(component string, watts card.Amount) {
	j := watts.Times(m.seconds)
	j.Band += j.Value * m.bound
	m.add(component, "rest", j)
}

// add leaves out what takes nothing.
func (m *meter) add(component, of string, j card.Amount) {
	if j.Value == 0 {
		return
	}
	j = j.Times(m.machines)
	m.energy.Parts = append(m.energy.Parts, EnergyPart{component, of, j.Value, j.Band})
}
