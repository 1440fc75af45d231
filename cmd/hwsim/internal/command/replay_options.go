package command

import (
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"hwsim/devices/dram"
	"hwsim/workloads/replay"
)

// Limits of what the flags may ask for.
const (
	maxChannels = 1024
	maxReads    = 1 << 20 // outstanding, of all channels
)

// streamOptions are the flags of replay and maps that say what is sent to
// which device, and the trace that their one argument names.
type streamOptions struct {
	command     string // replay or maps
	device, gen string
	channels    int
	n, seed     uint64
	load        int64
	depth       int
	trace       string
	format      choice
	given       map[string]bool // flags on the command line
}

// flags binds the options to their flags.
func (o *streamOptions) flags() *flag.FlagSet {
	f := flag.NewFlagSet(o.command, flag.ContinueOnError)
	f.StringVar(&o.device, "device", "", "")
	f.IntVar(&o.channels, "channels", 1, "")
	f.StringVar(&o.gen, "gen", "", "")
	f.Uint64Var(&o.n, "n", 100_000, "")
	f.Uint64Var(&o.seed, "seed", 1, "")
	f.Int64Var(&o.load, "load", replay.Saturated, "")
	f.IntVar(&o.depth, "qd", 0, "")
	o.format = choice{"text", []string{"text", "json"}}
	f.Var(&o.format, "format", "")
	return f
}

// parse reads the flags and the trace's name.
func (o *streamOptions) parse(f *flag.FlagSet, args []string) error {
	rest, err := parse(f, args)
	if err != nil {
		return err
	}
	o.given = given(f)
	if len(rest) > 0 {
		o.trace, rest = rest[0], rest[1:]
	}
	if len(rest) > 0 {
		return userErrorf("argument %q after trace %q: want one trace; see hwsim %s -h", rest[0], o.trace, o.command)
	}
	return o.check()
}

// check reports the first flag that cannot be as it is.
func (o *streamOptions) check() error {
	switch {
	case o.device == "":
		return userErrorf("no -device given; see hwsim %s -h", o.command)
	case o.channels < 1 || o.channels > maxChannels:
		return userErrorf("-channels %d: want 1 to %d", o.channels, maxChannels)
	case o.trace == "" && o.gen == "":
		return userErrorf("no requests: want -gen or a trace; see hwsim %s -h", o.command)
	case o.trace != "" && (o.gen != "" || o.given["n"] || o.given["seed"]):
		return userErrorf("-gen, -n and -seed make requests, trace %q has its own: want either", o.trace)
	case o.n < 1:
		return userErrorf("-n %d: want at least 1", o.n)
	case o.given["load"] && o.given["qd"]:
		return userErrorf("-load and -qd: want either")
	case o.load < 1 || o.load > replay.Saturated:
		return userErrorf("-load %d: want 1 to %d percent of peak", o.load, replay.Saturated)
	case o.given["qd"] && (o.depth < 1 || o.depth > maxReads/o.channels):
		return userErrorf("-qd %d: want 1 to %d outstanding reads%s", o.depth, maxReads/o.channels, o.perChannel())
	}
	return nil
}

func (o *streamOptions) perChannel() string {
	if o.channels > 1 {
		return " a channel"
	}
	return ""
}

// pace returns the pace asked for; a trace that has times keeps them unless
// it is told otherwise.
func (o *streamOptions) pace(timed bool) replay.Pace {
	switch {
	case o.depth > 0:
		return replay.Pace{Depth: o.depth}
	case timed && !o.given["load"]:
		return replay.Pace{}
	}
	return replay.Pace{Load: o.load}
}

// config returns the device's settings.
func (o *streamOptions) config() (dram.Config, error) {
	cfg, err := replay.Device(o.device)
	if err != nil {
		return cfg, userErrorf("-device: %w", err)
	}
	return cfg, nil
}

// source returns the requests for channels of standard s, and whether they
// say when they are due.
func (o *streamOptions) source(s *dram.Spec) (src replay.Source, timed bool, err error) {
	if o.trace == "" {
		src, err := replay.Generate(o.gen, s, o.channels, o.n, o.seed)
		if err != nil {
			return nil, false, userErrorf("-gen: %w", err)
		}
		return src, false, nil
	}
	f, err := os.Open(o.trace)
	if err != nil {
		return nil, false, userError{err}
	}
	defer f.Close()
	t, err := replay.Read(o.trace, f, s)
	if err != nil {
		return nil, false, userError{err}
	}
	return t, t.Timed, nil
}

// streamReport says what was sent.
type streamReport struct {
	Gen   string  `json:"gen,omitempty"`
	Trace string  `json:"trace,omitempty"`
	N     int64   `json:"n"`
	Seed  *uint64 `json:"seed,omitempty"` // of generated requests
	Load  int64   `json:"load,omitempty"` // %
	Depth int     `json:"qd,omitempty"`   // of a channel

	perChannel string
}

// report says what was sent, n requests.
func (o *streamOptions) report(n int64, timed bool) streamReport {
	p := o.pace(timed)
	r := streamReport{Gen: o.gen, N: n, Load: p.Load, Depth: p.Depth, perChannel: o.perChannel()}
	if o.trace != "" {
		r.Trace = filepath.ToSlash(o.trace)
	} else {
		r.Seed = &o.seed
	}
	return r
}

// text says the same in words.
func (r *streamReport) text() string {
	return fmt.Sprintf("%d requests of %s, %s", r.N, cmp.Or(r.Trace, r.Gen), r.paceText())
}

func (r *streamReport) paceText() string {
	switch {
	case r.Depth > 0:
		return fmt.Sprintf("at most %d reads%s outstanding", r.Depth, r.perChannel)
	case r.Load == replay.Saturated:
		return "saturated"
	case r.Load > 0:
		return fmt.Sprintf("load %d %%", r.Load)
	}
	return "at the trace's times"
}

// explain answers -h, the error of a parse, with a usage text.
func (a *App) explain(err error, usage string) error {
	if !errors.Is(err, flag.ErrHelp) {
		return err
	}
	_, err = fmt.Fprint(a.Out, fullUsage(usage))
	return err
}

// writeJSON prints a report that scripts read.
func (a *App) writeJSON(report any) error {
	e := json.NewEncoder(a.Out)
	e.SetIndent("", "  ")
	return e.Encode(report)
}

// wrap sets words in indented lines of at most width columns.
func wrap(words []string, width int, indent string) string {
	var lines []string
	line := indent
	for _, word := range words {
		if len(line)+1+len(word) > width && line != indent {
			lines, line = append(lines, line), indent
		}
		if line != indent {
			line += " "
		}
		line += word
	}
	return strings.Join(append(lines, line), "\n")
}
