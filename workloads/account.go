package workloads

import (
	"errors"
	"math"
	"slices"

	"hwsim/devices"
	"hwsim/sim"
)

// schema is the version of Result's layout.
const schema = 1

// errNothing says that a run was interrupted before its first span ended.
var errNothing = errors.New("interrupted before anything was known")

// result adds up the spans that have ended, each as often as it stands for.
func (r *run) result(roof *Result) (*Result, error) {
	if r.current == 0 {
		return nil, errNothing
	}
	res := r.header()
	res.Complete = r.current == len(r.spans)
	res.RooflineNs = roof.StepNs
	t := r.total()
	steps := float64(max(1, r.config.Workload.Steps))
	if !res.Complete {
		steps = t.scale(r)
	}
	t.perStep(steps)
	res.StepNs = t.ns
	res.Bound = t.error / t.ns
	res.Simulated = t.simulated
	res.TokensPerSecond = float64(len(r.decode.lengths)) / t.ns * 1e9
	res.KernelNs, res.GapNs, res.ExposedNs, res.HiddenNs = t.kernel, t.gap, t.exposed, max(0, t.transfer-t.exposed)
	res.Kernels = r.kernelRows(t)
	res.Tiers = r.tierRows(t)
	res.Links = r.linkRows(t)
	res.Objects = r.objectRows(t)
	res.TransferBytes = uint64(t.copied)
	res.BoundBy = boundBy(res)
	return res, nil
}

func (r *run) header() *Result {
	mean := 0
	for _, n := range r.decode.lengths {
		mean += n
	}
	return &Result{Schema: schema, Name: r.options.Name, Hash: r.options.Hash, Seed: r.options.Seed, Fidelity: r.options.Fidelity,
		System: r.config.System.Name, Model: r.config.Model.Name, Batch: len(r.decode.lengths), Context: mean / len(r.decode.lengths)}
}

// totals are weighted sums over the spans. Times are in ns.
type totals struct {
	ns, kernel, gap, exposed, transfer float64
	error                              float64
	simulated                          float64
	copied                             float64
	counters                           mark
	classes                            []classTotal
}

type classTotal struct {
	ns    float64
	calls float64
}

// total goes through the ops of the ended spans.
func (r *run) total() *totals {
	t := &totals{counters: r.newMark(), classes: make([]classTotal, len(r.decode.classes))}
	begin, previous := sim.Time(0), r.newMark()
	detailed := 0.0 // time simulated
	for i := range r.current {
		s := &r.spans[i]
		end := r.reported(r.op(s.last).End)
		length := (end - begin).Nanoseconds()
		t.ns += s.weight * length
		t.error += s.weight * s.error / 1e3
		detailed += length - s.leapt.Nanoseconds()
		gain := s.at
		gain.flows = slices.Clone(s.at.flows)
		gain.sub(&previous)
		t.counters.addScaled(&gain, s.weight)
		begin, previous = end, s.at
	}
	t.simulated = detailed / t.ns
	r.addOps(t)
	if len(r.leaps) > 0 || t.folded(r) {
		t.error += r.scatter(t.kernel)
	}
	return t
}

// folded reports whether some span stands for more than itself.
func (t *totals) folded(r *run) bool {
	return slices.ContainsFunc(r.spans[:r.current], func(s span) bool { return s.weight > 1 })
}

// kernelScatter is how much a layer's kernels are taken to vary from layer to
// layer at least, relative, standard deviation: a few layers cannot show it.
// In exact runs of Llama-3-8B on the H200 layers differ by 0.3 to 0.7 %, on a
// machine of four channels by 1 %.
const kernelScatter = 0.01

// scatter is the uncertainty that comes from layers differing by chance, in
// ns: those simulated, each as often as it stands for others, against all that
// an exact run would go through. kernel is the kernels' time in all of them.
func (r *run) scatter(kernel float64) float64 {
	var n, sum, squares float64 // of layers that others are like
	var weights, all float64
	begin := sim.Time(0)
	for i := range r.current {
		s := &r.spans[i]
		end := r.reported(r.op(s.last).End)
		if s.like {
			l := (end - begin).Nanoseconds()
			n, sum, squares = n+1, sum+l, squares+l*l
		}
		weights, all = weights+s.weight*s.weight, all+s.weight
		begin = end
	}
	deviation := kernelScatter * kernel / all
	if n > 1 {
		deviation = max(deviation, math.Sqrt(max(0, squares-sum*sum/n)/(n-1)))
	}
	return 2 * deviation * math.Sqrt(weights+all)
}

// addOps divides the compute stream's time into kernels, launch gaps and
// waiting for transfers, and adds up the transfers.
func (r *run) addOps(t *totals) {
	gap := r.config.System.GPU.GapNs
	ended := sim.Time(0)
	covered := sim.Time(0) // up to where transfers are counted: several at once count once
	for id := range r.decode.ops {
		o, state := &r.decode.ops[id], r.op(id)
		if o.span >= r.current {
			break
		}
		weight := r.spans[o.span].weight
		start, end := r.reported(state.Start), r.reported(state.End)
		ns := (end - start).Nanoseconds() * weight
		c := &t.classes[r.decode.flows[o.class]]
		c.calls += weight
		if o.copy != nil {
			c.ns += ns
			t.transfer += max(0, end-max(start, covered)).Nanoseconds() * weight
			covered = max(covered, end)
			for _, b := range o.bytes {
				t.copied += float64(b) * weight
			}
			continue
		}
		c.ns += ns
		t.kernel += ns
		idle := (start - ended).Nanoseconds()
		t.gap += min(gap, idle) * weight
		t.exposed += max(0, idle-gap) * weight
		ended = end
	}
}

// scale returns the steps that an interrupted run's totals cover, the mean of
// its ended spans standing for those to come.
func (t *totals) scale(r *run) float64 {
	covered, all := 0.0, 0.0
	for i := range r.spans {
		if i < r.current {
			covered += r.spans[i].weight
		}
		all += r.spans[i].weight
	}
	return covered / all * float64(max(1, r.config.Workload.Steps))
}

// perStep turns sums over all steps into one step's.
func (t *totals) perStep(steps float64) {
	for _, v := range []*float64{&t.ns, &t.kernel, &t.gap, &t.exposed, &t.transfer, &t.error, &t.copied} {
		*v /= steps
	}
	for i := range t.classes {
		t.classes[i].ns /= steps
		t.classes[i].calls /= steps
	}
	for i := range t.counters.machine {
		t.counters.machine[i] /= steps
	}
	for i := range t.counters.flows {
		for j := range t.counters.flows[i] {
			t.counters.flows[i][j] /= steps
		}
	}
}

func (r *run) kernelRows(t *totals) []KernelRow {
	var out []KernelRow
	for f, class := range r.decode.classes {
		c, v := &t.classes[f], &t.counters.flows[f]
		if v[flowRequests] == 0 && v[flowWritten] == 0 {
			continue // copies
		}
		row := KernelRow{Class: class, Profile: r.config.Kernels.Name, Calls: int(math.Round(c.calls)), Ns: c.ns,
			Bytes: uint64(v[flowRead] + v[flowWritten]), Causes: map[string]float64{}}
		row.GBps = ratio(v[flowRead]+v[flowWritten], c.ns)
		h := r.system.GPU.Flow(uint8(f)).Latency
		row.LatencyNs = quantiles(&h)
		sum := 0.0
		for _, w := range v[flowWhy:] {
			sum += w
		}
		for i, w := range v[flowWhy:] {
			if w > 0 {
				row.Causes[devices.Cause(i).String()] = w / sum
			}
		}
		out = append(out, row)
	}
	slices.SortStableFunc(out, func(a, b KernelRow) int { return -compare(a.Ns, b.Ns) })
	return out
}

func compare(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
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

func (r *run) tierRows(t *totals) []TierRow {
	var out []TierRow
	for _, id := range tiersOf(&r.system.Space) {
		c := t.counters.machine.Tier(id)
		out = append(out, TierRow{Tier: id.String(), Capacity: r.system.Space.Capacity(id), Used: r.system.Space.Used(id),
			Read: uint64(c.Read), Written: uint64(c.Written), GBps: ratio(c.Read+c.Written, t.ns), PeakGBps: r.system.PeakGBps(id),
			Busy: ratio(c.BusyPs/1e3/r.system.Buses(id), t.ns), RowHits: ratio(c.RowHits, c.Accesses), EnergyPJ: c.CommandPJ, LatencyNs: quantiles(r.system.Latency(id))})
	}
	return out
}

func (r *run) linkRows(t *totals) []LinkRow {
	var out []LinkRow
	for i, l := range r.system.Links() {
		c := t.counters.machine.Link(i)
		out = append(out, LinkRow{Link: l.Name, Bytes: uint64(c.Payload), Wire: uint64(c.Wire), GBps: ratio(c.Payload, t.ns), PeakGBps: l.RawGBps,
			Busy: ratio(c.BusyPs/1e3, t.ns)})
	}
	return out
}

// objectRows lists what lies where. Copies read a far object once a step, and
// write the staging buffers that kernels then read.
func (r *run) objectRows(_ *totals) []ObjectRow {
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
