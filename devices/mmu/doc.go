// Package mmu models a core's memory management unit: TLBs on up to three levels,
// walkers with their page-walk caches, and rivals of large TLBs. Walks read the
// page tables of package pagetable through the caches of package cpucache.
//
// # Native
//
// First-level TLBs lie side by side, each for some page sizes; the second level, and
// a third, hold all. What misses them all takes a walker, unless the page is being
// walked for: then it waits for that walk. Where no walker is free it queues. A walk
// reads an entry of each level from the first that no page-walk cache skips; one read
// awaits the other.
//
// # Virtualised
//
// A space may have a host's table under its own: a walk is two-dimensional. Every
// guest entry's address is guest-physical and is translated by a nested TLB, or by a
// walk of the host's table with page-walk caches of its own; at last the page's own
// address is. Guest page-walk caches hold host addresses, so that what they skip
// needs no host walk either. TLBs hold guest-virtual to host-physical.
//
// # Rivals
//
// A POM-TLB (Ryoo et al., ISCA 2017) is a set-associative TLB in memory, whose sets
// are read through the caches before a walk. Large TLBs are TLBs.
//
// Victima (Kanellopoulos et al., MICRO 2023) keeps blocks of eight translations in
// the L2 cache. On a miss of the last TLB both the block of each page size is looked
// for and a walk begins; a block that is found ends the walk, which is then not
// counted and has read nothing. Blocks come in after a walk, in place of the line of
// page-table entries that it read, and when the last TLB evicts an entry. A
// predictor, two counters in the entry, says whether a page is worth it, unless the
// cache misses so often that its lines are not. What the paper leaves open here, as
// far as known to us, is our design: a virtualised block holds guest-physical
// frames, as the line that it was did, and an entry takes the host's frame when a walk
// has found it, or has read the line of the host's entries that holds it; a page whose
// entry has none yet is translated as above; nested blocks
// hold host-physical frames of guest-physical pages; shootdowns drop the entry of a
// block and keep its neighbours, or the block, as configured.
//
// # Order
//
// Lookups are made in the order of the program, with the times at which they happen.
// A translation that is found in the caches goes into the TLBs at once, with the cycle
// in which it is known: who finds it there earlier waits until then. Walks that wait
// for memory end in the order of time.
//
// Left out: instruction TLBs, permissions, the cost of a page fault and of a
// shootdown's interrupts, walks for prefetches.
package mmu
