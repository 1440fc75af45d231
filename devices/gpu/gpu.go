package gpu

import (
	"cmp"

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

// smsPerGPC is how many SMs a GPC has when the description does not say.
const smsPerGPC = 16

// New builds the GPU's domains on the engine, one a GPC. Successive GPCs
// belong to alternate L2 partitions.
func New(c Config, e *sim.Engine[devices.Message], f *Fabric) *GPU {
	u := &GPU{}
	port := e.Port("front end")
	u.Front = newFrontEnd(c, port, f.Crossbar, &u.kernels)
	e.Attach(port, u.Front)
	for i, n := range c.gpcs() {
		p := e.Port("sms")
		g := newGroup(&c, p, port.ID(), f, &u.kernels, n, i%f.L2.Partitions)
		e.Attach(p, g)
		u.Groups = append(u.Groups, g)
		u.Front.gpcs = append(u.Front.gpcs, p.ID())
	}
	u.Front.sms = u.order(c.FillFirst)
	return u
}

// gpcs returns how many SMs each GPC has: as equally many pairs, TPCs, as
// there are.
func (c *Config) gpcs() (sms []int) {
	pairs, before := (c.SMs+1)/2, 0
	n := min(pairs, cmp.Or(c.GPCs, (c.SMs+smsPerGPC-1)/smsPerGPC))
	for i := range n {
		end := min(c.SMs, pairs*(i+1)/n*2)
		sms = append(sms, end-before)
		before = end
	}
	return sms
}

// order returns the SMs in the order in which a grid fills them: so many of the
// first GPC, then one of each GPC in turn.
func (u *GPU) order(first int) (sms []place) {
	next := make([]int, len(u.Groups))
	take := func(gpc int) {
		if g := u.Groups[gpc]; next[gpc] < len(g.sms) {
			sms = append(sms, place{group: g.port.ID(), sm: uint32(next[gpc])})
			next[gpc]++
		}
	}
	for range first {
		take(0)
	}
	for len(sms) < u.sms() {
		for gpc := range u.Groups {
			take(gpc)
		}
	}
	return sms
}

func (u *GPU) sms() (n int) {
	for _, g := range u.Groups {
		n += len(g.sms)
	}
	return n
}

// GPC returns the GPC of the n-th SM in the order in which a grid fills them:
// that of CTA n.
func (u *GPU) GPC(n int) int {
	f := u.Front
	p := f.sms[n%len(f.sms)]
	for i, g := range u.Groups {
		if g.port.ID() == p.group {
			return i
		}
	}
	return 0
}

// Partition returns the L2 partition of the n-th SM in that order.
func (u *GPU) Partition(n int) int { return u.Groups[u.GPC(n)].partition }

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
