package check

import "fmt"

// maxBanks is how many banks one mask word can name.
const maxBanks = 64

// Rules describe one channel: geometry, command lengths and timings. All
// times are in ticks of one clock.
type Rules struct {
	PseudoChannels int
	Ranks          int // DDR ranks, or HBM stack ids, of one pseudo-channel
	BankGroups     int // of one rank
	BanksPerGroup  int

	TicksPerCK int64 // ticks of one clock of CK
	RisingEdge int64 // tick of one rising edge of CK; the others are TicksPerCK apart

	// Ticks a command holds its bus. A command of several edges takes effect
	// ActDelay (ACT) or ColDelay (RD and WR) ticks after its first.
	ActTicks, ColTicks, RowTicks int64 // ACT; RD and WR; PRE and refresh
	ActDelay, ColDelay           int64
	Burst                        int64 // ticks a burst holds the data bus
	SplitBuses                   bool  // row and column commands have a bus each (HBM)

	// ActPerRank says that tRRD, tFAW, tRREFD and tWTR count within one rank
	// (DDR), not within the pseudo-channel (HBM: all its stack ids).
	ActPerRank bool

	Timings Timings
}

// Timings are the JEDEC parameters, in ticks. One that is zero does not bind.
type Timings struct {
	RCDRD  int64 // ACT to RD, same bank
	RCDWR  int64 // ACT to WR, same bank
	RP     int64 // PRE to ACT or refresh, same bank
	RAS    int64 // ACT to PRE, same bank
	RC     int64 // ACT to ACT or refresh, same bank
	RRDS   int64 // ACT to ACT, other bank group; ACT to per-bank refresh, other bank
	RRDL   int64 // ACT to ACT, same bank group
	FAW    int64 // first to fifth ACT
	CCDS   int64 // RD to RD, other bank group
	CCDL   int64 // RD to RD, same bank group
	CCDSWR int64 // WR to WR, other bank group
	CCDLWR int64 // WR to WR, same bank group
	CCDR   int64 // RD to RD, other rank or stack id; WR to WR, other rank
	CL     int64 // RD to its first data
	CWL    int64 // WR to its first data
	WR     int64 // end of write data to PRE, same bank
	WTRS   int64 // end of write data to RD, other bank group
	WTRL   int64 // end of write data to RD, same bank group
	RTP    int64 // RD to PRE, same bank
	RTW    int64 // RD to WR, any bank
	PPD    int64 // PRE to PRE, any bank
	CS     int64 // idle data bus between bursts of two ranks
	RFCab  int64 // REFab to any row command, same bank
	RFCpb  int64 // REFpb to any row command, same bank
	RFCsb  int64 // REFsb to any row command, same banks
	RREFD  int64 // REFpb or REFsb to ACT or such a refresh, other bank
	REFI   int64 // mean interval of a bank's refreshes
}

// Banks returns the number of banks of one pseudo-channel, all ranks.
func (r *Rules) Banks() int { return r.Ranks * r.BankGroups * r.BanksPerGroup }

// validate reports a geometry that cannot be.
func (r *Rules) validate() error {
	switch {
	case r.PseudoChannels < 1 || r.Ranks < 1 || r.BankGroups < 1 || r.BanksPerGroup < 1:
		return fmt.Errorf("check: %d pseudo-channels, %d ranks, %d bank groups of %d banks: none may be below 1",
			r.PseudoChannels, r.Ranks, r.BankGroups, r.BanksPerGroup)
	case r.Banks() > maxBanks:
		return fmt.Errorf("check: %d banks in a pseudo-channel, at most %d (one mask word)", r.Banks(), maxBanks)
	case r.TicksPerCK < 1:
		return fmt.Errorf("check: %d ticks in a clock, at least 1", r.TicksPerCK)
	}
	return nil
}

func (r *Rules) rankOf(bank int) int  { return bank / (r.BankGroups * r.BanksPerGroup) }
func (r *Rules) groupOf(bank int) int { return bank / r.BanksPerGroup }

// delay returns the ticks from a command's first edge to its effect.
func (r *Rules) delay(op Op) int64 {
	switch op {
	case ACT:
		return r.ActDelay
	case RD, WR:
		return r.ColDelay
	}
	return 0
}

// length returns the ticks a command holds its bus.
func (r *Rules) length(op Op) int64 {
	switch op {
	case ACT:
		return r.ActTicks
	case RD, WR:
		return r.ColTicks
	}
	return r.RowTicks
}
