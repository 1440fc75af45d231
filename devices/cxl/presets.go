package cxl

import (
	"maps"
	"slices"

	"hwsim/devices/dram"
	"hwsim/devices/link"
)

// Preset returns the named expander and whether it exists.
func Preset(name string) (Config, bool) {
	build, ok := presets[name]
	if !ok {
		return Config{}, false
	}
	return build(), true
}

// Presets returns the names that Preset knows, sorted.
func Presets() []string { return slices.Sorted(maps.Keys(presets)) }

// Controller latencies are what is left of a device's idle latency, pins to
// pins, after the DRAM's: 33 ns for a line from a closed bank of DDR5-4800,
// and now and then a refresh.
var presets = map[string]func() Config{
	// The 96 GB E3.S expander of CacheLib's OCP demonstration, CXL 2.0 x8
	// with about one channel of DDR5-4800: 250 ns load to use, of which the
	// device has 110; 17.8 GB/s of reads alone, 23.6 at 3:1, 25.1 at 2:1, 27.2
	// at 1:1. Its reads stay at 17.7 as writes are added, so the limit is the
	// read path. MICRO'23's CXL-A (arXiv 2303.15375) reads at the same 46 %
	// of its DRAM's peak.
	"asic_x8": func() Config { return expander("cxl2-x8", 70, 17.8, 1) },

	// Micron's model of a CXL 2.0 x8 expander, as shipped with the Mess
	// benchmark: 107.4 ns pins to pins, bandwidth limited by the link. The
	// CZ120 is specified at 36 GB/s with two reads a write, 7 % below what the
	// link lets pass here. Two modules keep the DRAM out of the way.
	"micron_x8": func() Config { return expander("cxl2-x8", 70, 0, 2) },

	// Device D of Melody (arXiv 2409.14317), x16: 239 ns load to use and 52
	// GB/s, both recalled from the paper and not read again.
	"asic_x16": func() Config { return expander("cxl2-x16", 62, 52, 2) },
}

// expander puts the named link before a controller and modules of
// DDR5-4800, each of two sub-channels and two ranks (96 GB take two).
func expander(linkPreset string, controllerNs, readGBps float64, modules int) Config {
	const entries = 48 // an ASIC of CXL-DMSim (6d2a3f76); an FPGA has 36
	l, _ := link.Preset(linkPreset)
	return Config{
		Link:         l,
		ControllerNs: controllerNs,
		ReadGBps:     readGBps,
		ReadQueue:    entries,
		WriteQueue:   entries,
		LineBytes:    64,
		Channels:     2 * modules,
		GranuleBytes: 256,
		DRAM: dram.Config{
			Standard: "ddr5_4800bn",
			Refresh:  "same_bank",
			Page:     "closed",
			Ranks:    2,
			// A channel's share of the controller's queue, or its watermarks
			// for draining writes would never be reached.
			WriteQueueDepth: entries / (2 * modules),
		},
	}
}
