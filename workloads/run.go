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
	Fidelity string    // exact, sampled or analytic
	Name     string    // of the configuration
	Hash     string    // of the effective configuration
	Workers  int       // goroutines; 0: as many as there are processors
	Detail   bool      // the result has layers and a timeline, unless it is analytic
	Windows  *Windows  // sampled steps are put together of windows, and have no latencies or kernels; nil: they are simulated whole
	Requests *Requests // to record, unless it is analytic; nil: none
}

// Run simulates the configuration's decode steps. When ctx is cancelled it
// returns what is known so far, marked incomplete. An error with a method
// UserError is of the configuration's values.
func Run(ctx context.Context, c *Config, o Options) (*Result, error) {
	if o.Windows != nil && o.Fidelity == "sampled" {
		return o.Windows.run(ctx, c, o)
	}
	return runPart(ctx, c, o, wholeStep)
}

// RunAttention is Run of what attends over the cache in every step alone, and of
// what a policy does for it.
func RunAttention(ctx context.Context, c *Config, o Options) (*Result, error) {
	return runPart(ctx, c, o, attentionPart)
}

// runPart is Run of a part of every step.
func runPart(ctx context.Context, c *Config, o Options, part part) (*Result, error) {
	r, err := newRun(c, o, part)
	if err != nil {
		return nil, err
	}
	if o.Fidelity == "analytic" {
		return r.analytic()
	}
	if err := o.Requests.record(r.system); err != nil {
		return nil, err
	}
	if r, err = r.enough(ctx); err != nil {
		return nil, err
	}
	return r.result()
}

// enough simulates the steps, again with more layers while these are found to vary
// more than is to be left unknown. It returns the last run that has not been cut
// short, or the first.
func (r *run) enough(ctx context.Context) (*run, error) {
	layers := r.few()
	if err := r.simulate(ctx, layers); err != nil {
		return nil, err
	}
	for r.whole() && r.graph.Unknown()*r.share > max(mostUnknown, r.config.Sampling.Tolerance) && layers < min(mostLayers, r.config.Model.Layers) {
		layers = min(2*layers, mostLayers)
		again, err := newRun(r.config, r.options, r.decode.part)
		if err != nil {
			return nil, err
		}
		if err := again.simulate(ctx, layers); err != nil || !again.whole() {
			return r, err
		}
		r = again
	}
	return r, nil
}

// whole reports whether all of the steps has been simulated.
func (r *run) whole() bool { return r.graph.Ended() > 0 && r.graph.Totals().Covered == 1 }

// newRun builds the machine and places a part of the step on it.
func newRun(c *Config, o Options, part part) (*run, error) {
	c.Sampling = c.Sampling.withDefaults()
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
	if err := d.timeHost(); err != nil {
		return nil, err
	}
	all := d.roofline().Ns
	d.part = part
	roof := d.roofline()
	return &run{config: c, options: o, system: system, decode: d, roof: roof, share: roof.Ns / all}, nil
}

// simulate runs the steps, of which so many layers are simulated if not all.
func (r *run) simulate(ctx context.Context, layers int) error {
	r.build(layers)
	r.system.Engine.SetWorkers(r.options.Workers)
	if err := r.graph.Simulate(ctx, nil); err != nil {
		return fmt.Errorf("simulate: %w", err)
	}
	return nil
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
	roof    *graph.Totals // of a step's part
	share   float64       // of the part in the step, by their rooflines
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
func (r *run) few() int {
	if r.roof.KernelNs < hiddenShare*r.roof.Ns {
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
func (r *run) build(layers int) {
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
		r.graph.Sample(r.config.Sampling.Tolerance, r.roof.Ns*float64(steps))
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
