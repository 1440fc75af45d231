package command

import (
	"context"
	"errors"
	"flag"
	"path/filepath"
	"slices"
	"strings"

	"hwsim/cmd/hwsim/internal/report"
	"hwsim/configs"
	"hwsim/devices/cpu"
	"hwsim/workloads/program"
	"hwsim/workloads/trace"
)

// programOptions are the flags of replay with -config: a recorded program on a
// core.
type programOptions struct {
	config string
	sets   repeated
	warm   uint64
	n      uint64
	seed   uint64
	layout choice // of the trace
	format choice
	trace  string
	given  map[string]bool // flags on the command line
}

func newProgramOptions() *programOptions {
	return &programOptions{
		seed:   1,
		layout: choice{"", trace.Formats},
		format: choice{report.Formats()[0], report.Formats()},
	}
}

// flags binds the options to their flags; replay.txt describes them.
func (o *programOptions) flags() *flag.FlagSet {
	f := flag.NewFlagSet("replay", flag.ContinueOnError)
	f.StringVar(&o.config, "config", "", "")
	f.Var(&o.sets, "set", "")
	f.Uint64Var(&o.warm, "warm", 0, "")
	f.Uint64Var(&o.n, "n", 0, "")
	f.Uint64Var(&o.seed, "seed", o.seed, "")
	f.Var(&o.layout, "trace-format", "")
	f.Var(&o.format, "format", "")
	return f
}

// asksFor tells whether the flag want is among the arguments: a replay of a program
// has -config, one on a drive -drive.
func asksFor(want string, args []string) bool {
	return slices.ContainsFunc(args, func(arg string) bool {
		name, _, _ := strings.Cut(strings.TrimPrefix(arg, "-"), "=")
		return name == "-"+want || name == want && arg[0] == '-'
	})
}

// parse reads the flags and the trace's name. It knows the flags that go with
// -device too, to say so.
func (o *programOptions) parse(args []string) error {
	f := o.flags()
	var others []string
	newReplayOptions().flags().VisitAll(func(g *flag.Flag) {
		if f.Lookup(g.Name) == nil {
			f.Var(g.Value, g.Name, "")
			others = append(others, g.Name)
		}
	})
	rest, err := parse(f, args)
	if err != nil {
		return err
	}
	o.given = given(f)
	for _, name := range others {
		if o.given[name] {
			return userErrorf("-%s drives DRAM channels, -config a core: want either; see hwsim replay -h", name)
		}
	}
	switch {
	case len(rest) == 0:
		return userErrorf("no trace given: -config %s runs one, hwsim run the streams of configurations; see hwsim replay -h", o.config)
	case len(rest) > 1:
		return userErrorf("argument %q after trace %q: want one trace; see hwsim replay -h", rest[1], rest[0])
	case o.given["n"] && o.n < 1:
		return userErrorf("-n %d: want at least 1", o.n)
	}
	o.trace = rest[0]
	return nil
}

// replayProgram runs a trace on a configuration's core and prints the report.
func (a *App) replayProgram(args []string) error {
	o := newProgramOptions()
	if err := o.parse(args); err != nil {
		return a.explain(err, replayUsage)
	}
	d, err := loadCore(o.config, o.sets)
	if err != nil {
		return UserError(err)
	}
	// what else is in a configuration is not of the core
	var c struct {
		Core   cpu.Config     `toml:"core"`
		Stream any            `toml:"stream"`
		Run    program.Length `toml:"run"`
	}
	if err := d.Decode(&c); err != nil {
		return UserError(err)
	}
	r, err := o.run(&c.Core, d.Hash())
	if err != nil {
		return err
	}
	return a.writePrediction(programRun{r}, o.format.value, func() error { return nil })
}

// loadCore reads a configuration with a core, or a core alone, such as a preset.
func loadCore(name string, sets []string) (*configs.Document, error) {
	d, err := configs.Load(name, nil)
	if err != nil {
		return nil, err
	}
	has := func(key string) bool { _, ok := d.Get(key); return ok }
	switch {
	case has("core"):
		return configs.Load(name, sets)
	case has("use") || has("mmu") && !has("gpu"): // a system has an MMU too
		return configs.LoadTable("core", name, sets)
	}
	return nil, userErrorf("-config %q: has no core; want a configuration with [core], or one of hwsim list cores", name)
}

// run runs the trace until it ends or Ctrl-C.
func (o *programOptions) run(c *cpu.Config, hash string) (*program.Result, error) {
	t, err := trace.Open(o.trace, o.layout.value)
	if err != nil {
		return nil, UserError(err)
	}
	defer t.Close()
	ctx, stop := untilInterrupt()
	defer stop()
	r, err := program.Replay(ctx, c, t, filepath.ToSlash(o.trace), o.warm, o.n, program.Options{Seed: o.seed, Name: configName(o.config), Hash: hash})
	switch {
	case t.Err() != nil:
		return nil, UserError(t.Err())
	case errors.Is(err, context.Canceled):
		return nil, errInterrupted
	case err != nil:
		return nil, err
	case r.Complete && r.Accesses == 0:
		return nil, userErrorf("-warm %d: %s has no more accesses than that", o.warm, o.trace)
	}
	return r, nil
}
