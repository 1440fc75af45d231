package workloads

import (
	"cmp"
	"errors"
	"math"
	"slices"

	"hwsim/devices"
	"hwsim/hierarchy"
	"hwsim/sim"
	"hwsim/workloads/graph"
)

// schema is the version of Result's layout.
const schema = 1

// errNothing says that a run was interrupted before its first span ended.
var errNothing = errors.New("interrupted before anything was known")

// result adds up the spans that have ended, each as often as it stands for.
func (r *run) result() (*Result, error) {
	if r.graph.Ended() == 0 {
		return nil, errNothing
	}
	t, share := r.totals()
	res, err := r.account(t)
	if err != nil {
		return nil, err
	}
	res.Kernels = r.kernelRows(t)
	for i, id := range tiersOf(&r.system.Space) {
		res.Tiers[i].LatencyNs = quantiles(r.system.Latency(id))
	}
	if r.options.Detail {
		res.Layers = r.layerRows(share)
		res.Timeline = r.graph.Timeline()
		r.detail(res)
	}
	return res, nil
}

// totals returns the sums over a step, and of how many steps the run's are: of a
// part, the mean of its spans stands for those to come.
func (r *run) totals() (t *graph.Totals, share float64) {
	t = r.graph.Totals()
	share = t.Covered * float64(max(1, r.config.Workload.Steps))
	t.Over(share)
	if r.decode.part == copiesPart { // a layer's kernels are not hidden by copies, and may take twice as long
		t.ErrorNs += r.roof.KernelNs / float64(r.decode.model.Layers)
	}
	return t, share
}

// account turns a step's sums into a result without kernels and latencies.
func (r *run) account(t *graph.Totals) (res *Result, err error) {
	res = r.header()
	res.RooflineNs = r.roof.Ns
	res.Complete = t.Covered == 1
	res.StepNs = t.Ns
	res.Bound = t.ErrorNs / t.Ns
	res.Simulated = t.Simulated
	res.TokensPerSecond = r.decode.tokens() / t.Ns * 1e9
	res.KernelNs, res.GapNs, res.ExposedNs, res.HiddenNs = t.KernelNs, t.GapNs, t.ExposedNs, max(0, t.CopyNs-t.ExposedNs)
	res.Tiers = r.tierRows(t)
	res.Links = r.linkRows(t)
	res.Objects = r.objectRows(t)
	res.TransferBytes = uint64(t.Copied)
	res.BoundBy = boundBy(res)
	res.Policy = r.decode.layout.method.row()
	res.Energy = r.energy(r.counted(t), res.Bound)
	res.Cost = r.cost(res)
	res.Mapping, err = r.decode.mapping(res.StepNs)
	return res, err
}

// layerRows divides the step among its layers. share is how many steps the
// run's sums are of.
func (r *run) layerRows(share float64) (rows []LayerRow) {
	for _, p := range r.graph.Parts() {
		p.Over(share)
		l := LayerRow{Name: p.Name, KernelNs: p.KernelNs, GapNs: p.GapNs, ExposedNs: p.ExposedNs}
		for f := range p.Classes {
			c := &p.Classes[f]
			if c.Calls > 0 && ofSMs(c) {
				l.Kernels = append(l.Kernels, r.kernelRow(c))
			}
			if c.Copied > 0 {
				l.Copies = append(l.Copies, CopyRow{c.Name, tiersMoved(c), uint64(c.Copied)})
			}
		}
		rows = append(rows, l)
	}
	return rows
}

func (r *run) header() *Result {
	mean := 0
	for _, n := range r.decode.lengths {
		mean += n
	}
	return &Result{Schema: schema, Name: r.options.Name, Hash: r.options.Hash, Seed: r.options.Seed, Fidelity: r.options.Fidelity,
		System: r.config.System.Name, Model: r.config.Model.Name, Batch: len(r.decode.lengths), Context: mean / len(r.decode.lengths)}
}

func (r *run) kernelRows(t *graph.Totals) []KernelRow {
	var out []KernelRow
	for f := range t.Classes {
		if !ofSMs(&t.Classes[f]) {
			continue
		}
		row := r.kernelRow(&t.Classes[f])
		h := r.system.GPU.Flow(uint8(f)).Latency
		row.LatencyNs = quantiles(&h)
		out = append(out, row)
	}
	slices.SortStableFunc(out, func(a, b KernelRow) int { return -cmp.Compare(a.Ns, b.Ns) })
	return out
}

// ofSMs tells classes that SMs made requests for from copies and waits.
func ofSMs(c *graph.Class) bool { return c.Requests != 0 || c.Written != 0 }

// kernelRow is a class of kernels without its latencies.
func (r *run) kernelRow(c *graph.Class) KernelRow {
	row := KernelRow{Class: c.Name, Profile: r.config.Kernels.Name, Calls: int(math.Round(c.Calls)), Ns: c.Ns,
		Bytes: uint64(c.Read + c.Written), Causes: map[string]float64{}, Tiers: tiersMoved(c), FLOPs: c.FLOPs}
	row.GBps = ratio(c.Read+c.Written, c.Ns)
	for _, b := range c.Moves {
		row.Moved += uint64(b)
	}
	sum := 0.0
	for _, w := range c.Why {
		sum += w
	}
	for i, w := range c.Why {
		if w > 0 {
			row.Causes[devices.Cause(i).String()] = w / sum
		}
	}
	return row
}

// tiersMoved names the tiers that a class must read or write.
func tiersMoved(c *graph.Class) (names []string) {
	for tier, b := range c.Moves {
		if b > 0 {
			names = append(names, hierarchy.TierID(tier).String())
		}
	}
	return names
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

func quantiles(h *sim.Histogram) Quantiles {
	return Quantiles{h.Mean().Nanoseconds(), h.Quantile(0.5).Nanoseconds(), h.Quantile(0.99).Nanoseconds(), h.Max().Nanoseconds()}
}

func (r *run) tierRows(t *graph.Totals) []TierRow {
	var out []TierRow
	for _, id := range tiersOf(&r.system.Space) {
		c, memory := t.Machine.Tier(id), r.system.Card(id)
		out = append(out, TierRow{Tier: id.String(), Capacity: r.system.Space.Capacity(id), Used: r.system.Space.Used(id),
			Read: uint64(c.Read), Written: uint64(c.Written), GBps: ratio(c.Read+c.Written, t.Ns), PeakGBps: r.system.PeakGBps(id),
			Busy: ratio(c.BusyPs/1e3/r.system.Buses(id), t.Ns), RowHits: ratio(c.RowHits, c.Accesses), EnergyPJ: memory.Commands(c.Commands).Value})
	}
	return out
}

func (r *run) linkRows(t *graph.Totals) []LinkRow {
	var out []LinkRow
	for i, l := range r.system.Links() {
		c := t.Machine.Link(i)
		out = append(out, LinkRow{Link: l.Name, Bytes: uint64(c.Payload), Wire: uint64(c.Wire), GBps: ratio(c.Payload, t.Ns), PeakGBps: l.RawGBps,
			Busy: ratio(c.BusyPs/1e3, t.Ns)})
	}
	return out
}

// objectRows lists what lies where. Copies read a far object once a step, and
// write the staging buffers that kernels then read.
func (r *run) objectRows(_ *graph.Totals) []ObjectRow {
	var out []ObjectRow
	for _, o := range r.system.Space.Objects() {
		out = append(out, ObjectRow{Object: o.Class, Tier: o.Tier.String(), Bytes: o.Bytes})
	}
	return out
}

// boundBy names the busiest resource, if one is busy for more than half of the
// step.
func boundBy(res *Result) string {
	name, busy := "launch gaps and latency", 0.5
	for _, t := range res.Tiers {
		if t.Busy > busy {
			name, busy = t.Tier+" bandwidth", t.Busy
		}
	}
	for _, l := range res.Links {
		if l.Busy > busy+1e-9 {
			name, busy = l.Link+" link", l.Busy
		}
	}
	return name
}
