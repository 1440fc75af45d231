package workloads

import (
	"math"
	"slices"

	"hwsim/devices/gpu"
	"hwsim/hierarchy"
	"hwsim/sim"
	"hwsim/workloads/graph"
	"hwsim/workloads/kernels"
	"hwsim/workloads/kv"
)

// serve appends a layer's attention as the policy has it, stage by stage.
func (d *decode) serve(span, layer int, fetched []int) {
	m := &d.layout.method
	d.sweep(span, layer, kv.Score)
	if m.policy.Chooses() {
		d.choose(span, layer)
	}
	d.bring(span, layer)
	if len(m.layers[layer].stage(kv.Repeat)) > 0 { // it is the first to read what is copied in
		d.graph.Wait(fetched...)
		fetched = nil
	}
	d.sweep(span, layer, kv.Repeat)
	d.sweep(span, layer, kv.AttendS)
	switch {
	case m.policy.Away():
		d.attendAway(span, layer)
	case m.gathered():
		d.attendGathered(span, layer, d.retrieval(layer))
	default:
		d.attendChosen(span, layer, fetched)
	}
	d.sweep(span, layer, kv.Update)
	d.hostTime(span)
}

// sweep appends a kernel for every object that a stage reads and writes from
// end to end. What attention itself reads is not among them.
func (d *decode) sweep(span, layer int, s kv.Stage) {
	l := &d.layout.method.layers[layer]
	all := l.sum(s, l.swept(s)...)
	for _, object := range l.swept(s) {
		bytes := l.sum(s, object)
		from, to := d.sweeps(layer, s, object)
		k := d.config.Kernels.Sweep(from, uint64(bytes.read), to, uint64(bytes.written))
		o := graph.Op{Op: gpu.Op{Kernel: k}, Class: string(s) + " " + object, Span: span}
		if all.read > 0 {
			o.FLOPs = l.flops[s] * bytes.read / all.read
		}
		share(&o.Bytes, from, bytes.read)
		share(&o.Bytes, to, bytes.written)
		if s == kv.AttendS {
			o.FLOPs = 0 // attention has them
		}
		d.graph.Add(o)
	}
}

// moved is bytes.
type moved struct{ read, written float64 }

// sum adds up what a stage moves of objects in all tiers.
func (l *methodLayer) sum(s kv.Stage, objects ...string) (sum moved) {
	for _, f := range l.flows {
		if f.Stage == s && slices.Contains(objects, f.Object) {
			sum.read, sum.written = sum.read+f.Read, sum.written+f.Written
		}
	}
	return sum
}

// swept lists the objects that kernels of their own move in a stage, each once,
// in order.
func (l *methodLayer) swept(s kv.Stage) (names []string) {
	for _, f := range l.stage(s) {
		own := s == kv.AttendS && (f.Object == "keys" || f.Object == "values" || sentAway[f.Object])
		if !own && !slices.Contains(names, f.Object) {
			names = append(names, f.Object)
		}
	}
	return names
}

// sweeps returns what of an object a stage's kernel reads, and where it writes.
func (d *decode) sweeps(layer int, s kv.Stage, object string) (from, to kernels.Stretch) {
	if r, ok := d.layout.method.scratch[scratchName(s, object)]; ok {
		to = kernels.Stretch{r}
		if s == kv.Repeat {
			return d.unrepeated(layer, object), to
		}
		return to, to
	}
	return d.kept(layer, object, true), d.kept(layer, object, false)
}

// rows returns the KV heads of all sequences.
func (d *decode) rows() int { return len(d.lengths) * d.model.Attention().KVHeads }

// unit returns the tokens that are chosen together.
func (d *decode) unit() int { return max(1, d.config.Policy.Select.Attend.Chunk) }

// mean returns the mean of the sequences' tokens.
func mean(tokens []int) int {
	sum := 0
	for _, n := range tokens {
		sum += n
	}
	return (sum + len(tokens) - 1) / len(tokens)
}

// retrieval returns the sizes of a layer's choice. One that serves several steps
// or layers is made for as many fewer rows.
func (d *decode) retrieval(layer int) kernels.Retrieve {
	l, a, s := &d.layout.method.layers[layer], d.model.Attention(), &d.config.Policy.Select
	top := max(1, (mean(l.attended)-s.Attend.Beside)/d.unit())
	rows := max(1, d.rows()/(max(1, s.Every)*max(1, s.SharedBy)))
	return kernels.Retrieve{Rows: rows, Group: a.QHeads / a.KVHeads, Dim: a.QKDim, Tokens: d.unit(),
		Chunks: max(top, mean(l.kept)/d.unit()), Top: top}
}

// choose appends the kernels that choose the best chunks by their scores.
func (d *decode) choose(span, layer int) {
	o := d.retrieval(layer)
	for _, k := range d.config.Kernels.Retrieve.TopKernels(&d.config.System.GPU, o, d.layout.method.scores, d.layout.method.index) {
		d.kernel(span, "top", k, uint64(o.Rows*o.Chunks)*4)
	}
	if d.layout.method.gathered() {
		d.copyChoice(span, o)
	}
}

// bring appends the fetching of chosen tokens and the computing of keys and
// values, beside each other if the policy has it so.
func (d *decode) bring(span, layer int) {
	fetch, rebuild := d.gathers(layer), d.rebuilds(layer)
	if d.config.Policy.Move.Hidden && len(fetch) == 1 && len(rebuild) > 0 {
		o := graph.Op{Op: gpu.Op{Kernel: kernels.Beside(rebuild[0].Kernel, fetch[0].Kernel)}, Class: "fetch and rebuild", Bytes: fetch[0].Bytes, FLOPs: rebuild[0].FLOPs}
		for t, bytes := range rebuild[0].Bytes {
			o.Bytes[t] += bytes
		}
		fetch, rebuild = []graph.Op{o}, rebuild[1:]
	}
	for _, o := range append(fetch, rebuild...) {
		o.Span = span
		d.graph.Add(o)
	}
}

// gathers returns the kernels that gather chosen keys and values from beyond
// HBM. What is not chosen among is copied in by the engines.
func (d *decode) gathers(layer int) (out []graph.Op) {
	m := &d.layout.method
	l := &m.layers[layer]
	for _, f := range l.stage(kv.Fetch) {
		if f.Read == 0 || !m.policy.Chooses() {
			continue // what arrives; what is not chosen is copied in by the engines
		}
		from, to := d.kept(layer, f.Object, false), l.at["chosen "+f.Object]
		missed := max(1, int(math.Round(f.Read/f.Run/float64(d.rows()))))
		g := kernels.Gather{Rows: d.rows(), Of: max(missed, mean(l.kept)/d.unit()), Chunks: missed, Bytes: uint64(math.Ceil(f.Run)),
			From: from, To: kernels.Stretch{to}, Index: m.index}
		o := graph.Op{Op: gpu.Op{Kernel: d.config.Kernels.Retrieve.Gathering(g)}, Class: "fetch"}
		share(&o.Bytes, from, f.Read)
		share(&o.Bytes, g.To, f.Read)
		out = append(out, o)
	}
	return out
}

// attendChosen appends attention on the GPU over what the policy attends to.
func (d *decode) attendChosen(span, layer int, fetched []int) {
	m, p := &d.layout.method, &d.config.Kernels
	l, a := &m.layers[layer], d.model.Attention()
	partial := d.layout.act.partial
	if m.engine.RepeatsHeads {
		a.KVHeads, partial = a.QHeads, m.partial
	}
	cache, bytes := d.view(layer, a.KVHeads)
	k, t := p.Attention.For(d.layout.kv.paged, m.policy.Encode.Narrow()).Build(&d.config.System.GPU, a, cache, l.attended, kernels.At(d.layout.act.q, uint64(a.QHeads*a.QKDim)*2), partial)
	if share := m.engine.AttentionShare; share > 0 {
		d.slow(k, share*d.system.PeakGBps(hierarchy.HBM), l)
	}
	d.graph.Add(graph.Op{Op: gpu.Op{Kernel: k}, Class: "attention", Span: span, Bytes: bytes, FLOPs: l.flops[kv.AttendS]}, fetched...)
	out := kernels.At(d.layout.act.attn, uint64(a.QHeads*a.VDim)*2)
	d.kernel(span, "attention_reduce", t.Reduce(&p.AttnReduce, out), t.PartialBytes())
}

// slow makes attention's tiles last as long as at a rate in GB/s over all SMs.
func (d *decode) slow(k *gpu.Kernel, gbps float64, l *methodLayer) {
	bytes := 0.0
	for _, f := range l.stage(kv.AttendS) {
		bytes += f.Read
	}
	tile := bytes / float64(mean(l.attended)*d.rows()) * float64(d.config.Kernels.Attention.TileTokens)
	k.TileSM = max(k.TileSM, sim.FromNanoseconds(tile*float64(d.config.System.GPU.SMs)/gbps))
}

// addTiers adds bytes by tier.
func addTiers(of *[hierarchy.NumTiers]uint64, more [hierarchy.NumTiers]uint64) {
	for t, bytes := range more {
		of[t] += bytes
	}
}
