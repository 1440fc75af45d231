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

// copyTime returns the ns that count copies take. After the first, one takes
// as long as another; and beyond what an engine has in flight, a longer one
// takes longer at the rate of its middle.
func copyTime(ctx context.Context, c *hierarchy.Config, jobs []copyJob, bytes uint64, count int) (float64, error) {
	const short, long = 1 << 20, 2 << 20
	if bytes <= long {
		return copiesTime(ctx, c, jobs, bytes, count)
	}
	first, err := copiesTime(ctx, c, jobs, short, count)
	if err != nil {
		return 0, err
	}
	second, err := copiesTime(ctx, c, jobs, long, count)
	return second + (second-first)/(long-short)*float64(bytes-long), err
}

// copiesTime simulates a few of the copies.
func copiesTime(ctx context.Context, c *hierarchy.Config, jobs []copyJob, bytes uint64, count int) (float64, error) {
	m, err := build(ctx, c)
	if err != nil {
		return 0, err
	}
	few := min(count, 6)
	var ops [][]int
	for _, j := range jobs {
		ops = append(ops, m.copies(j, bytes, few))
	}
	front := m.GPU.Front
	if err := m.run(func(sim.Time) bool { return front.Ended() == few*len(jobs) }); err != nil {
		return 0, err
	}
	longest := 0.0
	for _, ids := range ops {
		first, last := front.Op(ids[0]), front.Op(ids[few-1])
		time := (first.End - first.Start).Nanoseconds()
		if few > 1 {
			time += (last.End - first.End).Nanoseconds() / float64(few-1) * float64(count-1)
		}
		longest = max(longest, time)
	}
	return longest, nil
}

// copies queues copies at the job's engine and returns their ops.
func (m *machine) copies(j copyJob, bytes uint64, count int) (ops []int) {
	for n := range uint64(count) {
		at := n
		if j.scatter > 0 {
			at = mix(n+1) % j.scatter
		}
		far, near := base(j.remote)+at*bytes, other+n*bytes
		s := dma.Segment{Src: far, Dst: near, Bytes: bytes}
		if j.out {
			s = dma.Segment{Src: near, Dst: far, Bytes: bytes}
		}
		m.Copies = append(m.Copies, &dma.Copy{Segments: []dma.Segment{s}, Engine: j.engine, Out: j.out, Flow: flowB})
		op := gpu.Op{Unit: m.Port(j.remote), Work: uint32(len(m.Copies) - 1)}
		ops = append(ops, m.GPU.Front.Add(m.Engine.Now(), op))
	}
	return ops
}
