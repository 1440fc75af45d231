// Package nvme models an NVMe drive as its host sees it: queues, link,
// firmware, translation layer, flash.
//
// A request becomes commands of at most the drive's transfer size. A command
// rings the doorbell of its queue, and the drive fetches its entry over the
// link, up to a limit of commands at once; queues take turns, each with a burst. Firmware takes it up: a few cores,
// each busy for a fixed time with a command, then a pipeline that delays but
// does not limit. A read is cut at pages, each page is found by package ftl
// (with a mapping page read first when the map cache misses) and read by
// package flash; its data go to the host as they come, or all at once when the
// last is there. A write fetches its data, and is acknowledged when all its
// pages are programmed, or, with a write buffer, when they have entered that, which
// they do one by one while the buffer is not full; a page leaves the buffer when
// it is programmed. A completion entry crosses the
// link, and the host rings the completion doorbell. A write of part of a page
// that holds data reads it first.
//
// A trim sends a range, and its whole pages become unwritten. Behind a read that
// begins where the last of its queue ended, the drive may read on into its
// memory, from which later reads are served; a write drops what it overwrites.
//
// Collection, mapping writes and wear levelling by the translation layer share
// the flash with the host. A plane that has no room holds its writes up.
//
// A power cut ends all that is under way, and leaves the flash, and with
// power-loss protection the write buffer.
//
// Sources: NVM Express base specification (64-byte entries, 16-byte
// completions, doorbells); the stages are those of MQSim (FAST 2018), which
// has no firmware time, and NVMeVirt (FAST 2023), which has.
//
// Left out: weighted arbitration, PRP lists, interrupts, flush, power states,
// the time to come back from a power cut, pages that an interrupted program of
// the same word line spoils, overwrites that meet in the buffer, and reads
// that hit a page being programmed without a buffer, which go to its old place.
package nvme
