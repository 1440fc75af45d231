// Package cpucache models the caches of one core and the memory behind them.
//
// A Level has sets, ways and a replacement: least recently used, or SRRIP (Jaleel
// et al., ISCA 2010) of two bits, where a new line is inserted at 2 and a hit
// takes 1 off. A Hierarchy looks a line up level by level, takes each level's time,
// and fills the levels it passed. What no level has is asked of memory: the
// channels of package dram, a fixed way off, command by command. Several requests
// for one line wait for one fill; data requests to memory are bounded by MSHRs.
// Dirty lines are written to the level below, or to memory.
//
// Time is in cycles of the core. Lookups are made when they are asked for, in the
// order of the program, and carry their time: only memory is simulated in the order
// of time. Two requests of a core that overlap by less than a cache's latency may
// therefore find each other's lines a little early or late.
//
// A level may hold blocks of translations beside lines, as Victima has it
// (Kanellopoulos et al., MICRO 2023): eight page-table entries of eight
// neighbouring pages, found by the pages' number. See Blocks.
//
// Left out: coherence, prefetchers, bank and port conflicts, the mesh's queues.
package cpucache
