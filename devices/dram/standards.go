package dram

import (
	"fmt"
	"slices"

	"hwsim/sim"
)

// Sources of the tables below. The JEDEC standards themselves are not open;
// what is quoted from them is quoted through these files.
const (
	ramulatorHBM2 = "CMU-SAFARI/ramulator2@c5b1c3a python/ramulator/dram/hbm2.py"
	ramulatorHBM3 = "CMU-SAFARI/ramulator2@c5b1c3a python/ramulator/dram/hbm3.py"
	ramulatorDDR4 = "CMU-SAFARI/ramulator2@c5b1c3a python/ramulator/dram/ddr4.py"
	ramulatorDDR5 = "CMU-SAFARI/ramulator2@c5b1c3a python/ramulator/dram/ddr5.py"
	dramsim3HBM2  = "umd-memsys/DRAMsim3@2981759 configs/HBM2_8Gb_x128.ini"
	dramsysHBM2   = "tukl-msd/DRAMSys v5.1 configs/memspec/HBM2.json"
	jedecHBM3     = "JESD238B.01 tables 92-93, through gem5 PR #3271"
	jedecDDR4     = "JESD79-4, 8 Gb x8"
	ramulator2DDR = "Ramulator 2.0 DDR5 table (tRFCsb in ns; nREFSBRD 30, taken as ns), read in a derivative of it"
	jedecDDR5     = "JESD79-5, 16 Gb x8, through gem5 issue #3490"
	ramulatorHBM4 = "CMU-SAFARI/ramulator2@c5b1c3a python/ramulator/dram/hbm4.py"
	ramulatorLP5  = "CMU-SAFARI/ramulator2@c5b1c3a python/ramulator/dram/lpddr5.py, which cites JESD209-5B"
	gem5LP5B8     = "gem5@1db206b src/mem/DRAMInterface.py, LPDDR5_6400_1x16_8B_BL32"
	ramulatorGD6  = "CMU-SAFARI/ramulator2@c5b1c3a python/ramulator/dram/gddr6.py, GDDR6_14000_1350mV_double"
	gem5HBM3      = "gem5 PR #3271 src/mem/DRAMInterface.py, HBM_6400_8H_1x64"
	gem5DDR5      = "gem5 src/mem/DRAMInterface.py, DDR5_6400_4x8"
	attaccHBM3    = "scale-snu/attacc_simulator@c600051 HBM3 patch: DRAMsim3's HBM2 in nanoseconds"
	measuredH200  = "measured, reference/h200/gather.csv: 42.5 G random 32 B or 64 B pieces/s over 188 pseudo-channels = 4.42 ns a piece"
)

var makers = map[string]func() *Spec{
	"hbm2_2000":          func() *Spec { return hbm2("HBM2", 1_000_000_000, 65536) },
	"hbm2_2000_dramsys":  hbm2DRAMSys,
	"hbm2_2000_dramsim3": hbm2DRAMsim3,
	"hbm2_2400":          func() *Spec { return hbm2("HBM2", 1_200_000_000, 65536) },
	"hbm2_2430":          func() *Spec { return hbm2("HBM2", 1_215_000_000, 65536) },
	"hbm2e_3200":         func() *Spec { return hbm2("HBM2E", 1_600_000_000, 65536) },
	"hbm3_5200":          func() *Spec { return hbm3("HBM3", 2_619_000_000, 16384) },
	"hbm3_6400":          func() *Spec { return hbm3("HBM3", 3_200_000_000, 16384) },
	"hbm3_6400_gem5":     func() *Spec { return hbm3("HBM3", 3_200_000_000, 16384).with(hbm3Gem5) },
	"hbm3_6400_attacc":   func() *Spec { return hbm3("HBM3", 3_200_000_000, 16384).with(hbm3AttAcc) },
	"hbm3e_h200":         hbm3eH200,
	"hbm3e_7700":         func() *Spec { return hbm3("HBM3E", 3_850_000_000, 24576) },
	"hbm3e_9600":         func() *Spec { return hbm3("HBM3E", 4_800_000_000, 24576) },
	"hbm4_8000":          hbm4,
	"ddr4_2400t":         func() *Spec { return ddr4(1_200_000_000, 11) },
	"ddr4_3200aa":        func() *Spec { return ddr4(1_600_000_000, 12) },
	"ddr5_4800bn":        func() *Spec { return ddr5(2_400_000_000, 36, 8) },
	"ddr5_5600an":        func() *Spec { return ddr5(2_800_000_000, 40, 14) },
	"ddr5_6400an":        func() *Spec { return ddr5(3_200_000_000, 46, 16) },
	"ddr5_4800bn_wr2":    func() *Spec { return ddr5(2_400_000_000, 36, 8).with(ddr5WR2) },
	"ddr5_5600an_wr2":    func() *Spec { return ddr5(2_800_000_000, 40, 14).with(ddr5WR2) },
	"ddr5_6400an_wr2":    func() *Spec { return ddr5(3_200_000_000, 46, 16).with(ddr5WR2) },
	"ddr5_6400_gem5":     func() *Spec { return ddr5(3_200_000_000, 46, 8).with(ddr5Gem5) },
	"lpddr5_6400":        func() *Spec { return lpddr5("LPDDR5", 800_000_000) },
	"lpddr5_6400_8b":     lpddr5Banks8,
	"lpddr5x_8533":       func() *Spec { return lpddr5("LPDDR5X", 1_066_666_667) },
	"gddr6_14000":        func() *Spec { return gddr6("GDDR6", 1_750_000_000, 7.5) },
	"gddr6_16000":        func() *Spec { return gddr6("GDDR6", 2_000_000_000, 7.5) },
	"gddr6_18000":        func() *Spec { return gddr6("GDDR6", 2_250_000_000, 7.5) },
	"gddr6x_19000":       func() *Spec { return gddr6("GDDR6X", 2_375_000_000, 7.25) },
	"gddr6x_21000":       func() *Spec { return gddr6("GDDR6X", 2_625_000_000, 7.25) },
}

// Standards returns the known names, sorted.
func Standards() []string {
	names := make([]string, 0, len(makers))
	for n := range makers {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// Standard returns a fresh Spec of the named standard. The error of an
// unknown name says the nearest.
func Standard(name string) (*Spec, error) {
	maker, ok := makers[name]
	if !ok {
		return nil, fmt.Errorf("dram: no standard %q; nearest is %q", name, nearest(name, Standards()))
	}
	s := maker()
	s.Name = name
	if s.SplitBuses { // HBM, of whatever geometry
		s.Energy = hbmEnergy(s)
	}
	s.resolve()
	return s, nil
}

// hbm2 is an 8 Gb-per-channel HBM2 or HBM2E channel of two 64-bit
// pseudo-channels, BL4, CK of hz. No public table of HBM2E timings exists:
// it takes HBM2's nanoseconds.
func hbm2(family string, hz uint64, rows int) *Spec {
	return &Spec{
		Family:         family,
		PseudoChannels: 2, Ranks: 1, BankGroups: 4, BanksPerGroup: 4,
		Rows: rows, RowBytes: 1024, BurstBytes: 32, BusBits: 64,
		Tick: sim.ClockHz(hz), TicksPerCK: 1, Burst: 2,
		ActTicks: 2, ActDelay: 1, ColTicks: 1, RowTicks: 1, // ACT takes two clocks (JESD235)
		SplitBuses: true, PerBank: true,
		Timings: []Timing{
			{TRCDRD, 14, 0, ramulatorHBM2}, {TRCDWR, 12, 0, ramulatorHBM2},
			{TRP, 14, 0, ramulatorHBM2}, {TRAS, 34, 0, ramulatorHBM2}, {TRC, 48, 0, ramulatorHBM2},
			{TRRDS, 4, 4, ramulatorHBM2}, {TRRDL, 4, 4, ramulatorHBM2}, {TFAW, 15, 8, ramulatorHBM2},
			{TCCDS, 0, 2, ramulatorHBM2}, {TCCDL, 0, 4, ramulatorHBM2},
			{TCCDSWR, 0, 2, ramulatorHBM2}, {TCCDLWR, 0, 4, ramulatorHBM2},
			{TCCDR, 0, 3, dramsysHBM2},
			{TCL, 14, 0, ramulatorHBM2}, {TCWL, 5, 0, ramulatorHBM2},
			{TWR, 16, 0, ramulatorHBM2}, {TWTRS, 6, 0, ramulatorHBM2}, {TWTRL, 8, 0, ramulatorHBM2},
			{TRTP, 5, 0, ramulatorHBM2},
			{TRTW, 13, 0, ramulatorHBM2 + ": nCL + nBL + 2 - nCWL"},
			{TRFCAB, 350, 0, ramulatorHBM2}, {TRFCPB, 160, 0, ramulatorHBM2},
			{TREFI, 3900, 0, ramulatorHBM2}, {TRREFD, 8, 4, ramulatorHBM2},
		},
	}
}

// hbm3 is a channel of two 32-bit pseudo-channels, BL8, two stack ids. Its
// tick is half a CK (row commands take 0.5 and 1.5 CK), tickHz of them a
// second; the data rate is two bits a pin a tick. The rate of hbm3_5200 is
// the H100's memory clock, 2619 MHz (3352 GB/s over 5120 pins; datasheet 3350).
func hbm3(family string, tickHz uint64, rows int) *Spec {
	return &Spec{
		Family:         family,
		PseudoChannels: 2, Ranks: 2, BankGroups: 4, BanksPerGroup: 4,
		Rows: rows, RowBytes: 1024, BurstBytes: 32, BusBits: 32,
		Tick: sim.ClockHz(tickHz), TicksPerCK: 2, Burst: 4,
		ActTicks: 3, ActDelay: 2, ColTicks: 2, RowTicks: 1, // ACT is R-F-R: it takes effect a clock later
		SplitBuses: true, PerBank: true,
		Timings: []Timing{
			{TRCDRD, 19.375, 0, ramulatorHBM3}, {TRCDWR, 9.375, 0, ramulatorHBM3},
			{TRP, 16.25, 0, ramulatorHBM3}, {TRAS, 28.125, 0, ramulatorHBM3}, {TRC, 45, 0, ramulatorHBM3},
			{TRRDS, 2.5, 0, ramulatorHBM3}, {TRRDL, 3.125, 0, ramulatorHBM3}, {TFAW, 15, 0, ramulatorHBM3},
			{TCCDS, 0, 2, ramulatorHBM3}, {TCCDL, 2.5, 4, jedecHBM3},
			{TCCDSWR, 0, 2, ramulatorHBM3}, {TCCDLWR, 2.5, 4, jedecHBM3},
			{TCCDR, 0, 3, ramulatorHBM3},
			{TCL, 12.5, 0, ramulatorHBM3}, {TCWL, 6.25, 0, ramulatorHBM3},
			{TWR, 20.625, 0, ramulatorHBM3}, {TWTRS, 4.375, 0, ramulatorHBM3}, {TWTRL, 6.25, 0, ramulatorHBM3},
			{TRTP, 5.625, 0, ramulatorHBM3}, {TRTW, 12.5, 0, ramulatorHBM3}, {TPPD, 0, 2, ramulatorHBM3},
			{TRFCAB, 350, 0, jedecHBM3}, {TRFCPB, 200, 0, jedecHBM3},
			{TREFI, 3900, 0, ramulatorHBM3}, {TRREFD, 8, 3, jedecHBM3},
		},
	}
}

// hbm3eH200 is the memory of an H200: HBM3 timings at its measured clock of
// 3201 MHz, 24 Gb dies (24576 rows a bank: 24 GB over 16 channels, 2
// pseudo-channels and 32 banks of 1 KiB rows). tFAW of 27 clocks (16.9 ns) is
// implied by the measured rate of random pieces, 4.42 ns each, less what
// refresh costs; 15 or 12 ns, the public models' values, would give more
// pieces than the card does.
func hbm3eH200() *Spec {
	s := hbm3("HBM3E", 3_201_000_000, 24576)
	return s.with([]Timing{{TFAW, 0, 27, measuredH200}})
}

// hbm3Gem5 and hbm3AttAcc are what two other public models take for the row
// timings of HBM3, which JEDEC leaves to the vendors: tFAW 12 and 30 ns
// against hbm3_6400's 15. Random 32 B throughput goes with 1/tFAW.
var (
	hbm3Gem5 = []Timing{
		{TRCDRD, 14, 0, gem5HBM3}, {TRCDWR, 8, 0, gem5HBM3}, {TRP, 14, 0, gem5HBM3},
		{TRAS, 29, 0, gem5HBM3}, {TRC, 43, 0, gem5HBM3 + ": tRAS + tRP"},
		{TCL, 18, 0, gem5HBM3}, {TCWL, 8, 0, gem5HBM3},
		{TRRDS, 3, 0, gem5HBM3}, {TRRDL, 4, 0, gem5HBM3}, {TFAW, 12, 0, gem5HBM3},
		{TWR, 14, 0, gem5HBM3}, {TRTP, 7.5, 0, gem5HBM3}, {TWTRS, 4, 0, gem5HBM3}, {TWTRL, 9, 0, gem5HBM3},
		{TRTW, 18, 0, gem5HBM3},
	}
	hbm3AttAcc = []Timing{
		{TRCDRD, 14.375, 0, attaccHBM3}, {TRCDWR, 14.375, 0, attaccHBM3}, {TRP, 14.375, 0, attaccHBM3},
		{TRAS, 34.375, 0, attaccHBM3}, {TRC, 48.125, 0, attaccHBM3},
		{TCL, 14.375, 0, attaccHBM3}, {TCWL, 4.375, 0, attaccHBM3},
		{TRRDS, 1.25, 0, attaccHBM3}, {TRRDL, 2.5, 0, attaccHBM3}, {TFAW, 30, 0, attaccHBM3},
		{TWR, 16.25, 0, attaccHBM3}, {TRTP, 6.25, 0, attaccHBM3}, {TWTRS, 6.25, 0, attaccHBM3}, {TWTRL, 8.125, 0, attaccHBM3},
	}
)

// hbm2DRAMSys is HBM2 with the one public set of timings that goes back to
// hardware: registers read from an AMD card. It has two stack ids.
func hbm2DRAMSys() *Spec {
	s := hbm2("HBM2", 1_000_000_000, 32768)
	s.Ranks = 2
	return s.with([]Timing{
		{TRCDRD, 12, 0, dramsysHBM2}, {TRCDWR, 6, 0, dramsysHBM2}, {TRP, 14, 0, dramsysHBM2},
		{TRAS, 28, 0, dramsysHBM2}, {TRC, 42, 0, dramsysHBM2},
		{TRRDS, 4, 0, dramsysHBM2}, {TRRDL, 6, 0, dramsysHBM2}, {TFAW, 16, 0, dramsysHBM2},
		{TCCDL, 3, 0, dramsysHBM2}, {TCCDLWR, 3, 0, dramsysHBM2}, {TCCDR, 0, 2, dramsysHBM2},
		{TCL, 17, 0, dramsysHBM2}, {TCWL, 7, 0, dramsysHBM2},
		{TWR, 14, 0, dramsysHBM2}, {TWTRS, 4, 0, dramsysHBM2}, {TWTRL, 9, 0, dramsysHBM2},
		{TRTP, 5, 0, dramsysHBM2}, {TRTW, 18, 0, dramsysHBM2},
		{TRFCAB, 220, 0, dramsysHBM2}, {TRFCPB, 96, 0, dramsysHBM2},
	})
}

// hbm2DRAMsim3 is HBM2 as DRAMsim3 has it: one legacy channel of 128 bits,
// an ACT of one clock, bursts of one bank group as close as others, and a
// tFAW of 30 ns. Its parser leaves tRTP at 5.
func hbm2DRAMsim3() *Spec {
	s := hbm2("HBM2", 1_000_000_000, 32768).with([]Timing{
		{TRCDWR, 14, 0, dramsim3HBM2}, {TRRDL, 6, 0, dramsim3HBM2}, {TFAW, 30, 0, dramsim3HBM2},
		{TCCDL, 0, 2, dramsim3HBM2}, {TCCDLWR, 0, 2, dramsim3HBM2}, {TCWL, 4, 0, dramsim3HBM2},
		{TRTW, 14, 0, dramsim3HBM2 + ": CL + BL/2 + 2 - CWL"}, {TRFCAB, 260, 0, dramsim3HBM2},
	})
	s.PseudoChannels, s.RowBytes, s.BurstBytes, s.BusBits = 1, 2048, 64, 128
	s.ActTicks, s.ActDelay = 1, 0
	return s
}

// hbm4 is a channel of two 32-bit pseudo-channels, BL8, two stack ids of two
// groups of eight banks, at 8 Gb/s. Like HBM3's, its tick is half a CK.
func hbm4() *Spec {
	return &Spec{
		Family:         "HBM4",
		PseudoChannels: 2, Ranks: 2, BankGroups: 2, BanksPerGroup: 8,
		Rows: 16384, RowBytes: 1024, BurstBytes: 32, BusBits: 32,
		Tick: sim.ClockHz(4_000_000_000), TicksPerCK: 2, Burst: 4,
		ActTicks: 3, ActDelay: 2, ColTicks: 2, RowTicks: 1,
		SplitBuses: true, PerBank: true,
		Timings: []Timing{
			{TRCDRD, 19.5, 0, ramulatorHBM4}, {TRCDWR, 9.5, 0, ramulatorHBM4},
			{TRP, 16.5, 0, ramulatorHBM4}, {TRAS, 28.5, 0, ramulatorHBM4}, {TRC, 45, 0, ramulatorHBM4},
			{TRRDS, 2.5, 0, ramulatorHBM4}, {TRRDL, 3.5, 0, ramulatorHBM4}, {TFAW, 15, 0, ramulatorHBM4},
			{TCCDS, 0, 2, ramulatorHBM4}, {TCCDL, 0, 4, ramulatorHBM4},
			{TCCDSWR, 0, 2, ramulatorHBM4}, {TCCDLWR, 0, 4, ramulatorHBM4}, {TCCDR, 0, 2, ramulatorHBM4},
			{TCL, 10, 0, ramulatorHBM4}, {TCWL, 5, 0, ramulatorHBM4},
			{TWR, 21, 0, ramulatorHBM4}, {TWTRS, 4.5, 0, ramulatorHBM4}, {TWTRL, 6.5, 0, ramulatorHBM4},
			{TRTP, 6, 0, ramulatorHBM4}, {TRTW, 12.5, 0, ramulatorHBM4}, {TPPD, 0, 2, ramulatorHBM4},
			{TRFCAB, 450, 0, ramulatorHBM4 + ": 8 Gb a channel"}, {TRFCPB, 280, 0, ramulatorHBM4},
			{TREFI, 3900, 0, ramulatorHBM4}, {TRREFD, 8, 3, ramulatorHBM4},
		},
	}
}

// lpddr5 is one x16 channel of 16 Gb in bank-group mode, BL16, CK of hz, WCK
// four times as fast and kept running. ACT-1 and ACT-2 take a clock each and
// count from the first. The 8533 part takes LPDDR5's nanoseconds: no public
// table of LPDDR5X timings was found.
func lpddr5(family string, hz uint64) *Spec {
	return &Spec{
		Family:         family,
		PseudoChannels: 1, Ranks: 1, BankGroups: 4, BanksPerGroup: 4,
		Rows: 65536, RowBytes: 2048, BurstBytes: 32, BusBits: 16,
		Tick: sim.ClockHz(hz), TicksPerCK: 1, Burst: 2,
		ActTicks: 2, ColTicks: 1, RowTicks: 1, ActPerRank: true, PerBank: true,
		Energy: averageEnergy(4, 32, averageLPDDR5),
		Timings: []Timing{
			{TRCDRD, 18.75, 0, ramulatorLP5}, {TRCDWR, 18.75, 0, ramulatorLP5},
			{TRP, 18.75, 0, ramulatorLP5}, {TRAS, 42.5, 0, ramulatorLP5}, {TRC, 61.25, 0, ramulatorLP5},
			{TRRDS, 5, 4, ramulatorLP5}, {TRRDL, 5, 4, ramulatorLP5}, {TFAW, 20, 16, ramulatorLP5},
			{TCCDS, 0, 2, ramulatorLP5}, {TCCDL, 0, 4, ramulatorLP5},
			{TCCDSWR, 0, 2, ramulatorLP5}, {TCCDLWR, 0, 4, ramulatorLP5},
			{TCCDR, 0, 4, ramulatorLP5 + ": nBL + nCS"}, {TCS, 0, 2, ramulatorLP5},
			{TCL, 21.25, 0, ramulatorLP5}, {TCWL, 11.25, 0, ramulatorLP5},
			{TWR, 35, 0, ramulatorLP5}, {TWTRS, 6.25, 0, ramulatorLP5}, {TWTRL, 12.5, 0, ramulatorLP5},
			{TRTP, 10, 0, ramulatorLP5}, {TRTW, 15, 0, ramulatorLP5 + ": nCL + nBL + 2 - nCWL"},
			{TPPD, 0, 2, ramulatorLP5},
			{TRFCAB, 280, 0, ramulatorLP5 + ": 16 Gb"}, {TRFCPB, 140, 0, ramulatorLP5 + ": 16 Gb"},
			{TREFI, 3906, 0, ramulatorLP5}, {TRREFD, 7.5, 0, ramulatorLP5 + ": nPBR2ACT"},
		},
	}
}

// lpddr5Banks8 is the same part in 8-bank mode: no groups, rows of 4 KiB,
// BL32 back to back. BL32 adds two clocks to what counts a burst. The third
// mode, 16 banks up to 3.2 Gb/s, is not here: no usable source gives its
// tRRD, tFAW and tWTR.
func lpddr5Banks8() *Spec {
	s := lpddr5("LPDDR5", 800_000_000).with([]Timing{
		{TRRDS, 10, 2, gem5LP5B8}, {TRRDL, 10, 2, gem5LP5B8}, {TFAW, 40, 0, gem5LP5B8},
		{TCCDS, 0, 4, gem5LP5B8}, {TCCDL, 0, 4, gem5LP5B8},
		{TCCDSWR, 0, 4, gem5LP5B8}, {TCCDLWR, 0, 4, gem5LP5B8},
		{TCCDR, 0, 6, ramulatorLP5 + ": nBL + nCS"},
		{TWTRS, 12, 4, gem5LP5B8}, {TWTRL, 12, 4, gem5LP5B8},
		{TRTW, 17.5, 0, ramulatorLP5 + ": nCL + nBL + 2 - nCWL"},
	})
	s.BankGroups, s.BanksPerGroup = 1, 8
	s.RowBytes, s.BurstBytes, s.Burst = 4096, 64, 4
	s.Energy = averageEnergy(4, s.BurstBytes, averageLPDDR5)
	return s
}

// gddr6 is one of the two x16 channels of an 8 Gb part, BL16, CK of hz; the
// channels have nothing in common but the clock. The 16 and 18 Gb/s parts and
// GDDR6X (PAM4, BL8: as long a burst in clocks) take the 14 Gb/s part's
// nanoseconds: no public table of theirs was found. GDDR7 is left out: the
// row timings that are public are guesses (Ramulator's gddr7.py says so).
func gddr6(family string, hz uint64, pJPerBit float64) *Spec {
	return &Spec{
		Family:         family,
		PseudoChannels: 1, Ranks: 1, BankGroups: 4, BanksPerGroup: 4,
		Rows: 16384, RowBytes: 2048, BurstBytes: 32, BusBits: 16,
		Tick: sim.ClockHz(hz), TicksPerCK: 1, Burst: 2,
		ActTicks: 1, ColTicks: 1, RowTicks: 1, ActPerRank: true, PerBank: true,
		Energy: averageEnergy(pJPerBit, 32, averageGDDR6),
		Timings: []Timing{
			{TRCDRD, 15.39, 0, ramulatorGD6}, {TRCDWR, 9.12, 0, ramulatorGD6},
			{TRP, 15.39, 0, ramulatorGD6}, {TRAS, 30.21, 0, ramulatorGD6}, {TRC, 45.03, 0, ramulatorGD6},
			{TRRDS, 4.56, 0, ramulatorGD6}, {TRRDL, 4.56, 0, ramulatorGD6}, {TFAW, 16.53, 0, ramulatorGD6},
			{TCCDS, 0, 2, ramulatorGD6}, {TCCDL, 0, 4, ramulatorGD6},
			{TCCDSWR, 0, 2, ramulatorGD6}, {TCCDLWR, 0, 4, ramulatorGD6}, {TCCDR, 0, 2, "one rank"},
			{TCL, 13.68, 0, ramulatorGD6}, {TCWL, 3.42, 0, ramulatorGD6},
			{TWR, 15.39, 0, ramulatorGD6}, {TWTRS, 5.13, 0, ramulatorGD6}, {TWTRL, 6.27, 0, ramulatorGD6},
			{TRTP, 2.28, 0, ramulatorGD6}, {TRTW, 14.25, 0, ramulatorGD6 + ": nCL + 1"}, {TPPD, 0, 1, ramulatorGD6},
			{TRFCAB, 120.27, 0, ramulatorGD6}, {TRFCPB, 60.42, 0, ramulatorGD6},
			{TREFI, 1899.81, 0, ramulatorGD6}, {TRREFD, 8.55, 0, ramulatorGD6},
		},
	}
}

// ddr4 is one rank of 8 Gb x8 parts, 64 bits, BL8, 22-22-22 at 3200, 17-17-17 at
// 2400.
func ddr4(hz uint64, rtw int64) *Spec {
	return &Spec{
		Family:         "DDR4",
		PseudoChannels: 1, Ranks: 1, BankGroups: 4, BanksPerGroup: 4,
		Rows: 65536, RowBytes: 8192, BurstBytes: 64, BusBits: 64,
		Tick: sim.ClockHz(hz), TicksPerCK: 1, Burst: 4,
		ActTicks: 1, ColTicks: 1, RowTicks: 1, ActPerRank: true,
		Energy: ddr4Energy(),
		Timings: []Timing{
			{TRCDRD, 13.75, 0, ramulatorDDR4}, {TRCDWR, 13.75, 0, ramulatorDDR4},
			{TRP, 13.75, 0, ramulatorDDR4}, {TRAS, 32.5, 0, ramulatorDDR4}, {TRC, 46.25, 0, ramulatorDDR4},
			{TRRDS, 2.5, 4, ramulatorDDR4}, {TRRDL, 4.9, 4, jedecDDR4}, {TFAW, 21, 28, jedecDDR4},
			{TCCDS, 0, 4, ramulatorDDR4}, {TCCDL, 5, 4, jedecDDR4},
			{TCCDSWR, 0, 4, ramulatorDDR4}, {TCCDLWR, 5, 4, jedecDDR4},
			{TCCDR, 0, 6, ramulatorDDR4 + ": nBL + nCS"}, {TCS, 0, 2, ramulatorDDR4},
			{TCL, 13.75, 0, ramulatorDDR4}, {TCWL, 10, 0, ramulatorDDR4},
			{TWR, 15, 0, ramulatorDDR4}, {TWTRS, 2.5, 2, ramulatorDDR4}, {TWTRL, 7.5, 4, ramulatorDDR4},
			{TRTP, 7.5, 4, ramulatorDDR4},
			{TRTW, 0, rtw, ramulatorDDR4 + ": nCL + nBL + 2 - nCWL"},
			{TRFCAB, 350, 0, jedecDDR4}, {TREFI, 7800, 0, jedecDDR4},
		},
	}
}

// ddr5 is one rank of 16 Gb x8 parts on one 32-bit sub-channel, BL16. ACT,
// RD and WR take two clocks. tRRDS above 4800 (5 ns) and tFAW (20 ns at all
// rates) are Ramulator's, which the goldens use; parts with a 1 KB page may
// be faster (gem5: 10 ns at 6400): override them for those.
func ddr5(hz uint64, cl, rrds int64) *Spec {
	cwl := cl - 2
	return &Spec{
		Family:         "DDR5",
		PseudoChannels: 1, Ranks: 1, BankGroups: 8, BanksPerGroup: 4,
		Rows: 65536, RowBytes: 4096, BurstBytes: 64, BusBits: 32,
		Tick: sim.ClockHz(hz), TicksPerCK: 1, Burst: 8,
		ActTicks: 2, ActDelay: 1, ColTicks: 2, ColDelay: 1, RowTicks: 1, ActPerRank: true, SameBank: true,
		Energy: averageEnergy(16, 64, averageDDR5),
		Timings: []Timing{
			{TRCDRD, 0, cl, ramulatorDDR5}, {TRCDWR, 0, cl, ramulatorDDR5}, {TRP, 0, cl, ramulatorDDR5},
			{TRAS, 32, 0, ramulatorDDR5}, {TRC, 32, cl + int64(32*float64(hz)/1e9+0.95), ramulatorDDR5 + ": nRAS + nRP"},
			{TRRDS, 0, rrds, ramulatorDDR5}, {TRRDL, 5, 8, ramulatorDDR5}, {TFAW, 20, 32, ramulatorDDR5},
			{TCCDS, 0, 8, ramulatorDDR5}, {TCCDL, 5, 8, ramulatorDDR5},
			{TCCDSWR, 0, 8, ramulatorDDR5}, {TCCDLWR, 20, 32, jedecDDR5},
			{TCCDR, 0, 10, ramulatorDDR5 + ": nBL + nCS"}, {TCS, 0, 2, ramulatorDDR5},
			{TCL, 0, cl, ramulatorDDR5}, {TCWL, 0, cwl, ramulatorDDR5},
			{TWR, 30, 0, ramulatorDDR5}, {TWTRS, 2.5, 4, ramulatorDDR5}, {TWTRL, 10, 16, ramulatorDDR5},
			{TRTP, 7.5, 12, ramulatorDDR5},
			{TRTW, 0, cl + 8 + 4 - cwl, ramulatorDDR5 + ": nCL + nBL + 2 - nCWL + 2"},
			{TPPD, 0, 2, ramulatorDDR5},
			{TRFCAB, 295, 0, ramulatorDDR5}, {TRFCSB, 130, 0, ramulator2DDR}, {TREFI, 3900, 0, ramulatorDDR5},
			{TRREFD, 30, 0, ramulator2DDR},
		},
	}
}

// ddr5Gem5 is tRRD_S and tFAW of a 1 KB page, as gem5 has them.
var ddr5Gem5 = []Timing{{TRRDS, 2.496, 8, gem5DDR5}, {TFAW, 10, 32, gem5DDR5}}

// ddr5WR2 is for writes that need no read-modify-write in the device; ddr5
// has tCCD_L_WR, as if all did.
var ddr5WR2 = []Timing{{TCCDLWR, 10, 16, jedecDDR5 + ", Table 494: tCCD_L_WR2"}}
