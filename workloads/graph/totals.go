package graph

import (
	"maps"
	"math"
	"slices"

	"hwsim/devices"
	"hwsim/hierarchy"
	"hwsim/sim"
)

// Totals are sums over the spans that have ended, each as often as it stands
// for. Times are in ns.
type Totals struct {
	Ns        float64 // of the stream: KernelNs + GapNs + ExposedNs
	KernelNs  float64
	GapNs     float64 // launch gaps between kernels
	ExposedNs float64 // waiting for copies
	CopyNs    float64 // for which any copy was under way
	Copied    float64 // bytes
	FLOPs     float64 // of kernels
	ErrorNs   float64 // half-width of the sampling error of Ns
	Simulated float64 // share of Ns that was simulated in detail
	Covered   float64 // share of all spans that has ended
	Machine   hierarchy.Counters
	Moves     [hierarchy.NumTiers]float64 // bytes that ops must move from or to each tier
	Classes   []Class                     // by flow
}

// Class sums the ops of one class.
type Class struct {
	Name     string
	Ns       float64 // all calls
	Calls    float64
	Requests float64 // of SMs
	Read     float64 // bytes
	Written  float64
	Copied   float64                     // bytes, by copy engines
	FLOPs    float64                     // of tensor cores
	Moves    [hierarchy.NumTiers]float64 // bytes that its ops must move from or to each tier
	Why      [devices.NumCauses]float64  // requests' time by cause, ps
}

// Totals goes through the ops of the ended spans.
func (r *Run) Totals() *Totals {
	t := r.sum(func(int) bool { return true })
	t.Covered = r.covered()
	if len(r.leaps) > 0 || r.folded() {
		bias, ahead, chance := 0.0, 0.0, 0.0 // ns, ns, ns²
		leads := r.leads()
		for i := range r.current {
			s := &r.spans[i]
			bias += s.Weight * s.bias / 1e3
			ahead += (s.Weight - 1) * leads[i].doubt
			chance += s.Weight * s.Weight * s.chance / 1e6
		}
		t.ErrorNs = bias + math.Abs(ahead) + math.Hypot(math.Sqrt(chance), r.scatter(t.KernelNs))
	}
	return t
}

// Part is what the spans of one part add to the totals.
type Part struct {
	Name    string
	*Totals // without ErrorNs and Covered, which are of the whole
}

// Parts divides the ended spans by their parts.
func (r *Run) Parts() (parts []Part) {
	known := map[string]bool{}
	for _, s := range r.spans[:r.current] {
		if !known[s.Part] {
			known[s.Part] = true
			parts = append(parts, Part{s.Part, r.sum(func(i int) bool { return r.spans[i].Part == s.Part })})
		}
	}
	return parts
}

// sum goes through the ops of those ended spans that are asked for.
func (r *Run) sum(of func(span int) bool) *Totals {
	t := &Totals{Classes: make([]Class, len(r.Graph.Classes))}
	begin, previous, sum := sim.Time(0), r.newMark(), r.newMark()
	detailed := 0.0 // time simulated
	leads := r.leads()
	r.addOps(t, of)
	for i := range r.current {
		s := &r.spans[i]
		end := r.reported(r.op(s.Last).End)
		if of(i) {
			length := (end - begin).Nanoseconds()
			t.Ns += s.Weight * length
			detailed += length - s.leapt.Nanoseconds()
			gain := s.at
			gain.flows = slices.Clone(s.at.flows)
			gain.sub(&previous)
			if l, ok := leads[i]; ok {
				t.shorten((s.Weight - 1) * l.ns)
				l.spread(&gain.machine, s.Weight)
			}
			sum.addScaled(&gain, s.Weight)
		}
		begin, previous = end, s.at
	}
	t.Simulated = detailed / t.Ns
	t.count(&sum, r.Graph.Classes)
	return t
}

// shorten takes back so many ns of waiting for copies.
func (t *Totals) shorten(ns float64) {
	t.Ns -= ns
	t.ExposedNs -= ns
	t.CopyNs -= ns
}

// count takes over the counters.
func (t *Totals) count(sum *mark, classes []string) {
	t.Machine = sum.machine
	for f := range t.Classes {
		c, v := &t.Classes[f], &sum.flows[f]
		c.Name = classes[f]
		c.Requests, c.Read, c.Written = v[flowRequests], v[flowRead], v[flowWritten]
		copy(c.Why[:], v[flowWhy:])
	}
}

// covered returns the share of the spans, by weight, that has ended.
func (r *Run) covered() float64 {
	ended, all := 0.0, 0.0
	for i := range r.spans {
		if i < r.current {
			ended += r.spans[i].Weight
		}
		all += r.spans[i].Weight
	}
	return ended / all
}

// folded reports whether some span stands for more than itself.
func (r *Run) folded() bool {
	return slices.ContainsFunc(r.spans[:r.current], func(s span) bool { return s.Weight > 1 })
}

// A layer's kernels vary from layer to layer, relative, standard deviation, at
// least by leastScatter, and on a machine of few channels, where chance evens out
// less, by channelScatter over the root of their number: a few layers cannot
// show it. In exact runs of Llama-3-8B on the H200 layers differ by 0.2 to 0.5 %,
// on a machine of four channels by 1 to 1.6 %.
const (
	leastScatter   = 0.004
	channelScatter = 0.03
)

// LeastScatter returns how much layers of a run on the machine are taken to vary
// at least: the standard deviation of their kernels' time, relative.
func LeastScatter(s *hierarchy.System) float64 {
	return max(leastScatter, channelScatter/math.Sqrt(float64(s.Config.HBM.Channels)))
}

// scatter is the uncertainty that comes from spans differing by chance, in ns:
// those simulated, each as often as it stands for others, against all that an
// exact run would go through. kernel is the kernels' time in all of them.
func (r *Run) scatter(kernel float64) float64 {
	var weights, all float64
	for i := range r.current {
		w := r.spans[i].Weight
		weights, all = weights+w*w, all+w
	}
	return 2 * max(LeastScatter(r.System)*kernel/all, r.deviation()) * math.Sqrt(weights+all)
}

// Unknown returns the part of the run's time that spans' differing by chance
// leaves unknown, 0 of one that stands for nothing but itself.
func (r *Run) Unknown() float64 {
	if len(r.leaps) == 0 && !r.folded() {
		return 0
	}
	t := r.Totals()
	return r.scatter(t.KernelNs) / t.Ns
}

// deviation is how much like spans vary, in ns: classes of kernels do so
// independently, and few spans tell more of each than of their sum.
func (r *Run) deviation() float64 {
	times := make([]map[int]float64, len(r.Graph.Classes)) // of each class, by span
	for id := range r.Graph.Ops {
		o := &r.Graph.Ops[id]
		if o.Span >= r.current {
			break
		}
		if o.Copy != nil || !r.spans[o.Span].Like {
			continue
		}
		c := r.Graph.flows[o.Class]
		if times[c] == nil {
			times[c] = map[int]float64{}
		}
		times[c][o.Span] += r.Ns(id)
	}
	variance := 0.0
	for _, t := range times {
		variance += spread(t)
	}
	return math.Sqrt(variance)
}

// spread returns the sample variance, 0 of fewer than two.
func spread(times map[int]float64) float64 {
	n := float64(len(times))
	if n < 2 {
		return 0
	}
	sum, squares := 0.0, 0.0
	for _, i := range slices.Sorted(maps.Keys(times)) { // in order: sums of floats depend on it
		sum, squares = sum+times[i], squares+times[i]*times[i]
	}
	return max(0, squares-sum*sum/n) / (n - 1)
}

// addOps divides the stream's time in the spans asked for into kernels, launch
// gaps and waiting for copies, and adds up the copies.
func (r *Run) addOps(t *Totals, of func(span int) bool) {
	ended := sim.Time(0)
	covered := sim.Time(0) // up to where copies are counted: several at once count once
	for id := range r.Graph.Ops {
		o, state := &r.Graph.Ops[id], r.op(id)
		if o.Span >= r.current {
			break
		}
		weight := r.spans[o.Span].Weight
		if !of(o.Span) {
			weight = 0 // what it leaves to those after it matters
		}
		start, end := r.reported(state.Start), r.reported(state.End)
		ns := (end - start).Nanoseconds() * weight
		c := &t.Classes[r.Graph.flows[o.Class]]
		c.Calls += weight
		c.Ns += ns
		c.FLOPs += o.FLOPs * weight
		for tier, b := range o.Bytes {
			c.Moves[tier] += float64(b) * weight
			t.Moves[tier] += float64(b) * weight
		}
		if o.Copy != nil {
			t.CopyNs += max(0, end-max(start, covered)).Nanoseconds() * weight
			covered = max(covered, end)
			for _, b := range o.Bytes {
				c.Copied += float64(b) * weight
				t.Copied += float64(b) * weight
			}
			continue
		}
		t.KernelNs += ns
		t.FLOPs += o.FLOPs * weight
		gap, waited := r.idle(ended, start)
		t.GapNs += gap * weight
		t.ExposedNs += waited * weight
		ended = end
	}
}

// idle divides the ns between two kernels into the launch gap and waiting for
// copies.
func (r *Run) idle(ended, start sim.Time) (gap, waited float64) {
	ns := (start - ended).Nanoseconds()
	gap = min(r.System.Config.GPU.GapNs, ns)
	return gap, ns - gap
}

// Add adds the sums over another part of the same spans, whose sampling errors may
// all go the same way.
func (t *Totals) Add(o *Totals) {
	t.Simulated = (t.Simulated*t.Ns + o.Simulated*o.Ns) / (t.Ns + o.Ns)
	t.Covered = min(t.Covered, o.Covered)
	t.Ns += o.Ns
	t.KernelNs += o.KernelNs
	t.GapNs += o.GapNs
	t.ExposedNs += o.ExposedNs
	t.CopyNs += o.CopyNs
	t.Copied += o.Copied
	t.FLOPs += o.FLOPs
	t.ErrorNs += o.ErrorNs
	for i, v := range o.Moves {
		t.Moves[i] += v
	}
	for i, v := range o.Machine {
		t.Machine[i] += v
	}
	t.Classes = append(t.Classes, o.Classes...)
}

// Over turns the sums into those of one of n parts.
func (t *Totals) Over(n float64) {
	for _, v := range []*float64{&t.Ns, &t.KernelNs, &t.GapNs, &t.ExposedNs, &t.CopyNs, &t.ErrorNs, &t.Copied, &t.FLOPs} {
		*v /= n
	}
	for i := range t.Machine {
		t.Machine[i] /= n
	}
	for tier := range t.Moves {
		t.Moves[tier] /= n
	}
	for i := range t.Classes {
		c := &t.Classes[i]
		for _, v := range []*float64{&c.Ns, &c.Calls, &c.Requests, &c.Read, &c.Written, &c.Copied, &c.FLOPs} {
			*v /= n
		}
		for tier := range c.Moves {
			c.Moves[tier] /= n
		}
	}
}
