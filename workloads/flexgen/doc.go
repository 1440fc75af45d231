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
// command for each sequence and head, one after the other, however many drives
// there are; its time is that of a small synchronous read through Linux. This
// structure is taken from the published figures, its size is not: shares of one
// and of two drives, dense and sparse, and the scaling to 20 drives all hold a
// part that grows with the batch, neither shrinks with drives nor with sparsity, and
// is about 5 µs a sequence, head and layer.
//
// CostModel is apart from that: the closed equations that FlexGen's authors
// published, as a comparator.
//
// Left out: embeddings and the last product over the vocabulary, the runtime's
// own time per operation, memory capacities and the search for a policy, the
// page cache, contention for the host's memory between the CPU's attention and
// copies. Hidden states on disk move at the drive's rate; FlexGen's runtime
// cannot do that.
//
// Sources: Sheng et al., "FlexGen" (ICML 2023, arXiv 2303.06865), its
// repository at 19753bc0 for the order of operations and the constants; InstInfer
// (HPCA 2025, arXiv 2409.04992); Zhong et al., "XRP" (OSDI 2022), table 1, for the
// command.
package flexgen
