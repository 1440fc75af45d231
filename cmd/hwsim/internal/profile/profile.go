// Package profile writes a result as a pprof profile of simulated time, for
// go tool pprof -http.
//
// A stack is model, step, kernel class, cause. A kernel's time is divided
// among the causes as its requests' time is: where a request waits is where
// the kernel does. Launch gaps and exposed transfers are leaves of their own,
// so the total is the step. Bytes are kernels' requests and copies; they have
// no causes.
//
// The finest unit that pprof knows is the nanosecond; times are rounded so
// that their sum is exact.
package profile

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"github.com/google/pprof/profile"

	"hwsim/workloads"
)

// Write writes r, gzipped. Equal results give equal bytes.
func Write(w io.Writer, r *workloads.Result) error {
	p := build(r)
	if err := p.CheckValid(); err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	if err := p.Write(w); err != nil {
		return fmt.Errorf("write profile: %w", err)
	}
	return nil
}

func build(r *workloads.Result) *profile.Profile {
	s := newStacks(r)
	scale, rest := fit(r)
	for _, k := range r.Kernels {
		s.add(k.Class).bytes(k.Bytes)
		causes := byShare(k.Causes)
		for _, cause := range causes {
			s.add(k.Class, cause).time(k.Ns * scale * k.Causes[cause] / sum(k.Causes))
		}
		if len(causes) == 0 {
			s.add(k.Class).time(k.Ns * scale)
		}
	}
	s.add("kernels").time(rest)
	s.add("launch gaps").time(r.GapNs)
	s.add("exposed transfer").time(r.ExposedNs)
	s.add("transfers").bytes(r.TransferBytes)
	return s.profile
}

// fit relates the kernels' own times to the time the step spends in kernels:
// the factor to it where they overlap, or else what no kernel accounts for.
func fit(r *workloads.Result) (scale, rest float64) {
	total := 0.0
	for _, k := range r.Kernels {
		total += k.Ns
	}
	if total > r.KernelNs {
		return r.KernelNs / total, 0
	}
	return 1, r.KernelNs - total
}

// byShare orders causes, the largest first.
func byShare(causes map[string]float64) []string {
	names := slices.Sorted(maps.Keys(causes))
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(causes[b], causes[a]) })
	return slices.DeleteFunc(names, func(n string) bool { return causes[n] <= 0 })
}

func sum(causes map[string]float64) (total float64) {
	for _, name := range byShare(causes) {
		total += causes[name]
	}
	return total
}

// newStacks begins the profile of r.
func newStacks(r *workloads.Result) *stacks {
	p := &profile.Profile{
		SampleType:        []*profile.ValueType{{Type: "time", Unit: "nanoseconds"}, {Type: "bytes", Unit: "bytes"}},
		DefaultSampleType: "time",
		DurationNanos:     int64(math.Round(r.StepNs)),
		Comments: []string{
			fmt.Sprintf("simulated time of one decode step of %s on %s", r.Model, r.System),
			fmt.Sprintf("%s, seed %d, config %s %s", r.Fidelity, r.Seed, r.Name, r.Hash),
		},
	}
	if !r.Complete {
		p.Comments = append(p.Comments, "interrupted")
	}
	s := &stacks{profile: p, known: map[string]*profile.Location{}}
	s.root = []*profile.Location{s.location("step"), s.location(r.Model)}
	return s
}
