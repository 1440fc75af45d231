// Package gpu models a GPU as a front end that walks a graph of operations
// and launches grids, and groups of SMs that run the CTAs of one kernel at a
// time.
//
// A CTA is a pipeline: a prologue, then tiles. As many tiles are in flight as
// the kernel has stages; a tile whose bytes have all arrived is computed, and
// its stage fetches the next. Bandwidth is not a parameter: it follows from
// the bytes in flight, the latency of every single request, and the queues
// they meet.
//
// The CTAs of a kernel that says so (Warps) are sets of warps instead, each of
// which goes round a loop of its own: loads and stores together, the loads'
// arrival, the instructions until the next. Stores are posted, up to a window;
// loads can go through an L1; and a barrier can hold the grid.
//
// A group is a GPC. Its SMs share a port of the crossbar, which on an H200 takes
// in what seven of them can, and a window on what they have asked the L2 for:
// how long a lone request waits while all SMs stream follows from it.
//
// The SMs of a GPC share a TLB if there is one: remote addresses are always
// looked up in it, HBM only while more of it is in use than the TLB covers.
//
// Left out: instruction issue, register and shared-memory bank conflicts (a
// kernel's profile carries its measured time a tile instead), L1 hits but of
// kernels of warps, clocks and power but for the tensor cores' mean rate, and
// several kernels at once.
package gpu
