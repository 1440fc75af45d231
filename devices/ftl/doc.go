// Package ftl is the flash translation layer of a drive: which physical page
// holds a logical one, where the next is written, and how room is regained. It
// knows no time: it hands out commands for the flash and is told of their end.
//
// A logical page belongs to a plane, by the order in which consecutive pages
// go over channels, ways, dies and planes ("CWDP": channels fastest). A plane
// writes the host's pages to one open block and those that garbage collection
// moves to another; a new block is the least worn of the free ones. When fewer
// blocks than a threshold are free, a plane collects one block after another:
// that with the fewest valid pages (greedy), or the best of some drawn at
// random (random greedy). Its valid pages are read, written anew, and the
// block is erased. The host's writes of a plane wait while no more blocks are
// free than are reserved for collection.
//
// With superblocks the planes of a die act as one: their blocks of equal number
// are one block, whose pages go to the planes in turn, so that the programs of
// consecutive pages, the host's and collection's, can go together.
//
// Every page carries, out of band, its logical page and a version, which grows
// with each write of the host. A logical page moves to its new place when that
// is programmed, not before, so at every instant the flash holds what was
// acknowledged last; Recover rebuilds the map from the pages' own records. A
// page that is moved keeps its version: it does not hide a newer write that is
// under way.
//
// The map cache holds entries of the map in memory. A miss costs the read of a
// mapping page, which the caller issues.
//
// Sources: page-level mapping and its cache after Gupta, Kim and Urgaonkar
// (DFTL, ASPLOS 2009); orders of allocation after Tavakkol et al. (PERFORM,
// ACM TACO 2016); collection as in MQSim (FAST 2018).
//
// Left out: mapping units smaller than a page (a smaller write programs a
// whole page; for a drive that maps slices of pages, take the slices as planes
// of a superblock), writes of the mapping pages, static wear levelling, bad blocks,
// trim, streams, the time that recovery takes.
package ftl
