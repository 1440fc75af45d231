package workloads

import (
	"context"
	"fmt"
	"sort"

	"hwsim/devices"
	"hwsim/devices/dma"
	"hwsim/devices/gpu"
	"hwsim/hierarchy"
	"hwsim/sim"
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
	r := &run{config: c, options: o, system: system, decode: d, ports: system.Ports()}
	roof := roofline(c, system, d)
	if o.Fidelity == "analytic" {
		return r.analytic(roof), nil
	}
	r.roofNs = roof.StepNs * float64(max(1, c.Workload.Steps))
	r.build(o.Fidelity)
	system.Engine.SetWorkers(o.Workers)
	if err := r.simulate(ctx); err != nil {
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
	plan    *plan
	ports   []*dma.Port
	sampler *sampler
	spans   []span
	current int // first span that has not ended
	leaps   []leap
	extra   mark    // what leaps have added to the counters
	roofNs  float64 // the roofline's prediction of all steps: the scale of what matters
	stopped bool
}

// span is a stretch of the compute stream that is accounted as a whole: one
// layer, or the head.
type span struct {
	weight float64 // how many like it the step has
	like   bool
	last   int // its last op on the compute stream
	at     mark
	error  float64 // ps
	leapt  sim.Time
}

// leap is a stretch of time that was not simulated.
type leap struct {
	at    sim.Time // simulated time at which it lies
	total sim.Time // of this and all earlier leaps
}

// build appends all steps' ops and divides them into spans.
func (r *run) build(fidelity string) {
	d := r.decode
	r.plan = planAll(d.model.Layers)
	if fidelity == "sampled" {
		r.plan = d.planFolded(r.config.Sampling.Layers)
		r.sampler = newSampler(r, r.config.Sampling.Tolerance)
	}
	for range max(1, r.config.Workload.Steps) {
		d.step(r.plan, len(r.spans))
		for i := range r.plan.layers {
			r.spans = append(r.spans, span{weight: r.plan.weight[i], like: r.plan.like[i], last: d.ends[i]})
		}
		r.spans = append(r.spans, span{weight: 1, last: d.tail})
	}
	ops := make([]gpu.Op, len(d.ops))
	for i := range d.ops {
		o := &d.ops[i]
		if o.copy != nil {
			o.Work = uint32(len(r.system.Copies))
			r.system.Copies = append(r.system.Copies, o.copy)
			o.Unit = r.system.Port(hierarchy.TierID(devices.Tier(o.copy.Segments[0].Src)))
		}
		ops[i] = o.Op
	}
	r.system.GPU.Front.Add(0, ops...)
}

// simulate runs the machine until the graph has ended or ctx is cancelled.
func (r *run) simulate(ctx context.Context) error {
	done := ctx.Done()
	r.extra = r.newMark()
	return r.system.Engine.Run(func(now sim.Time) bool {
		select {
		case <-done:
			r.stopped = true
			return true
		default:
		}
		for r.current < len(r.spans) && r.op(r.spans[r.current].last).End != sim.Never {
			r.spans[r.current].at = r.mark()
			r.current++
		}
		if r.sampler != nil {
			r.sampler.observe(now)
		}
		return r.current == len(r.spans)
	})
}

// op returns the state of an op in the machine.
func (r *run) op(id int) *gpu.Op { return r.system.GPU.Front.Op(id) }

// harmlessShare is the part of the whole run that the error of one leap may
// be, however uncertain the rates it was made at.
const harmlessShare = 1e-4

// harmless returns that error for a leap in the current span, in ps.
func (r *run) harmless() float64 {
	weight := 1.0
	if r.current < len(r.spans) {
		weight = r.spans[r.current].weight
	}
	return harmlessShare * r.roofNs * 1e3 / weight
}

// leapt accounts for a stretch of time that was skipped at now, known to so
// many ps: the counters go on by factor times what they have gained since
// start.
func (r *run) leapt(now, length sim.Time, uncertain, factor float64, start mark) {
	total := length
	if n := len(r.leaps); n > 0 {
		total += r.leaps[n-1].total
	}
	r.leaps = append(r.leaps, leap{now, total})
	gain := r.mark()
	gain.sub(&start)
	r.extra.addScaled(&gain, factor)
	if r.current < len(r.spans) {
		r.spans[r.current].error += uncertain
		r.spans[r.current].leapt += length
	}
}

// correct changes the length of the last leap, known to so many ps.
func (r *run) correct(by sim.Time, uncertain float64) {
	r.leaps[len(r.leaps)-1].total += by
	if r.current < len(r.spans) {
		r.spans[r.current].error += uncertain
		r.spans[r.current].leapt += by
	}
}

// reported turns simulated time into the time the report tells: with the
// leaps that lie before it.
func (r *run) reported(t sim.Time) sim.Time {
	i := sort.Search(len(r.leaps), func(i int) bool { return r.leaps[i].at > t })
	if i == 0 {
		return t
	}
	return t + r.leaps[i-1].total
}
