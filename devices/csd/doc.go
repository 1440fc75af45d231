// Package csd models a device that attends where the KV cache lies: a
// computational storage drive with an attention engine over its flash, or the
// same engine beside the DRAM of a memory device.
//
// # Layout
//
// On flash, keys and values lie by token: a page holds a group of consecutive
// tokens of one head, all its channels. Keys lie a second time by channel: a
// page holds a group of channels of many tokens. Groups are striped over the
// flash channels, then over their dies; the first channel moves on with the
// head, values begin half the channels further than keys, and pages of one
// channel group go on from channel to channel. What does not fill a page yet
// lies in the drive's DRAM, whose time is not counted. Cache only grows; whole
// blocks of a finished sequence are erased at the host's word, so nothing is
// ever moved (KV). In DRAM there is one copy, by token, read in pieces down to
// a burst.
//
// # Attention of one head
//
// Dense: all keys are read, then all values; scores are computed once the keys
// are in, while values arrive; the product with the values once these are in
// too. Both kernels share a head.
//
// Sparse (SparF): pieces of the channel-indexed keys that hold one of the r
// chosen channels are read; the first kernel computes approximate scores, argtopk
// takes the best k tokens; pieces of keys and values that hold one of these are
// read, and the second kernel computes exact scores and the product, with the
// mean of all values as one more row. Heads follow each other: some are under way
// in the approximate part, some in the exact part, as many as the buffers allow;
// so one head's reads fill the flash's gaps of another's. Every page passes the
// filter of its channel.
//
// Grouped queries share a head: what is read is read once, and chosen by the sums
// over the group; scores, softmax and products are each query's.
//
// Which tokens and channels are chosen is a seeded process: runs of
// geometric length, with gaps so long that the density is the ratio asked for.
// The mean run is fitted, see Sparsity.
//
// # How it runs
//
// Engine.Attend simulates heads until all are done, or until the mean time of a
// head is known as well as asked for, and then extrapolates. Pages go through
// package flash one by one (bursts through package dram), so imbalance over
// channels, tR and command phases come out by themselves.
//
// # Sources
//
// InstInfer (arXiv 2409.04992), published as InstAttention (HPCA 2025): layout,
// engine, filters, their measured rates. SparQ (Ribar et al., ICML 2024): the
// approximate scores; its code (graphcore-research): groups.
//
// # Left out
//
// Softmax at the published 15.1 MFLOPS: at one operation a score it would take
// longer than the whole published step; softmax and argtopk take scores at the
// engine's clock instead. Also the lookup in the two tables of pages, the drive's
// processor, reads of the tail in DRAM, programs that meet the reads of a
// decode step (two pages in a thousand), read retries unless the flash's
// configuration has them, read-ahead into dies while the buffers are full, energy.
package csd
