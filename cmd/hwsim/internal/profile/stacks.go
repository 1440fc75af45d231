package profile

import (
	"math"
	"slices"

	"github.com/google/pprof/profile"

	"hwsim/workloads"
)

// stacks builds a profile's samples, layer by layer.
type stacks struct {
	profile  *profile.Profile
	known    map[string]*profile.Location
	workload *profile.Location
	root     []*profile.Location // of the layer, leaf first, as pprof wants
	ns       float64             // of all samples so far, not rounded
}

// begin makes a layer the root of the samples to come.
func (s *stacks) begin(l *workloads.LayerRow) {
	s.root = []*profile.Location{s.location(l.Name), s.workload}
}

// sample is a stack whose values are to come.
type sample struct {
	stacks *stacks
	stack  []*profile.Location
}

// add begins a sample at the stack of these names, the outermost first.
func (s *stacks) add(names ...string) sample {
	var stack []*profile.Location
	for _, name := range slices.Backward(names) {
		stack = append(stack, s.location(name))
	}
	return sample{s, append(stack, s.root...)}
}

// time ends the sample with nanoseconds, rounded so that the sum of all
// samples is the rounded sum.
func (m sample) time(ns float64) {
	before := math.Round(m.stacks.ns)
	m.stacks.ns += ns
	m.put(int64(math.Round(m.stacks.ns)-before), 0)
}

// bytes ends the sample with bytes.
func (m sample) bytes(n uint64) { m.put(0, int64(n)) }

func (m sample) put(ns, bytes int64) {
	if ns == 0 && bytes == 0 {
		return
	}
	p := m.stacks.profile
	p.Sample = append(p.Sample, &profile.Sample{Location: m.stack, Value: []int64{ns, bytes}})
}

// location returns the only location of a name: there is no code behind it.
func (s *stacks) location(name string) *profile.Location {
	if l, ok := s.known[name]; ok {
		return l
	}
	id := uint64(len(s.known) + 1)
	f := &profile.Function{ID: id, Name: name}
	l := &profile.Location{ID: id, Line: []profile.Line{{Function: f}}}
	s.profile.Function = append(s.profile.Function, f)
	s.profile.Location = append(s.profile.Location, l)
	s.known[name] = l
	return l
}
