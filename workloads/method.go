package workloads

import (
	"fmt"
	"math"

	"hwsim/hierarchy"
	"hwsim/workloads/kernels"
	"hwsim/workloads/kv"
)

// method is a KV policy at work: what it keeps and moves in every layer, and
// where.
type method struct {
	policy  *kv.Policy
	engine  *kv.Engine
	shape   kv.Shape
	layers  []methodLayer
	scratch map[string]kernels.Region // buffers that layers use in turn, by what they are for
	partial uint64                    // parts of attention, where the framework repeats heads
	scores  uint64                    // of what is chosen among
	index   uint64                    // of what is chosen
	host    hostSide
}

// methodLayer is a layer's part.
type methodLayer struct {
	kept, most, attended []int // tokens of each sequence, a KV head: on average, before a dropping
	held                 []kv.Held
	flows                []kv.Flow // sums over the sequences
	flops                map[kv.Stage]float64
	at                   map[string]kernels.Region // where its objects lie
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
	m.policy, m.engine, m.scratch = &c.Policy, &c.Engine, map[string]kernels.Region{}
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
	l := methodLayer{at: map[string]kernels.Region{}}
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
	keys, values := m.inCache()
	own.kDim, own.vDim = dim("keys", keys), dim("values", values)
	return &own
}

// inCache reports whether keys and values lie in the cache: keys that have a
// memory of their own are an object apart.
func (m *method) inCache() (keys, values bool) {
	keys, values = m.policy.Stored(m.shape)
	return keys && !m.policy.Apart(), values
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
	if p.Execute.Site == "cpu" && (p.Place.Keys != kv.DDR || p.Place.Values != kv.DDR) {
		report("policy.execute.site", "needs place.keys and place.values = ddr")
	}
	if c.Kernels.Retrieve.ScoreChunks == 0 {
		report("policy", "needs kernels with [kernels.retrieve]")
	}
	if keys, _ := p.Stored(kv.ShapeOf(&c.Model, 2)); keys && p.Apart() && !(p.Chooses() && p.Move.Gathered) {
		report("policy.place.keys", "must be as place.values, unless keys are computed, or chosen tokens gathered (move.gathered)")
	}
}
