// Package nvme models an NVMe drive as its host sees it: queues, link,
// firmware, translation layer, flash.
//
// A request becomes commands of at most the drive's transfer size. A command
// rings the submission doorbell, and the drive fetches its entry over the
// link, up to a limit of commands at once. Firmware takes it up: a few cores,
// each busy for a fixed time with a command, then a pipeline that delays but
// does not limit. A read is cut at pages, each page is found by package ftl
// (with a mapping page read first when the map cache misses) and read by
// package flash; its data go to the host as they come, or all at once when the
// last is there. A write fetches its data, and is acknowledged when all its
// pages are programmed, or, with a write buffer, when it has entered that, which
// it does while the buffer is not full; a page leaves the buffer when it is programmed. A completion entry crosses the
// link, and the host rings the completion doorbell. A write of part of a page
// that holds data reads it first.
//
// Collection by the translation layer shares the flash with the host. A plane
// that has no room holds its writes up.
//
// Sources: NVM Express base specification (64-byte entries, 16-byte
// completions, doorbells); the stages are those of MQSim (FAST 2018), which
// has no firmware time, and NVMeVirt (FAST 2023), which has.
//
// Left out: several queue pairs and their arbitration, PRP lists, interrupts,
// flush, trim, power states, overwrites that meet in the buffer, and reads
// that hit a page being programmed without a buffer, which go to its old place.
package nvme
