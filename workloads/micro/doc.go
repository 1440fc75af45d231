// Package micro runs the GPU microbenchmarks of measure/micro.cu on a
// simulated machine: pointer chases, streams, gathers, a chase under load,
// copies, scattered pages, two users of the memory at once, and launches.
//
// A benchmark's kernel is blocks of warps (gpu.Warps), each of which does what
// the compiled loop does: so many loads of 512 B together, a wait for all of
// them, the instructions until the next. How many loads the compiler leaves in
// flight together, how many instructions an iteration has and how many
// registers a thread takes is read off the kernels' machine code (nvcc 13,
// sm_90); the rest follows from the machine. A long run is simulated as a
// window of its steady state, after a warm-up and, where the L2 holds what is
// read, from the state that a pass leaves behind.
//
// TLBs begin as earlier runs of the benchmark have left them.
//
// The host's part of copies and launches is a few constants of hierarchy.Host:
// a call a copy (CallNs) or an entry of a batch (EntryNs), a call a kernel
// (LaunchNs) or a graph (GraphNs), what it puts into commands itself (Inline),
// and what passes until it sees the end (SubmitNs, SyncNs).
//
// Left out: the ends of kernels (ramp and last wave are less than a percent of
// the measured ones), but for streams by some of the SMs, which last as long as
// those of the fullest GPC; and single instructions: one takes a warp so many
// cycles in the mean, whatever it depends on (see code).
//
// Source: measure/micro.cu and its machine code, H200, 2026-11-25.
package micro
