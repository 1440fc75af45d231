package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"hwsim/cmd/hwsim/internal/report"
	"hwsim/configs"
	"hwsim/workloads"
)

// run simulates one configuration.
func (a *App) run(args []string) error {
	o := newOptions()
	if err := o.parse(args); err != nil {
		return err
	}
	d, err := load(o)
	if err != nil {
		return err
	}
	if o.printConfig {
		return d.Print(a.Out)
	}
	if err := checkOutputs(o.dir, o.force); err != nil {
		return err
	}
	return a.simulate(d, o)
}

func load(o *options) (*configs.Document, error) {
	d, err := configs.Load(o.config, o.sets)
	if err != nil && isWord(o.config) {
		err = fmt.Errorf("%w; hwsim help lists commands, hwsim list presets", err)
	}
	if err != nil {
		return nil, UserError(err)
	}
	return d, nil
}

// isWord tells names that may be meant as a command from files and presets.
func isWord(name string) bool {
	_, err := os.Stat(name)
	return err != nil && !strings.ContainsAny(name, "./") && configs.Summary(name) == ""
}

// simulate predicts what d describes, and writes the outcome. What Ctrl-C
// leaves is written as well.
func (a *App) simulate(d *configs.Document, o *options) error {
	r, err := a.predict(d, o)
	if err != nil {
		return err
	}
	err = errors.Join(save(o.dir, o.force, r), report.Write(a.Out, o.format.value, r))
	if !r.Complete {
		err = errors.Join(err, errInterrupted)
	}
	return err
}

// predict runs the simulation until it ends or Ctrl-C.
func (a *App) predict(d *configs.Document, o *options) (*workloads.Result, error) {
	stopProfile, err := startCPUProfile(o.cpuProfile)
	if err != nil {
		return nil, err
	}
	defer stopProfile()
	ctx, stop := untilInterrupt()
	defer stop()
	r, err := a.Simulate(ctx, d, workloads.Options{
		Seed:     o.seed,
		Fidelity: o.fidelity.value,
		Name:     strings.TrimSuffix(filepath.Base(o.config), ".toml"),
		Hash:     d.Hash(),
	})
	switch {
	case errors.Is(err, context.Canceled):
		return nil, errInterrupted
	case err != nil && ctx.Err() != nil:
		return nil, interrupted{err}
	}
	return r, err
}
