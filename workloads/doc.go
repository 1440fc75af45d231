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
// Under a KV policy (package kv) or a framework of its own traffic, attention is
// the policy's stages: scores are read, tokens chosen, fetched, keys and values
// computed, written out anew, attended to, and what the policy keeps beside them
// brought up to date. Kernels move what the policy counts, where it lies; [kv]
// places keys and values unless the policy does, all else lies in HBM unless the
// policy places it. Compare runs one workload under several policies.
//
// Many steps are put together of Windows instead of being simulated whole: parts
// that hardly feel each other, each a simulation of its own that steps share.
//
// Left out under policies: heads of a layer are all the mean of its heads;
// chunks that are chosen together lie in their order, whichever they are, and
// the tokens that a head has chosen for the rebuilding lie side by side; kernels
// run one after the other, and a fetch beside a rebuilding is one grid of both;
// the time of a host that attends is package hostattn's, its memory not part of
// the run; the new token is stored as keys and values in HBM, whatever becomes
// of it later; directions that layers share are read once by each of them.
//
// Left out: prefill, sampling of tokens on the GPU, host-side scheduling, and
// moving filled KV pages out to far tiers (new tokens stay in HBM).
package workloads
