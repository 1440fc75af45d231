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
// The SMs of a group share a TLB if there is one: remote addresses are always
// looked up in it, HBM only while more of it is in use than the TLB covers.
//
// Left out: instruction issue, register and shared-memory bank conflicts (a
// kernel's profile carries its measured time a tile instead), L1 hits but of
// kernels of warps, warp scheduling, clock and power management, several
// kernels at once, and what SMs of one GPC share on their way to the crossbar.
package gpu
