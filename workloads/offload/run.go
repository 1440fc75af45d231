package offload

import (
	"fmt"

	"hwsim/workloads/flexgen"
)

// Options are what a run has besides its configuration.
type Options struct {
	Name string // of the configuration
	Hash string // of the effective configuration
}

// configError marks an error as the user's: what does not fit.
type configError struct{ error }

func (configError) UserError() bool { return true }

func (e configError) Unwrap() error { return e.error }

// Run runs what a configuration describes.
func Run(c *Config, opt Options) (*Result, error) {
	o := &c.Offload
	m, err := flexgen.LoadMachine(o.Machine, o.MachineSet)
	if err != nil {
		return nil, configError{fmt.Errorf("offload.machine: %w", err)}
	}
	s, err := flexgen.ShapeOf(o.Model)
	if err != nil {
		return nil, configError{fmt.Errorf("offload.model: %w", err)}
	}
	r := &Result{
		Schema: 1, Name: opt.Name, Hash: opt.Hash, System: o.System, Machine: m.Name, Model: o.Model,
		Sequences: o.Batch, Prompt: o.Prompt, Output: o.Output,
	}
	if err := r.run(o, m, s); err != nil {
		return nil, configError{fmt.Errorf("offload: %w", err)}
	}
	return r, nil
}

// run runs the system.
func (r *Result) run(o *Offload, m *flexgen.Machine, s flexgen.Shape) error {
	job := flexgen.Job{Prompt: o.Prompt, Output: o.Output}
	if o.System == inStorage {
		return r.inStorage(o, m, s, job)
	}
	var f flexgen.Result
	var need flexgen.Need
	var err error
	switch o.System {
	case "zero":
		f, need, err = flexgen.ZeROCacheOffload(m, s, job, o.Batch, o.PinnedCache)
	case "recompute":
		f, need, err = flexgen.Recompute(m, s, job, o.Batch)
	default:
		f, need, err = r.byPolicy(o, m, s, job)
	}
	if err != nil {
		return err
	}
	if f.TooLong() {
		return flexgen.ErrTooLong
	}
	r.fill(&f, &need)
	return nil
}

// inStorage runs attention on drives.
func (r *Result) inStorage(o *Offload, m *flexgen.Machine, s flexgen.Shape, job flexgen.Job) error {
	c, err := o.drive()
	if err != nil {
		return err
	}
	p := o.inStorage()
	f, err := flexgen.RunInStorage(m, c, s, job, &p)
	if err != nil {
		return err
	}
	if err := f.Need.Fit(); err != nil {
		return fmt.Errorf("%d sequences on %d x %s do not fit: %w", o.Batch, o.Drives, o.CSD, err)
	}
	r.fillInStorage(&f, o, c, float64(s.Layers))
	return nil
}

// byPolicy runs FlexGen under its policy, or the best that it finds.
func (r *Result) byPolicy(o *Offload, m *flexgen.Machine, s flexgen.Shape, job flexgen.Job) (f flexgen.Result, need flexgen.Need, err error) {
	p, err := o.policy()
	if err != nil {
		return f, need, err
	}
	if err := m.Supports(&p); err != nil {
		return f, need, err
	}
	if r.Found = o.Search; o.Search {
		choices := flexgen.UsualChoices()
		if o.SearchStep > 0 {
			choices.Step = o.SearchStep
		}
		if p, f, err = flexgen.Search(m, s, job, p, choices); err != nil {
			return f, need, err
		}
	}
	need = flexgen.Needs(m, s, job, &p)
	if err := need.Fit(); err != nil {
		return f, need, fmt.Errorf("policy %s does not fit: %w", p, err)
	}
	if !o.Search {
		f = flexgen.Run(m, s, job, &p)
	}
	r.Policy, r.Sequences = p.String(), p.Sequences()
	return f, need, nil
}
