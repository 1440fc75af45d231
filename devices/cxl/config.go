package cxl

import (
	"errors"
	"fmt"

	"hwsim/devices/dram"
	"hwsim/devices/link"
)

// Config describes one expander.
type Config struct {
	Link         link.Config `toml:"link"`
	ControllerNs float64     `toml:"controller_ns"` // pipeline of the controller, in and out, unloaded
	ReadGBps     float64     `toml:"read_gbps"`     // the controller's read path; 0: no narrower than the link
	ReadQueue    int         `toml:"read_queue"`    // entries of one line
	WriteQueue   int         `toml:"write_queue"`   // entries of one line
	LineBytes    int         `toml:"line_bytes"`    // bytes of a line, which the queues' entries hold
	Channels     int         `toml:"channels"`      // channels of DRAM; DDR5 has two sub-channels, each one of these
	GranuleBytes int         `toml:"granule_bytes"` // interleave over channels
	DRAM         dram.Config `toml:"dram"`          // one channel
}

// Validate reports every key of the controller's own whose value cannot be;
// link and DRAM check theirs.
func (c *Config) Validate(report func(key, message string)) {
	if !(c.ControllerNs >= 0) {
		report("controller_ns", "must not be negative")
	}
	if !(c.ReadGBps >= 0) {
		report("read_gbps", "must not be negative")
	}
	positive := func(key string, v int) {
		if v <= 0 {
			report(key, "must be positive")
		}
	}
	positive("read_queue", c.ReadQueue)
	positive("write_queue", c.WriteQueue)
	positive("line_bytes", c.LineBytes)
	positive("channels", c.Channels)
	if c.GranuleBytes <= 0 || c.GranuleBytes&(c.GranuleBytes-1) != 0 {
		report("granule_bytes", "must be a power of two")
	}
}

// validated returns all of Validate's reports as one error.
func (c *Config) validated() error {
	var errs []error
	c.Validate(func(key, message string) { errs = append(errs, fmt.Errorf("cxl: %s %s", key, message)) })
	return errors.Join(errs...)
}
