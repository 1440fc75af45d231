// Package hostio models the software path between a drive and a tensor: the
// block layer, the page cache, copies into pinned buffers, the copy over the
// GPU's link, by copy threads.
//
// A path is a list of legs. A leg moves a whole transfer before the next leg
// begins: a thread reads a tensor into its pinned buffer, then copies the
// buffer to the GPU. A leg cuts a transfer into requests; each passes the leg's
// stages in their order, one request at a time, or overlapped: several at
// once, each stage holding one. A stage takes a time per request and one per
// byte. One that names a resource (the drive, the link) has one server for all
// threads, first come first served; the others are each thread's own. A path
// with one leg of overlapped stages is what peer-to-peer reads or writes do.
//
// Two facts about hosts bend the rates: a transfer that fits the last-level
// cache moves at another rate (Cached), and one of at least From bytes lies in
// fresh pages, each of which the kernel must zero and map.
//
// Path.Elapsed is a closed form, Path.Simulate the same path request by
// request. They agree to the picosecond for one transfer without other traffic.
// For several at once the closed form takes threads to enter each leg together;
// they do at first, and then spread: it is within 1 % on average.
//
// PageCache tells which bytes of files host memory still holds, by the rules of
// Linux's two lists of pages; Path.Held is the path of what it holds, without the
// stages marked of_drive. Read in a cycle, files larger than the cache are never
// hit, unless they have grown beyond it: then what was active stays.
//
// Left out: dirty pages written back behind a store, what reclaim costs, pages of
// one file in different places of a list, the referenced bits of mapped pages
// (a page read again is taken to be activated at once), the multi-generational
// lists of kernels since 6.1, the CPU time that copies cost others, and the
// drive's own queues (package flash and nvme have those; here a drive is a rate
// and a time per request).
//
// Sources: FlexGen's disk path as its paper and runtime state it (four copy
// threads with a pinned buffer each, in series inside a thread; Sheng et al.,
// ICML 2023); the page cache from Linux's mm/workingset.c and mm/vmscan.c (refault
// distance against the active list's size; inactive_ratio); the serial stages and their rates from the public logs of
// CHEOPS'25 (DOI 10.1145/3719330.3721230), see README.md.
package hostio
