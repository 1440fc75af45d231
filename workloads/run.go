package workloads

import (
	"context"
	"fmt"
	"math"

	"hwsim/hierarchy"
	"hwsim/workloads/graph"
)

// Options of a run that are not part of what is simulated.
type Options struct {
	Seed     uint64
	Fidelity string // exact, sampled or analytic
	Name     string // of the configuration
	Hash     string // of the effective configuration
	Workers  int    // goroutines; 0: as many as there are processors
	Detail   bool   // the result has layers and a timeline, unless it is analytic
}

// Run simulates the configuration's decode steps. When ctx is cancelled it
// returns what is known so far, marked incomplete. An error with a method
// UserError is of the configuration's values.
func Run(ctx context.Context, c *Config, o Options) (*Result, error) {
	return runPart(ctx, c, o, wholeStep)
}

// RunAttention is Run of what attends over the cache in every step alone, and of
// what a policy does for it.
func RunAttention(ctx context.Context, c *Config, o Options) (*Result, error) {
	return runPart(ctx, c, o, attentionPart)
}

// runPart is Run of a part of every step.
func runPart(ctx context.Context, c *Config, o Options, part part) (*Result, error) {
	c.Sampling = c.Sampling.withDefaults()
	begin := func() (*run, error) {
		r, err := newRun(c, o)
		if err == nil {
			r.decode.part = part
		}
		return r, err
	}
	r, err := begin()
	if err != nil {
		return nil, err
	}
	roof := r.decode.roofline()
	if o.Fidelity == "analytic" {
		return r.analytic(roof)
	}
	layers := r.few(roof)
	res, err := r.simulate(ctx, roof, layers)
	if part == copiesPart && err == nil { // a layer's kernels are not hidden by copies, and may take twice as long
		res.Bound += roof.KernelNs / float64(r.decode.model.Layers) / res.StepNs
		return res, nil
	}
	for err == nil && res.Complete && r.graph.Unknown() > max(mostUnknown, c.Sampling.Tolerance) && layers < min(mostLayers, c.Model.Layers) {
		layers = min(2*layers, mostLayers)
		if r, err = begin(); err != nil {
			return nil, err
		}
		again, err := r.simulate(ctx, roof, layers)
		if err != nil || !again.Complete { // interrupted: the step is known as well as it was
			return res, err
		}
		res = again
	}
	return res, err
}

// newRun builds the machine and places the step on it.
func newRun(c *Config, o Options) (*run, error) {
	build := hierarchy.Build
	if o.Fidelity == "analytic" {
		build = hierarchy.Outline
	}
	system, err := build(&c.System)
	if err != nil {
		return nil, configError{err}
	}
	d, err := newDecode(c, system, o.Seed)
	if err != nil {
		return nil, err
	}
	return &run{config: c, options: o, system: system, decode: d}, d.timeHost()
}

// simulate runs the steps, of which so many layers are simulated if not all.
func (r *run) simulate(ctx context.Context, roof *graph.Totals, layers int) (*Result, error) {
	r.build(roof, layers)
	r.system.Engine.SetWorkers(r.options.Workers)
	if err := r.graph.Simulate(ctx, nil); err != nil {
		return nil, fmt.Errorf("simulate: %w", err)
	}
	return r.result(roof)
}

// configError marks an error as the user's.
type configError struct{ error }

func (configError) UserError() bool { return true }

func (e configError) Unwrap() error { return e.error }

// run is one simulation under way.
type run struct {
	config  *Config
	options Options
	system  *hierarchy.System
	decode  *decode
	graph   *graph.Run
}

// hiddenShare is the kernels' part of a step below which one layer tells enough
// of how they vary, scatterShare what that may leave unknown of a step, if
// mostLayers are enough. Where layers are found to vary more, so that more than
// mostUnknown is, the step is simulated again with twice the layers.
const (
	hiddenShare  = 0.1
	scatterShare = 0.006
	mostUnknown  = 0.008
	mostLayers   = 8
)

// few returns how many layers of a run of identical ones are simulated.
func (r *run) few(roof *graph.Totals) int {
	if roof.KernelNs < hiddenShare*roof.Ns {
		return 2
	}
	n, layers := r.config.Sampling.Layers, float64(r.decode.model.Layers)
	unknown := func() float64 { // one layer and n-1 that stand for the rest, against all
		return 2 * graph.LeastScatter(r.system) * math.Sqrt((layers-1)*(layers-1)/float64(n-1)+1+layers) / layers
	}
	for n < mostLayers && float64(n) < layers && unknown() > max(scatterShare, r.config.Sampling.Tolerance) {
		n++
	}
	return n
}

// build appends all steps' ops, of so many layers if not of all, divides them
// into spans, and begins the run.
func (r *run) build(roof *graph.Totals, layers int) {
	d := r.decode
	p := planAll(d.model.Layers)
	if r.options.Fidelity == "sampled" {
		p = d.planFolded(layers)
	}
	steps := max(1, r.config.Workload.Steps)
	parts := p.parts()
	var spans []graph.Span
	for range steps {
		d.step(p, len(spans))
		for i := range p.layers {
			spans = append(spans, graph.Span{Name: fmt.Sprintf("layer %d", p.layers[i]), Part: parts[i], Weight: p.weight[i], Like: p.like[i], Last: d.ends[i]})
		}
		if d.part != attentionPart {
			spans = append(spans, graph.Span{Name: "head", Part: "head", Weight: 1, Last: d.graph.Tail()})
		}
	}
	if d.part == copiesPart {
		d.outline()
	}
	r.graph = graph.Begin(r.system, d.graph, spans)
	if r.options.Detail {
		r.graph.Record()
	}
	if r.options.Fidelity == "sampled" {
		r.graph.Sample(r.config.Sampling.Tolerance, roof.Ns*float64(steps))
	}
}

// outline puts a wait of its roofline in the place of every kernel.
func (d *decode) outline() {
	for i := range d.graph.Ops {
		if o := &d.graph.Ops[i]; o.Kernel != nil {
			wait := waiting(o.Class, graph.LeastNs(d.system, o))
			wait.Flow, o.Kernel = o.Kernel.Flow, wait
		}
	}
}
