package command

import (
	"fmt"
	"text/tabwriter"

	"hwsim/devices/flash"
	"hwsim/sim"
	"hwsim/workloads/drive"
)

// driveReport is what replay -drive prints. Its JSON form is read by scripts.
type driveReport struct {
	Drive    string  `json:"drive"`
	Gen      string  `json:"gen"`
	N        uint64  `json:"n"`
	Bytes    uint64  `json:"bytes"` // of a request
	Depth    int     `json:"qd"`
	WritePct int     `json:"write_pct"`
	Seed     uint64  `json:"seed"`
	Fill     bool    `json:"fill"` // the drive started full
	Warm     float64 `json:"warm"` // drive writes before the load

	IOPS   float64       `json:"iops"`
	GBps   float64       `json:"gbps"`
	Read   *driveLatency `json:"read_latency_us,omitempty"`
	Write  *driveLatency `json:"write_latency_us,omitempty"`
	Flash  driveFlash    `json:"flash"`
	Wear   driveWear     `json:"wear"`
	Life   *driveLife    `json:"endurance,omitempty"`
	Busy   driveBusy     `json:"busy"`
	TimeUs float64       `json:"time_us"` // of the last completion
	IdleUs float64       `json:"idle_us"` // when the buffer is programmed as well
}

type driveLatency struct {
	N    int64   `json:"n"` // requests
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
	Max  float64 `json:"max"`
}

type driveFlash struct {
	Reads      uint64  `json:"page_reads"`
	Programs   uint64  `json:"page_programs"`
	Erases     uint64  `json:"block_erases"`
	BufferHits uint64  `json:"buffer_hits"`             // page reads that the buffer served
	Stalls     uint64  `json:"stalls"`                  // page writes that waited for garbage collection
	WAF        float64 `json:"waf"`                     // pages programmed for each written; 0: nothing was
	MediaWAF   float64 `json:"media_waf"`               // bytes of programmed pages for each written
	MapWrites  uint64  `json:"map_writes"`              // mapping pages among the programs
	Levelled   uint64  `json:"levelled"`                // blocks moved because they were worn little
	ReadOut    float64 `json:"read_amplification"`      // bytes off the flash for each read; 0: nothing was
	ReadCells  float64 `json:"cell_read_amplification"` // bytes of the pages read in the cells, likewise
}

// driveWear is erases of blocks, since they were new.
type driveWear struct {
	Least uint32  `json:"least"`
	Most  uint32  `json:"most"`
	Mean  float64 `json:"mean"`
}

// driveLife is the drive's endurance at the load's write amplification.
type driveLife struct {
	Cycles int     `json:"cycles"` // of a block
	TBW    float64 `json:"tbw"`
	DWPD   float64 `json:"dwpd"`
	Years  float64 `json:"years"` // at the load's rate of writes
}

// driveBusy is mean shares of time, 0 to 1.
type driveBusy struct {
	Firmware float64 `json:"firmware"` // of cores
	Channels float64 `json:"channels"`
	Dies     float64 `json:"dies"`
}

// report says what was sent and what the drive did.
func (o *driveOptions) report(r *drive.Result) *driveReport {
	l, ops := &o.load, &r.Flash.Ops
	out, cells := r.ReadAmplification()
	return &driveReport{
		Drive: configName(o.drive), Gen: l.Pattern, N: l.Requests, Bytes: l.Bytes, Depth: l.Depth, WritePct: l.WritePct, Seed: l.Seed,
		Fill: l.Fill, Warm: l.Warm,
		IOPS: r.IOPS(), GBps: r.GBps(), Read: newDriveLatency(&r.Reads), Write: newDriveLatency(&r.Writes),
		Flash: driveFlash{Reads: ops[flash.Read], Programs: ops[flash.Program], Erases: ops[flash.Erase],
			BufferHits: r.Drive.BufferHits, Stalls: r.Drive.Stalls,
			WAF: r.FTL.Amplification(), MediaWAF: r.MediaAmplification(),
			MapWrites: r.FTL.MapWrites, Levelled: r.FTL.Levelled, ReadOut: out, ReadCells: cells},
		Wear: driveWear(r.Wear), Life: (*driveLife)(r.Endurance()),
		Busy:   driveBusy{r.FirmwareBusy(), r.ChannelBusy(), r.DieBusy()},
		TimeUs: r.Time.Microseconds(), IdleUs: r.Idle.Microseconds(),
	}
}

// newDriveLatency returns the figures of latencies, nil if there were none.
func newDriveLatency(h *sim.Histogram) *driveLatency {
	if h.Count() == 0 {
		return nil
	}
	return &driveLatency{h.Count(), h.Mean().Microseconds(), h.Quantile(0.5).Microseconds(),
		h.Quantile(0.99).Microseconds(), h.Max().Microseconds()}
}

func (r *driveReport) writeText(a *App) error {
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s%s, %d requests of %s, %d B, %d %% writes, %d outstanding\n\n", r.Drive, r.before(), r.N, r.Gen, r.Bytes, r.WritePct, r.Depth)
	fmt.Fprintf(w, "rate\t%.0f IOPS\t%.3f GB/s\n", r.IOPS, r.GBps)
	r.Read.writeText(w, "read")
	r.Write.writeText(w, "write")
	f := &r.Flash
	fmt.Fprintf(w, "pages\tread %d\tprogrammed %d\tfrom buffer %d\n", f.Reads, f.Programs, f.BufferHits)
	fmt.Fprintf(w, "collection\tblocks erased %d\tpages held up %d\t%s\n", f.Erases, f.Stalls, f.wafText())
	if f.ReadOut > 0 {
		fmt.Fprintf(w, "flash reads\t%.2f of bytes asked\t%.2f in cells\n", f.ReadOut, f.ReadCells)
	}
	fmt.Fprintf(w, "wear\terases least %d\tmost %d\tmean %.2f\n", r.Wear.Least, r.Wear.Most, r.Wear.Mean)
	r.Life.writeText(w)
	fmt.Fprintf(w, "busy\tfirmware %.1f %%\tchannels %.1f %%\tdies %.1f %%\n", 100*r.Busy.Firmware, 100*r.Busy.Channels, 100*r.Busy.Dies)
	fmt.Fprintf(w, "time\t%.1f µs\tidle at %.1f\n", r.TimeUs, r.IdleUs)
	return w.Flush()
}

// before says what the drive had gone through.
func (r *driveReport) before() string {
	text := ""
	if r.Fill {
		text = " full"
	}
	if r.Warm > 0 {
		text += fmt.Sprintf(" after %g drive writes", r.Warm)
	}
	return text
}

func (l *driveLatency) writeText(w *tabwriter.Writer, of string) {
	if l != nil {
		fmt.Fprintf(w, "%s latency\tmean %.2f µs\tp50 %.2f\tp99 %.2f\tmax %.2f\n", of, l.Mean, l.P50, l.P99, l.Max)
	}
}

func (l *driveLife) writeText(w *tabwriter.Writer) {
	if l != nil {
		fmt.Fprintf(w, "endurance\tTBW %.0f\tDWPD %.2f\tyears at this rate %.2f\t%d cycles\n", l.TBW, l.DWPD, l.Years, l.Cycles)
	}
}

func (f *driveFlash) wafText() string {
	if f.WAF == 0 {
		return "WAF none written"
	}
	return fmt.Sprintf("WAF %.2f", f.WAF)
}
