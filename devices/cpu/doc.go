// Package cpu models a core that runs a stream of memory accesses: its reorder
// buffer, its MMU (package mmu), and its caches and memory (package cpucache).
//
// Instructions are dispatched in order, a few a cycle, into a reorder buffer that
// they leave in order. An access is translated, and then looked up in the caches,
// as soon as it is dispatched and the access that its address depends on is done;
// other instructions take no time but their slot. What is done out of order waits
// in the buffer, so that accesses overlap as far as the buffer, the load queue, the
// MSHRs and the walkers allow. A store is done when its address is translated: it
// writes behind the core's back. A branch that a stream says is mispredicted holds up
// dispatch until the data that decide it are there, and for as long as the front end
// takes to begin anew.
//
// Left out: other branches, instruction fetch and its TLB,
// dependences through anything but addresses, execution units and latencies,
// forwarding from stores to loads, the capacity of the store buffer.
//
// Source: the interval view of out-of-order cores of Karkhanis and Smith (ISCA 2004)
// and Eyerman et al. (TOCS 2009): a core is as fast as its width until a long miss
// fills the reorder buffer.
package cpu
