package command

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"io"
	"os"
	"slices"
	"strings"

	"hwsim/cmd/hwsim/internal/report"
	"hwsim/configs"
	"hwsim/workloads"
)

//go:embed compare.txt
var compareUsage string

// Compare runs a configuration under several policies.
type Compare func(ctx context.Context, policies []Policy, o workloads.Options) (*workloads.Comparison, error)

// Policy is a configuration under a policy.
type Policy struct {
	Name     string
	Document *configs.Document
}

// coarse is the tolerance at which policies are compared.
const coarse = "sampling.tolerance=0.03"

// base names the configuration as it is among policies.
const base = "base"

// The files of a comparison.
const (
	compareJSON = "compare.json"
	compareCSV  = "compare.csv"
	compareSVG  = "compare.svg"
)

// compareOptions are the flags of compare.
type compareOptions struct {
	options
	policies string
}

func (o *compareOptions) flags() *flag.FlagSet {
	f := flag.NewFlagSet("compare", flag.ContinueOnError)
	f.StringVar(&o.config, "config", "", "")
	f.StringVar(&o.policies, "policies", "", "")
	f.Var(&o.sets, "set", "")
	f.Var(&o.fidelity, "fidelity", "")
	f.Var(&o.format, "format", "")
	f.Uint64Var(&o.seed, "seed", o.seed, "")
	f.StringVar(&o.dir, "o", "", "")
	f.BoolVar(&o.force, "force", false, "")
	return f
}

// parse reads the flags and the configuration, which needs no flag.
func (o *compareOptions) parse(args []string) error {
	rest, err := parse(o.flags(), args)
	if err != nil {
		return err
	}
	if o.config == "" && len(rest) > 0 {
		o.config, rest = rest[0], rest[1:]
	}
	switch {
	case o.config == "":
		return userErrorf("no configuration given; see hwsim compare -h")
	case len(rest) > 0:
		return userErrorf("argument %q after configuration %q: want one configuration; see hwsim compare -h", rest[0], o.config)
	case o.policies == "":
		return userErrorf("-policies: want names of policies, with commas between them; hwsim list policies shows them")
	}
	return nil
}

// comparePolicies runs the configuration under every policy.
func (a *App) comparePolicies(args []string) error {
	o := &compareOptions{options: *newOptions()}
	if err := o.parse(args); err != nil {
		return a.explain(err, compareUsage)
	}
	policies, err := o.load()
	if err != nil {
		return err
	}
	files := []string{compareJSON, compareCSV, compareSVG}
	if err := checkFolder(o.dir, o.force, files...); err != nil {
		return err
	}
	ctx, stop := untilInterrupt()
	defer stop()
	c, err := a.Compare(ctx, policies, workloads.Options{Seed: o.seed, Fidelity: o.fidelity.value, Name: o.name()})
	switch {
	case errors.Is(err, context.Canceled), err != nil && ctx.Err() != nil:
		return errInterrupted
	case err != nil:
		return err
	}
	p := comparison{c}
	return a.writePrediction(p, o.format.value, func() error { return save(o.dir, o.force, p, files) })
}

// load reads the configuration under every policy. A policy that is not there is
// the user's mistake; one that does not go with the configuration is told in
// the comparison.
func (o *compareOptions) load() (out []Policy, err error) {
	names, err := o.names()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		sets := slices.Concat([]string{coarse}, o.sets)
		if name != base {
			sets = append(sets, "policy.use="+name)
		}
		d, err := configs.Load(o.config, sets)
		if err != nil {
			return nil, UserError(err)
		}
		out = append(out, Policy{name, d})
	}
	return out, nil
}

// names returns the policies asked for, each of which is there, once.
func (o *compareOptions) names() (names []string, err error) {
	for name := range strings.SplitSeq(o.policies, ",") {
		name = strings.TrimSpace(name)
		switch {
		case name == "":
			return nil, userErrorf("-policies %q: want names of policies, with commas between them; hwsim list policies shows them", o.policies)
		case slices.Contains(names, name):
			return nil, userErrorf("-policies: %q is there twice", name)
		case name != base && !isPolicy(name):
			return nil, userErrorf("-policies: no policy %q, neither a file nor a preset; hwsim list policies shows them", name)
		}
		names = append(names, name)
	}
	return names, nil
}

// isPolicy reports whether there is a preset or a file of that name.
func isPolicy(name string) bool {
	if slices.Contains(configs.Presets("policies"), strings.TrimSuffix(name, ".toml")) {
		return true
	}
	for _, path := range []string{name, name + ".toml"} {
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			return true
		}
	}
	return false
}

// comparison is the outcome as a prediction.
type comparison struct{ *workloads.Comparison }

func (c comparison) complete() bool { return c.Complete }

func (c comparison) write(w io.Writer, format string) error {
	return report.WriteComparison(w, format, c.Comparison)
}

func (c comparison) output(w io.Writer, name string) error {
	switch name {
	case compareSVG:
		return report.ComparisonSVG(w, c.Comparison)
	case compareCSV:
		return report.ComparisonCSV(w, c.Comparison)
	}
	return report.ComparisonJSON(w, c.Comparison)
}
