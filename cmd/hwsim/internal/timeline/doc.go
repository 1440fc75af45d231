// Package timeline writes the timeline of a decode step in the trace-event
// format, JSON object form, for ui.perfetto.dev or chrome://tracing.
//
// Complete events (X) are layers, kernels and copies, each copy engine a track;
// counters (C) are the rates and the busy share of memory tiers and links, each
// value that of the interval which begins there; flows (s, f) lead from the end
// of a copy to the start of the kernels that wait for it. The first process is
// the GPU, the second its copy engines, the third memories and links.
//
// Times are µs with six digits: picoseconds. Perfetto keeps nanoseconds of them.
// Only simulated layers are shown, one behind the other; the argument stands_for
// says of how many layers they are the like, leapt_us how much of a layer's time
// was leapt over at the rates found before.
//
// Left out: single requests, single channels (a tier's busy share is the mean
// over its data buses), CTAs, what the host does.
//
// Source of the format: Trace Event Format, the Chromium project's document.
package timeline
