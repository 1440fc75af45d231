package replay

import (
	"strings"

	"hwsim/devices/dram"
)

// overrides are the timings in ns that Ramulator 2.1, whose figures the runs
// are compared with, does not take from JEDEC as package dram does. DDR4: its
// tRFC of 8 Gb is 360 ns, not 350. HBM2 at 2.4 Gb/s: it rounds some counts
// down. DDR5: its clock is a whole number of ps
// (416 for 416.67), so that the same ns make more clocks of tREFI and tRFC;
// at 5600 and 6400 it keeps some clock counts of 4800.
var overrides = map[string]map[string]float64{
	"hbm2_2400":   {"tFAW": 19 / 1.2, "tRCDWR": 14 / 1.2, "tRAS": 40 / 1.2, "tRC": 57 / 1.2},
	"ddr4_3200aa": {"tRFCab": 360},
	"ddr5_4800bn": {"tREFI": 3906.3, "tRFCab": 295.8},
	"ddr5_5600an": {"tREFI": 3901.8, "tRFCab": 295.3, "tCCDL": 4.284, "tRTP": 7.14, "tWTRS": 1.785},
	"ddr5_6400an": {"tREFI": 3906.3, "tRFCab": 295.6, "tWTRS": 1.56},
	"lpddr5_6400": {"tREFI": 3906.3},
	"gddr6_14000": {"tREFI": 1904.6},
}

// Device returns the controller of the public runs for a standard of
// dram.Standards: queues as deep as theirs, writes drained between 0.8 and
// 0.2 of theirs, row hits always first, all-bank refresh, address map B
// without hash, reads answered from queued writes. The error of an unknown name says
// the nearest.
func Device(name string) (dram.Config, error) {
	s, err := dram.Standard(name)
	if err != nil {
		return dram.Config{}, err
	}
	noHash := false
	c := dram.Config{Standard: name, Refresh: "all_bank", Map: "B", Hash: &noHash,
		DrainHigh: 0.8, DrainLow: 0.2, HitCap: -1, Forward: true, TimingsNs: overrides[name]}
	c.QueueDepth, c.WriteQueueDepth = queues(s.Family)
	return c, nil
}

// queues returns the entries of the read and the write queue.
func queues(family string) (reads, writes int) {
	switch {
	case strings.HasPrefix(family, "HBM2"):
		return 64, 64
	case strings.HasPrefix(family, "HBM"):
		return 128, 64
	default:
		return 32, 32
	}
}
