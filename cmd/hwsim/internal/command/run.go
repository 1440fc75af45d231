package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"hwsim/configs"
)

// run simulates one configuration.
func (a *App) run(args []string) error {
	o := newOptions()
	if err := o.parse(args); err != nil {
		return err
	}
	d, err := load(o)
	if err == nil && o.given["point"] {
		d, err = pointOf(d, o)
	}
	if err != nil {
		return err
	}
	if o.printConfig {
		return d.Print(a.Out)
	}
	k, err := a.kindOf(d, o)
	if err != nil {
		return err
	}
	if err := checkFolder(o.dir, o.force, k.outputs...); err != nil {
		return err
	}
	return a.simulate(k, d, o)
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
func (a *App) simulate(k kind, d *configs.Document, o *options) error {
	p, err := predict(k, d, o)
	if err != nil {
		return err
	}
	return a.writePrediction(p, o.format.value, func() error { return save(o.dir, o.force, p, k.outputs) })
}

// writePrediction prints a prediction once it is saved, and says whether it is
// whole.
func (a *App) writePrediction(p prediction, format string, save func() error) error {
	err := errors.Join(save(), p.write(a.Out, format))
	if !p.complete() {
		err = errors.Join(err, errInterrupted)
	}
	return err
}

// predict runs the simulation until it ends or Ctrl-C.
func predict(k kind, d *configs.Document, o *options) (prediction, error) {
	stopProfile, err := startCPUProfile(o.cpuProfile)
	if err != nil {
		return nil, err
	}
	defer stopProfile()
	ctx, stop := untilInterrupt()
	defer stop()
	p, err := k.predict(ctx, d, o)
	switch {
	case errors.Is(err, context.Canceled):
		return nil, errInterrupted
	case err != nil && ctx.Err() != nil:
		return nil, interrupted{err}
	}
	return p, err
}
