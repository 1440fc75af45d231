package operators

import (
	"context"
	"fmt"

	"hwsim/devices/gpu"
	"hwsim/hierarchy"
	"hwsim/sim"
	"hwsim/workloads/graph"
)

// The measured window: at least leastCalls, and until their mean is known to
// precision (95 % confidence), but no more than mostCalls.
const (
	leastCalls = 3
	mostCalls  = 8
	precision  = 0.005
	confidence = 0.95
)

// sampling is the relative half-width at which a kernel's rate has converged.
const sampling = 0.005

// Time is what one call of an operator takes, in ns.
type Time struct {
	Ns         float64
	Bound      float64 // half-width of the sampling error, relative to Ns
	RooflineNs float64 // its bytes and its arithmetic at their peaks
}

// bench is a machine with the calls of one operator on it.
type bench struct {
	*hierarchy.System
	graph *graph.Graph
	calls []graph.Span
	err   error // the first of placing
	exact bool  // every request is simulated, of kernels of warps
}

// newBench returns a machine. Errors are of the configuration's values.
func newBench(c *hierarchy.Config) (*bench, error) {
	s, err := hierarchy.Build(c)
	if err != nil {
		return nil, err
	}
	s.Engine.SetWorkers(1)
	return &bench{System: s, graph: graph.New()}, nil
}

// place reserves bytes in a tier and returns their address. That there is no
// room is what run returns.
func (b *bench) place(class string, tier hierarchy.TierID, bytes uint64) uint64 {
	addr, err := b.Space.Place(class, tier, bytes)
	if b.err == nil {
		b.err = err
	}
	return addr
}

// kernel is one kernel of a call, with what its roofline needs.
type kernel struct {
	*gpu.Kernel
	class string
	bytes [hierarchy.NumTiers]uint64
	flops float64

	period sim.Time // of its CTAs where they go in step
}

// call appends one call: its kernels one after the other.
func (b *bench) call(kernels ...kernel) {
	for _, k := range kernels {
		b.graph.Add(graph.Op{Op: gpu.Op{Kernel: k.Kernel}, Class: k.class, Span: len(b.calls), Bytes: k.bytes, FLOPs: k.flops, Period: k.period})
	}
	b.calls = append(b.calls, graph.Span{Weight: 1, Last: b.graph.Tail()})
}

// run simulates the calls after the first warm ones until their mean is known.
// The measurement's graph had so many; 0: its beginning counts for nothing.
func (b *bench) run(ctx context.Context, warm, graphCalls int) (t Time, err error) {
	if b.err != nil {
		return t, b.err
	}
	if len(b.calls) <= warm {
		return t, fmt.Errorf("%d calls, of which %d to warm up", len(b.calls), warm)
	}
	t.RooflineNs = graph.Roofline(b.System, b.graph).Ns / float64(len(b.calls))
	r := graph.Begin(b.System, b.graph, b.calls)
	if !b.exact {
		r.Sample(sampling, t.RooflineNs)
	}
	var times sim.Batches
	err = r.Simulate(ctx, func(ended int) bool {
		if ended > warm {
			times.Add(r.SpanNs(ended - 1))
		}
		n := times.Count()
		return n >= mostCalls || n >= leastCalls && times.HalfWidth(confidence) <= precision*times.Mean()
	})
	if err != nil {
		return t, fmt.Errorf("simulate: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return t, err
	}
	totals := r.Totals()
	t.Ns = times.Mean()
	t.Bound = totals.ErrorNs / totals.Ns
	if h := b.Config.Host; h != nil && graphCalls > 0 {
		t.Ns += h.GraphNs / float64(graphCalls)
	}
	return t, nil
}
