package dram

import "hwsim/sim"

// Spec is one standard at one speed: geometry, clock, command lengths and
// timings. Every state of a Channel is counted in ticks of Tick.
type Spec struct {
	Name   string
	Family string // "HBM2", "HBM2E", "HBM3", "HBM3E", "HBM4", "DDR4", "DDR5", "LPDDR5", "LPDDR5X", "GDDR6", "GDDR6X"

	PseudoChannels int // of one channel
	Ranks          int // DDR ranks, or HBM stack ids, of one pseudo-channel
	BankGroups     int // of one rank
	BanksPerGroup  int
	Rows           int // of one bank; need not be a power of two
	RowBytes       int // of one bank of one pseudo-channel
	BurstBytes     int // moved by one column command
	BusBits        int // data pins of one pseudo-channel

	Tick       sim.Clock // one tick: a CK, or half of one where commands take half clocks
	TicksPerCK int64
	Burst      int64 // ticks a burst holds the data bus

	// Command lengths on their bus, in ticks. A command of several clocks
	// takes effect ActDelay or ColDelay ticks after its first edge.
	ActTicks, ColTicks, RowTicks int64 // ACT; RD and WR; PRE and REF
	ActDelay, ColDelay           int64
	SplitBuses                   bool // HBM: row and column commands have a bus each

	// ActPerRank says that tRRD and tFAW count the ACTs of one rank (DDR),
	// not of the whole pseudo-channel (HBM, all its stack ids).
	ActPerRank bool
	InlineECC  int  // one burst in so many of a row holds check bits; 0: none
	SameBank   bool // the standard has REFsb
	PerBank    bool // the standard has REFpb

	Energy EnergyTable // what its commands cost

	Timings []Timing         // the table, with sources
	T       [numParams]int64 // the same in ticks
}

// PeakGBps returns the peak rate of one channel in GB/s (1e9 B/s).
func (s *Spec) PeakGBps() float64 {
	return float64(s.PseudoChannels*s.BurstBytes) / (float64(s.Burst) * s.Tick.Period()) * 1000
}

// Bytes returns the capacity of one channel, without check bits.
func (s *Spec) Bytes() uint64 {
	return uint64(s.PseudoChannels*s.Banks()) * uint64(s.Rows) * uint64(s.columns()*s.BurstBytes)
}

// columns returns the bursts of a row that hold data.
func (s *Spec) columns() int {
	n := s.RowBytes / s.BurstBytes
	if s.InlineECC > 0 {
		n -= n / s.InlineECC
	}
	return n
}

// Banks returns the number of banks of one pseudo-channel, all ranks.
func (s *Spec) Banks() int { return s.Ranks * s.BankGroups * s.BanksPerGroup }

// tCK returns the command clock's period in ns.
func (s *Spec) tCK() float64 { return s.Tick.Period() * float64(s.TicksPerCK) / 1000 }

// resolve turns the table into ticks.
func (s *Spec) resolve() {
	for _, t := range s.Timings {
		s.T[t.Param] = t.clocks(s.tCK()) * s.TicksPerCK
	}
}

// with returns s with the rows of its table that others replace.
func (s *Spec) with(rows []Timing) *Spec {
	for _, row := range rows {
		for i := range s.Timings {
			if s.Timings[i].Param == row.Param {
				s.Timings[i] = row
			}
		}
	}
	return s
}

// override replaces one timing by ns nanoseconds.
func (s *Spec) override(name string, ns float64) error {
	p, err := paramNamed(name)
	if err != nil {
		return err
	}
	s.with([]Timing{{p, ns, 0, "configuration"}})
	s.T[p] = Timing{Param: p, NS: ns}.clocks(s.tCK()) * s.TicksPerCK
	return nil
}

// columnGap returns the least distance in ticks between a column command of
// kind a and a later one of kind b: in the same bank group, in another group
// of the same rank, and in another rank.
func (s *Spec) columnGap(a, b int) (group, rank, other int64) {
	t := &s.T
	switch {
	case a == read && b == read:
		return max(t[TCCDL], s.Burst), max(t[TCCDS], s.Burst), max(t[TCCDR], s.Burst+t[TCS])
	case a == write && b == write && !s.ActPerRank:
		// Write data come from the controller, whichever stack id takes them.
		return max(t[TCCDLWR], s.Burst), max(t[TCCDSWR], s.Burst), max(t[TCCDSWR], s.Burst)
	case a == write && b == write:
		return max(t[TCCDLWR], s.Burst), max(t[TCCDSWR], s.Burst), max(t[TCCDR], s.Burst+t[TCS])
	case a == read:
		return t[TRTW], t[TRTW], max(t[TRTW], s.Burst+t[TCS])
	}
	data := t[TCWL] + s.Burst // WR to the end of its data
	if !s.ActPerRank {
		// Stack ids share one interface: their turnaround is the group's short one.
		return data + t[TWTRL], data + t[TWTRS], data + t[TWTRS]
	}
	return data + t[TWTRL], data + t[TWTRS], max(data+t[TCS]-t[TCL], s.Burst)
}
