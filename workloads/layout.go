package workloads

import (
	"hwsim/hierarchy"
	"hwsim/models"
)

// layout says where every object of a run lies.
type layout struct {
	weights []layerWeights
	head    uint64
	norms   uint64 // norm weights of every layer, side by side
	kv      kvCache
	method  method
	tail    []uint64 // of each layer: where new tokens' K and V go, in HBM
	act     activations
	staging [2]uint64 // buffers for a layer's weights
}

// layerWeights is where one layer's matrices are and where kernels see them.
type layerWeights struct {
	tier       hierarchy.TierID
	home       uint64
	seen       uint64
	bytes      uint64
	offset     map[string]uint64 // of each product's matrices, by name
	expertSize map[string]uint64 // bytes of one expert's or head's matrix
}

// activations are the buffers that kernels pass to each other; layers reuse
// them.
type activations struct {
	x, y, qkv, q, attn, up, act, expert, logits, partial, split, reduce uint64
	peer                                                                uint64 // the other GPUs' share of an all-reduce
}

// object classes, as the report names them.
const (
	classWeights     = "weights"
	classKV          = "kv"
	classActivations = "activations"
	classTables      = "block tables"
	classStaging     = "staging"
	classGroups      = "unfilled page groups"
)

const alignment = 256 // of tensors inside a layer, as cudaMalloc gives

func align(n uint64) uint64 { return (n + alignment - 1) &^ (alignment - 1) }

// lay places everything, or says what does not fit.
func (d *decode) lay() error {
	for _, place := range []func() error{d.layWeights, d.layKV, d.layActivations, d.layMethod, d.layGroups} {
		if err := place(); err != nil {
			return err
		}
	}
	return nil
}

func (d *decode) layWeights() error {
	l, m := &d.layout, d.model
	shares := d.config.Weights.Split.shares()
	largest := uint64(0)
	var need [hierarchy.NumTiers]uint64
	for n := range m.Layers {
		w := layerWeights{offset: map[string]uint64{}, expertSize: map[string]uint64{}}
		for _, p := range m.Linears(n) {
			one := d.config.Weights.Dtype.bytes(uint64(p.Out) * uint64(p.In))
			w.offset[p.Name], w.expertSize[p.Name] = w.bytes, one
			w.bytes = align(w.bytes + one*uint64(p.Heads)*uint64(p.Experts))
		}
		w.tier, _ = interleaved(shares, n)
		need[w.tier] += w.bytes
		l.weights = append(l.weights, w)
	}
	for t, bytes := range need {
		if err := d.system.Space.Fits(classWeights, hierarchy.TierID(t), bytes); err != nil {
			return err
		}
	}
	for n := range l.weights {
		w := &l.weights[n]
		addr, err := d.system.Space.Place(classWeights, w.tier, w.bytes)
		if err != nil {
			return err
		}
		w.home, w.seen = addr, addr
		if w.tier != hierarchy.HBM && d.config.Weights.Access != ZeroCopy {
			largest = max(largest, w.bytes)
		}
	}
	var err error
	for i := range l.staging {
		if l.staging[i], err = d.place(classStaging, largest, err); err != nil {
			return err
		}
	}
	head := m.Head()
	l.head, err = d.place(classWeights, d.config.Weights.Dtype.bytes(uint64(head.Out)*uint64(head.In)), err)
	if !m.TiedEmbeddings { // the input embedding, of which a step reads a few rows
		_, err = d.place(classWeights, d.config.Weights.Dtype.bytes(uint64(head.Out)*uint64(head.In)), err)
	}
	l.norms, err = d.place(classWeights, uint64(2*m.Layers+1)*align(uint64(m.Hidden)*2), err)
	return err
}

// place puts bytes into HBM unless an earlier placement has failed.
func (d *decode) place(class string, bytes uint64, err error) (uint64, error) {
	if err != nil || bytes == 0 {
		return 0, err
	}
	return d.system.Space.Place(class, hierarchy.HBM, bytes)
}

func (d *decode) layKV() error {
	c := &d.layout.kv
	d.shapeKV(c, d.model.Attention())
	d.planMethod()
	var need [hierarchy.NumTiers]uint64
	for n := range d.model.Layers {
		l := kvLayer{cache: d.cacheOf(n), unit: d.config.KV.Unit, shares: d.sharesKV()}
		if l.unit == "layer" {
			t, _ := interleaved(l.shares, n)
			l.shares = [hierarchy.NumTiers]float64{}
			l.shares[t] = 1
		}
		l.count = l.counts(l.cache.pages())
		for t := range need {
			need[t] += l.remote(hierarchy.TierID(t))
		}
		c.layers = append(c.layers, l)
	}
	for t, bytes := range need {
		if err := d.system.Space.Fits(classKV, hierarchy.TierID(t), bytes); err != nil {
			return err
		}
	}
	for n := range c.layers {
		l := &c.layers[n]
		for t := range hierarchy.NumTiers {
			l.spread[t] = coprime(uint64(l.count[t]))
			for part := range 2 {
				bytes := uint64(l.count[t]) * l.cache.pageBytes(part)
				if bytes == 0 {
					continue
				}
				addr, err := d.system.Space.Place(classKV, t, bytes)
				if err != nil {
					return err
				}
				l.home[t][part] = addr
			}
		}
		l.seen = l.home
	}
	return d.layStaging(c)
}

// shapeKV sets the page size and the sequences' pages.
func (d *decode) shapeKV(c *kvCache, a models.Attention) {
	kv := &d.config.KV
	c.heads, c.hnd, c.page, c.paged = a.KVHeads, kv.Layout == "hnd", kv.PageTokens, kv.PageTokens > 0
	c.kDim, c.vDim = kv.Dtype.bytes(uint64(a.QKDim)), kv.Dtype.bytes(uint64(a.VDim))
	if d.model.MLA != nil {
		c.vDim = 0
	}
	c.count(d.lengths)
}

// count lays out the pages of sequences of such lengths.
func (c *kvCache) count(lengths []int) {
	if !c.paged {
		c.page = placeTokens
		if c.hnd {
			for _, n := range lengths {
				c.page = max(c.page, n)
			}
		}
	}
	c.firstPage = nil
	total := 0
	for _, n := range lengths {
		c.firstPage = append(c.firstPage, total)
		total += (n + c.page - 1) / c.page
	}
	c.firstPage = append(c.firstPage, total)
}

// layStaging places the two buffers of each far tier, the new tokens' pages
// and the block tables.
func (d *decode) layStaging(c *kvCache) (err error) {
	if d.accessKV() != ZeroCopy {
		for b := range c.staging {
			for t := hierarchy.DDR; t < hierarchy.NumTiers; t++ {
				for part := range 2 {
					most := uint64(0)
					for i := range c.layers {
						l := &c.layers[i]
						most = max(most, uint64(l.count[t])*l.cache.pageBytes(part))
					}
					c.staging[b][t][part], err = d.place(classStaging, most, err)
				}
			}
		}
	}
	for range d.model.Layers {
		addr := uint64(0)
		addr, err = d.place(classKV, uint64(len(d.lengths)*c.heads)*(c.kDim+c.vDim), err)
		d.layout.tail = append(d.layout.tail, addr)
	}
	if c.paged {
		c.tables, err = d.place(classTables, uint64(c.pages())*4, err)
		for i := range c.layers {
			c.layers[i].cache.tables = c.tables
		}
	}
	return err
}

func (d *decode) layActivations() (err error) {
	a, m := &d.layout.act, d.model
	att := m.Attention()
	b := uint64(len(d.lengths))
	take := func(p *uint64, elements, size uint64) { *p, err = d.place(classActivations, elements*size, err) }
	hidden, heads := uint64(m.Hidden), uint64(att.QHeads)
	inner, tokens := uint64(m.FFN), b
	if m.MoE != nil {
		inner = max(inner, uint64(m.MoE.ExpertFFN*max(1, m.MoE.Shared)))
		tokens = b * uint64(m.MoE.Active)
	}
	widest := uint64(0)
	for n := range m.Layers {
		for _, l := range m.Linears(n) {
			widest = max(widest, uint64(l.Out*l.Heads))
		}
	}
	take(&a.x, b*hidden, 2)
	take(&a.y, b*hidden, 2)
	take(&a.qkv, b*widest, 2)
	take(&a.q, b*heads*uint64(att.QKDim), 2)
	take(&a.attn, b*heads*uint64(max(att.VDim, att.QKDim)), 2)
	take(&a.up, tokens*2*inner, 2)
	take(&a.act, tokens*inner, 2)
	take(&a.expert, tokens*hidden, 2)
	take(&a.logits, b*uint64(m.Vocab), 2)
	p := &d.config.Kernels.Attention
	splits, _ := p.Split(&d.config.System.GPU, len(d.lengths), att.KVHeads, d.longest())
	group := uint64((att.QHeads/att.KVHeads + p.GroupPad - 1) / p.GroupPad * p.GroupPad)
	take(&a.partial, b*uint64(att.KVHeads*splits)*group, uint64(att.VDim*4+8))
	take(&a.split, b*max(widest, uint64(m.Vocab))*uint64(d.config.Kernels.GEMM.MaxSplit), 4)
	take(&a.reduce, b*hidden, 2)
	if d.config.Workload.TP > 1 && err == nil {
		a.peer, err = d.system.Space.Place(classActivations, hierarchy.PeerHBM, b*hidden*2*uint64(d.config.Workload.TP-1))
	}
	return err
}

func (d *decode) longest() int {
	n := 0
	for _, l := range d.lengths {
		n = max(n, l)
	}
	return n
}

// coprime returns a multiplier that permutes the residues of n in a scattered
// way: near n over the golden ratio, and coprime to n.
func coprime(n uint64) uint64 {
	if n < 3 {
		return 1
	}
	for m := uint64(float64(n)*0.6180339887) | 1; ; m++ {
		if gcd(m, n) == 1 {
			return m
		}
	}
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
