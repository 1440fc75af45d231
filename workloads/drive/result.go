package drive

import (
	"hwsim/devices/flash"
	"hwsim/devices/ftl"
	"hwsim/devices/nvme"
	"hwsim/sim"
)

// Result is what a load saw of its drive.
type Result struct {
	Reads, Writes sim.Histogram // latencies, from sending to completion
	Time          sim.Time      // of the last completion
	Idle          sim.Time      // of the drive's last event: a buffer is programmed after the writes
	Bytes         uint64        // read and written

	Drive nvme.Stats
	Flash flash.Stats
	FTL   ftl.Stats

	cores, channels, units int
}

// add counts a completion.
func (r *Result) add(c *nvme.Completion) {
	latencies := &r.Reads
	if c.Write {
		latencies = &r.Writes
	}
	latencies.Add(c.At - c.Issued)
	r.Time = c.At
}

// count takes the counters of an idle drive.
func (r *Result) count(d *nvme.Drive, c *nvme.Config) {
	r.Drive, r.Flash, r.FTL = d.Stats(), d.Flash(), d.FTL()
	r.Bytes = r.Drive.ReadBytes + r.Drive.WrittenBytes
	r.cores, r.channels, r.units = c.FirmwareCores, c.Flash.Channels, c.Flash.Units()
}

// Requests returns how many completed.
func (r *Result) Requests() uint64 { return uint64(r.Reads.Count() + r.Writes.Count()) }

// IOPS returns the requests completed in a second.
func (r *Result) IOPS() float64 { return per(float64(r.Requests()), r.Time.Seconds()) }

// GBps returns the bytes read and written, in GB/s.
func (r *Result) GBps() float64 { return per(float64(r.Bytes)/1e9, r.Time.Seconds()) }

// FirmwareBusy returns the mean share of the time to the last completion that
// a core of the firmware was busy.
func (r *Result) FirmwareBusy() float64 {
	return per(r.Drive.FirmwareBusy.Seconds(), float64(r.cores)*r.Time.Seconds())
}

// ChannelBusy returns the mean share of the time until the drive is idle that
// a channel of the flash was busy.
func (r *Result) ChannelBusy() float64 {
	return per(r.Flash.Busy.Seconds(), float64(r.channels)*r.Idle.Seconds())
}

// DieBusy returns the same of the cells of a die, or of a chip whose dies do not
// interleave.
func (r *Result) DieBusy() float64 {
	return per(r.Flash.CellBusy.Seconds(), float64(r.units)*r.Idle.Seconds())
}

// per returns n/d, 0 when no time has passed.
func per(n, d float64) float64 {
	if d == 0 {
		return 0
	}
	return n / d
}
