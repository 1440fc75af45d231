package operators

import (
	"context"
	"errors"
	"fmt"

	"hwsim/hierarchy"
	"hwsim/sim"
	"hwsim/workloads/kernels"
)

// CollectiveOptions describe a collective of some GPUs of one node, each of
// whose links leads to all others.
type CollectiveOptions struct {
	Gather bool   // all-gather of Bytes from each GPU, else all-reduce of Bytes
	GPUs   int    //
	Bytes  uint64 //
}

// Of a long message the part beyond longest takes as long a byte as what lies
// between half of longest and longest: chunks follow each other.
const longest = 8 << 20

// Collective returns the time of a collective in a ring, of which one GPU is
// simulated: all do the same at the same time, so what the one before it sends
// is there when what it sends itself is.
func Collective(ctx context.Context, c *hierarchy.Config, library *kernels.Profiles, o CollectiveOptions) (Time, error) {
	p := &library.Ring
	switch {
	case c.Peer == nil:
		return Time{}, errNoPeer
	case p.Channels == 0:
		return Time{}, fmt.Errorf("the kernels %s have no ring", library.Name)
	}
	r := ring(c, o)
	protocol := p.Choose(&r)
	if o.Bytes <= longest {
		return collective(ctx, c, p, protocol, r)
	}
	r.Bytes = longest
	whole, err := collective(ctx, c, p, protocol, r)
	if err != nil {
		return Time{}, err
	}
	r.Bytes /= 2
	half, err := collective(ctx, c, p, protocol, r)
	more := float64(o.Bytes-longest) / (longest / 2)
	whole.Ns += more * (whole.Ns - half.Ns)
	whole.RooflineNs += more * (whole.RooflineNs - half.RooflineNs)
	return whole, err
}

var errNoPeer = errors.New("a collective needs peer")

// ring returns the call without its places.
func ring(c *hierarchy.Config, o CollectiveOptions) kernels.Ring {
	way := c.GPU.RemoteNs + c.Peer.Link.LatencyNs + c.Peer.FabricNs
	poll := 2*c.L2.CrossbarNs + c.L2.HitNs
	return kernels.Ring{Gather: o.Gather, GPUs: o.GPUs, Bytes: o.Bytes, Hop: sim.FromNanoseconds(way + poll), Fence: sim.FromNanoseconds(2 * way)}
}

func collective(ctx context.Context, c *hierarchy.Config, p *kernels.RingProfile, protocol *kernels.Protocol, r kernels.Ring) (Time, error) {
	const warm = 1
	b, err := newBench(c)
	if err != nil {
		return Time{}, err
	}
	b.exact = true
	const most = 4 // ragged shares, and flags: all bytes as often as that are enough
	room := r.Bytes*uint64(r.GPUs) + 1<<20
	r.In = b.place("activations", hierarchy.HBM, room)
	r.Out = b.place("activations", hierarchy.HBM, room)
	r.Inbox = b.place("activations", hierarchy.HBM, most*room)
	r.Next = b.place("activations", hierarchy.PeerHBM, most*room)
	k := p.Build("collective", protocol, r)
	sent := uint64(float64(r.Bytes) * float64(r.GPUs-1))
	if !r.Gather {
		sent = 2 * sent / uint64(r.GPUs)
	}
	for range warm + mostCalls {
		b.call(kernel{Kernel: k, class: "collective", bytes: [hierarchy.NumTiers]uint64{hierarchy.HBM: 2 * r.Bytes, hierarchy.PeerHBM: sent}})
	}
	return b.run(ctx, warm, graphCalls)
}

// graphCalls is how many calls the measurement's graph has.
const graphCalls = 10

// OneShot returns the time of an all-reduce in which each GPU reads what all
// others have.
func OneShot(ctx context.Context, c *hierarchy.Config, library *kernels.Profiles, o CollectiveOptions) (Time, error) {
	const elem, warm = 2, 1
	if c.Peer == nil {
		return Time{}, errNoPeer
	}
	b, err := newBench(c)
	if err != nil {
		return Time{}, err
	}
	in := []kernels.Matrix{kernels.At(b.place("activations", hierarchy.HBM, o.Bytes), o.Bytes)}
	others := uint64(o.GPUs-1) * o.Bytes
	peers := b.place("activations", hierarchy.PeerHBM, others)
	for n := range uint64(o.GPUs - 1) {
		in = append(in, kernels.At(peers+n*o.Bytes, o.Bytes))
	}
	out := kernels.At(b.place("activations", hierarchy.HBM, o.Bytes), o.Bytes)
	k := library.AllReduce.Elementwise("all_reduce", 1, max(1, int(o.Bytes/elem)), elem, in, out)
	for range warm + mostCalls {
		b.call(kernel{Kernel: k, class: "all_reduce", bytes: [hierarchy.NumTiers]uint64{hierarchy.HBM: 2 * o.Bytes, hierarchy.PeerHBM: others}})
	}
	return b.run(ctx, warm, 0)
}
