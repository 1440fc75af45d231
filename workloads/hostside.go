package workloads

import (
	"context"

	"hwsim/devices/dma"
	"hwsim/devices/gpu"
	"hwsim/hierarchy"
	"hwsim/workloads/graph"
	"hwsim/workloads/hostattn"
	"hwsim/workloads/kernels"
	"hwsim/workloads/kv"
)

// hostSide is what attention by the host needs.
type hostSide struct {
	exchange kernels.Region  // queries and results in the host's memory
	results  kernels.Region  // results on the GPU: sums of 32 bits with their maxima and sums
	ns       map[int]float64 // that the host attends for, by tokens
}

// sentAway are the objects that cross the link for attention elsewhere.
var sentAway = map[string]bool{"queries": true, "partial results": true}

// layHost places what passes between the GPU and a host that attends.
func (d *decode) layHost() (err error) {
	m := &d.layout.method
	if m.policy.Execute.Site != "cpu" {
		return nil
	}
	a, rows := d.model.Attention(), float64(len(d.lengths)*d.model.Attention().QHeads)
	if m.host.exchange, err = d.region("kv exchange", kv.DDR, rows*float64(max(a.VDim*4+8, 2*a.QKDim))); err != nil {
		return err
	}
	m.host.results, err = d.region(classActivations, kv.HBM, rows*float64(a.VDim*4+8))
	return err
}

// timeHost finds out how long a host that attends takes.
func (d *decode) timeHost() (err error) {
	m := &d.layout.method
	if m.absent() || m.policy.Execute.Site != "cpu" {
		return nil
	}
	a, h := d.model.Attention(), d.config.System.Host
	m.host.ns = map[int]float64{}
	for i := range m.layers {
		tokens := mean(m.layers[i].attended)
		if _, known := m.host.ns[tokens]; known {
			continue
		}
		o := hostattn.Options{Threads: h.CPU.Cores, Heads: a.QHeads, KVHeads: a.KVHeads, HeadDim: a.QKDim, Batch: len(d.lengths), Context: tokens, BFloat16: true}
		if m.host.ns[tokens], err = hostattn.Time(context.Background(), h, o); err != nil {
			return configError{err}
		}
	}
	return nil
}

// attendAway appends attention by the host: queries go down, results come up
// and are divided by their sums.
func (d *decode) attendAway(span, layer int) {
	m := &d.layout.method
	l, a := &m.layers[layer], &d.layout.act
	var down, up float64
	for _, f := range l.stage(kv.AttendS) {
		switch f.Object {
		case "queries":
			down += f.Written
		case "partial results":
			up += f.Read
		}
	}
	d.exchange(span, dma.Segment{Src: a.q, Dst: m.host.exchange.Addr, Bytes: uint64(down)}, true)
	d.idle(span, "host attention", m.host.ns[mean(l.attended)])
	d.exchange(span, dma.Segment{Src: m.host.exchange.Addr, Dst: m.host.results.Addr, Bytes: uint64(up)}, false)
	out := kernels.Region{Addr: a.attn, Bytes: uint64(len(d.lengths)*d.model.QHeads*d.model.HeadDim) * 2}
	k := d.config.Kernels.Sweep(kernels.Stretch{m.host.results}, uint64(up), kernels.Stretch{out}, out.Bytes)
	d.kernel(span, "attention_reduce", k, uint64(up)+out.Bytes)
}

// exchange appends a copy between the GPU and the host that attention waits for.
func (d *decode) exchange(span int, s dma.Segment, out bool) {
	o := graph.Op{Copy: &dma.Copy{Segments: []dma.Segment{s}, Out: out}, Class: "exchange", Span: span}
	o.Bytes[hierarchy.DDR] = s.Bytes
	d.graph.Add(o)
}

// idle appends a wait of the GPU for the host.
func (d *decode) idle(span int, class string, ns float64) {
	d.graph.Add(graph.Op{Op: gpu.Op{Kernel: waiting(class, ns)}, Class: class, Span: span})
}

// waiting returns a kernel that does nothing for so long.
func waiting(class string, ns float64) *gpu.Kernel {
	wait := kernels.Launch{Threads: 32, PrologueNs: ns}
	return wait.Kernel(class, 1, &kernels.Rows{Grid: [2]int{1, 1}})
}

// hostTime appends the framework's time of a layer that no kernel hides.
func (d *decode) hostTime(span int) {
	if ns := d.layout.method.engine.HostNs; ns > 0 {
		d.idle(span, "host", ns)
	}
}
