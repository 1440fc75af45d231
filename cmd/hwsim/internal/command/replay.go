package command

import (
	_ "embed"
	"flag"
	"fmt"
	"strings"
	"text/tabwriter"

	"hwsim/devices/dram"
	"hwsim/workloads/replay"
)

//go:embed replay.txt
var replayUsage string

// maxGranule is the most bytes that may share a channel.
const maxGranule = 1 << 20

// replayOptions are the flags of replay.
type replayOptions struct {
	streamOptions
	order    string
	hash     bool
	granule  uint64
	commands string
}

func newReplayOptions() *replayOptions {
	return &replayOptions{streamOptions: streamOptions{command: "replay"}}
}

// flags binds the options to their flags; replay.txt describes them.
func (o *replayOptions) flags() *flag.FlagSet {
	f := o.streamOptions.flags()
	f.StringVar(&o.order, "map", "b", "")
	f.BoolVar(&o.hash, "hash", false, "")
	f.Uint64Var(&o.granule, "granule", 512, "")
	f.StringVar(&o.commands, "commands", "", "")
	return f
}

// parse reads the flags and the trace's name.
func (o *replayOptions) parse(args []string) error {
	if err := o.streamOptions.parse(o.flags(), args); err != nil {
		return err
	}
	switch {
	case o.given["granule"] && o.channels == 1:
		return userErrorf("-granule spreads addresses over channels: want -channels above 1")
	case o.commands != "" && o.channels > 1:
		return userErrorf("-commands writes those of one channel: want it without -channels %d", o.channels)
	}
	return nil
}

// replay drives a device's channels with generated or recorded requests, or a
// drive with generated ones, or runs a recorded program on a core.
func (a *App) replay(args []string) error {
	switch {
	case asksFor("drive", args):
		return a.replayDrive(args)
	case asksFor("config", args):
		return a.replayProgram(args)
	}
	o := newReplayOptions()
	if err := o.parse(args); err != nil {
		return a.explain(err, replayUsage)
	}
	device, err := o.array()
	if err != nil {
		return err
	}
	src, timed, err := o.source(device.Spec())
	if err != nil {
		return err
	}
	r, err := o.run(device, src, timed)
	if err != nil {
		return err
	}
	if o.format.value == "json" {
		return a.writeJSON(r)
	}
	return r.writeText(a)
}

// array returns the device with the address map asked for.
func (o *replayOptions) array() (*replay.Array, error) {
	cfg, err := o.config()
	if err != nil {
		return nil, err
	}
	hashed := o.hashed()
	cfg.Map, cfg.Hash = o.fieldOrder(), &hashed
	device, err := replay.NewArray(cfg, o.channels, o.granule)
	if err != nil {
		return nil, userError{err}
	}
	burst := uint64(device.Spec().BurstBytes)
	if g := o.granule; o.channels > 1 && (g < burst || g > maxGranule || g&(g-1) != 0) {
		return nil, userErrorf("-granule %d: want a power of two from %d, a burst, to %d bytes", g, burst, maxGranule)
	}
	return device, nil
}

// fieldOrder returns the map as package dram names it.
func (o *replayOptions) fieldOrder() string {
	switch {
	case o.order == "gpu":
		return dram.MapGPU
	case len(o.order) == 1:
		return strings.ToUpper(o.order)
	}
	return o.order
}

// hashed says whether rows are hashed into banks; the gpu map's are, if not
// told otherwise.
func (o *replayOptions) hashed() bool {
	return o.hash || o.order == "gpu" && !o.given["hash"]
}

// run runs the requests and takes the processor time of that.
func (o *replayOptions) run(device *replay.Array, src replay.Source, timed bool) (*replayReport, error) {
	log, err := createCommandLog(o.commands, device.Channels[0])
	if err != nil {
		return nil, err
	}
	before := cpuTime()
	r := device.Run(src, o.pace(timed))
	spent := cpuTime() - before
	if err := log.close(); err != nil {
		return nil, err
	}
	report := newReplayReport(r, device.Spec(), spent)
	report.Device, report.Map, report.Hash = o.device, o.order, o.hashed()
	report.streamReport = o.report(r.Requests, timed)
	if o.channels > 1 {
		report.Channels = &replayChannels{o.channels, o.granule, r.Balance()}
	}
	return report, nil
}

// replayReport is what replay prints. Its JSON form is read by scripts.
type replayReport struct {
	Device string `json:"device"`
	Map    string `json:"map"`
	Hash   bool   `json:"hash,omitempty"` // of rows into banks
	streamReport
	Channels *replayChannels `json:"channels,omitempty"` // of several

	GBps     float64        `json:"gbps"`
	PctPeak  float64        `json:"pct_peak"`
	Latency  replayLatency  `json:"read_latency_ns"`
	Commands replayCommands `json:"commands"`
	Rows     replayRows     `json:"rows"`
	Energy   replayEnergy   `json:"energy_pj"`
	TimeNs   float64        `json:"time_ns"`
	Rate     float64        `json:"requests_per_cpu_s"`
}

type replayChannels struct {
	Count   int     `json:"count"`
	Granule uint64  `json:"granule"` // bytes
	Balance float64 `json:"balance"` // mean over most bursts
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
func newReplayReport(r *replay.Result, spec *dram.Spec, cpu float64) *replayReport {
	s := &r.Stats
	return &replayReport{
		GBps: r.GBps, PctPeak: r.PctPeak, TimeNs: r.Time.Nanoseconds(),
		Latency:  replayLatency(r.Read),
		Commands: replayCommands{s.ACT, s.PRE, s.RD, s.WR, s.REFab, s.REFpb, s.REFsb},
		Rows:     replayRows{s.Hits, s.Misses, s.Conflicts, r.BurstsPerACT()},
		Energy:   newReplayEnergy(r.Energy, s, spec),
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

func (r *replayReport) writeText(a *App) error {
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s, map %s%s, %s\n\n", r.Device, r.Map, r.hashText(), r.text())
	fmt.Fprintf(w, "bandwidth\t%.2f GB/s\t%.2f %% of peak\n", r.GBps, r.PctPeak)
	if c := r.Channels; c != nil {
		fmt.Fprintf(w, "channels\t%d of %d B granules\tbalance %.3f\n", c.Count, c.Granule, c.Balance)
	}
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

func (r *replayReport) hashText() string {
	if r.Hash {
		return " hashed"
	}
	return ""
}

// share returns part of total in percent; 0 of nothing.
func share(part, total float64) float64 {
	if total == 0 {
		return 0
	}
	return 100 * part / total
}
