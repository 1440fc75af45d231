package timeline

import (
	"fmt"
	"io"
	"strconv"

	"hwsim/hierarchy"
	"hwsim/sim"
	"hwsim/workloads"
	"hwsim/workloads/graph"
)

// Processes and the GPU's threads; copy engines and counters count from 1.
const (
	gpuProcess     = 1
	copyProcess    = 2
	memoryProcess  = 3
	channelProcess = 4

	layerThread  = 1
	kernelThread = 2
)

// Write writes the timeline of r, which must have one. Equal results give equal
// bytes.
func Write(w io.Writer, r *workloads.Result) error {
	e := newEncoder(w, r)
	t := r.Timeline
	e.process(gpuProcess, "GPU")
	e.thread(gpuProcess, layerThread, "layers")
	e.thread(gpuProcess, kernelThread, "kernels")
	for _, s := range t.Spans {
		e.layer(&s)
	}
	for _, k := range t.Kernels {
		e.slice(kernelThread, "kernel", k.Class, k.Start, k.End, opArgs(t, k.Span, k.Bytes))
	}
	e.copies(t)
	e.counters(t)
	e.channels(t)
	if err := e.close(); err != nil {
		return fmt.Errorf("write timeline: %w", err)
	}
	return nil
}

// layer writes a span of the stream.
func (e *encoder) layer(s *graph.SpanEvent) {
	args := map[string]any{}
	if s.Weight != 1 {
		args["stands_for"] = s.Weight
	}
	if s.Leapt != 0 {
		args["leapt_us"] = micros(s.Leapt)
	}
	e.slice(layerThread, "layer", s.Name, s.Start, s.End, args)
}

// opArgs are those of a kernel or copy.
func opArgs(t *graph.Timeline, span int, bytes [hierarchy.NumTiers]uint64) map[string]any {
	args := map[string]any{"layer": t.Spans[span].Name}
	for tier, b := range bytes {
		if b > 0 {
			args[hierarchy.TierID(tier).String()+"_bytes"] = b
		}
	}
	return args
}

// copies writes the copies, each on its engine's track, and their flows.
func (e *encoder) copies(t *graph.Timeline) {
	threads := map[string]int{}
	for i := range t.Copies {
		c := &t.Copies[i]
		thread, known := threads[c.Engine]
		if !known {
			if len(threads) == 0 {
				e.process(copyProcess, "copy engines")
			}
			thread = len(threads) + 1
			threads[c.Engine] = thread
			e.thread(copyProcess, thread, c.Engine)
		}
		args := opArgs(t, c.Span, c.Bytes)
		if c.Queued > 0 {
			args["queued_us"] = micros(c.Queued)
		}
		e.put(&event{Phase: "X", Name: c.Class, Category: "copy", At: micros(c.Start), Length: micros(c.End - c.Start), Process: copyProcess, Thread: thread, Args: args})
	}
	flow := 0
	for i := range t.Kernels {
		for _, n := range t.Kernels[i].Copies {
			flow++
			e.flow(flow, &t.Copies[n], threads[t.Copies[n].Engine], &t.Kernels[i])
		}
	}
}

// flow writes an arrow from a copy to a kernel that waits for it. It begins 1 ns
// before the copy's end, as what begins at an end is not within.
func (e *encoder) flow(id int, c *graph.CopyEvent, thread int, k *graph.KernelEvent) {
	begin := max(c.Start, c.End-sim.Nanosecond)
	e.put(&event{Phase: "s", Name: c.Class, Category: "flow", At: micros(begin), Process: copyProcess, Thread: thread, ID: id})
	e.put(&event{Phase: "f", Name: c.Class, Category: "flow", At: micros(k.Start), Process: gpuProcess, Thread: kernelThread, ID: id, Bind: "e"})
}

// counters writes the rates and busy shares of the timeline's intervals, and
// zeros at its end.
func (e *encoder) counters(t *graph.Timeline) {
	if len(t.Tracks) == 0 {
		return
	}
	e.process(memoryProcess, "memories and links")
	for _, track := range t.Tracks {
		for i, at := range t.Edges {
			e.counter(&track, at, track.GBps[i], track.Busy[i])
		}
		e.counter(&track, t.End, 0, 0)
	}
}

// counter writes a track's values from a time on.
func (e *encoder) counter(t *graph.Track, at sim.Time, gbps, busy float64) {
	e.put(&event{Phase: "C", Name: t.Name + " GB/s", At: micros(at), Process: memoryProcess, Args: map[string]any{"GB/s": rounded(gbps)}})
	e.put(&event{Phase: "C", Name: t.Name + " busy %", At: micros(at), Process: memoryProcess, Args: map[string]any{"%": rounded(busy * 100)}})
}

// channels writes the busy shares of channels, where they change, and zeros at the
// timeline's end.
func (e *encoder) channels(t *graph.Timeline) {
	if len(t.Channels) == 0 {
		return
	}
	e.process(channelProcess, "channels of memories")
	for i := range t.Channels {
		name, before := channelName(&t.Channels[i]), -1.0
		for i, busy := range append(t.Channels[i].Busy, 0) {
			at, percent := t.End, rounded(busy*100)
			if i < len(t.ChannelEdges) {
				at = t.ChannelEdges[i]
			}
			if percent != before {
				e.put(&event{Phase: "C", Name: name, At: micros(at), Process: channelProcess, Args: map[string]any{"%": percent}})
			}
			before = percent
		}
	}
}

// channelName names a track, so that names sort as channels do.
func channelName(c *graph.ChannelTrack) string {
	if c.First == c.Last {
		return fmt.Sprintf("%s %03d busy %%", c.Tier, c.First)
	}
	return fmt.Sprintf("%s %03d to %03d busy %%", c.Tier, c.First, c.Last)
}

// rounded keeps three digits behind the point.
func rounded(v float64) float64 {
	r, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'f', 3, 64), 64)
	return r
}
