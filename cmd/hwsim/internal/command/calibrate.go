package command

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"os"

	"hwsim/validation"
	"hwsim/validation/calibrate"
)

//go:embed calibrate.txt
var calibrateUsage string

// calibrateOptions are the flags of calibrate.
type calibrateOptions struct {
	data, config string
	sensitivity  bool
}

// flags binds the options to their flags; calibrate.txt describes them.
func (o *calibrateOptions) flags() *flag.FlagSet {
	f := flag.NewFlagSet("calibrate", flag.ContinueOnError)
	f.StringVar(&o.data, "data", "", "")
	f.StringVar(&o.config, "config", "h200_sxm", "")
	f.BoolVar(&o.sensitivity, "sensitivity", false, "")
	return f
}

// parse reads the flags; there are no other arguments.
func (o *calibrateOptions) parse(args []string) error {
	rest, err := parse(o.flags(), args)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return userErrorf("calibrate %q: wants flags only; see hwsim calibrate -h", rest[0])
	}
	return checkData(o.data)
}

// checkData reports a -data that is no folder.
func checkData(dir string) error {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return userErrorf("-data %q: want a folder of CSV files", dir)
	}
	return nil
}

// calibrate reads a system's parameters off tables of measurements.
func (a *App) calibrate(args []string) error {
	o := &calibrateOptions{}
	if err := o.parse(args); err != nil {
		return a.explain(err, calibrateUsage)
	}
	ctx, stop := untilInterrupt()
	defer stop()
	err := a.writeCalibration(ctx, o)
	switch {
	case errors.Is(err, context.Canceled):
		return errInterrupted
	case errors.Is(err, validation.ErrNoTables):
		return userErrorf("-data %q: %w", o.data, err)
	}
	return err
}

func (a *App) writeCalibration(ctx context.Context, o *calibrateOptions) error {
	data := os.DirFS(o.data)
	r, err := calibrate.Run(ctx, o.config, data)
	if err != nil {
		return err
	}
	if err := r.Write(a.Out); err != nil || !o.sensitivity {
		return err
	}
	effects, err := calibrate.Sensitivity(ctx, r, data)
	if err != nil {
		return err
	}
	return calibrate.WriteEffects(a.Out, effects)
}
