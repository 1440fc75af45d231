// Package kv describes methods that forget, encode, share, place or retrieve
// parts of the KV cache as compositions of primitives, and counts what each
// keeps and moves.
//
// A policy is a TOML table. Its parts are independent: Select says which tokens
// a head keeps and which of them it attends to, Combine what becomes of the
// others, Encode and Basis how many bytes a token takes, Share what layers have
// in common, Place in which memory it lies, Move when it crosses a link and how
// much of it need not, Execute where attention runs. Whatever else a method
// keeps (landmarks, codes, scores, time stamps) is an Object, with a size, a
// place, and reads and writes of its own, so that no metadata is free.
//
// Layer returns what one layer of one sequence keeps, and its flows in a step:
// bytes read and written, by object, stage and memory, with the FLOP of each
// stage. A flow over a link is tokens x bytes a token x misses. What belongs to
// the model (an operator, a codebook, a scoring head) is Common: the same bytes
// for all sequences of a batch.
//
// An Engine is the framework: one that joins the cache anew for every token, or
// writes it out once for every query head, moves those bytes too.
//
// Left out: what a method does in the prefill; how kernels order their accesses;
// how kept chunks are moved together in HBM; a protocol's rounds.
//
// What depends on data (which tokens matter, how often the last choice serves
// again) is a named number of the policy, not simulated.
//
// Sources: the papers that the presets of configs/policies name.
package kv
