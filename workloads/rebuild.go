package workloads

import (
	"math"

	"hwsim/devices"
	"hwsim/devices/gpu"
	"hwsim/hierarchy"
	"hwsim/workloads/graph"
	"hwsim/workloads/kernels"
	"hwsim/workloads/kv"
)

// rebuilds returns the products that keys and values are computed by.
func (d *decode) rebuilds(layer int) (out []graph.Op) {
	m := &d.layout.method
	if m.policy.Basis.X {
		return d.rebuildInput(layer)
	}
	keys, values := m.policy.Ranks(m.shape)
	a := d.model.Attention()
	for _, part := range []struct {
		object    string
		rank, dim int
	}{{"keys", keys, a.QKDim}, {"values", values, a.VDim}} {
		if part.rank > 0 {
			out = append(out, d.rebuildLowRank(layer, part.object, part.rank, part.dim))
		}
	}
	return out
}

// product is what computes keys or values.
type product struct {
	layer    int
	object   string
	rows, k  int
	elemW    float64
	matrices int // different ones of the groups
	groups   []kernels.Group
	w        kernels.Matrix
	y        kernels.Region // where they go; no bytes: they are used where they are computed
	features feature
}

// op returns the product's op: features and factors are read, and what stays is
// written.
func (d *decode) op(p product) graph.Op {
	from := d.kept(p.layer, p.object, true)
	if p.y.Bytes == 0 {
		p.y.Addr = d.layout.act.up // not written
	}
	k, g := d.config.Kernels.GEMM.Build("rebuild", &d.config.System.GPU, p.w, kernels.At(from[0].Addr, p.features.pitch), kernels.At(p.y.Addr, d.ofKV(p.rows)),
		p.elemW, p.rows, p.k, p.groups, p.y.Addr)
	g.Rebuilds(p.features.element, d.layout.method.shape.Element, p.y.Bytes > 0)
	o := graph.Op{Op: gpu.Op{Kernel: k}, Class: "rebuild", FLOPs: g.FLOPs()}
	share(&o.Bytes, from, float64(g.M)*p.features.element*float64(p.k))
	o.Bytes[devices.Tier(p.w.Addr)] += uint64(float64(p.rows*p.k) * p.elemW * float64(p.matrices))
	if p.y.Bytes > 0 {
		o.Bytes[hierarchy.HBM] += d.ofKV(g.M * p.rows)
	}
	return o
}

// ofKV returns the bytes of so many elements of keys and values.
func (d *decode) ofKV(elements int) uint64 { return d.config.KV.Dtype.bytes(uint64(elements)) }

// feature is what keys and values are computed from, a row for each token.
type feature struct {
	element float64 // bytes
	pitch   uint64  // of a token
	first   []uint64
	tokens  []int // of each sequence
}

// features returns how so many elements of each token lie in an object.
func (d *decode) features(layer int, object string, elements int) (f feature) {
	l := &d.layout.method.layers[layer]
	all := 0
	for _, n := range l.kept {
		all += n
	}
	bytes := float64(l.at[object].Bytes) / float64(all)
	f.element, f.pitch = bytes/float64(elements), max(1, uint64(bytes))
	before := 0
	for _, n := range l.kept {
		begin, end := uint64(float64(before)*bytes), uint64(float64(before+n)*bytes)
		f.first = append(f.first, begin)
		f.tokens = append(f.tokens, max(1, int((end-begin)/f.pitch)))
		before += n
	}
	return f
}

// rebuiltAt returns where what is computed of an object goes: where it stays for
// the next step, or for attention alone; no bytes if it is not written.
func (d *decode) rebuiltAt(layer int, object string) kernels.Region {
	m := &d.layout.method
	if r, ok := m.layers[layer].at["chosen "+object]; ok {
		return r
	}
	return m.scratch[scratchName(kv.Rebuild, object)]
}

// rebuildInput returns the product of the layer's inputs with its weights of keys
// and values, which lie behind those of queries: one of either if they are
// written.
func (d *decode) rebuildInput(layer int) []graph.Op {
	a := d.model.Attention()
	keys, values := a.KVHeads*a.QKDim, a.KVHeads*a.VDim
	at := d.rebuiltAt(layer, "keys")
	if at.Bytes == 0 {
		return []graph.Op{d.inputProduct(layer, 0, keys+values, at)}
	}
	return []graph.Op{d.inputProduct(layer, 0, keys, at), d.inputProduct(layer, keys, values, d.rebuiltAt(layer, "values"))}
}

// inputProduct is the product with so many rows of the weights from a row on.
func (d *decode) inputProduct(layer, row, rows int, y kernels.Region) graph.Op {
	l, a, pitch := &d.layout.method.layers[layer], d.model.Attention(), d.wide(d.model.Hidden)
	f := d.features(layer, "x", d.model.Hidden)
	w := &d.layout.weights[layer]
	p := product{layer: layer, object: "x", rows: rows, k: d.model.Hidden, elemW: d.config.Weights.Dtype.size(), features: f, y: y, matrices: 1}
	p.w = kernels.At(w.seen+w.offset["qkv"]+uint64(a.QHeads*a.QKDim+row)*pitch, pitch)
	at := uint64(0)
	for i, first := range f.first {
		n := min(l.attended[i], f.tokens[i])
		if y.Bytes > 0 {
			n = max(1, min(n, int((y.Bytes-at)/d.ofKV(rows))))
		}
		p.groups = append(p.groups, kernels.Group{X: first, Y: at, M: n})
		at += d.ofKV(n * rows)
	}
	return d.op(p)
}

// rebuildLowRank is the product of every head's features with its factors. Where
// tokens are chosen every head has tokens of its own.
func (d *decode) rebuildLowRank(layer int, object string, rank, dim int) graph.Op {
	m, heads := &d.layout.method, d.model.Attention().KVHeads
	f := d.features(layer, object, rank)
	p := product{layer: layer, object: object, rows: dim, k: rank, elemW: m.shape.Element, features: f, matrices: heads}
	p.w = kernels.At(m.layers[layer].at[object+" factors"].Addr, uint64(float64(rank)*m.shape.Element))
	p.y = d.rebuiltAt(layer, object)
	if m.policy.Basis.Factors {
		p.matrices = d.rows()
	}
	own := uint64(float64(rank*dim) * m.shape.Element)
	fits := int(p.y.Bytes / d.ofKV(dim*d.rows())) // tokens of a row
	for row := range d.rows() {
		seq, head := row/heads, row%heads
		n := min(d.computed(layer), f.tokens[seq])
		if p.y.Bytes > 0 {
			n = min(n, fits)
		}
		g := kernels.Group{W: uint64(head) * own, X: f.first[seq], Y: d.ofKV(row * n * dim), M: max(1, n)}
		if m.policy.Basis.Factors {
			g.W = uint64(row) * own
		}
		if m.policy.Chooses() {
			g.X += uint64(head*(f.tokens[seq]-n)/max(1, heads-1)) * f.pitch
		}
		p.groups = append(p.groups, g)
	}
	return d.op(p)
}

// computed returns how many tokens of a head are computed in a step, on average.
func (d *decode) computed(layer int) int {
	m, a := &d.layout.method, d.model.Attention()
	keys, values := m.policy.Ranks(m.shape)
	each := float64(2 * (keys*a.QKDim + values*a.VDim) * d.rows())
	return max(1, int(math.Round(m.layers[layer].flops[kv.Rebuild]/each)))
}
