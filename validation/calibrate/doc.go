// Package calibrate reads the physical parameters of a system off the tables
// of its microbenchmarks (validation/measure makes them). The procedure is:
//
//  1. Measure the GPU: validation/measure/run.sh, then tables.py.
//  2. Write its system by data sheet: sizes, widths, clocks, DRAM standard.
//     Take the latencies of the most similar preset.
//  3. hwsim calibrate -data DIR -config BASE prints the system with what the
//     tables say. It follows the list of readings in order: each uses the
//     values found before it.
//  4. hwsim validate -data DIR -config it shows what remains, and
//     -sensitivity which parameters a regime depends on.
//
// A reading is one of three. Direct: the rows and values found before tell the
// parameter, as half of a near hit of the L2 less the look-up is the crossbar.
// Difference: its time is part of the rows' time some times over, and the rest
// is simulated once; what the simulation lacks, the parameter is short of.
// Ratio: the rows' time goes with it or its inverse. None searches.
//
// What chases over the L2 hit is told by the size of the L2: near up to two
// fifths of it, a plateau between two thirds and seven eighths, HBM from one
// and a half. On the plateau lines and the other partition's copies drive each
// other out, so that half of the accesses are far hits and half go to memory.
// That holds for two partitions, as package cache has them.
//
// Not read here: what other kernels cost to launch (empty kernels of one and of
// many CTAs tell launch_ns and cta_ns, decode steps less their kernels gap_ns);
// barrier_ns; what copies cost the host (call_ns, entry_ns, inline) and engines
// beside their start (switch_ns, walk_ns), which copies submitted before the
// first begins tell; jitter_ns, with the numbers of lines that a warp waits for;
// the MMU's reach and walks, whose knees are read by eye; the rates of SMs, GPCs
// and slices, which streams over what the L2 holds tell; refresh, which the
// distribution of single accesses' times shows; sustained TFLOPS; and queue
// depths, which are not published.
package calibrate
