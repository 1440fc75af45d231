package validation

import (
	"context"
	"fmt"

	"hwsim/hierarchy"
	"hwsim/workloads"
)

// step is one decode step of a model, all layers and the head, its KV cache
// in HBM.
type step struct {
	model          string
	batch, context int
}

// compileSteps compares whole decode steps.
func compileSteps(t *table) {
	for _, r := range t.rows {
		bytes := r.positive("weights_bytes") + r.positive("kv_bytes")
		t.time(r, wholeSteps, r.step(), only, r.positive("us_median")*1e3, r.repeated("us_median_repeat")*1e3).moving(bytes).over(hierarchy.HBM, uint64(bytes))
	}
}

// step returns the step that a row is of.
func (r row) step() step {
	return step{r.text("model"), int(r.whole("batch", 1, 1<<16)), int(r.whole("context", 1, 1<<24))}
}

// sets are the values of a configuration that make it the step.
func (s step) sets() []string {
	return []string{fmt.Sprintf("model.use=%q", s.model), fmt.Sprint("workload.batch=", s.batch), fmt.Sprint("workload.context=", s.context)}
}

func (s step) simulate(ctx context.Context, m *machine) (outcome, error) {
	r, err := s.predict(ctx, m, "sampled")
	if err != nil {
		return nil, err
	}
	o := outcome{only: r.StepNs}
	for _, k := range r.Kernels {
		o[k.Class] = k.Ns
	}
	return o, nil
}

// predict simulates the step at some fidelity.
func (s step) predict(ctx context.Context, m *machine, fidelity string) (*workloads.Result, error) {
	return m.decode(ctx, fidelity, s.sets()...)
}

// decode simulates the machine's configuration with some values set.
func (m *machine) decode(ctx context.Context, fidelity string, sets ...string) (*workloads.Result, error) {
	c, hash, err := m.load(sets...)
	if err != nil {
		return nil, err
	}
	r, err := workloads.Run(ctx, c, workloads.Options{Seed: 1, Fidelity: fidelity, Name: m.config, Hash: hash, Workers: 1})
	if err == nil && !r.Complete {
		err = context.Cause(ctx)
	}
	return r, err
}
