// Package hostload loads a host's memory as the Mess benchmark does: some
// cores stream through arrays of their own, reading and writing lines in a
// set proportion at a set rate, while one core chases pointers; the result is
// the latency of the chase at the bandwidth of all.
//
// Modelled: the channels and their controllers command by command (package
// dram), the interleave over them, the fills that a core can have in flight,
// one time for the way from a core to a memory queue and back. Writes are
// those of evicted lines: they trail behind their array's reads in a stream of
// their own and nobody waits for them.
//
// Left out: caches and prefetchers (fills in flight stand for them), the mesh
// and its queues, the uncore's clock, TLBs, sockets.
//
// Source: the benchmark's description in Esmaili-Dokht et al., MICRO 2024.
package hostload
