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

	counters
	Wear Wear

	config    *nvme.Config
	size      uint64  // of the drive, in bytes
	pageBytes float64 // of the pages that the host wrote, for each byte it wrote, with those before the load
}

// counters are a drive's.
type counters struct {
	Drive nvme.Stats
	Flash flash.Stats
	FTL   ftl.Stats
}

// Wear is the erases of a drive's blocks, since they were new.
type Wear struct {
	Least, Most uint32
	Mean        float64
}

// add counts a completion, of a load that began at start.
func (r *Result) add(c *nvme.Completion, start sim.Time) {
	latencies := &r.Reads
	if c.Write {
		latencies = &r.Writes
	}
	latencies.Add(c.At - c.Issued)
	r.Time = c.At - start
}

// count returns the counters of a drive.
func count(d *nvme.Drive) counters { return counters{d.Stats(), d.Flash(), d.FTL()} }

// count takes the counters of an idle drive, less those before the load.
func (r *Result) count(d *nvme.Drive, c *nvme.Config, before counters) {
	now := count(d)
	r.Drive, r.Flash, r.FTL = now.Drive.Since(before.Drive), now.Flash.Since(before.Flash), now.FTL.Since(before.FTL)
	r.Bytes = r.Drive.ReadBytes + r.Drive.WrittenBytes
	r.config, r.size = c, d.Bytes()
	r.pageBytes = per(float64(now.FTL.HostWrites)*float64(c.Flash.PageBytes), float64(now.Drive.WrittenBytes))
	least, most, all := d.Wear()
	r.Wear = Wear{least, most, float64(all) / float64(blocks(c))}
}

// blocks returns how many blocks are erased one by one.
func blocks(c *nvme.Config) int {
	n := c.Flash.AllPlanes() * c.Flash.Blocks
	if c.FTL.Superblock {
		n /= c.Flash.Planes
	}
	return n
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
	return per(r.Drive.FirmwareBusy.Seconds(), float64(r.config.FirmwareCores)*r.Time.Seconds())
}

// ChannelBusy returns the mean share of the time until the drive is idle that
// a channel of the flash was busy.
func (r *Result) ChannelBusy() float64 {
	return per(r.Flash.Busy.Seconds(), float64(r.config.Flash.Channels)*r.Idle.Seconds())
}

// DieBusy returns the same of the cells of a die, or of a chip whose dies do not
// interleave.
func (r *Result) DieBusy() float64 {
	return per(r.Flash.CellBusy.Seconds(), float64(r.config.Flash.Units())*r.Idle.Seconds())
}

// per returns n/d, 0 when no time has passed.
func per(n, d float64) float64 {
	if d == 0 {
		return 0
	}
	return n / d
}
