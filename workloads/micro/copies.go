package micro

import (
	"context"
	"fmt"

	"hwsim/devices/dma"
	"hwsim/devices/gpu"
	"hwsim/hierarchy"
	"hwsim/sim"
)

// copyJob is a row of equal copies that one engine does in turn.
type copyJob struct {
	remote  hierarchy.TierID
	out     bool
	engine  int
	scatter uint64 // above 0: the remote ends lie at random among so many places
}

// copyJobs returns what runs side by side for a kind of benchmark.
func copyJobs(c *hierarchy.Config, kind string) ([]copyJob, error) {
	in, out := copyJob{remote: hierarchy.DDR}, copyJob{remote: hierarchy.DDR, out: true}
	if kind == "peer" {
		if c.Peer == nil {
			return nil, fmt.Errorf("copies from a peer: this system has none")
		}
		return []copyJob{{remote: hierarchy.PeerHBM}}, nil
	}
	if c.Host == nil || c.Host.DDR == nil {
		return nil, fmt.Errorf("copies of kind %q: this system has no host memory", kind)
	}
	switch kind {
	case "h2d":
		return []copyJob{in}, nil
	case "d2h":
		return []copyJob{out}, nil
	case "both":
		out.engine = 1 % c.Host.DMA.Engines
		return []copyJob{in, out}, nil
	}
	return nil, fmt.Errorf("copies of kind %q: must be h2d, d2h, both or peer", kind)
}

// copyTime returns the ns of count copies of each job, the last of them seen
// by the host.
func copyTime(ctx context.Context, c *hierarchy.Config, jobs []copyJob, bytes uint64, count int) (float64, error) {
	time, err := steady(bytes, func(bytes uint64) (float64, error) { return copiesTime(ctx, c, jobs, bytes, count) })
	return time + submission(c), err
}

// submission returns the ns that a program takes to submit copies and to see
// their end.
func submission(c *hierarchy.Config) float64 {
	if c.Host == nil {
		return 0
	}
	return c.Host.SubmitNs
}

// steady returns the ns of copies of that many bytes: beyond what an engine
// has in flight, a longer one takes longer at the rate of its middle.
func steady(bytes uint64, time func(bytes uint64) (float64, error)) (float64, error) {
	const short, long = 1 << 20, 2 << 20
	if bytes <= long {
		return time(bytes)
	}
	first, err := time(short)
	if err != nil {
		return 0, err
	}
	second, err := time(long)
	return second + (second-first)/(long-short)*float64(bytes-long), err
}

// copiesTime simulates a few of the copies, submitted by one host thread for
// all jobs in turn; when they have settled, one takes as long as another.
func copiesTime(ctx context.Context, c *hierarchy.Config, jobs []copyJob, bytes uint64, count int) (float64, error) {
	m, err := build(ctx, c)
	if err != nil {
		return 0, err
	}
	few, call := min(count, 16), sim.Time(0)
	if c.Host != nil {
		call = sim.FromNanoseconds(c.Host.CallNs)
	}
	ops := make([][]int, len(jobs))
	at := m.Engine.Now()
	for n := range few {
		for k, j := range jobs {
			ops[k] = append(ops[k], m.copy(at, j, bytes, n))
			at += call
		}
	}
	front := m.GPU.Front
	if err := m.run(func(sim.Time) bool { return front.Ended() == few*len(jobs) }); err != nil {
		return 0, err
	}
	longest := 0.0
	for _, ids := range ops {
		first, last := front.Op(ids[0]), front.Op(ids[few-1])
		time := (last.End - first.Start).Nanoseconds()
		if rest := count - few; rest > 0 {
			time += (last.End - front.Op(ids[few/2]).End).Nanoseconds() / float64(few-1-few/2) * float64(rest)
		}
		longest = max(longest, time)
	}
	return longest, nil
}

// copy submits a job's n-th copy and returns its op.
func (m *machine) copy(at sim.Time, j copyJob, bytes uint64, n int) (op int) {
	return m.submit(at, j, &dma.Copy{Segments: []dma.Segment{j.segment(bytes, n)}})
}

// submit gives a copy to the job's engine.
func (m *machine) submit(at sim.Time, j copyJob, c *dma.Copy) (op int) {
	c.Engine, c.Out, c.Flow = j.engine, j.out, flowB
	m.Copies = append(m.Copies, c)
	return m.GPU.Front.Add(at, gpu.Op{Unit: m.Port(j.remote), Work: uint32(len(m.Copies) - 1)})
}

// segment returns where the job's n-th copy goes.
func (j copyJob) segment(bytes uint64, n int) dma.Segment {
	at := uint64(n)
	if j.scatter > 0 {
		at = mix(at+1) % j.scatter
	}
	far, near := base(j.remote)+at*bytes, other+uint64(n)*bytes
	if j.out {
		return dma.Segment{Src: near, Dst: far, Bytes: bytes}
	}
	return dma.Segment{Src: far, Dst: near, Bytes: bytes}
}

// inlineTime returns the ns until the host sees the end of copies into an
// idle GPU whose bytes it put into the commands, hostNs each: the engine
// starts, and has them.
func inlineTime(c *hierarchy.Config, count int, hostNs float64) float64 {
	return submission(c) + c.GPU.GapNs + c.Host.DMA.CopyNs + float64(count)*hostNs
}

// inlined reports whether the host puts the bytes of such copies in, if the
// GPU is idle, into the commands.
func inlined(h *hierarchy.Host, bytes uint64) bool { return h.Inline != nil && bytes <= h.Inline.Bytes }

// batchTime returns the ns of one call that copies count pieces. The engine
// begins when the host has prepared all of them.
func batchTime(ctx context.Context, c *hierarchy.Config, j copyJob, bytes uint64, count int) (float64, error) {
	if inlined(c.Host, bytes) {
		return inlineTime(c, count, c.Host.EntryNs+c.Host.Inline.HostNs(bytes)), nil
	}
	time, err := steady(bytes, func(bytes uint64) (float64, error) {
		const few, more = 8, 24
		if count <= more {
			return batchOf(ctx, c, j, bytes, count)
		}
		first, err := batchOf(ctx, c, j, bytes, few)
		if err != nil {
			return 0, err
		}
		second, err := batchOf(ctx, c, j, bytes, more)
		return second + (second-first)/(more-few)*float64(count-more), err
	})
	return submission(c) + c.Host.EntryNs*float64(count) + time, err
}

// batchOf simulates a batch.
func batchOf(ctx context.Context, c *hierarchy.Config, j copyJob, bytes uint64, count int) (float64, error) {
	m, err := build(ctx, c)
	if err != nil {
		return 0, err
	}
	b := &dma.Copy{Batch: true}
	for n := range count {
		b.Segments = append(b.Segments, j.segment(bytes, n))
	}
	op := m.GPU.Front.Op(m.submit(m.Engine.Now(), j, b))
	err = m.run(func(sim.Time) bool { return op.End != sim.Never })
	return (op.End - op.Start).Nanoseconds(), err
}
