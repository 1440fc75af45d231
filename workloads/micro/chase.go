package micro

import (
	"hwsim/devices/gpu"
	"hwsim/hierarchy"
	"hwsim/sim"
)

// chase is a thread that reads one node after the other, round and round.
type chase struct{ nodes []uint64 }

// newChase lays the nodes out and puts them into random order.
func newChase(base uint64, o ChaseOptions) *chase {
	rng := sim.NewRand(2)
	n := uint64(o.Nodes)
	lines := o.Range / line
	p := &chase{nodes: make([]uint64, n)}
	for i, at := range rng.Perm(o.Nodes) {
		j := uint64(at)
		from, to := j*lines/n, (j+1)*lines/n
		if o.Stride > 0 {
			from, to = j*o.Stride/line, (j+1)*o.Stride/line
		}
		p.nodes[i] = base + (from+rng.Uint64()%(to-from))*line
	}
	return p
}

// hostMiddle is how many accesses to host memory the measured chase had made
// by the middle of its median run, the third of five (runChase): not once
// round its nodes. Other chases had gone round often.
const hostMiddle = 100 + 2*5000 + 2500

// translate leaves the TLBs as they are when the chase begins, whose
// measurement's middle is so many accesses ahead.
func (p *chase) translate(m *machine, t hierarchy.TierID, ahead int) {
	n := min(len(p.nodes), mixed)
	if t == hierarchy.DDR {
		n = min(n, max(0, hostMiddle-ahead))
	}
	for _, at := range p.nodes[len(p.nodes)-n:] {
		m.Translated(at, line)
	}
}

func (p *chase) warps(int) int { return 1 }

// instructions is 0: the latencies of the machine's description are those of
// a chase.
func (p *chase) instructions(_, _ int) int { return 0 }

const sector = 32 // bytes, the least that a load moves

func (p *chase) round(_, _, n int, runs []gpu.Run) []gpu.Run {
	return append(runs, load(p.nodes[n%len(p.nodes)], sector))
}

func (p *chase) kernel(c *hierarchy.Config, l1 bool) *gpu.Kernel {
	k := kernel(c, code{name: "chase", registers: 24}, 1, warpLanes, p)
	k.Warps.L1 = l1
	return k
}
