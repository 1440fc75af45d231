// Package sim is the engine of a discrete-event simulation of hardware. It
// knows no device and imports nothing of ours.
//
// A machine is a set of domains, each with its own state and [Queue] of
// events, which an [Engine] advances together in windows. A window is as long
// as the least latency between two domains, so inside it they cannot disturb
// each other and may run in parallel; what they send each other is delivered
// when it ends. Events are values and are ordered by (time, phase) and then
// first in, first out; messages of one window by (time, phase, source,
// sequence). Results are therefore the same to the last bit for every number
// of workers.
//
// Beside it: integer [Time] in picoseconds and rational [Clock]; [Histogram],
// [TimeWeighted] and [Batches] for measurement; [Rand] for seeded streams that
// do not disturb each other; [Recorder] for timelines.
//
// Left out: clocks finer than a picosecond (an edge is rounded down, but the
// error never accumulates), cancelling an event (its domain ignores it when it
// comes), messages faster than the lookahead (what is that close belongs in
// one domain), and wall time.
//
// Built with the tag invariants, the package also checks that every message
// is due after its window and every event at a possible time.
package sim
