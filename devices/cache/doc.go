// Package cache models a GPU's L2: slices of sectored, set-associative lines
// with MSHRs, each in front of its own memory channel, in one or two
// partitions.
//
// A requester looks its line up in its own partition. The line's home slice
// is the one whose channel holds it; when that lies in the other partition,
// the near slice keeps a copy, filled across the bridge, and dropped when the
// line is written. A line of which the other partition has a copy, and which
// none of its own has read since, is lent: lent lines are replaced first, but
// for the last of a set, so that two partitions that read different lines hold
// nearly twice as many. Stores allocate without fetching, sector by sector, and
// go to memory when the line is evicted.
//
// Left out: L1 (devices/gpu has one), atomics,
// compression, and back-pressure in the crossbar: what a full slice cannot
// take waits in order at its door. Only stores that are acknowledged, those of
// kernels, are refused while the channel cannot take the dirty lines
// that they drive out.
//
// Sector and line sizes: NVIDIA's tuning guides. Two partitions and copies of
// far lines: NVIDIA A100 whitepaper (2020), p. 34 ff. Where a chase by one SM
// outgrows its partition, near lines and copies drive each other out: half of
// its accesses go to near memory and half are far hits, of 273 and 234 ns on an
// H200, and the plateau of 270 ns is the mean with refresh, not a far hit. That
// lent lines go first is inferred: passes of all SMs find all of 50 MB in an
// L2 of 60, which they could not if home and copy were both kept (validation
// data h200/latency.csv, bandwidth.csv).
package cache
