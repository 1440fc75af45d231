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
}

// Run simulates the configuration's decode steps. When ctx is cancelled it
// returns what is known so far, marked incomplete. An error with a method
// UserError is of the configuration's values.
func Run(ctx context.Context, c *Config, o Options) (*Result, error) {
	c.Sampling = c.Sampling.withDefaults()
	system, err := hierarchy.Build(&c.System)
	if err != nil {
		return nil, configError{err}
	}
	d, err := newDecode(c, system, o.Seed)
	if err != nil {
		return nil, err
	}
	r := &run{config: c, options: o, system: system, decode: d}
	roof := d.roofline()
	if o.Fidelity == "analytic" {
		return r.analytic(roof), nil
	}
	r.build(roof)
	system.Engine.SetWorkers(o.Workers)
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
// mostLayers are enough.
const (
	hiddenShare  = 0.1
	scatterShare = 0.006
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
	for n < mostLayers && float64(n) < layers && unknown() > scatterShare {
		n++
	}
	return n
}

// build appends all steps' ops, divides them into spans, and begins the run.
func (r *run) build(roof *graph.Totals) {
	d := r.decode
	p := planAll(d.model.Layers)
	if r.options.Fidelity == "sampled" {
		p = d.planFolded(r.few(roof))
	}
	steps := max(1, r.config.Workload.Steps)
	var spans []graph.Span
	for range steps {
		d.step(p, len(spans))
		for i := range p.layers {
			spans = append(spans, graph.Span{Weight: p.weight[i], Like: p.like[i], Last: d.ends[i]})
		}
		spans = append(spans, graph.Span{Weight: 1, Last: d.graph.Tail()})
	}
	r.graph = graph.Begin(r.system, d.graph, spans)
	if r.options.Fidelity == "sampled" {
		r.graph.Sample(r.config.Sampling.Tolerance, roof.Ns*float64(steps))
	}
}
