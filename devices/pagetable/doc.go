// Package pagetable holds page tables that lie in simulated memory: radix
// trees of 4 KiB tables of 512 entries, so that a 64-byte line holds eight, on
// four or five levels (Intel SDM volume 3, 4.5). A Table says at which physical
// addresses a walk reads; who reads there, through which caches and when, is
// the reader's affair.
//
// Pages of 4 KiB, 2 MiB and 1 GiB are leaves of the lowest three levels; one of
// 64 KiB is sixteen entries of the lowest that say so (as Arm's contiguous bit
// and AMD's coalesced entries do). Unused bits of a leaf hold two counters for a
// predictor of the cost of walks.
//
// A Pager is the operating system: it maps pages where they are touched first,
// large ones as far as it has whole stretches of memory for them, and hands out
// frames in order or scattered.
//
// Left out: permissions, accessed and dirty bits, swapping, the time of a page
// fault.
package pagetable
