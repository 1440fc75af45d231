package gpu

import (
	"hwsim/devices"
	"hwsim/sim"
)

// GPU ties the front end to its groups of SMs.
type GPU struct {
	Front   *FrontEnd
	Groups  []*Group
	kernels []*Kernel
	runs    []Run // scratch
}

// smsPerGroup is about a GPC: enough work for a window, enough groups for
// the cores.
const smsPerGroup = 12

// New builds the GPU's domains on the engine. Successive SMs belong to
// alternate L2 partitions, and a grid fills the groups in turn.
func New(c Config, e *sim.Engine[devices.Message], f *Fabric) *GPU {
	u := &GPU{}
	port := e.Port("front end")
	u.Front = newFrontEnd(c, port, f.Crossbar, &u.kernels)
	e.Attach(port, u.Front)
	groups := (c.SMs + smsPerGroup - 1) / smsPerGroup
	for i := range groups {
		p := e.Port("sms")
		var partitions []int
		for s := i; s < c.SMs; s += groups {
			partitions = append(partitions, (s/groups)%f.L2.Partitions)
		}
		g := newGroup(&c, p, port.ID(), f, &u.kernels, partitions)
		e.Attach(p, g)
		u.Groups = append(u.Groups, g)
	}
	for s := range c.SMs {
		u.Front.sms = append(u.Front.sms, place{group: u.Groups[s%groups].port.ID(), sm: uint32(s / groups)})
	}
	return u
}

// Partition returns the L2 partition of the n-th SM in the order in which a
// grid fills them: that of CTA n.
func (u *GPU) Partition(n int) int {
	f := u.Front
	p := f.sms[n%len(f.sms)]
	for _, g := range u.Groups {
		if g.port.ID() == p.group {
			return g.sms[p.sm].partition
		}
	}
	return 0
}

// Flow sums the counters of one flow over all SMs.
func (u *GPU) Flow(flow uint8) FlowStats {
	var sum FlowStats
	for _, g := range u.Groups {
		f := g.Flow(flow)
		sum.Requests += f.Requests
		sum.Read += f.Read
		sum.Written += f.Written
		sum.Remote += f.Remote
		sum.Tiles += f.Tiles
		for c, v := range f.Why {
			sum.Why[c] += v
		}
		sum.Latency.Merge(&f.Latency)
	}
	return sum
}
