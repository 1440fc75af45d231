package workloads

import (
	"math"

	"hwsim/devices/dma"
	"hwsim/devices/gpu"
	"hwsim/hierarchy"
	"hwsim/models"
	"hwsim/sim"
	"hwsim/workloads/graph"
	"hwsim/workloads/kernels"
	"hwsim/workloads/kv"
)

// serve appends a layer's attention as the policy has it, stage by stage.
func (d *decode) serve(span, layer int, fetched []int) {
	m := &d.layout.method
	l := &m.layers[layer]
	d.sweep(span, l, kv.Score)
	if m.policy.Chooses() {
		d.choose(span, layer)
	}
	d.bring(span, layer)
	d.sweep(span, l, kv.Repeat)
	if m.policy.Away() {
		d.attendAway(span, l)
	} else {
		d.attendChosen(span, layer, fetched)
	}
	d.sweep(span, l, kv.Update)
	d.hostTime(span)
}

// sweep appends a kernel for every object that a stage reads and writes from
// end to end.
func (d *decode) sweep(span int, l *methodLayer, s kv.Stage) {
	for _, object := range objects(l.stage(s)) {
		var read, written float64
		tier := hierarchy.HBM
		for _, f := range l.stage(s) {
			if f.Object == object {
				read, written = read+f.Read, written+f.Written
				tier, _ = hierarchy.ParseTier(string(f.Tier))
			}
		}
		from := d.home(l, object)
		to := from
		if at, ok := d.layout.method.scratch[scratchName(s, object)]; ok {
			to = at
		}
		k := d.config.Kernels.Sweep(from, uint64(read), to, uint64(written))
		o := graph.Op{Op: gpu.Op{Kernel: k}, Class: string(s) + " " + object, Span: span, FLOPs: l.flops[s]}
		o.Bytes[tier] = uint64(read + written)
		d.graph.Add(o)
	}
}

// objects lists the objects of flows, each once, in order.
func objects(flows []kv.Flow) (names []string) {
next:
	for _, f := range flows {
		for _, n := range names {
			if n == f.Object {
				continue next
			}
		}
		names = append(names, f.Object)
	}
	return names
}

// home returns where an object of the layer lies: a buffer of its own, or the
// layer's part of the cache.
func (d *decode) home(l *methodLayer, object string) uint64 {
	if at, ok := l.at[object]; ok {
		return at
	}
	part := 0
	if object == "values" {
		part = 1
	}
	for i := range d.layout.method.layers {
		if &d.layout.method.layers[i] == l {
			c := &d.layout.kv.layers[i]
			for t := range c.home {
				if c.home[t][part] > 0 {
					return c.home[t][part]
				}
			}
		}
	}
	return d.layout.act.q
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

// retrieval returns the sizes of a layer's choice, of so many chunks.
func (d *decode) retrieval(layer, top int) kernels.Retrieve {
	l, a := &d.layout.method.layers[layer], d.model.Attention()
	rows := max(1, d.rows()/(max(1, d.config.Policy.Select.Every)*max(1, d.config.Policy.Select.SharedBy)))
	return kernels.Retrieve{Rows: rows, Group: a.QHeads / a.KVHeads, Dim: a.QKDim, Tokens: d.unit(),
		Chunks: max(1, mean(l.kept)/d.unit()), Top: top}
}

// choose appends the kernels that choose the best chunks by their scores. A
// choice that serves several steps or layers is made for as many fewer rows.
func (d *decode) choose(span, layer int) {
	l := &d.layout.method.layers[layer]
	top := max(1, (mean(l.attended)-d.config.Policy.Select.Attend.Beside)/d.unit())
	o := d.retrieval(layer, top)
	for _, k := range d.config.Kernels.Retrieve.TopKernels(&d.config.System.GPU, o, d.layout.method.scores, d.layout.method.index) {
		d.kernel(span, "top", k, uint64(o.Rows*o.Chunks)*4)
	}
}

// bring appends the fetching of chosen tokens and the computing of keys and
// values, beside each other if the policy has it so.
func (d *decode) bring(span, layer int) {
	fetch, bytes := d.fetchKernels(layer)
	rebuild, flops, moved := d.rebuildKernels(layer)
	if d.config.Policy.Move.Hidden && len(fetch) == 1 && len(rebuild) > 0 {
		k := kernels.Beside(rebuild[0], fetch[0])
		o := graph.Op{Op: gpu.Op{Kernel: k}, Class: "fetch and rebuild", Span: span, Bytes: bytes[0], FLOPs: flops[0]}
		o.Bytes[hierarchy.HBM] += moved[0]
		d.graph.Add(o)
		fetch, rebuild = nil, rebuild[1:]
		flops, moved = flops[1:], moved[1:]
	}
	for i, k := range fetch {
		d.graph.Add(graph.Op{Op: gpu.Op{Kernel: k}, Class: "fetch", Span: span, Bytes: bytes[i]})
	}
	for i, k := range rebuild {
		o := graph.Op{Op: gpu.Op{Kernel: k}, Class: "rebuild", Span: span, FLOPs: flops[i]}
		o.Bytes[hierarchy.HBM] = moved[i]
		d.graph.Add(o)
	}
}

// fetchKernels returns the kernels that gather chosen keys and values from
// beyond HBM, and what each moves.
func (d *decode) fetchKernels(layer int) (out []*gpu.Kernel, bytes [][hierarchy.NumTiers]uint64) {
	m := &d.layout.method
	l := &m.layers[layer]
	for _, f := range l.stage(kv.Fetch) {
		tier, _ := hierarchy.ParseTier(string(f.Tier))
		if tier == hierarchy.HBM || f.Read == 0 || !m.policy.Chooses() {
			continue // what is not chosen is copied in by the engines
		}
		run := f.Run
		if run == 0 {
			run = f.Read / float64(d.rows())
		}
		missed := max(1, int(math.Round(f.Read/run/float64(d.rows()))))
		g := kernels.Gather{Rows: d.rows(), Of: max(missed, mean(l.kept)/d.unit()), Chunks: missed, Bytes: uint64(math.Ceil(run)),
			From: d.home(l, f.Object), To: l.at["chosen "+f.Object], Index: m.index}
		out = append(out, d.config.Kernels.Retrieve.Gathering(g))
		var b [hierarchy.NumTiers]uint64
		b[tier], b[hierarchy.HBM] = uint64(f.Read), uint64(f.Read)
		bytes = append(bytes, b)
	}
	return out, bytes
}

// rebuildKernels returns the products that keys and values are computed by,
// with the operations and the bytes of each.
func (d *decode) rebuildKernels(layer int) (out []*gpu.Kernel, flops []float64, bytes []uint64) {
	m, p := &d.layout.method, d.config.Policy
	l, a := &m.layers[layer], d.model.Attention()
	keyRank, valueRank := p.Ranks(m.shape)
	tokens := mean(l.attended)
	product := func(object string, rows, k int, groups []kernels.Group, w kernels.Matrix) {
		x := kernels.At(d.home(l, object), 2*uint64(k))
		y := kernels.At(d.layout.act.up, 0) // used where it is computed: one row stands for what stays on the chip
		for i := range groups {
			if at, ok := m.scratch[scratchName(kv.Rebuild, object)]; ok {
				y = kernels.At(at, 2*uint64(rows))
			} else {
				groups[i].Y = 0
			}
		}
		kernel, g := d.config.Kernels.GEMM.Build("rebuild", &d.config.System.GPU, w, x, y, 2, rows, k, groups, d.layout.act.split)
		out, flops = append(out, kernel), append(flops, g.FLOPs())
		bytes = append(bytes, uint64(l.read(kv.Rebuild, object))+2*uint64(g.M*rows))
	}
	switch {
	case p.Basis.X:
		var groups []kernels.Group
		for i := range d.lengths {
			groups = append(groups, kernels.Group{X: uint64(i*tokens*d.model.Hidden) * 2, Y: 0, M: tokens})
		}
		w := &d.layout.weights[layer]
		product("x", 2*a.KVHeads*a.QKDim, d.model.Hidden, groups, kernels.At(w.seen+w.offset["qkv"], d.wide(d.model.Hidden)))
	case keyRank > 0:
		d.lowRank(product, l, "keys", keyRank, a)
	}
	if valueRank > 0 {
		d.lowRank(product, l, "values", valueRank, a)
	}
	return out, flops, bytes
}

// lowRank appends the product of every head's features with its factors.
func (d *decode) lowRank(product func(string, int, int, []kernels.Group, kernels.Matrix), l *methodLayer, object string, rank int, a models.Attention) {
	keyRank, valueRank := d.config.Policy.Ranks(d.layout.method.shape)
	tokens := max(1, int(math.Round(l.flops[kv.Rebuild]/float64(2*(keyRank+valueRank)*a.QKDim*d.rows()))))
	var groups []kernels.Group
	for row := range d.rows() {
		own := uint64(row) * uint64(rank*a.QKDim) * 2
		if _, kept := l.at[object+" factors"]; !kept {
			own = uint64(row%a.KVHeads) * uint64(rank*a.QKDim) * 2
		}
		groups = append(groups, kernels.Group{W: own, X: uint64(row/a.KVHeads) * uint64(tokens*rank) * 2, Y: uint64(row*tokens*a.QKDim) * 2, M: tokens})
	}
	w, ok := l.at[object+" factors"]
	if !ok {
		w = d.layout.act.up // the model's own, small
	}
	product(object, a.QKDim, rank, groups, kernels.At(w, uint64(rank)*2))
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
	tokens := float64(mean(l.attended) * d.rows())
	tile := (l.read(kv.AttendS, "keys") + l.read(kv.AttendS, "values")) / tokens * float64(d.config.Kernels.Attention.TileTokens)
	k.TileSM = max(k.TileSM, sim.FromNanoseconds(tile*float64(d.config.System.GPU.SMs)/gbps))
}

// attendAway appends attention by the host: queries go down, results come up.
func (d *decode) attendAway(span int, l *methodLayer) {
	m := &d.layout.method
	for _, object := range []string{"queries", "partial results"} {
		var bytes uint64
		for _, f := range l.stage(kv.AttendS) {
			if f.Object == object {
				bytes += uint64(f.Read + f.Written)
			}
		}
		if object == "queries" {
			d.exchange(span, dma.Segment{Src: d.layout.act.q, Dst: m.exchange, Bytes: bytes}, true)
			d.idle(span, "host attention", m.hostNs[mean(l.attended)])
			continue
		}
		d.exchange(span, dma.Segment{Src: m.exchange, Dst: d.layout.act.attn, Bytes: bytes}, false)
	}
}

// exchange appends a copy between the GPU and the host that attention waits for.
func (d *decode) exchange(span int, s dma.Segment, out bool) {
	o := graph.Op{Copy: &dma.Copy{Segments: []dma.Segment{s}, Out: out}, Class: "exchange", Span: span}
	o.Bytes[hierarchy.DDR] = s.Bytes
	d.graph.Add(o)
}

// idle appends a wait of the GPU for the host.
func (d *decode) idle(span int, class string, ns float64) {
	wait := kernels.Launch{Threads: 32, PrologueNs: ns}
	d.kernel(span, class, wait.Kernel(class, 1, &kernels.Rows{Grid: [2]int{1, 1}}), 0)
}

// hostTime appends the framework's time of a layer that no kernel hides.
func (d *decode) hostTime(span int) {
	if ns := d.layout.method.engine.HostNs; ns > 0 {
		d.idle(span, "host", ns)
	}
}
