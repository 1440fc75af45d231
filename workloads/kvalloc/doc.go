// Package kvalloc gives the KV caches of requests physical memory of one GPU,
// as serving engines do, and runs a serving loop over it: how many requests
// fit, how much of what they hold is unused, and how long an iteration waits
// for memory to be mapped.
//
// Three allocators differ in their unit and in when a request holds it:
//
//   - paged (vLLM, SOSP 2023): blocks of a few tokens of all layers, found
//     through a block table of 4 bytes an entry. The pool is mapped at start,
//     so a block costs no call.
//   - virtual (vAttention, ASPLOS 2025, arXiv 2405.04437): each layer's keys
//     and its values are a buffer that is contiguous in virtual memory, with a
//     stretch for each slot of the batch. Page groups of physical memory are
//     mapped when a request grows into them, in all buffers together, a call
//     each. A slot whose request has ended can keep its groups for the next
//     one; they are unmapped when memory is short.
//   - contiguous: the longest request's memory for every request.
//
// An iteration prefills the prompts of requests that have just been admitted,
// or else decodes a token of each request, as vLLM 0.2.7 schedules, under
// vAttention too. It takes what its bytes take from memory or its products
// take on tensor cores, whichever is more. What is not mapped when it begins
// is mapped while it waits. With overlap the groups that the next token needs
// are mapped while an iteration runs, and only what exceeds its time stalls
// the next. When memory is short the request that came last is preempted: its
// memory is freed and its tokens are computed again.
//
// Left out: the time of unmapping, of block tables on the host;
// swapping; prefix sharing; tensor slicing, vAttention's
// layout without small groups; what a group's size costs the GPU's TLBs
// (package hierarchy's MMU has that).
//
// Sources: the papers; microsoft/vattention@00b5ddc (vattention.cu, utils.h)
// for the order in which slots are given out and reclaimed, @1090b11
// (model_runner.py) for the memory that is left for the cache.
package kvalloc
