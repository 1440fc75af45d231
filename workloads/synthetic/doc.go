// Package synthetic makes the memory accesses of a core's instruction streams,
// for the evaluation of address translation: microbenchmarks, a stream described
// by its visits of pages, the kernels of GraphBIG on an R-MAT graph, XSBench,
// GUPS, DLRM, k-mer counting, and the gather of a paged KV cache.
//
// Modelled: the virtual address, direction and order of every access to a
// program's large arrays, a page that stands for its own small data, the mean
// number of instructions between accesses, and which address is the data of
// which access before it. All of it lies in one range from Base on, in regions
// that begin at multiples of 2 MiB. A stream is a function of its configuration
// and seed, and goes on for ever: what comes to an end begins again.
//
// Large structures are implicit. A permutation of pages, lines or vertices is a
// bijection and has no table; an edge of a graph is a hash of its vertex and its
// place, and only every 16th vertex has an entry in the index of edges. A
// traversal also holds a bit for every vertex and 4 bytes for every one reached: at
// the default scale of 24 about 35 MB (a third of the vertices is reached), 75 MB
// where all are (cc).
//
// Left out: fetches of instructions; branches, but for mispredicted ones on a
// neighbour's data in the graph kernels; the accesses of a wrong path;
// the program's start, which builds its structures, and the clearing of marks
// between searches; more than one thread.
//
// # Graphs
//
// A vertex is an object, as GraphBIG's. Objects lie in the order of ids, those of 16
// vertices and then their edges, also in order, as they do after a load of edges
// that are sorted by their source. An edge makes an access to its own object, one to
// the neighbour's place in an index of pointers, and some to the neighbour's object:
// each address is the data of the access before. Ids are permuted, so that the
// popular vertices lie anywhere. Edges lead one way and may be double, as the
// recursive matrix draws them.
//
//	bfs   breadth-first searches from random roots, through a queue
//	sssp  Dijkstra with all weights 1, GraphBIG's, through a heap
//	cc    a breadth-first search from each vertex not yet reached
//	bc    a breadth-first search, then back through its vertices, last first
//	pr    rounds over all vertices that push ranks, look at changes, put ranks aside
//	gc    greedy colouring in the order of ids, with an array of 64 marks
//	tc    merges of both ends' sorted neighbours for each edge to a higher id
//
// # Sources
//
// Shapes and parameters: Kanellopoulos et al., "Victima" (MICRO 2023), a public
// re-run of its artifact for BFS and CC and another for XSBench
// (reference/tlb), and the analysis of these in facts/translation.md; each
// default says which, or that it is chosen. Kernels: Nai et al., "GraphBIG" (SC
// 2015), and its code's order of accesses; XSBench: Tramm et al. (PHYSOR 2014).
// Gaps: see the table of kinds.
package synthetic
