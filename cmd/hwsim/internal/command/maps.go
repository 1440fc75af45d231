package command

import (
	_ "embed"
	"fmt"
	"strconv"
	"text/tabwriter"

	"hwsim/devices/dram"
	"hwsim/workloads/replay"
)

//go:embed maps.txt
var mapsUsage string

// maps tries every address map on a request stream.
func (a *App) maps(args []string) error {
	o := &streamOptions{command: "maps"}
	if err := o.parse(o.flags(), args); err != nil {
		return a.explain(err, mapsUsage)
	}
	cfg, err := o.config()
	if err != nil {
		return err
	}
	one, err := dram.New(cfg)
	if err != nil {
		return err
	}
	src, timed, err := o.source(one.Spec())
	if err != nil {
		return err
	}
	trials, err := replay.Try(replay.AddressMaps(one.Spec(), o.channels), cfg, o.channels, src, o.pace(timed))
	if err != nil {
		return err
	}
	r := newMapsReport(o, trials, timed)
	if o.format.value == "json" {
		return a.writeJSON(r)
	}
	return r.writeText(a)
}

// mapsReport is what maps prints. Its JSON form is read by scripts.
type mapsReport struct {
	Device   string `json:"device"`
	Channels int    `json:"channels"`
	streamReport
	Maps []mapReport `json:"maps"` // best first
}

type mapReport struct {
	Map          string  `json:"map"`
	Hash         bool    `json:"hash"`
	Granule      uint64  `json:"granule,omitempty"` // bytes; of several channels
	GBps         float64 `json:"gbps"`
	PctPeak      float64 `json:"pct_peak"`
	BurstsPerACT float64 `json:"bursts_per_act"`
	Balance      float64 `json:"balance"`
	LatencyNs    float64 `json:"mean_read_latency_ns"`
}

func newMapsReport(o *streamOptions, trials []replay.Trial, timed bool) *mapsReport {
	r := &mapsReport{Device: o.device, Channels: o.channels, streamReport: o.report(trials[0].Requests, timed)}
	for _, t := range trials {
		r.Maps = append(r.Maps, mapReport{t.Name, t.Hash, t.Granule, t.GBps, t.PctPeak, t.BurstsPerACT(), t.Balance(), t.Read.Mean})
	}
	return r
}

func (r *mapsReport) writeText(a *App) error {
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%s%s, %s\n\n", r.Device, r.channelsText(), r.text())
	fmt.Fprint(w, "map\thash\tgranule\tGB/s\t% of peak\tbursts per ACT\tbalance\tmean latency\t\n")
	for _, m := range r.Maps {
		fmt.Fprintf(w, "%s\t%s\t%s\t%.2f\t%.2f\t%.2f\t%.3f\t%.1f ns\t\n",
			m.Map, onOff(m.Hash), m.granuleText(), m.GBps, m.PctPeak, m.BurstsPerACT, m.Balance, m.LatencyNs)
	}
	return w.Flush()
}

func (r *mapsReport) channelsText() string {
	if r.Channels == 1 {
		return ""
	}
	return fmt.Sprintf(", %d channels", r.Channels)
}

func (m *mapReport) granuleText() string {
	if m.Granule == 0 {
		return "-"
	}
	return strconv.FormatUint(m.Granule, 10)
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}
