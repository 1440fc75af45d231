// Package timeline writes the timeline of a decode step in the trace-event
// format, JSON object form, for ui.perfetto.dev or chrome://tracing.
//
// Complete events (X) are layers, kernels and copies, each copy engine a track;
// counters (C) are the rates and the busy share of memory tiers and links, each
// value that of the interval which begins there; flows (s, f) lead from the end
// of a copy to the start of the kernels that wait for it. The first process is
// the GPU, the second its copy engines, the third memories and links, the fourth
// channels of the memories: each of a memory that has 32 at most, of others as many
// neighbours together as make 32 tracks, since a viewer shows a line for each; over
// longer intervals in long runs, so that they are 2 MB of the file at most.
//
// Times are µs with six digits: picoseconds. Perfetto keeps nanoseconds of them.
// Only simulated layers are shown, one behind the other; the argument stands_for
// says of how many layers they are the like, leapt_us how much of a layer's time
// was leapt over at the rates found before.
//
// A tier's busy share is the mean over its data buses. Those of channels are of the
// time that was simulated: of a leap, what was found before it.
//
// Left out: single requests, CTAs, what the host does.
//
// Source of the format: Trace Event Format, the Chromium project's document.
package timeline
