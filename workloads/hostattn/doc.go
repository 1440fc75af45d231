// Package hostattn computes decode attention on the host's CPU over keys and
// values in its memory, as a framework's library does: the heads of all
// sequences are dealt to threads, each of which goes through its heads' keys
// and values block by block, in two matrix products a block.
//
// A core streams lines through its vector unit with a bounded number in
// flight; each comes from the last cache or, over the channels of package
// dram, from memory. What a product does once it has packed its operands does
// not overlap with fills. Which lines the last cache still has from the call
// before follows from what was brought in since, by the threads and by other
// users of the socket.
//
// What is simulated is a window of blocks of every thread; all blocks are
// alike.
//
// Left out: page translation (latencies measured over small pages have it in
// them), the cores' own caches (keys and values of a call are larger), the
// mesh, clocks that fall as cores wake, and the pool's waking of threads.
//
// Sources: PyTorch's blocked attention for CPUs (its block and its split over
// threads); verbose output of the library under it (which products it calls).
package hostattn
