package dram

import "hwsim/devices/dram/check"

// rules returns the standard as the trace checker takes it.
func (s *Spec) rules() check.Rules {
	t := &s.T
	return check.Rules{
		PseudoChannels: s.PseudoChannels, Ranks: s.Ranks, BankGroups: s.BankGroups, BanksPerGroup: s.BanksPerGroup,
		TicksPerCK: s.TicksPerCK, Burst: s.Burst,
		ActTicks: s.ActTicks, ColTicks: s.ColTicks, RowTicks: s.RowTicks,
		ActDelay: s.ActDelay, ColDelay: s.ColDelay,
		SplitBuses: s.SplitBuses, ActPerRank: s.ActPerRank,
		Timings: check.Timings{
			RCDRD: t[TRCDRD], RCDWR: t[TRCDWR], RP: t[TRP], RAS: t[TRAS], RC: t[TRC],
			RRDS: t[TRRDS], RRDL: t[TRRDL], FAW: t[TFAW],
			CCDS: t[TCCDS], CCDL: t[TCCDL], CCDSWR: t[TCCDSWR], CCDLWR: t[TCCDLWR], CCDR: t[TCCDR],
			CL: t[TCL], CWL: t[TCWL], WR: t[TWR], WTRS: t[TWTRS], WTRL: t[TWTRL], RTP: t[TRTP], RTW: t[TRTW],
			PPD: t[TPPD], CS: t[TCS],
			RFCab: t[TRFCAB], RFCpb: t[TRFCPB], RFCsb: t[TRFCSB], RREFD: t[TRREFD], REFI: t[TREFI],
		},
	}
}

// checked returns the command as the trace checker takes it; the Ops of both
// have the same order.
func (c Command) checked() check.Command {
	return check.Command{At: c.At, Op: check.Op(c.Op), PseudoChannel: c.PseudoChannel, Rank: c.Rank,
		Group: c.Group, Bank: c.Bank, Row: c.Row, Column: c.Column, Banks: c.Banks, AutoPrecharge: c.AutoPrecharge}
}
