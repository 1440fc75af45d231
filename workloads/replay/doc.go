// Package replay drives one DRAM channel, or a device of many, with a stream of
// requests, generated or recorded, and reports bandwidth, read latency and what
// the rows did.
//
// Patterns, paces and settings are those of the runs of public simulators in
// reference/dram, so that figures compare one to one: see Generate, Pace and
// Device. One convention differs: there a request's first command issues the
// tick after its arrival, here at once, so that a latency is a tick less.
//
// # Devices
//
// An Array spreads the addresses of a device over its channels by
// devices.Interleave. A request is cut into pieces where granules end, and each
// piece is a request of its channel: latency is a piece's. A load is a
// percentage of all channels' peak rate, so that a piece is due when the bursts
// before it in the whole stream would have taken it; a depth is a channel's.
// Every channel has a driver of its own, and none waits for another. One
// goroutine cuts the stream while others run the channels on what was cut
// before: on many processors the cutting, about 15 ns a piece, is the limit.
//
// Try runs a stream with each of several address maps.
//
// # Traces
//
// Read takes four text forms and tells them apart by the first line that is
// neither blank nor a comment (#):
//
//	ns,addr,bytes,op            this header, then its own CSV: 12.5,0x1f40,64,R
//	R 0x1f40                    Ramulator: R or LD, W or ST
//	0x1f40 R                    Ramulator 1: R or W
//	0x1f40 READ 120             DRAMsim3: READ or WRITE, in cycle 120 of CK
//
// ns is when the request is due, in ns from the start, op is R or W, and an
// address is a byte address within the channel or device, in hex after 0x,
// otherwise decimal (DRAMsim3: always hex). Where there is no size a request is
// one burst. Requests enter in the file's order. An address beyond the capacity
// wraps around.
//
// A Recorder writes the first form: what reached a channel of a machine, within a
// window, from the window's beginning. In a sampled run that is simulated time:
// what the run leaps over makes no requests. Replayed on a channel of the same
// settings a record asks for the same bytes at about the same times: replay sends
// at most a request a tick, and none before there is room for it, so that what a
// request waited outside of the channel's queues is not in its latency.
//
// # Left out
//
// Waiting of posted writes is not reported; a run ends with its last read.
// Refreshes in a long idle time are counted, but the channel does not hand
// them to its Trace.
package replay
