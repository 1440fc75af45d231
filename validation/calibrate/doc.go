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
// Not read here: what kernels cost to launch, as nodes of a graph do not tell
// launch_ns, cta_ns and gap_ns apart (empty kernels of one and of many CTAs
// tell the first two, decode steps less their kernels the last); barrier_ns;
// the MMU's reach and walks, whose knees are read by eye; the rates of SMs, GPCs and
// slices, which streams over what the L2 holds tell;
// sustained TFLOPS; and queue depths, which are not published.
package calibrate
