// Package cache models a GPU's L2: slices of sectored, set-associative lines
// with MSHRs, each in front of its own memory channel, in one or two
// partitions.
//
// A requester looks its line up in its own partition. The line's home slice
// is the one whose channel holds it; when that lies in the other partition,
// the near slice keeps a copy, filled across the bridge, and dropped when the
// line is written. Stores allocate without fetching, sector by sector, and go
// to memory when the line is evicted.
//
// Left out: L1 (kernels of this simulator stream past it), atomics,
// compression, and back-pressure in the crossbar: what a full slice cannot
// take waits in order at its door. Only stores that are acknowledged, those of
// a kernel's loop, are refused while the channel cannot take the dirty lines
// that they drive out.
//
// Sector and line sizes: NVIDIA's tuning guides. Two partitions and copies of
// far lines: NVIDIA A100 whitepaper (2020), p. 34 ff.; latencies of near and
// far hits are measured per system (validation data h200/latency.csv).
package cache
