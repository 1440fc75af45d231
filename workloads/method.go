package workloads

import (
	"context"
	"fmt"
	"math"

	"hwsim/hierarchy"
	"hwsim/workloads/hostattn"
	"hwsim/workloads/kv"
)

// method is a KV policy at work: what it keeps and moves in every layer, and
// where.
type method struct {
	policy  *kv.Policy
	engine  *kv.Engine
	shape   kv.Shape
	layers  []methodLayer
	scratch map[string]uint64 // of buffers that layers use in turn, by object
	partial uint64            // parts of attention, where the framework repeats heads
	scores  uint64            // of what is chosen among
	index   uint64            // of what is chosen

	exchange uint64          // queries and results of attention by the host
	hostNs   map[int]float64 // that the host attends for, by tokens
}

// methodLayer is a layer's part.
type methodLayer struct {
	kept, most, attended []int // tokens of each sequence, a KV head: on average, before a dropping
	held                 []kv.Held
	flows                []kv.Flow // sums over the sequences
	flops                map[kv.Stage]float64
	at                   map[string]uint64 // where its objects lie
}

// absent reports whether no policy and no framework changes anything.
func (m *method) absent() bool { return m.policy == nil }

// signature tells layers apart that the policy treats differently.
func (m *method) signature(layer int) string {
	if m.absent() {
		return ""
	}
	return fmt.Sprint(m.layers[layer].kept, m.layers[layer].flows)
}

// planMethod finds out what the policy makes of every layer.
func (d *decode) planMethod() {
	c := d.config
	if c.Policy.Plain() && c.Engine.Plain() {
		return
	}
	m := &d.layout.method
	m.policy, m.engine, m.scratch = &c.Policy, &c.Engine, map[string]uint64{}
	m.shape = kv.ShapeOf(&d.model, c.KV.Dtype.size())
	for n := range d.model.Layers {
		m.layers = append(m.layers, newMethodLayer(m, d.contexts(), n))
	}
}

// contexts returns the sequences as a policy sees them.
func (d *decode) contexts() []kv.Context {
	w := &d.config.Workload
	var out []kv.Context
	for _, n := range d.lengths {
		out = append(out, kv.Context{Prompt: n - w.Generated, Generated: w.Generated, Limit: w.Limit})
	}
	return out
}

func newMethodLayer(m *method, contexts []kv.Context, n int) methodLayer {
	l := methodLayer{at: map[string]uint64{}}
	var each []kv.Layer
	for _, c := range contexts {
		one := m.policy.Layer(m.shape, c, m.engine, n)
		l.kept = append(l.kept, int(math.Ceil(one.Kept)))
		l.most = append(l.most, int(math.Ceil(one.Most)))
		l.attended = append(l.attended, max(1, int(math.Ceil(one.Attended))))
		each = append(each, one)
	}
	all := kv.Batch(each)
	l.held, l.flows, l.flops = all.Held, all.Flows, all.FLOPs
	return l
}

// tokens returns what a step yields.
func (d *decode) tokens() float64 {
	return float64(len(d.lengths)) * max(1, d.config.Policy.StepTokens)
}

// row sums the layers up; nil without a policy.
func (m *method) row() *PolicyRow {
	if m.absent() {
		return nil
	}
	r := &PolicyRow{Name: m.policy.Name, Engine: m.engine.Name}
	var held []kv.Held
	var flows []kv.Flow
	for i := range m.layers {
		l := &m.layers[i]
		r.Kept += float64(mean(l.kept)) / float64(len(m.layers))
		r.Attended += float64(mean(l.attended)) / float64(len(m.layers))
		held, flows = kv.Add(held, l.held), kv.AddFlows(flows, l.flows)
	}
	for _, h := range held {
		r.Held = append(r.Held, HeldRow{h.Object, string(h.Tier), h.Bytes})
	}
	for _, f := range flows {
		r.Flows = append(r.Flows, FlowsRow{f.Object, string(f.Stage), string(f.Tier), f.Read, f.Written})
		if f.Tier != kv.HBM {
			r.LinkBytes += f.Read + f.Written
		}
	}
	return r
}

// stage returns a stage's flows.
func (l *methodLayer) stage(s kv.Stage) (out []kv.Flow) {
	for _, f := range l.flows {
		if f.Stage == s {
			out = append(out, f)
		}
	}
	return out
}

// read returns the bytes of an object that a stage reads in all tiers.
func (l *methodLayer) read(s kv.Stage, object string) float64 {
	sum := 0.0
	for _, f := range l.flows {
		if f.Stage == s && f.Object == object {
			sum += f.Read
		}
	}
	return sum
}

// bytes returns what is kept of an object.
func (l *methodLayer) bytes(object string) float64 {
	sum := 0.0
	for _, h := range l.held {
		if h.Object == object {
			sum += h.Bytes
		}
	}
	return sum
}

// cacheOf returns the layout of a layer's keys and values: under a policy, of
// those that are kept, at the size they are kept in.
func (d *decode) cacheOf(layer int) *kvCache {
	c := &d.layout.kv
	m := &d.layout.method
	if m.absent() {
		return c
	}
	l := &m.layers[layer]
	own := *c
	own.layers = nil
	own.count(l.most)
	tokens := 0
	for _, n := range l.kept {
		tokens += n * c.heads
	}
	dim := func(object string, stored bool) uint64 {
		if !stored {
			return 0
		}
		return uint64(l.bytes(object)/float64(tokens) + 0.5)
	}
	keys, values := m.policy.Stored(m.shape)
	own.kDim, own.vDim = dim("keys", keys), dim("values", values)
	return &own
}

// sharesKV returns how the cache is split over the tiers: as the policy places
// it, or else as [kv] does.
func (d *decode) sharesKV() (shares [hierarchy.NumTiers]float64) {
	p := &d.config.Policy
	if t := p.Place.Values; t != "" {
		id, _ := hierarchy.ParseTier(string(t))
		shares[id] = 1
		return shares
	}
	return d.config.KV.Split.shares()
}

// accessKV returns how kernels reach far keys and values: a policy that chooses
// among them, or attends where they lie, has nothing copied in that it does not
// choose.
func (d *decode) accessKV() Access {
	p := &d.config.Policy
	if p.Chooses() || p.Away() {
		return ZeroCopy
	}
	if d.config.KV.Access == "" && p.Place.Values != "" {
		return Prefetch
	}
	return d.config.KV.Access
}

// layMethod places what the policy keeps beside keys and values, and the
// buffers of its stages.
func (d *decode) layMethod() error {
	m := &d.layout.method
	if m.absent() {
		return nil
	}
	most := map[string]float64{}
	var names []string // of scratch buffers, in order
	for n := range m.layers {
		l := &m.layers[n]
		for _, h := range l.held {
			if err := d.layHeld(l, h); err != nil {
				return err
			}
		}
		for _, f := range l.flows {
			if f.Stage == kv.Rebuild || f.Stage == kv.Repeat {
				name := scratchName(f.Stage, f.Object)
				if most[name] == 0 && f.Written > 0 {
					names = append(names, name)
				}
				most[name] = max(most[name], f.Written)
			}
		}
	}
	for _, name := range names {
		addr, err := d.system.Space.Place(classActivations, hierarchy.HBM, uint64(math.Ceil(most[name])))
		if err != nil {
			return err
		}
		m.scratch[name] = addr
	}
	if err := d.layChoice(); err != nil {
		return err
	}
	if err := d.layHost(); err != nil {
		return err
	}
	return d.layRepeated()
}

// layHost places what passes between the GPU and a host that attends, and finds
// out how long the host takes.
func (d *decode) layHost() (err error) {
	m := &d.layout.method
	if m.policy.Execute.Site != "cpu" {
		return nil
	}
	a, h := d.model.Attention(), d.config.System.Host
	bytes := uint64(len(d.lengths)*a.QHeads) * uint64(a.VDim*4+8+2*a.QKDim)
	if m.exchange, err = d.system.Space.Place("kv exchange", hierarchy.DDR, bytes); err != nil {
		return err
	}
	m.hostNs = map[int]float64{}
	for i := range m.layers {
		tokens := mean(m.layers[i].attended)
		if _, known := m.hostNs[tokens]; known {
			continue
		}
		o := hostattn.Options{Threads: h.CPU.Cores, Heads: a.QHeads, KVHeads: a.KVHeads, HeadDim: a.QKDim, Batch: len(d.lengths), Context: tokens, BFloat16: true}
		if m.hostNs[tokens], err = hostattn.Time(context.Background(), h, o); err != nil {
			return configError{err}
		}
	}
	return nil
}

// scratchName names the buffer that a stage leaves an object in.
func scratchName(s kv.Stage, object string) string { return string(s) + " " + object }

// layHeld places an object unless it is resident keys or values, which the
// cache has placed.
func (d *decode) layHeld(l *methodLayer, h kv.Held) error {
	m := &d.layout.method
	keys, values := m.policy.Stored(m.shape)
	if h.Object == "keys" && keys || h.Object == "values" && values {
		return nil
	}
	tier, err := hierarchy.ParseTier(string(h.Tier))
	if err != nil {
		return configError{err}
	}
	if _, placed := l.at[h.Object]; placed {
		return nil
	}
	l.at[h.Object], err = d.system.Space.Place("kv "+h.Object, tier, uint64(math.Ceil(l.bytes(h.Object))))
	return err
}

// layChoice places the scores that tokens are chosen by and the choice.
func (d *decode) layChoice() (err error) {
	m := &d.layout.method
	if !m.policy.Chooses() {
		return nil
	}
	most := 0
	for i := range m.layers {
		most = max(most, mean(m.layers[i].kept)/d.unit()+1)
	}
	m.scores, err = d.place(classActivations, uint64(d.rows()*most)*4, nil)
	m.index, err = d.place(classActivations, uint64(d.rows()*most)*8, err)
	return err
}

// layRepeated places the parts of attention of every query head on its own.
func (d *decode) layRepeated() (err error) {
	m := &d.layout.method
	if !m.engine.RepeatsHeads {
		return nil
	}
	p, a := &d.config.Kernels.Attention, d.model.Attention()
	splits, _ := p.Split(&d.config.System.GPU, len(d.lengths), a.QHeads, d.longest())
	m.partial, err = d.place(classActivations, uint64(len(d.lengths)*a.QHeads*splits*p.GroupPad)*uint64(a.VDim*4+8), err)
	return err
}

// validatePolicy reports what a policy asks of the rest that is not there.
func (c *Config) validatePolicy(report func(key, message string)) {
	p := &c.Policy
	if p.Plain() && c.Engine.Plain() {
		return
	}
	if c.Model.MLA != nil {
		report("policy", "needs a model with keys and values of its own heads")
	}
	if c.KV.Virtual != nil || p.Virtual != nil {
		report("kv.virtual", "goes without a policy that changes the cache itself, and without an engine")
	}
	for _, t := range p.Tiers() {
		id, err := hierarchy.ParseTier(string(t))
		switch {
		case err != nil:
			report("policy.place", fmt.Sprintf("%s is no memory of this machine: run such a policy as an [offload]", t))
		case id == hierarchy.DDR && (c.System.Host == nil || c.System.Host.DDR == nil),
			id == hierarchy.PeerHBM && c.System.Peer == nil,
			id == hierarchy.CXLMem && (c.System.Host == nil || c.System.Host.CXL == nil):
			report("policy.place", fmt.Sprintf("this system has no %s memory", t))
		}
	}
	if p.Execute.Site == "cpu" && (c.System.Host == nil || c.System.Host.CPU == nil) {
		report("policy.execute.site", "needs a system whose host has a cpu")
	}
	if keys, _ := p.Stored(kv.ShapeOf(&c.Model, 2)); keys && p.Place.Keys != p.Place.Values {
		report("policy.place.keys", "must be as place.values, unless keys are computed")
	}
}
