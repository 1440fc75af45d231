// Package tlb holds the parts that translate addresses: a set-associative
// array of translations with the least recently used entry replaced, and a
// unit that puts walkers behind one.
//
// An entry covers a stretch of memory, which can be several pages: those that
// one read of the page table brings. Arrays hold stretches of several sizes
// and of several address spaces side by side, by their Key.
//
// A unit looks requests up in their order. A miss takes a walker; one to a
// stretch that is being walked for waits for that walk. While a miss finds no
// walker, it and all behind it wait: the misses that hardware can note are as
// many as its walkers, and the pipeline before them does not let requests
// pass. Walks under way are thus the only limit to the rate of misses: at most
// walkers / latency.
//
// A walk takes a fixed time here. Left out: the page table's own reads and
// the caches they go through, faults, invalidation, prefetching of
// translations, and the pipeline's own rate.
//
// Sources: LRU TLBs and misses under a miss as in Pichai, Hilton and
// Bhattacharjee, "Architectural support for address translation on GPUs"
// (ASPLOS 2014), and Power, Hill and Wood, "Supporting x86-64 address
// translation for 100s of GPU lanes" (HPCA 2014), who add the pool of walkers
// behind a shared TLB; entries of 16 sub-entries on NVIDIA GPUs: STAR
// (arXiv 2404.18361).
package tlb
