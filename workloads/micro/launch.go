package micro

import (
	"context"
	"fmt"

	"hwsim/devices/gpu"
	"hwsim/hierarchy"
	"hwsim/sim"
)

// Launch returns the µs of a row of launch.csv, as far as the GPU takes them:
// the host's time to submit work and to see its end is left out.
//
//	graph_node            "N blocks": a kernel among others of a graph
//	graph_launch_to_end   "N small kernels": a graph of so many
//	launch_back_to_back   "nop": an empty kernel behind another
//	launch_sync           "nop": an empty kernel
func Launch(ctx context.Context, c *hierarchy.Config, test, param string) (us float64, err error) {
	n := 1
	if param != "nop" {
		if _, err := fmt.Sscanf(param, "%d", &n); err != nil || n < 1 {
			return 0, fmt.Errorf("launch %s of %q: no number", test, param)
		}
	}
	switch test {
	case "graph_node":
		return nodeTime(ctx, c, small(n))
	case "graph_launch_to_end":
		return graphTime(ctx, c, small(1), n)
	case "launch_back_to_back":
		return nodeTime(ctx, c, nop())
	case "launch_sync":
		return graphTime(ctx, c, nop(), 1)
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

// graphTime returns the µs of so many kernels one after the other.
func graphTime(ctx context.Context, c *hierarchy.Config, k gpu.Kernel, count int) (float64, error) {
	m, err := build(ctx, c)
	if err != nil {
		return 0, err
	}
	front := m.GPU.Front
	for n := range count {
		again := k
		op := gpu.Op{Kernel: &again}
		if n > 0 {
			op.After = []int{n - 1}
		}
		front.Add(0, op)
	}
	if err := m.run(func(sim.Time) bool { return front.Ended() == count }); err != nil {
		return 0, err
	}
	return front.Op(count - 1).End.Microseconds(), nil
}

// vector is a kernel each of whose blocks reads and writes the same bytes.
type vector struct{ bytes uint32 }

// small is micro.cu's oneFloat: 128 threads that add 1 to a float each.
func small(blocks int) gpu.Kernel {
	return gpu.Kernel{Name: "oneFloat", CTAs: blocks, Threads: 128, Stages: 1, Program: vector{128 * 4}}
}

// nop is an empty kernel of one warp.
func nop() gpu.Kernel {
	return gpu.Kernel{Name: "nop", CTAs: 1, Threads: warpLanes, Stages: 1, Program: vector{}}
}

// Tiles implements gpu.Program.
func (vector) Tiles(int) int { return 0 }

// Tile implements gpu.Program.
func (vector) Tile(_, _ int, runs []gpu.Run) []gpu.Run { return runs }

// Prologue implements gpu.Program.
func (v vector) Prologue(_ int, runs []gpu.Run) []gpu.Run {
	if v.bytes > 0 {
		runs = append(runs, load(0, v.bytes))
	}
	return runs
}

// Epilogue implements gpu.Program.
func (v vector) Epilogue(cta int, runs []gpu.Run) []gpu.Run { return v.Prologue(cta, runs) }
