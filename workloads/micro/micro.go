package micro

import (
	"context"
	"fmt"

	"hwsim/hierarchy"
)

// ChaseOptions describe a dependent pointer chase by one thread.
type ChaseOptions struct {
	Tier   hierarchy.TierID
	Range  uint64
	Nodes  int
	Stride uint64 // 0: one line at random within each of Nodes equal strata of Range, in random order; else one at a random place of every Stride bytes
	L1     bool   // through the L1
}

// Chase returns the time of one access in ns.
func Chase(ctx context.Context, c *hierarchy.Config, o ChaseOptions) (ns float64, err error) {
	if o.Nodes < 1 || o.Range < uint64(o.Nodes)*line {
		return 0, fmt.Errorf("chase of %d nodes in %d bytes: a node takes a line of %d", o.Nodes, o.Range, line)
	}
	if o.L1 && c.GPU.L1Bytes == 0 {
		return 0, fmt.Errorf("chase through the L1: gpu.l1_bytes is not set")
	}
	m, err := build(ctx, c)
	if err != nil {
		return 0, err
	}
	if err := m.use(o.Tier, o.Range); err != nil {
		return 0, err
	}
	p := newChase(base(o.Tier), o)
	if uint64(o.Nodes)*line <= 2*c.L2.Bytes {
		m.visit(p.nodes, m.GPU.Partition(0))
	}
	warm, accesses := 500, 8000
	if o.L1 { // a kernel begins with an empty L1: all that the measured one does counts
		warm, accesses = 1, 20_000
	}
	p.translate(m, o.Tier, warm+accesses/2)
	m.launch(p.kernel(c, o.L1))
	span, err := m.span(flowA, warm, warm+accesses)
	return span.Nanoseconds() / float64(accesses), err
}

// StreamOptions describe a streaming kernel, 16 B a lane.
type StreamOptions struct {
	Tier            hierarchy.TierID
	Range           uint64
	Blocks, Threads int
	WritesOf4       int  // of four accesses so many are writes, to another buffer
	Reread          bool // passes over Range with a grid barrier after each
}

// Stream returns the bytes that the kernel moves a second, in GB/s.
func Stream(ctx context.Context, c *hierarchy.Config, o StreamOptions) (gbps float64, err error) {
	if err := o.validate(); err != nil {
		return 0, err
	}
	if o.Reread {
		return reread(ctx, c, o)
	}
	return streamRate(ctx, c, o)
}

func (o *StreamOptions) validate() error {
	if o.WritesOf4 < 0 || o.WritesOf4 > 4 {
		return fmt.Errorf("%d writes of 4 accesses", o.WritesOf4)
	}
	if o.Range < 16 {
		return fmt.Errorf("stream of %d bytes", o.Range)
	}
	return grid(o.Blocks, o.Threads)
}

// grid checks a launch.
func grid(blocks, threads int) error {
	if blocks < 1 || threads < warpLanes || threads > 1024 || threads%warpLanes != 0 {
		return fmt.Errorf("%d blocks of %d threads: blocks must be positive and threads whole warps up to 1024", blocks, threads)
	}
	return nil
}

// GatherOptions describe a kernel that reads random chunks.
type GatherOptions struct {
	Tier            hierarchy.TierID
	Chunk, Range    uint64 // powers of two; a chunk is at least 32 B
	Blocks, Threads int
	Strided         uint64 // above 0: 512 B a warp every so many bytes instead
}

// Gather returns the bytes that the kernel reads a second, in GB/s.
func Gather(ctx context.Context, c *hierarchy.Config, o GatherOptions) (gbps float64, err error) {
	if err := o.validate(); err != nil {
		return 0, err
	}
	m, err := build(ctx, c)
	if err != nil {
		return 0, err
	}
	if o.Strided > 0 {
		m.launch(newStrided(o).kernel(c))
		return m.rate(m.flow(flowA))
	}
	p := newGather(o)
	p.warm(m)
	for n := range mixed {
		m.Translated(p.place(-1, n), o.Chunk)
	}
	m.launch(p.kernel(c))
	warm := warmUp
	if c.MMU != nil && o.Range > c.MMU.Reach(o.Tier) {
		warm = warmWalks
	}
	v, err := m.meters(warm, leastTime, m.flow(flowA)).measure()
	if err != nil {
		return 0, err
	}
	return v[0], nil
}

func (o *GatherOptions) validate() error {
	unit := o.Chunk
	if o.Strided > 0 {
		unit = o.Strided
	}
	if unit < 32 || unit&(unit-1) != 0 || o.Range < unit || o.Range&(o.Range-1) != 0 {
		return fmt.Errorf("gather of %d B in %d B: both must be powers of two, and at least 32", unit, o.Range)
	}
	return grid(o.Blocks, o.Threads)
}

// LoadedOptions describe a lone chase beside SMs that stream with pauses.
type LoadedOptions struct {
	WritesOf4, SMs, Threads int
	PauseCycles             int // between groups of four accesses of a thread
}

// Loaded returns the chase's latency in ns and what the others move in GB/s.
func Loaded(ctx context.Context, c *hierarchy.Config, o LoadedOptions) (latencyNs, streamGBps float64, err error) {
	if o.WritesOf4 < 0 || o.WritesOf4 > 4 || o.SMs < 0 || o.SMs >= c.GPU.SMs || o.PauseCycles < 0 {
		return 0, 0, fmt.Errorf("loaded by %d SMs, %d writes of 4, pause %d: no such load", o.SMs, o.WritesOf4, o.PauseCycles)
	}
	if err := grid(1, o.Threads); err != nil {
		return 0, 0, err
	}
	m, err := build(ctx, c)
	if err != nil {
		return 0, 0, err
	}
	p := newLoaded(c, o)
	p.stream.warm(m)
	m.launch(p.kernel(c))
	chases := func() float64 { return float64(m.GPU.Tiles(flowB)) }
	v, err := m.meters(max(warmUp, 2*p.period), max(leastTime, 4*p.period), m.flow(flowA), chases).measure()
	if err != nil {
		return 0, 0, err
	}
	return chasers / v[1], v[0], nil // chases end at v[1] a ns
}

// CopyOptions describe copies between tiers by the copy engines.
type CopyOptions struct {
	Kind  string // h2d, d2h, both, peer
	Bytes uint64 // of a copy
	Count int    // one after the other, in each direction
	Sync  bool   // each waited for by the host before it submits the next
}

// Copies returns the bytes copied a second, in GB/s, both directions together.
func Copies(ctx context.Context, c *hierarchy.Config, o CopyOptions) (gbps float64, err error) {
	if o.Bytes == 0 || o.Count < 1 {
		return 0, fmt.Errorf("%d copies of %d bytes", o.Count, o.Bytes)
	}
	jobs, err := copyJobs(c, o.Kind)
	if err != nil {
		return 0, err
	}
	time, err := o.time(ctx, c, jobs)
	if err != nil {
		return 0, err
	}
	return float64(o.Bytes) * float64(o.Count*len(jobs)) / time, nil
}

// time returns the ns of all copies.
func (o *CopyOptions) time(ctx context.Context, c *hierarchy.Config, jobs []copyJob) (float64, error) {
	if !o.Sync {
		return copyTime(ctx, c, jobs, o.Bytes, o.Count)
	}
	if o.Kind == "h2d" && inlined(c.Host, o.Bytes) {
		return float64(o.Count) * inlineTime(c, 1, c.Host.Inline.HostNs(o.Bytes)), nil
	}
	one, err := copyTime(ctx, c, jobs, o.Bytes, 1)
	return float64(o.Count) * one, err
}

// PageOptions describe how pages scattered in host memory are brought in.
type PageOptions struct {
	Method          string // dma_each, dma_batch, sm_kernel
	Bytes, Range    uint64 // of a page; of the memory they are scattered over
	Count           int    // pages
	Blocks, Threads int    // of sm_kernel
}

// Pages returns the bytes brought in a second, in GB/s.
func Pages(ctx context.Context, c *hierarchy.Config, o PageOptions) (gbps float64, err error) {
	if o.Bytes < 512 || o.Bytes%512 != 0 || o.Count < 1 || o.Range < o.Bytes {
		return 0, fmt.Errorf("%d pages of %d B in %d B", o.Count, o.Bytes, o.Range)
	}
	switch o.Method {
	case "dma_each", "dma_batch":
		jobs, err := copyJobs(c, "h2d")
		if err != nil {
			return 0, err
		}
		jobs[0].scatter = o.Range / o.Bytes
		time := 0.0
		if o.Method == "dma_batch" {
			time, err = batchTime(ctx, c, jobs[0], o.Bytes, o.Count)
		} else {
			time, err = copyTime(ctx, c, jobs, o.Bytes, o.Count)
		}
		return float64(o.Bytes) * float64(o.Count) / time, err
	case "sm_kernel":
		if err := grid(o.Blocks, o.Threads); err != nil {
			return 0, err
		}
		m, err := build(ctx, c)
		if err != nil {
			return 0, err
		}
		p := newPages(o)
		for n := range o.Count {
			m.Translated(p.source(uint64(n)), o.Bytes)
		}
		m.launch(p.kernel(c))
		all, err := m.rate(m.flow(flowA))
		return all * float64(o.Bytes) / float64(2*o.Bytes+indexBytes), err // each byte is read and written
	}
	return 0, fmt.Errorf("pages by %q: must be dma_each, dma_batch or sm_kernel", o.Method)
}

// base returns where a benchmark's buffer lies in a tier, and other is the
// second buffer's distance from it.
func base(t hierarchy.TierID) uint64 { return uint64(t) << tierShift }

const other = 32 << 30
