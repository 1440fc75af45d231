// Package check checks traces of DRAM commands against the rules of their
// standard. It knows nothing of the controller that made a trace: it keeps
// when each command last acted on each bank and compares every new command
// with all of them, pair by pair, against a list of constraints (pairs.go).
//
// # What is checked
//
//   - command bus ("row bus", "column bus", or "command bus" where there is
//     one) and the clock edges of commands that may take a rising one only
//   - row state: ACT and refresh of closed banks, RD and WR of the open row, PRE
//     of an open bank (JEDEC lets a PRE of a closed one pass as a NOP, but no
//     controller means to send it)
//   - tRCD (reads and writes apart), tRP, tRAS, tRC, tRTP, tWR of one bank
//   - tRRD_S/L, tFAW, tPPD, and tRRD between ACT and a per-bank refresh
//   - tCCD_S/L (reads and writes apart), tCCD_R, tRTW, tWTR_S/L
//   - bursts on the data bus, with tCS between ranks
//   - tRFC of all-bank, per-bank and same-bank refresh, tRREFD
//   - no bank waits longer than nine tREFI (and a tRFCab) for its refresh
//
// A command of several clock edges takes effect at its last; distances are
// measured between effects.
//
// # What is left out
//
// A bank that is never refreshed at all (a trace need not be long enough to
// tell), power-down and self-refresh, refresh management, mode registers,
// ODT, auto-precharge commands, tCCD_L_WR2, refresh of two banks at once,
// the longest tRAS, ECC.
//
// # Sources
//
// The command rules of JESD235 (HBM2), JESD238 (HBM3), JESD79-4 (DDR4) and
// JESD79-5 (DDR5). The values are the caller's: see Rules.
package check
