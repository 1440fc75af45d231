package workloads

import (
	"hwsim/devices/gpu"
	"hwsim/hierarchy"
	"hwsim/workloads/graph"
	"hwsim/workloads/kernels"
	"hwsim/workloads/kv"
)

// gathered reports whether attention is that of the profile's retrieval: over
// keys and values that were copied side by side, as they are.
func (m *method) gathered() bool {
	keys, values := m.policy.Stored(m.shape)
	return m.policy.Move.Gathered && m.policy.Chooses() && keys && values && m.shape.Element == 2 && !m.policy.Encode.Narrow() && !m.engine.RepeatsHeads
}

// copyChoice appends the copy of a choice to where the gathering reads it.
func (d *decode) copyChoice(span int, o kernels.Retrieve) {
	index := kernels.At(d.layout.method.index, 0)
	k := d.config.Kernels.Copy.Elementwise("", 1, o.Rows*o.Top, 8, []kernels.Matrix{index}, index)
	d.kernel(span, "copy", k, 16*uint64(o.Rows*o.Top))
}

// attendGathered appends the retrieval's attention: a CTA for each KV head of a
// sequence, its output cleared before and copied after.
func (d *decode) attendGathered(span, layer int, o kernels.Retrieve) {
	l, p := &d.layout.method.layers[layer], &d.config.Kernels
	a := &d.layout.act
	o.Top = mean(l.attended) / o.Tokens
	out := kernels.At(a.attn, 0)
	d.kernel(span, "clear", p.Copy.Elementwise("", 1, 1, 2, nil, out), 2)
	k := p.Retrieve.AttendKernel(o, a.q, l.at["chosen keys"].Addr, l.at["chosen values"].Addr, a.attn)
	op := graph.Op{Op: gpu.Op{Kernel: k}, Class: "attention", Span: span, FLOPs: l.flops[kv.AttendS]}
	op.Bytes[hierarchy.HBM] = uint64(l.sum(kv.AttendS, "keys", "values").read)
	d.graph.Add(op)
	width := o.Rows * o.Group * o.Dim
	d.kernel(span, "copy", p.Copy.Elementwise("", 1, width, 2, []kernels.Matrix{out}, out), 4*uint64(width))
}
