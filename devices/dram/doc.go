// Package dram models one DRAM channel and its controller command by command.
//
// # What is modelled
//
// Every ACT, PRE, RD, WR and refresh is issued at a tick of the command
// clock, on its command bus, no earlier than the standard allows: tRCD (read,
// write), tRP, tRAS, tRC, tRRD_S/L, tFAW, tCCD_S/L/R (reads and writes apart),
// tWR, tWTR_S/L, tRTP, read-to-write turnaround, tPPD, rank switches, tRFC,
// tRREFD. HBM has a row and a column bus shared by two pseudo-channels, its
// ACT takes several clock edges; DDR has one bus, DDR5's ACT, RD and WR take
// two clocks. Refresh is all-bank (ranks at once or staggered), per-bank or
// same-bank, spread over tREFI. Refreshes wait for banks that nobody needs,
// by default the last two kinds only, and idle banks can be refreshed ahead,
// both up to JEDEC's limit.
// Standards are data: see Standard.
//
// The controller sees a window of queued bursts (reads and writes apart) and
// picks first-ready, first-come: of the commands ready earliest the oldest; a
// row just opened is read before other rows; a row stays open while the
// bank's oldest entry wants it, and for HitCap younger hits. It can also serve
// strictly in order (FCFS), close rows that nobody wants at once or after a
// time, or after a number of columns, and answer reads from queued writes.
// Writes drain in batches between two watermarks. The address map is a field
// order with an optional XOR of bank and group with row bits. Options: check
// bits in the row (inline ECC), power-down of an idle channel.
//
// A request is a train of bursts. It is split where the address map leaves a
// row, served burst by burst, and completes once.
//
// # How it runs
//
// Nothing ticks. Each pseudo-channel keeps the column, ACT, PRE and refresh
// command it would issue next; the channel jumps to the earliest. A choice
// looks at one bit mask of banks and one word a bank, never at queue entries,
// and is kept until the state it rests on changes. Results do not depend on
// how calls of Advance cut time.
//
// Mark and Repeat fast-forward a stream that has become periodic.
//
// # What is left out
//
// Self-refresh, refresh management (RFM), LPDDR5's CAS and 16-bank mode,
// ordering of a read behind a write of the same address in the other queue,
// command and address parity, temperature. PHY and controller pipeline latency belong
// to the system's calibrated terms: here a latency is tRCD + tCL + burst.
//
// # Sources
//
// Every timing names its source in the table (Timing.Source). The rule set
// and the treatment of multi-edge commands (they take effect at their last
// edge) were compared with Ramulator 2.1's for HBM2, HBM3, DDR4 and DDR5:
// README.md has the figures. tFAW of hbm3e_h200 is implied by a measurement on an H200.
//
// Built with -tags invariants, every command is checked by package check,
// which shares nothing with the controller, and every kept choice is compared
// with choosing anew.
package dram
