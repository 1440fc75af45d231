package command

import (
	"flag"

	"hwsim/cmd/hwsim/internal/report"
	"hwsim/workloads"
)

// options are the flags of run.
type options struct {
	config      string
	sets        repeated
	printConfig bool
	fidelity    choice
	format      choice
	seed        uint64
	dir         string
	force       bool
	point       int // of a sweep; -1: none
	requests    requestsFlag
	cpuProfile  string
	workers     int                // goroutines of a step's simulation; 0: as many as there are processors
	detail      bool               // the prediction is to be saved
	windows     *workloads.Windows // of which sampled steps are put together; nil: they are simulated whole
	given       map[string]bool    // flags on the command line
}

func newOptions() *options {
	return &options{
		fidelity: choice{"sampled", []string{"exact", "sampled", "analytic"}},
		format:   choice{report.Formats()[0], report.Formats()},
		seed:     1,
		point:    -1,
	}
}

// flags binds the options to their flags; usage.txt describes them.
func (o *options) flags() *flag.FlagSet {
	f := flag.NewFlagSet("run", flag.ContinueOnError)
	f.StringVar(&o.config, "config", "", "")
	f.Var(&o.sets, "set", "")
	f.BoolVar(&o.printConfig, "print-config", false, "")
	f.Var(&o.fidelity, "fidelity", "")
	f.Var(&o.format, "format", "")
	f.Uint64Var(&o.seed, "seed", o.seed, "")
	f.StringVar(&o.dir, "o", "", "")
	f.BoolVar(&o.force, "force", false, "")
	f.IntVar(&o.point, "point", o.point, "")
	f.Var(&o.requests, "requests", "")
	f.StringVar(&o.cpuProfile, "cpuprofile", "", "")
	return f
}

// parse reads the flags and the configuration, which needs no flag.
func (o *options) parse(args []string) error {
	f := o.flags()
	rest, err := parse(f, args)
	if err != nil {
		return err
	}
	o.given = given(f)
	o.detail = o.dir != ""
	if o.config == "" && len(rest) > 0 {
		o.config, rest = rest[0], rest[1:]
	}
	switch {
	case o.config == "":
		return userErrorf("no configuration given; see hwsim -h")
	case o.requests.text != "" && o.dir == "":
		return userErrorf("-requests %s: want -o DIR, for %s", o.requests.text, requestsFile)
	case o.requests.text != "" && o.fidelity.value == "analytic":
		return userErrorf("-requests %s: an analytic run makes no requests", o.requests.text)
	case len(rest) > 0:
		return userErrorf("argument %q after configuration %q: want one configuration; see hwsim -h", rest[0], o.config)
	}
	return nil
}

// name is what reports call the configuration.
func (o *options) name() string { return configName(o.config) }
