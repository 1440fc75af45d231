package nvme

import (
	"errors"
	"fmt"

	"hwsim/devices/flash"
	"hwsim/devices/ftl"
	"hwsim/devices/link"
)

// Config describes a drive and its host interface.
type Config struct {
	Link             link.Config `toml:"link"`
	QueueDepth       int         `toml:"queue_depth"`        // entries of a submission queue
	Queues           int         `toml:"queues"`             // pairs of a submission and a completion queue; 0: one
	ArbitrationBurst int         `toml:"arbitration_burst"`  // entries fetched from a queue in its turn, if it has them; 0: one
	FetchLimit       int         `toml:"fetch_limit"`        // commands in the drive
	MaxTransferBytes int         `toml:"max_transfer_bytes"` // of a command
	CompletionBytes  int         `toml:"completion_bytes"`   // of a completion entry
	WholeTransfer    bool        `toml:"whole_transfer"`     // read data go to the host when all are there, else page by page

	SubmitNs   float64 `toml:"submit_ns"`   // host software before the doorbell
	CompleteNs float64 `toml:"complete_ns"` // and after the completion entry

	FirmwareCores   int     `toml:"firmware_cores"`    // processors of the drive, that commands share
	FirmwareReadNs  float64 `toml:"firmware_read_ns"`  // of a core, for a command
	FirmwareWriteNs float64 `toml:"firmware_write_ns"` // ns of a core, for a write command
	PipelineReadNs  float64 `toml:"pipeline_read_ns"`  // delays, does not limit
	PipelineWriteNs float64 `toml:"pipeline_write_ns"` // ns that a write is delayed, which does not limit the rate

	BufferBytes int     `toml:"buffer_bytes"` // of written data not yet programmed, above which no write enters; 0: writes wait for their programs
	BufferNs    float64 `toml:"buffer_ns"`    // from a write's last data to its acknowledgement, or of a read that hits

	PowerLossProtection bool `toml:"power_loss_protection"` // capacitors keep the buffer through a power cut
	ReadAheadBytes      int  `toml:"read_ahead_bytes"`      // beyond a sequential read, read into the drive's memory; 0: none

	CapacityGB    float64 `toml:"capacity_gb"`    // GB (1e9 B) of the drive on sale, for its endurance, where fewer blocks stand for it; 0: those there are
	WarrantyYears float64 `toml:"warranty_years"` // over which writes per day are counted; 0: 5

	AssumeWritten bool `toml:"assume_written"` // a page that is read and was never written is given a place as if it had been; else it reads as zeros, without the flash

	Flash flash.Config `toml:"flash"`
	FTL   ftl.Config   `toml:"ftl"`
}

// Sizes of the specification.
const (
	sqeBytes      = 64
	doorbellBytes = 4
	rangeBytes    = 16 // of a trim
)

// Validate reports values that no drive has; link, flash and FTL check theirs.
func (c *Config) Validate(report func(key, message string)) {
	count := func(key string, v, lo, hi int) {
		if v < lo || v > hi {
			report(key, fmt.Sprintf("must be %d to %d", lo, hi))
		}
	}
	count("queue_depth", c.QueueDepth, 1, 1<<16)
	count("queues", c.Queues, 0, maxQueues)
	count("arbitration_burst", c.ArbitrationBurst, 0, 1<<16)
	count("fetch_limit", c.FetchLimit, 1, 1<<16)
	count("max_transfer_bytes", c.MaxTransferBytes, 512, 1<<30)
	count("completion_bytes", c.CompletionBytes, 16, 64)
	count("firmware_cores", c.FirmwareCores, 1, maxCores)
	count("buffer_bytes", c.BufferBytes, 0, 1<<32)
	count("read_ahead_bytes", c.ReadAheadBytes, 0, 1<<30)
	if c.PowerLossProtection && c.BufferBytes == 0 {
		report("power_loss_protection", "must be false without buffer_bytes")
	}
	between := func(key string, v, most float64) {
		if !(v >= 0 && v <= most) {
			report(key, fmt.Sprintf("must be 0 to %g", most))
		}
	}
	between("capacity_gb", c.CapacityGB, 1e6)
	between("warranty_years", c.WarrantyYears, 100)
	ns := func(key string, v float64) { between(key, v, 1e9) }
	ns("submit_ns", c.SubmitNs)
	ns("complete_ns", c.CompleteNs)
	ns("firmware_read_ns", c.FirmwareReadNs)
	ns("firmware_write_ns", c.FirmwareWriteNs)
	ns("pipeline_read_ns", c.PipelineReadNs)
	ns("pipeline_write_ns", c.PipelineWriteNs)
	ns("buffer_ns", c.BufferNs)
	if c.Flash.Blocks > 0 {
		c.FTL.Room(&c.Flash.Geometry, func(key, message string) { report("ftl."+key, message) })
	}
}

// validated returns all of Validate's reports as one error.
func (c *Config) validated() error {
	var errs []error
	c.Validate(func(key, message string) { errs = append(errs, fmt.Errorf("nvme: %s %s", key, message)) })
	return errors.Join(errs...)
}
