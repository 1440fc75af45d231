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
// parameter, as half of the far less the near hit of the L2 is the bridge.
// Difference: its time is part of the rows' time some times over, and the rest
// is simulated once; what the simulation lacks, the parameter is short of.
// Ratio: the rows' time goes with it or its inverse. None searches.
//
// What chases over the L2 hit is told by the size of the L2: near up to two
// fifths of it, far between two thirds and seven eighths, HBM from one and a
// half. That holds for two partitions that each keep lines of the other.
//
// Not read here: what kernels cost to launch, as nodes of a graph do not tell
// launch_ns, cta_ns and gap_ns apart (empty kernels of one and of many CTAs
// tell the first two, decode steps less their kernels the last); barrier_ns;
// the MMU's reach and walks, whose knees are read by eye; slice_gbps;
// sustained TFLOPS; and queue depths, which are not published.
package calibrate
