package command

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"hwsim/devices/dram"
	"hwsim/workloads/replay"
)

//go:embed replay.txt
var replayUsage string

// replayOptions are the flags of replay and what its one argument names.
type replayOptions struct {
	device, order, gen string
	n, seed            uint64
	load               int64
	depth              int
	commands, trace    string
	format             choice
	given              map[string]bool // flags on the command line
}

// flags binds the options to their flags; replay.txt describes them.
func (o *replayOptions) flags() *flag.FlagSet {
	f := flag.NewFlagSet("replay", flag.ContinueOnError)
	f.StringVar(&o.device, "device", "", "")
	f.StringVar(&o.order, "map", "b", "")
	f.StringVar(&o.gen, "gen", "", "")
	f.Uint64Var(&o.n, "n", 100_000, "")
	f.Uint64Var(&o.seed, "seed", 1, "")
	f.Int64Var(&o.load, "load", replay.Saturated, "")
	f.IntVar(&o.depth, "qd", 0, "")
	f.StringVar(&o.commands, "commands", "", "")
	o.format = choice{"text", []string{"text", "json"}}
	f.Var(&o.format, "format", "")
	return f
}

// parse reads the flags and the trace's name.
func (o *replayOptions) parse(args []string) error {
	f := o.flags()
	rest, err := parse(f, args)
	if err != nil {
		return err
	}
	o.given = map[string]bool{}
	f.Visit(func(f *flag.Flag) { o.given[f.Name] = true })
	if len(rest) > 0 {
		o.trace, rest = rest[0], rest[1:]
	}
	if len(rest) > 0 {
		return userErrorf("argument %q after trace %q: want one trace; see hwsim replay -h", rest[0], o.trace)
	}
	return o.check()
}

// check reports the first flag that cannot be as it is.
func (o *replayOptions) check() error {
	switch {
	case o.device == "":
		return userErrorf("no -device given; see hwsim replay -h")
	case o.trace == "" && o.gen == "":
		return userErrorf("no requests: want -gen or a trace; see hwsim replay -h")
	case o.trace != "" && (o.gen != "" || o.given["n"] || o.given["seed"]):
		return userErrorf("-gen, -n and -seed make requests, trace %q has its own: want either", o.trace)
	case o.n < 1:
		return userErrorf("-n %d: want at least 1", o.n)
	case o.given["load"] && o.given["qd"]:
		return userErrorf("-load and -qd: want either")
	case o.load < 1 || o.load > replay.Saturated:
		return userErrorf("-load %d: want 1 to %d percent of peak", o.load, replay.Saturated)
	case o.given["qd"] && (o.depth < 1 || o.depth > 1<<20):
		return userErrorf("-qd %d: want 1 to %d outstanding reads", o.depth, 1<<20)
	}
	return nil
}

// pace returns the pace asked for; a trace that has times keeps them unless
// it is told otherwise.
func (o *replayOptions) pace(timed bool) replay.Pace {
	switch {
	case o.depth > 0:
		return replay.Pace{Depth: o.depth}
	case timed && !o.given["load"]:
		return replay.Pace{}
	}
	return replay.Pace{Load: o.load}
}

// replay drives one DRAM channel with generated or recorded requests.
func (a *App) replay(args []string) error {
	o := &replayOptions{}
	if err := o.parse(args); errors.Is(err, flag.ErrHelp) {
		_, err := fmt.Fprint(a.Out, strings.Replace(replayUsage, "{devices}", wrap(dram.Standards(), 72, "  "), 1))
		return err
	} else if err != nil {
		return err
	}
	c, err := o.channel()
	if err != nil {
		return userError{err}
	}
	src, timed, err := o.source(c.Spec())
	if err != nil {
		return userError{err}
	}
	r, err := o.run(c, src, o.pace(timed))
	if err != nil {
		return err
	}
	r.describe(o, timed)
	if o.format.value == "json" {
		return r.writeJSON(a)
	}
	return r.writeText(a)
}

// channel returns the device with the address map asked for.
func (o *replayOptions) channel() (*dram.Channel, error) {
	cfg, err := replay.Device(o.device)
	if err != nil {
		return nil, fmt.Errorf("-device: %w", err)
	}
	cfg.Map = o.order
	if len(o.order) == 1 {
		cfg.Map = strings.ToUpper(o.order)
	}
	return dram.New(cfg)
}

// source returns the requests, and whether they say when they are due.
func (o *replayOptions) source(s *dram.Spec) (replay.Source, bool, error) {
	if o.trace == "" {
		src, err := replay.Generate(o.gen, s, o.n, o.seed)
		if err != nil {
			err = fmt.Errorf("-gen: %w", err)
		}
		return src, false, err
	}
	f, err := os.Open(o.trace)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	t, err := replay.Read(o.trace, f, s)
	if err != nil {
		return nil, false, err
	}
	return t, t.Timed, nil
}

// run runs the requests and takes the processor time of that.
func (o *replayOptions) run(c *dram.Channel, src replay.Source, p replay.Pace) (*replayReport, error) {
	log, err := createCommandLog(o.commands, c)
	if err != nil {
		return nil, err
	}
	before := cpuTime()
	r := replay.Run(c, src, p)
	spent := cpuTime() - before
	if err := log.close(); err != nil {
		return nil, err
	}
	report := newReplayReport(r, spent)
	report.Energy = newReplayEnergy(c.Energy(r.Time), c.Stats(), c.Spec())
	return report, nil
}

// replayReport is what replay prints. Its JSON form is read by scripts.
type replayReport struct {
	Device string  `json:"device"`
	Map    string  `json:"map"`
	Gen    string  `json:"gen,omitempty"`
	Trace  string  `json:"trace,omitempty"`
	N      int64   `json:"n"`
	Seed   *uint64 `json:"seed,omitempty"` // of generated requests
	Load   int64   `json:"load,omitempty"` // %
	Depth  int     `json:"qd,omitempty"`

	GBps     float64        `json:"gbps"`
	PctPeak  float64        `json:"pct_peak"`
	Latency  replayLatency  `json:"read_latency_ns"`
	Commands replayCommands `json:"commands"`
	Rows     replayRows     `json:"rows"`
	Energy   replayEnergy   `json:"energy_pj"`
	TimeNs   float64        `json:"time_ns"`
	Rate     float64        `json:"requests_per_cpu_s"`
}

type replayLatency struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
	Max  float64 `json:"max"`
}

type replayCommands struct {
	ACT, PRE, RD, WR, REFab, REFpb uint64
	REFsb                          uint64 `json:",omitempty"` // DDR5's
}

type replayRows struct {
	Hits         uint64  `json:"hits"`
	Misses       uint64  `json:"misses"`
	Conflicts    uint64  `json:"conflicts"`
	BurstsPerACT float64 `json:"bursts_per_act"`
}

// newReplayReport reports a run that took cpu seconds.
func newReplayReport(r *replay.Result, cpu float64) *replayReport {
	s := &r.Stats
	return &replayReport{
		N: r.Requests, GBps: r.GBps, PctPeak: r.PctPeak, TimeNs: r.Time.Nanoseconds(),
		Latency:  replayLatency(r.Read),
		Commands: replayCommands{s.ACT, s.PRE, s.RD, s.WR, s.REFab, s.REFpb, s.REFsb},
		Rows:     replayRows{s.Hits, s.Misses, s.Conflicts, r.BurstsPerACT()},
		Rate:     float64(r.Requests) / max(cpu, 1e-6), // the clock's resolution
	}
}

// replayEnergy is pJ by class of command.
type replayEnergy struct {
	Activate   float64 `json:"activate"`
	Read       float64 `json:"read"`
	Write      float64 `json:"write"`
	IO         float64 `json:"io"`
	Refresh    float64 `json:"refresh"`
	Background float64 `json:"background"`
	Total      float64 `json:"total"`
	PerBit     float64 `json:"per_bit"`
	Source     string  `json:"source"`
}

func newReplayEnergy(e dram.Energy, s *dram.Stats, spec *dram.Spec) replayEnergy {
	r := replayEnergy{e.Activate, e.Read, e.Write, e.IO, e.Refresh, e.Background, e.Total(), 0, spec.Energy.Source}
	if bytes := s.BytesRead + s.BytesWritten; bytes > 0 {
		r.PerBit = r.Total / float64(8*bytes)
	}
	return r
}

// describe adds what was asked for.
func (r *replayReport) describe(o *replayOptions, timed bool) {
	p := o.pace(timed)
	r.Device, r.Map, r.Gen, r.Load, r.Depth = o.device, o.order, o.gen, p.Load, p.Depth
	if o.trace != "" {
		r.Trace = filepath.ToSlash(o.trace)
	} else {
		r.Seed = &o.seed
	}
}

func (r *replayReport) writeJSON(a *App) error {
	e := json.NewEncoder(a.Out)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func (r *replayReport) writeText(a *App) error {
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s, map %s, %d requests of %s, %s\n\n", r.Device, r.Map, r.N, cmp.Or(r.Trace, r.Gen), r.paceText())
	fmt.Fprintf(w, "bandwidth\t%.2f GB/s\t%.2f %% of peak\n", r.GBps, r.PctPeak)
	l, c := &r.Latency, &r.Commands
	fmt.Fprintf(w, "read latency\tmean %.1f ns\tp50 %.1f\tp99 %.1f\tmax %.1f\n", l.Mean, l.P50, l.P99, l.Max)
	fmt.Fprintf(w, "commands\tACT %d\tPRE %d\tRD %d\tWR %d\n", c.ACT, c.PRE, c.RD, c.WR)
	fmt.Fprintf(w, "refreshes\tREFab %d\tREFpb %d\n", c.REFab, c.REFpb)
	fmt.Fprintf(w, "rows\thits %d\tmisses %d\tconflicts %d\t%.2f bursts per ACT\n", r.Rows.Hits, r.Rows.Misses, r.Rows.Conflicts, r.Rows.BurstsPerACT)
	e := &r.Energy
	fmt.Fprintf(w, "energy\t%.2f pJ/bit\tACT %.0f %%\tcolumns %.0f %%\tother %.0f %%\n", e.PerBit,
		share(e.Activate, e.Total), share(e.Read+e.Write+e.IO, e.Total), share(e.Refresh+e.Background, e.Total))
	fmt.Fprintf(w, "time\t%.1f ns\t%.3g requests per CPU second\n", r.TimeNs, r.Rate)
	return w.Flush()
}

// share returns part of total in percent; 0 of nothing.
func share(part, total float64) float64 {
	if total == 0 {
		return 0
	}
	return 100 * part / total
}

func (r *replayReport) paceText() string {
	switch {
	case r.Depth > 0:
		return fmt.Sprintf("at most %d reads outstanding", r.Depth)
	case r.Load == replay.Saturated:
		return "saturated"
	case r.Load > 0:
		return fmt.Sprintf("load %d %%", r.Load)
	}
	return "at the trace's times"
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
