package micro

import (
	"context"
	"fmt"

	"hwsim/devices"
	"hwsim/devices/cache"
	"hwsim/devices/gpu"
	"hwsim/hierarchy"
	"hwsim/sim"
)

// Launch returns the µs of a row of launch.csv:
//
//	graph_node            "N blocks": a kernel in a row of itself in a graph
//	graph_launch_to_end   "N small kernels": a graph of so many, from before the host's call to their end
//	launch_back_to_back   "nop": an empty kernel, from one of the host's calls to the next
//	launch_sync           "nop": an empty kernel, until the host sees its end
//
// The host's times need a host in the configuration.
func Launch(ctx context.Context, c *hierarchy.Config, test, param string) (us float64, err error) {
	n := 1
	if param != "nop" {
		if _, err := fmt.Sscanf(param, "%d", &n); err != nil || n < 1 {
			return 0, fmt.Errorf("launch %s of %q: no number", test, param)
		}
	}
	var host hierarchy.Host
	if c.Host != nil {
		host = *c.Host
	}
	switch test {
	case "graph_node":
		return nodeTime(ctx, c, small(c, n))
	case "graph_launch_to_end":
		us, err = graphTime(ctx, c, small(c, 1), n)
		return us + host.GraphNs/1e3, err
	case "launch_back_to_back":
		us, err = nodeTime(ctx, c, nop())
		return max(us, host.LaunchNs/1e3), err
	case "launch_sync":
		us, err = graphTime(ctx, c, nop(), 1)
		return us + (host.LaunchNs+host.SyncNs)/1e3, err
	}
	return 0, fmt.Errorf("no launch test %q", test)
}

// nodeTime returns the µs from a kernel's end to the next one's, in a row.
func nodeTime(ctx context.Context, c *hierarchy.Config, k gpu.Kernel) (float64, error) {
	const few, many = 2, 12
	first, err := graphTime(ctx, c, k, few)
	if err != nil {
		return 0, err
	}
	second, err := graphTime(ctx, c, k, many)
	return (second - first) / (many - few), err
}

// graphTime returns the µs of so many kernels one after the other, behind one
// that has just run.
func graphTime(ctx context.Context, c *hierarchy.Config, k gpu.Kernel, count int) (float64, error) {
	m, err := build(ctx, c)
	if err != nil {
		return 0, err
	}
	front := m.GPU.Front
	front.Add(0, gpu.Op{Kernel: &k})
	for n := range count {
		front.Add(0, gpu.Op{Kernel: &k, After: []int{n}})
	}
	if err := m.run(func(sim.Time) bool { return front.Ended() > count }); err != nil {
		return 0, err
	}
	return (front.Op(count).End - front.Op(0).End).Microseconds(), nil
}

// vector is a kernel each of whose blocks reads and then writes the same
// bytes.
type vector struct {
	addr  uint64
	bytes uint32
}

// small is micro.cu's oneFloat: 128 threads that add 1 to a float each. They
// go together: the block's four warps are taken as one.
func small(c *hierarchy.Config, blocks int) gpu.Kernel {
	const bytes = 128 * 4
	return gpu.Kernel{Name: "oneFloat", CTAs: blocks, Threads: 128, Stages: 1, Program: vector{astride(c, bytes), bytes}, Warps: &gpu.Warps{
		L1:   true,
		Of:   func(int) int { return 1 },
		Time: func(int, int) (chain, sm sim.Time) { return 1, 1 },
	}}
}

// astride returns where so many bytes lie in two slices, one in each partition
// if there are two. On an H200 512 B always lie in two, 256 B by turns
// (measured by pairs of lines that all SMs store to), and nodes of one block
// take 0.70 to 0.83 µs by where these are, 0.76 in the mean.
func astride(c *hierarchy.Config, bytes uint64) uint64 {
	w := cache.Wiring{Interleave: devices.Interleave{Granule: c.L2.GranuleBytes, Slices: uint64(c.HBM.Channels)}, Partitions: c.L2.Partitions}
	partition := func(addr uint64) int {
		slice, _ := w.Locate(addr)
		return w.Partition(slice)
	}
	for edge := w.Granule; edge < w.Granule*w.Slices; edge += w.Granule {
		if partition(edge-1) != partition(edge) {
			return edge - bytes/2
		}
	}
	return w.Granule - bytes/2
}

// nop is an empty kernel of one warp.
func nop() gpu.Kernel {
	return gpu.Kernel{Name: "nop", CTAs: 1, Threads: warpLanes, Stages: 1, Program: vector{}}
}

// Tiles implements gpu.Program.
func (v vector) Tiles(int) int { return min(int(v.bytes), 1) }

// Tile implements gpu.Program.
func (v vector) Tile(_, _ int, runs []gpu.Run) []gpu.Run { return append(runs, load(v.addr, v.bytes)) }

// Prologue implements gpu.Program.
func (vector) Prologue(_ int, runs []gpu.Run) []gpu.Run { return runs }

// Epilogue implements gpu.Program.
func (v vector) Epilogue(_ int, runs []gpu.Run) []gpu.Run {
	if v.bytes > 0 {
		runs = append(runs, load(v.addr, v.bytes))
	}
	return runs
}
