package workloads

import (
	"hwsim/devices/dma"
	"hwsim/devices/gpu"
	"hwsim/hierarchy"
	"hwsim/workloads/graph"
	"hwsim/workloads/kernels"
)

// headedAttention appends the attention half of a layer with KV heads of its
// own (MHA, GQA).
func (d *decode) headedAttention(span, layer int, fetched []int) {
	a, m := &d.layout.act, d.model
	hidden := uint64(m.Hidden) * 2
	width := uint64(m.QHeads+2*m.KVHeads) * uint64(m.HeadDim) * 2
	if d.part != attentionPart {
		d.norm(span, 2*layer, a.x, a.y)
		d.linear(span, layer, "qkv", kernels.At(a.y, hidden), kernels.At(a.qkv, width), d.dense())
	}
	if d.part != restPart {
		d.append(span, layer, width, m.QHeads, m.KVHeads, uint64(m.HeadDim)*2)
		if d.layout.method.absent() {
			d.attend(span, layer, fetched)
		} else {
			d.serve(span, layer, fetched)
		}
	}
	if d.part == attentionPart {
		return
	}
	d.residual(span)
	d.linear(span, layer, "o", kernels.At(a.attn, uint64(m.QHeads*m.HeadDim)*2), kernels.At(a.x, hidden), d.dense())
	d.allReduce(span)
}

// latentAttention appends the attention half of a layer with a compressed
// cache (MLA), in absorbed form.
func (d *decode) latentAttention(span, layer int, fetched []int) {
	a, m, l := &d.layout.act, d.model, d.model.MLA
	b := len(d.lengths)
	hidden, nope, rope, latent := uint64(m.Hidden)*2, uint64(l.QKNopeDim)*2, uint64(l.QKRopeDim)*2, uint64(l.KVLoraRank)*2
	att := m.Attention()
	head := uint64(att.QKDim) * 2
	w := &d.layout.weights[layer]
	d.norm(span, 2*layer, a.x, a.y)
	d.linear(span, layer, "q_a", kernels.At(a.y, hidden), kernels.At(a.up, uint64(l.QLoraRank)*2), d.dense())
	d.linear(span, layer, "q_b", kernels.At(a.up, uint64(l.QLoraRank)*2), kernels.At(a.qkv, uint64(m.QHeads)*(nope+rope)), d.dense())
	d.linear(span, layer, "kv_a", kernels.At(a.y, hidden), kernels.At(a.up, head), d.dense())
	d.append(span, layer, uint64(m.QHeads)*(nope+rope), m.QHeads, 1, rope)
	d.linear(span, layer, "k_up", kernels.At(a.qkv, uint64(m.QHeads)*(nope+rope)), kernels.At(a.q, uint64(m.QHeads)*head),
		kernels.Heads(m.QHeads, b, w.expertSize["k_up"], nope+rope, head))
	d.attend(span, layer, fetched)
	d.linear(span, layer, "v_up", kernels.At(a.attn, uint64(m.QHeads)*latent), kernels.At(a.q, uint64(m.QHeads*l.VDim)*2),
		kernels.Heads(m.QHeads, b, w.expertSize["v_up"], latent, uint64(l.VDim)*2))
	d.residual(span)
	d.linear(span, layer, "o", kernels.At(a.q, uint64(m.QHeads*l.VDim)*2), kernels.At(a.x, hidden), d.dense())
	d.allReduce(span)
}

// append appends the kernel that turns queries and keys by their position and
// stores the new keys and values: a CTA for each head of each sequence.
func (d *decode) append(span, layer int, width uint64, qHeads, kvHeads int, head uint64) {
	a := &d.layout.act
	n := qHeads + 2*kvHeads
	if d.model.MLA != nil {
		n = qHeads + kvHeads
	}
	c := &d.layout.kv
	tail := d.layout.tail[layer]
	r := &kernels.Rows{Grid: [2]int{len(d.lengths), n}, Reads: []kernels.Piece{{Addr: a.qkv, Outer: width, Inner: head, Bytes: head}}}
	r.Extra = func(seq, h int, runs []gpu.Run) []gpu.Run {
		if h < qHeads {
			return append(runs, gpu.Run{Addr: a.q + uint64(seq*qHeads+h)*head, Rows: 1, Bytes: uint32(head)})
		}
		h -= qHeads
		at, dim := tail+uint64(seq*kvHeads+h)*c.kDim, c.kDim
		if h >= kvHeads {
			at, dim = tail+uint64(len(d.lengths)*kvHeads)*c.kDim+uint64(seq*kvHeads+h-kvHeads)*c.vDim, c.vDim
		}
		return append(runs, gpu.Run{Addr: at, Rows: 1, Bytes: uint32(dim)})
	}
	k := d.config.Kernels.Rope.Kernel("", len(d.lengths)*n, r)
	d.kernel(span, "rope", k, 2*head*uint64(len(d.lengths)*n))
}

// attend appends the attention over the layer's cache, and the kernel that
// joins its parts.
func (d *decode) attend(span, layer int, fetched []int) {
	a, m, p := &d.layout.act, d.model, &d.config.Kernels
	att := m.Attention()
	kv := d.layout.kv.layers[layer] // where it is seen changes from layer to layer
	k, t := p.Attention.For(d.layout.kv.paged, dtypeBits[d.config.KV.Dtype] < 16).Build(&d.config.System.GPU, att, &kv, d.lengths, kernels.At(a.q, uint64(att.QHeads*att.QKDim)*2), a.partial)
	o := graph.Op{Op: gpu.Op{Kernel: k}, Class: "attention", Span: span, Bytes: kv.read(d.lengths)}
	for _, n := range d.lengths {
		o.FLOPs += 2 * float64(n) * float64(att.QHeads) * float64(att.QKDim+att.VDim)
	}
	d.graph.Add(o, fetched...)
	out := kernels.At(a.attn, uint64(att.QHeads*att.VDim)*2)
	d.kernel(span, "attention_reduce", t.Reduce(&p.AttnReduce, out), t.PartialBytes())
}

// fetch appends the copies that bring the layer's far weights and KV into the
// staging buffers, and points kernels there. It returns the copies' ops.
//
// With prefetch a layer's copies may start when the layer before last, which
// used the same buffers, has ended; on demand when the layer before has.
func (d *decode) fetch(span, layer, position, begin int) []int {
	buffer := position % 2
	var ids []int
	w := &d.layout.weights[layer]
	if w.tier != hierarchy.HBM && d.config.Weights.Access != ZeroCopy {
		w.seen = d.layout.staging[buffer]
		after := d.after(d.config.Weights.Access, position, begin)
		ids = append(ids, d.copyIn(span, w.tier, cut(nil, w.home, w.seen, w.bytes, d.config.KV.CopyBytes), after))
		d.graph.Wait(ids...)
	}
	l := &d.layout.kv.layers[layer]
	if d.accessKV() == ZeroCopy {
		return nil
	}
	var kv []int
	after := d.after(d.accessKV(), position, begin)
	for t := hierarchy.DDR; t < hierarchy.NumTiers; t++ {
		if l.remote(t) > 0 {
			l.seen[t] = d.layout.kv.staging[buffer][t]
			if segs := l.fetch(t, d.config.KV.CopyBytes); len(segs) > 0 { // none where keys and values are computed
				kv = append(kv, d.copyIn(span, t, segs, after))
			}
		}
	}
	return kv
}

// after returns what a layer's copies wait for: the end of the layer before
// last, which used the same buffers, or on demand that of the last; early in a
// step the end of the step before.
func (d *decode) after(access Access, position, begin int) []int {
	back := 2
	if access == OnDemand {
		back = 1
	}
	switch {
	case position >= back:
		return []int{d.ends[position-back]}
	case begin >= 0:
		return []int{begin}
	}
	return nil
}

// copyIn appends a copy into HBM. Each far tier has a copy engine to itself as
// far as the port has enough, so that their bandwidths add up.
func (d *decode) copyIn(span int, t hierarchy.TierID, segs []dma.Segment, after []int) int {
	c := &dma.Copy{Segments: segs, Engine: d.system.Engines(t, int(t))}
	o := graph.Op{Copy: c, Class: "fetch " + t.String(), Span: span}
	for _, s := range segs {
		o.Bytes[t] += s.Bytes
	}
	o.After = after
	return d.graph.Put(o)
}
