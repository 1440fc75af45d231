// Package flexgen models offloaded generation as FlexGen does it: weights, KV
// cache and hidden states split over GPU, CPU and disk by a policy, and a
// zig-zag schedule in which a block of batches shares each load of a layer's
// weights.
//
// The schedule is a list of steps. One step is a batch in a sublayer
// (attention, MLP): its computing, the loads for what follows and the stores of
// what went before, which begin together; the next step begins when all have
// ended. An operation is a chain of demands on resources (GPU, CPU, the link
// each way, the drive); with overlap a step takes as long as its longest chain
// or its busiest resource, without it the sum of the chains. Times come from the
// machine: a roofline for the GPU's products, rates of the link, the CPU's
// attention, and paths to the drive (devices/hostio).
//
// InStorage is InstInfer's policy: drives that attend (devices/csd). A layer of a
// decode step is a series: the GPU's products, the host's attend commands, queries,
// keys and values down, the drive with most heads, outputs up. The host sends one
// command for each sequence and head of keys, one after the other, however many drives
// there are; its time is that of a small synchronous read through Linux. This
// structure is taken from the published figures, its size is not: shares of one
// and of two drives, dense and sparse, and the scaling to 20 drives all hold a
// part that grows with the batch, neither shrinks with drives nor with sparsity, and
// is about 5 µs a sequence, head and layer.
//
// CostModel is apart from that: the closed equations that FlexGen's authors
// published, as a comparator.
//
// FlexGen's runtime leaves traces that count: it never cuts a matrix, but lays a
// sublayer's out on disk, CPU and GPU in their order; its main thread pins what is
// pageable (the cache in host memory, weights if asked) and starts the GPU's
// computing only then; copy threads take a matrix, keys or values each.
//
// Needs tells what a policy wants of the GPU's, the host's and the drive's memory;
// what the host has left is its page cache, through which files are read. Search
// tries FlexGen's knobs under these capacities.
//
// What drives take in, copy, gather and wear is Stored; InstInfersFigures sets the
// published figures beside ours.
//
// Rivals: ZeRO-Inference with its weights or its cache in host memory (which
// swaps when it is too small), Recompute, FlexGen with GPUDirect (Policy.Direct)
// and with SparQ's sparse attention (Policy.Sparse).
//
// Left out: the time of embeddings and of the last product over the vocabulary,
// the runtime's own time per operation, write-back, contention for the host's
// memory between the CPU's attention and copies. Hidden states on disk move at the
// drive's rate; FlexGen's runtime cannot do that. Attention by groups of heads is
// taken to run at the rates of as many heads of keys as of queries.
//
// Sources: Sheng et al., "FlexGen" (ICML 2023, arXiv 2303.06865), its
// repository at 19753bc0 for the order of operations, the constants, and how its
// benchmarks (bench_suite.py) are set and measured; DeepSpeedExamples' README for
// ZeRO-Inference; SparQ (Ribar et al., arXiv 2312.04985) for the bytes read, its code
// (graphcore-research) for how a group of queries chooses;
// InstInfer (HPCA 2025, arXiv 2409.04992); Zhong et al., "XRP" (OSDI 2022),
// table 1, for the command.
package flexgen
