package workloads

import (
	"fmt"

	"hwsim/devices"
	"hwsim/devices/gpu"
	"hwsim/hierarchy"
	"hwsim/models"
	"hwsim/sim"
	"hwsim/workloads/graph"
	"hwsim/workloads/kernels"
	"hwsim/workloads/kvalloc"
)

// decode builds the graph of decode steps on a machine.
type decode struct {
	config  *Config
	system  *hierarchy.System
	model   models.Model // one rank's share
	lengths []int
	layout  layout
	groups  *kvalloc.Allocator // of a virtually contiguous cache's memory; nil: none
	rng     sim.Rand
	graph   *graph.Graph
	ends    []int // last op of each layer built in this step
	part    part
}

// part is what of a step is built: all of it, attention over the cache and what
// a policy does for it, the rest, or copies beside kernels that only wait.
type part uint8

const (
	wholeStep part = iota
	attentionPart
	restPart
	copiesPart
)

// newDecode shards the model and places everything.
func newDecode(c *Config, s *hierarchy.System, seed uint64) (*decode, error) {
	m, err := c.Model.Shard(max(1, c.Workload.TP))
	if err != nil {
		return nil, err
	}
	rng := sim.NewRand(seed)
	d := &decode{config: c, system: s, model: m, lengths: c.Workload.lengths(), rng: rng.Split("decode"), graph: graph.New()}
	return d, d.lay()
}

// step appends one decode step: the planned layers, then the head.
func (d *decode) step(p *plan, span int) {
	d.ends = nil
	begin := d.graph.Tail()
	for i, layer := range p.layers {
		d.layer(span+i, layer, i, begin)
	}
	if d.part == attentionPart {
		return
	}
	m, a := d.model, &d.layout.act
	span += len(p.layers)
	d.norm(span, 2*m.Layers, a.x, a.y)
	head := m.Head()
	d.product(span, head, kernels.At(d.layout.head, d.wide(head.In)), kernels.At(a.y, uint64(m.Hidden)*2), kernels.At(a.logits, uint64(head.Out)*2), d.dense())
}

// wide returns the bytes of n weights in a row.
func (d *decode) wide(n int) uint64 { return d.config.Weights.Dtype.bytes(uint64(n)) }

// dense is the one group of a plain product: every sequence's token.
func (d *decode) dense() []kernels.Group { return []kernels.Group{{M: len(d.lengths)}} }

// layer appends the layer as the position-th of its step.
func (d *decode) layer(span, layer, position, begin int) {
	fetched := d.fetch(span, layer, position, begin)
	if d.config.KV.WaitLayer {
		d.graph.Wait(fetched...)
		fetched = nil
	}
	if d.model.MLA != nil {
		d.latentAttention(span, layer, fetched)
	} else {
		d.headedAttention(span, layer, fetched)
	}
	switch {
	case d.part == attentionPart:
	case d.model.IsMoE(layer):
		d.experts(span, layer)
	default:
		d.feedForward(span, layer)
	}
	d.ends = append(d.ends, d.graph.Tail())
}

// kernel appends a kernel that moves about bytes to and from HBM.
func (d *decode) kernel(span int, class string, k *gpu.Kernel, bytes uint64) int {
	return d.graph.Add(graph.Op{Op: gpu.Op{Kernel: k}, Class: class, Span: span, Bytes: [hierarchy.NumTiers]uint64{bytes}})
}

// norm appends the norm with the n-th norm weight.
func (d *decode) norm(span, n int, in, out uint64) {
	width := uint64(d.model.Hidden) * 2
	k := d.config.Kernels.Norm.Norm(len(d.lengths), d.model.Hidden, in, d.layout.norms+uint64(n)*align(width), out)
	d.kernel(span, "norm", k, 2*width*uint64(len(d.lengths))+width)
}

// linear appends a layer's product by name.
func (d *decode) linear(span, layer int, name string, x, y kernels.Matrix, groups []kernels.Group) {
	w := &d.layout.weights[layer]
	for _, l := range d.model.Linears(layer) {
		if l.Name == name {
			d.product(span, l, kernels.At(w.seen+w.offset[name], d.wide(l.In)), x, y, groups)
			return
		}
	}
	panic(fmt.Sprintf("workloads: layer %d has no product %q", layer, name))
}

// product appends a matrix product, and the kernel that adds up its parts if
// K is split.
func (d *decode) product(span int, l models.Linear, w, x, y kernels.Matrix, groups []kernels.Group) {
	c := &d.config.System.GPU
	k, g := d.config.Kernels.GEMM.Build(l.Name, c, w, x, y, d.config.Weights.Dtype.size(), l.Out, l.In, groups, d.layout.act.split)
	id := d.kernel(span, l.Name, k, 2*uint64(g.M)*uint64(l.In+l.Out))
	d.graph.Ops[id].Bytes[devices.Tier(w.Addr)] += g.WeightBytes()
	d.graph.Ops[id].FLOPs = g.FLOPs()
	if g.Splits > 1 {
		var parts []kernels.Matrix
		for s := range uint64(g.Splits) {
			parts = append(parts, kernels.At(d.layout.act.split+s*uint64(g.M*l.Out)*4, uint64(l.Out)*4))
		}
		r := d.config.Kernels.SplitReduce.Sum(g.M, l.Out, parts, d.addedTo(l.Name), y)
		each := 4*uint64(g.Splits) + 2
		if d.addedTo(l.Name).Addr != 0 {
			each += 2
		}
		d.kernel(span, "splitk_reduce", r, uint64(g.M*l.Out)*each)
	}
}

// addedTo returns the copy of the residual stream to which the framework adds a
// product by name, no address if it adds it to none. Products that are not split
// read it at their end, which is left out.
func (d *decode) addedTo(product string) (m kernels.Matrix) {
	if d.config.Kernels.ResidualCopy && (product == "o" || product == "down") {
		m = kernels.At(d.layout.act.reduce, uint64(d.model.Hidden)*2)
	}
	return m
}

// residual appends the framework's copy of the residual stream.
func (d *decode) residual(span int) {
	if d.config.Kernels.ResidualCopy {
		a, n := &d.layout.act, uint64(d.model.Hidden)*2
		k := d.config.Kernels.Copy.Elementwise("", len(d.lengths), d.model.Hidden, 2, []kernels.Matrix{kernels.At(a.x, n)}, kernels.At(a.reduce, n))
		d.kernel(span, "copy", k, 2*n*uint64(len(d.lengths)))
	}
}

// activate appends the activation between up and down of rows tokens.
func (d *decode) activate(span, tokens, inner int) {
	a := &d.layout.act
	width := uint64(inner) * 2
	in := []kernels.Matrix{kernels.At(a.up, width)}
	if d.model.Gated {
		in = []kernels.Matrix{kernels.At(a.up, 2*width), kernels.At(a.up+width, 2*width)}
	}
	k := d.config.Kernels.Activation.Elementwise("", tokens, inner, 2, in, kernels.At(a.act, width))
	d.kernel(span, "activation", k, width*uint64(tokens)*uint64(len(in)+1))
}

// feedForward appends a dense block.
func (d *decode) feedForward(span, layer int) {
	a, m := &d.layout.act, d.model
	hidden, inner := uint64(m.Hidden)*2, uint64(m.FFN)*2
	up := inner
	if m.Gated {
		up *= 2
	}
	d.norm(span, 2*layer+1, a.x, a.y)
	d.linear(span, layer, "up", kernels.At(a.y, hidden), kernels.At(a.up, up), d.dense())
	d.activate(span, len(d.lengths), m.FFN)
	d.residual(span)
	d.linear(span, layer, "down", kernels.At(a.act, inner), kernels.At(a.x, hidden), d.dense())
	d.allReduce(span)
}

// experts appends a mixture of experts: the router, the experts that the
// batch's tokens were routed to, and the shared block.
func (d *decode) experts(span, layer int) {
	a, m, e := &d.layout.act, d.model, d.model.MoE
	b := len(d.lengths)
	hidden, inner := uint64(m.Hidden)*2, uint64(e.ExpertFFN)*2
	up := inner
	if m.Gated {
		up *= 2
	}
	d.norm(span, 2*layer+1, a.x, a.y)
	d.linear(span, layer, "router", kernels.At(a.y, hidden), kernels.At(a.logits, uint64(e.Experts)*2), d.dense())
	w := &d.layout.weights[layer]
	rng := d.rng.Split(fmt.Sprintf("layer %d", layer))
	again := rng
	d.linear(span, layer, "expert_up", kernels.At(a.y, hidden), kernels.At(a.up, up), kernels.Route(&rng, e.Experts, e.Active, b, w.expertSize["expert_up"], 0, up))
	d.activate(span, b*e.Active, e.ExpertFFN)
	d.linear(span, layer, "expert_down", kernels.At(a.act, inner), kernels.At(a.expert, hidden), kernels.Route(&again, e.Experts, e.Active, b, w.expertSize["expert_down"], inner, hidden))
	if e.Shared > 0 {
		s := uint64(e.Shared)
		d.linear(span, layer, "shared_up", kernels.At(a.y, hidden), kernels.At(a.up, up*s), d.dense())
		d.activate(span, b, e.ExpertFFN*e.Shared)
		d.linear(span, layer, "shared_down", kernels.At(a.act, inner*s), kernels.At(a.x, hidden), d.dense())
	}
	k := d.config.Kernels.Copy.Elementwise("", b, m.Hidden, 2, d.expertRows(hidden), kernels.At(a.x, hidden))
	d.kernel(span, "combine", k, hidden*uint64(b*(e.Active+1)))
	d.allReduce(span)
}

// expertRows returns the experts' results of each token as matrices.
func (d *decode) expertRows(hidden uint64) []kernels.Matrix {
	var in []kernels.Matrix
	for i := range uint64(d.model.MoE.Active) {
		in = append(in, kernels.At(d.layout.act.expert+i*hidden*uint64(len(d.lengths)), hidden))
	}
	return in
}

// allReduce appends a one-shot all-reduce of the residual stream: each GPU
// reads the others' parts over the link and adds them to its own.
func (d *decode) allReduce(span int) {
	tp := d.config.Workload.TP
	if tp < 2 {
		return
	}
	a, n := &d.layout.act, uint64(d.model.Hidden)*2
	b := uint64(len(d.lengths))
	in := []kernels.Matrix{kernels.At(a.x, n)}
	for i := range uint64(tp - 1) {
		in = append(in, kernels.At(a.peer+i*n*b, n))
	}
	k := d.config.Kernels.AllReduce.Elementwise("", len(d.lengths), d.model.Hidden, 2, in, kernels.At(a.x, n))
	id := d.kernel(span, "all_reduce", k, 2*n*b)
	d.graph.Ops[id].Bytes[hierarchy.PeerHBM] = n * b * uint64(tp-1)
}
