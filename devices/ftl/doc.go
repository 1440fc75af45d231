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
// mapping page, which the caller issues. With mapping writes, an entry that has
// changed and leaves the cache has its mapping page read and programmed, with
// all of its entries that have changed by then; an entry that changes outside the
// cache, as those of collected pages do, has that too. Mapping pages are logical
// pages behind the host's: they are placed, collected and recovered likewise.
//
// Of several writes of a page that with the newest version counts, in whatever
// order they come: the caller takes versions when it accepts writes. A trim
// takes one too, and is logged.
//
// Static wear levelling: after an erase, the least worn block of the plane that
// holds data is moved into the most worn free one, if the erases of the plane's
// blocks are spread beyond a threshold.
//
// Sources: page-level mapping and its cache after Gupta, Kim and Urgaonkar
// (DFTL, ASPLOS 2009), with its mapping pages and their batched updates; orders of allocation after Tavakkol et al. (PERFORM,
// ACM TACO 2016); collection as in MQSim (FAST 2018); static wear levelling after Chang
// (SAC 2007), by blocks of a plane.
//
// Left out: mapping units smaller than a page (a smaller write programs a
// whole page; for a drive that maps slices of pages, take the slices as planes
// of a superblock), bad blocks, streams, the time that recovery takes, and
// mapping pages as its source.
package ftl
