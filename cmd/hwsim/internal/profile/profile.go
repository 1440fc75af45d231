// Package profile writes a result as a pprof profile of simulated time, for
// go tool pprof -http.
//
// A stack is workload, layer, kernel class, device, cause. A kernel's time is
// divided among the causes as its requests' time is: where a request waits is
// where the kernel does. Launch gaps and exposed transfers are leaves of the
// layer, so the total is the step. Bytes are kernels' requests, at the class, and
// copies, at the tier; they have no causes. Layers of which a few were simulated for
// all are one frame. A result without layers has one frame, step, in their place.
//
// The device is that which the cause is found in: TLBs, caches and crossbar, a
// link, or the memory, which is all tiers that the kernel must move bytes from or
// to. Requests queue in caches and in the memory alike.
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
	for _, l := range layers(r) {
		s.layer(&l)
	}
	return s.profile
}

// layers returns the layers of r, or all of it as one.
func layers(r *workloads.Result) []workloads.LayerRow {
	if len(r.Layers) > 0 {
		return r.Layers
	}
	return []workloads.LayerRow{{Name: "step", KernelNs: r.KernelNs, GapNs: r.GapNs, ExposedNs: r.ExposedNs,
		Kernels: r.Kernels, Copies: []workloads.CopyRow{{Class: "transfers", Bytes: r.TransferBytes}}}}
}

// layer adds a layer's samples.
func (s *stacks) layer(l *workloads.LayerRow) {
	s.begin(l)
	scale, rest := fit(l)
	for _, k := range l.Kernels {
		s.add(k.Class).bytes(k.Bytes)
		causes := byShare(k.Causes)
		for _, cause := range causes {
			s.add(k.Class, device(cause, k.Tiers), cause).time(k.Ns * scale * k.Causes[cause] / sum(k.Causes))
		}
		if len(causes) == 0 {
			s.add(k.Class).time(k.Ns * scale)
		}
	}
	s.add("kernels").time(rest)
	s.add("launch gaps").time(l.GapNs)
	s.add("exposed transfer").time(l.ExposedNs)
	for _, c := range l.Copies {
		if len(c.Tiers) == 0 {
			s.add(c.Class).bytes(c.Bytes)
		} else {
			s.add(c.Class, memory(c.Tiers)).bytes(c.Bytes)
		}
	}
}

// fit relates the kernels' own times to the time the layer spends in kernels:
// the factor to it where they overlap, or else what no kernel accounts for.
func fit(l *workloads.LayerRow) (scale, rest float64) {
	total := 0.0
	for _, k := range l.Kernels {
		total += k.Ns
	}
	if total > l.KernelNs {
		return l.KernelNs / total, 0
	}
	return 1, l.KernelNs - total
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
	s.workload = s.location(fmt.Sprintf("%s, batch %d, context %d", r.Model, r.Batch, r.Context))
	return s
}
