// Package drive runs a closed loop of requests of one size on an NVMe drive:
// the load of a drive's data sheet and of fio, with one job and a fixed depth.
// It reports rates, latencies and what the flash did for them.
//
// So many requests as the depth says are sent at once, and one more whenever
// one completes, at the time of that. Addresses are multiples of the size, in
// order or anywhere on the whole drive, and the seed draws which requests are
// writes. Rates are over the time to the last completion. The counters of the
// flash are those of the drive when it is idle again, when a write buffer has
// been programmed too.
//
// A drive starts as erased flash, so that garbage collection, and with it write
// amplification, only begins after about a drive's size of writes; or it starts
// full. Writes of so many times the drive's size may go before the load: they
// are not counted, but wear the flash.
//
// Endurance is that of the flash at the load's own write amplification: bytes of
// the drive on sale and its over-provision, times the cycles of a block, over the
// bytes of the pages programmed for each byte written. It assumes even wear.
//
// Left out: several queues, trims, host processors that limit the rate (the
// drive's submit_ns and complete_ns delay only), open loops.
//
// Source: the definitions of fio's randread, randwrite, read, write and
// iodepth. Figures of drives that this load gives are compared with published
// ones by the tests of devices/nvme.
package drive
