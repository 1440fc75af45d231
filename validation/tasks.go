package validation

import (
	"context"

	"hwsim/workloads/micro"
)

// task is one simulation. Equal tasks are simulated once.
type task interface {
	simulate(ctx context.Context, m *machine) (outcome, error)
}

// outcome is what a simulation predicts, by the name of the figure: in ns, or
// in GB/s where the table tells a rate.
type outcome map[string]float64

// only names the figure of a task that has one.
const only = ""

func single(v float64, err error) (outcome, error) { return outcome{only: v}, err }

// The microbenchmarks.
type (
	chase     micro.ChaseOptions
	stream    micro.StreamOptions
	gather    micro.GatherOptions
	loaded    micro.LoadedOptions
	copies    micro.CopyOptions
	pages     micro.PageOptions
	interfere struct{ a, b string }
	launch    struct{ test, param string }
)

func (o chase) simulate(ctx context.Context, m *machine) (outcome, error) {
	c := m.system
	return single(micro.Chase(ctx, &c, micro.ChaseOptions(o)))
}

func (o stream) simulate(ctx context.Context, m *machine) (outcome, error) {
	c := m.system
	return single(micro.Stream(ctx, &c, micro.StreamOptions(o)))
}

func (o gather) simulate(ctx context.Context, m *machine) (outcome, error) {
	c := m.system
	return single(micro.Gather(ctx, &c, micro.GatherOptions(o)))
}

func (o copies) simulate(ctx context.Context, m *machine) (outcome, error) {
	c := m.system
	return single(micro.Copies(ctx, &c, micro.CopyOptions(o)))
}

func (o pages) simulate(ctx context.Context, m *machine) (outcome, error) {
	c := m.system
	return single(micro.Pages(ctx, &c, micro.PageOptions(o)))
}

func (o launch) simulate(ctx context.Context, m *machine) (outcome, error) {
	c := m.system
	us, err := micro.Launch(ctx, &c, o.test, o.param)
	return single(us*1e3, err)
}

func (o loaded) simulate(ctx context.Context, m *machine) (outcome, error) {
	c := m.system
	ns, gbps, err := micro.Loaded(ctx, &c, micro.LoadedOptions(o))
	return outcome{"latency": ns, "stream": gbps}, err
}

func (o interfere) simulate(ctx context.Context, m *machine) (outcome, error) {
	c := m.system
	r, err := micro.Interfere(ctx, &c, o.a, o.b)
	return outcome{"a alone": r.AAlone, "b alone": r.BAlone, "a together": r.ATogether, "b together": r.BTogether}, err
}
