package graph

import (
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
	ErrorNs   float64 // half-width of the sampling error of Ns
	Simulated float64 // share of Ns that was simulated in detail
	Covered   float64 // share of all spans that has ended
	Machine   hierarchy.Counters
	Classes   []Class // by flow
}

// Class sums the ops of one class.
type Class struct {
	Name     string
	Ns       float64 // all calls
	Calls    float64
	Requests float64 // of SMs
	Read     float64 // bytes
	Written  float64
	Why      [devices.NumCauses]float64 // requests' time by cause, ps
}

// Totals goes through the ops of the ended spans.
func (r *Run) Totals() *Totals {
	t := &Totals{Classes: make([]Class, len(r.Graph.Classes))}
	begin, previous, sum := sim.Time(0), r.newMark(), r.newMark()
	detailed := 0.0 // time simulated
	for i := range r.current {
		s := &r.spans[i]
		end := r.reported(r.op(s.Last).End)
		length := (end - begin).Nanoseconds()
		t.Ns += s.Weight * length
		t.ErrorNs += s.Weight * s.error / 1e3
		detailed += length - s.leapt.Nanoseconds()
		gain := s.at
		gain.flows = slices.Clone(s.at.flows)
		gain.sub(&previous)
		sum.addScaled(&gain, s.Weight)
		begin, previous = end, s.at
	}
	t.Simulated = detailed / t.Ns
	t.Covered = r.covered()
	t.count(&sum, r.Graph.Classes)
	r.addOps(t)
	if len(r.leaps) > 0 || r.folded() {
		t.ErrorNs += r.scatter(t.KernelNs)
	}
	return t
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

// kernelScatter is how much a layer's kernels are taken to vary from layer to
// layer at least, relative, standard deviation: a few layers cannot show it.
// In exact runs of Llama-3-8B on the H200 layers differ by 0.3 to 0.7 %, on a
// machine of four channels by 1 %.
const kernelScatter = 0.01

// scatter is the uncertainty that comes from spans differing by chance, in ns:
// those simulated, each as often as it stands for others, against all that an
// exact run would go through. kernel is the kernels' time in all of them.
func (r *Run) scatter(kernel float64) float64 {
	var n, sum, squares float64 // of spans that others are like
	var weights, all float64
	for i := range r.current {
		s := &r.spans[i]
		if s.Like {
			l := r.SpanNs(i)
			n, sum, squares = n+1, sum+l, squares+l*l
		}
		weights, all = weights+s.Weight*s.Weight, all+s.Weight
	}
	deviation := kernelScatter * kernel / all
	if n > 1 {
		deviation = max(deviation, math.Sqrt(max(0, squares-sum*sum/n)/(n-1)))
	}
	return 2 * deviation * math.Sqrt(weights+all)
}

// addOps divides the stream's time into kernels, launch gaps and waiting for
// copies, and adds up the copies.
func (r *Run) addOps(t *Totals) {
	gap := r.System.Config.GPU.GapNs
	ended := sim.Time(0)
	covered := sim.Time(0) // up to where copies are counted: several at once count once
	for id := range r.Graph.Ops {
		o, state := &r.Graph.Ops[id], r.op(id)
		if o.Span >= r.current {
			break
		}
		weight := r.spans[o.Span].Weight
		start, end := r.reported(state.Start), r.reported(state.End)
		ns := (end - start).Nanoseconds() * weight
		c := &t.Classes[r.Graph.flows[o.Class]]
		c.Calls += weight
		c.Ns += ns
		if o.Copy != nil {
			t.CopyNs += max(0, end-max(start, covered)).Nanoseconds() * weight
			covered = max(covered, end)
			for _, b := range o.Bytes {
				t.Copied += float64(b) * weight
			}
			continue
		}
		t.KernelNs += ns
		idle := (start - ended).Nanoseconds()
		t.GapNs += min(gap, idle) * weight
		t.ExposedNs += max(0, idle-gap) * weight
		ended = end
	}
}

// Over turns the sums into those of one of n parts.
func (t *Totals) Over(n float64) {
	for _, v := range []*float64{&t.Ns, &t.KernelNs, &t.GapNs, &t.ExposedNs, &t.CopyNs, &t.ErrorNs, &t.Copied} {
		*v /= n
	}
	for i := range t.Machine {
		t.Machine[i] /= n
	}
	for i := range t.Classes {
		c := &t.Classes[i]
		for _, v := range []*float64{&c.Ns, &c.Calls, &c.Requests, &c.Read, &c.Written} {
			*v /= n
		}
	}
}
