// Package workloads turns a model, a decode workload, a placement of its KV
// cache and a library's kernel profiles into a graph of kernels and copies,
// replays the graph on a machine, and reports what it took.
//
// A kernel's CTAs read and write the addresses that the real kernel's tiles
// would: which rows of which weights, which KV pages through which block
// table, in which layout and tier. Three stopping rules share that one model:
// exact simulates every request; sampled skips ahead inside long kernels and
// transfers once their rates have converged, and simulates only some of a run
// of identical layers; analytic is the roofline.
//
// A KV cache that is contiguous can get its memory in page groups as it grows
// (package kvalloc): the report then has what they leave unused and how long
// steps would wait for them, beside the step.
//
// Left out: prefill, sampling of tokens on the GPU, host-side scheduling, and
// moving filled KV pages out to far tiers (new tokens stay in HBM).
package workloads
