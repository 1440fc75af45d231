package kv

import (
	"maps"
	"slices"
)

// Held is what a layer of one sequence keeps of an object.
type Held struct {
	Object string
	Tier   Tier
	Bytes  float64
	Common bool // the same bytes for all sequences of a batch
}

// Flow is what one layer of one sequence moves of an object in one stage of a
// step: the mean over steps of a long generation.
type Flow struct {
	Object        string
	Stage         Stage
	Tier          Tier
	Read, Written float64 // bytes
	Run           float64 // bytes that lie together; 0: all
	Common        bool    // the same bytes for all sequences of a batch, moved once
}

// Layer is what a policy makes of one layer of one sequence.
type Layer struct {
	Kept, Attended float64 // tokens of a KV head, mean over heads and over the steps between two droppings
	Most           float64 // the same of kept tokens just before a dropping
	Held           []Held
	Flows          []Flow
	FLOPs          map[Stage]float64
}

// tokens counts a head's tokens.
type tokens struct {
	context, kept, attended, generated, dropped float64
}

// Layer returns what the policy keeps and moves under an engine in a layer,
// counted from zero.
func (p *Policy) Layer(s Shape, c Context, e *Engine, layer int) Layer {
	b := builder{policy: p, shape: &s, engine: e, layer: layer, out: Layer{FLOPs: map[Stage]float64{}}}
	all := p.entries(c)
	heads := float64(s.KVHeads)
	dense := 0.0
	if p.Select.forgets() {
		dense = p.Select.dense(s.KVHeads)
	}
	if dense > 0 {
		b.heads(dense, tokens{context: all, kept: all, attended: all, generated: float64(c.Generated)})
	}
	if dense < heads {
		t := p.tokens(s, c, layer)
		b.heads(heads-dense, t)
		b.objects(heads-dense, &t)
	}
	return b.out
}

// entries returns how many keys a head would keep of a context without
// selection.
func (p *Policy) entries(c Context) float64 {
	return float64(c.Prompt) + float64(c.Generated)/max(1, p.Combine.EntryTokens)
}

// tokens returns the tokens of a head that selects.
func (p *Policy) tokens(s Shape, c Context, layer int) tokens {
	t := tokens{context: p.entries(c), generated: float64(c.Generated)}
	t.kept = min(t.context, p.Select.kept(c, layer, s.Layers))
	if t.kept < t.context {
		t.dropped = 1
		t.kept += float64(p.Combine.Stand)
	}
	t.attended = p.Select.attended(c, t.kept)
	return t
}

// builder adds up a layer.
type builder struct {
	policy *Policy
	shape  *Shape
	engine *Engine
	layer  int
	out    Layer
}

func (b *builder) hold(object string, tier Tier, bytes float64) {
	if bytes > 0 {
		b.out.Held = append(b.out.Held, Held{Object: object, Tier: tier.or(), Bytes: bytes})
	}
}

func (b *builder) move(object string, stage Stage, tier Tier, read, written, run float64) {
	if read > 0 || written > 0 {
		b.out.Flows = append(b.out.Flows, Flow{Object: object, Stage: stage, Tier: tier.or(), Read: read, Written: written, Run: run})
	}
}

// heads adds n heads of such tokens.
func (b *builder) heads(n float64, t tokens) {
	s, p := b.shape, b.policy
	share := n / float64(s.KVHeads)
	b.out.Kept += share * t.kept
	b.out.Attended += share * t.attended
	b.out.Most += share * (t.kept + t.dropped*float64(p.Select.Overhang)/2)
	b.out.FLOPs[AttendS] += 2 * n * float64(s.Group) * t.attended * float64(s.KeyDim+s.ValueDim)
	if p.Basis.X {
		b.input(n, &t)
	} else {
		waitKeys, waitValues := p.Encode.waiting(&t)
		keyRank, valueRank := p.Basis.ranks(s)
		b.part(part{name: "keys", tier: p.Place.Keys, dim: float64(s.KeyDim), rank: keyRank, coding: &p.Encode.Keys, wait: waitKeys, copies: max(1, p.Place.Copies)}, n, &t)
		b.part(part{name: "values", tier: p.Place.Values, dim: float64(s.ValueDim), rank: valueRank, coding: &p.Encode.Values, wait: waitValues, copies: 1}, n, &t)
	}
	b.correction(n, &t)
	b.remote(n)
}

// part is keys or values.
type part struct {
	name   string
	tier   Tier
	dim    float64
	rank   float64
	coding *Coding
	wait   float64 // tokens that are not encoded yet
	copies int
}

// bytes returns a head's bytes of so many tokens as they are stored.
func (b *builder) bytes(q *part, tokens float64) float64 {
	return b.policy.Encode.part(q.coding, b.shape, q.dim, tokens, min(q.wait, tokens))
}

// part adds keys or values of n heads.
func (b *builder) part(q part, n float64, t *tokens) {
	if q.dim == 0 {
		return
	}
	if q.rank > 0 {
		b.lowRank(&q, n, t)
		b.store(&q, n, t)
		return
	}
	held, read := b.bytes(&q, t.kept), b.bytes(&q, t.attended)
	held, read = b.shared(&q, t, held, read)
	b.hold(q.name, q.tier, n*held*float64(q.copies))
	b.attend(&q, n, t, read)
	b.store(&q, n, t)
}

// shared returns what of a head's bytes are left to a layer that shares a
// direction with others, and what it reads.
func (b *builder) shared(q *part, t *tokens, held, read float64) (float64, float64) {
	h := &b.policy.Share
	if first, last := h.Group(b.layer, b.shape.Layers); last-first < 2 {
		return held, read
	}
	magnitude := b.shape.Element
	return held*(1/float64(h.Layers)+h.Retained) + t.kept*magnitude, read*(1+h.Retained) + t.attended*magnitude
}

// attend adds what attention reads of a part, and what brings it near.
func (b *builder) attend(q *part, n float64, t *tokens, read float64) {
	p := b.policy
	if q.tier.or() == HBM && !(p.Move.Gathered && p.Select.chooses()) || p.away() {
		if p.Select.Attend.Pages > 0 {
			read = max(read, p.Select.Attend.Pages*b.bytes(q, t.kept))
		}
		b.framework(q, n, t, read)
		return
	}
	run := 0.0
	if p.Chooses() {
		run = b.bytes(q, float64(max(1, p.Select.Attend.Chunk)))
		b.hold("chosen "+q.name, HBM, n*read)
	}
	chosen := b.bytes(q, max(0, t.attended-float64(p.Select.Attend.Beside)))
	missed := n * chosen * (1 - p.Move.Hits) / float64(max(1, p.Select.Every))
	b.move(q.name, Fetch, q.tier, missed, 0, run)
	b.move(q.name, Fetch, HBM, 0, missed, run)
	b.framework(&part{name: q.name, dim: q.dim, coding: q.coding, wait: q.wait}, n, t, read)
}

// framework adds attention's own reads, and the copies that some frameworks
// make before.
func (b *builder) framework(q *part, n float64, t *tokens, read float64) {
	e := b.engine
	if e.JoinsCache {
		whole := n * b.bytes(q, t.kept)
		b.move(q.name, Repeat, q.tier, whole, whole, 0)
	}
	g := float64(b.shape.Group)
	if e.RepeatsHeads && g > 1 {
		b.move(q.name, Repeat, q.tier, n*read, n*read*g, 0)
		read *= g
	}
	b.move(q.name, AttendS, q.tier, n*read, 0, 0)
}

// away reports whether attention runs where keys and values lie.
func (p *Policy) away() bool { return p.Execute.Site == "cpu" || p.Execute.Site == "csd" }

// store adds the new token's part, and what becomes of the old ones.
func (b *builder) store(q *part, n float64, t *tokens) {
	p, e := b.policy, b.shape.Element
	fresh := n * q.dim * e * float64(q.copies)
	width := p.Encode.element(q.coding, e)*q.dim + q.coding.TokenBytes/float64(b.shape.KVHeads)
	if q.rank > 0 {
		width = q.rank * p.Encode.element(q.coding, e) / float64(b.shape.KVHeads) // of a token of the layer
	}
	coded := n * width * float64(q.copies)
	switch {
	case q.rank > 0:
		b.move(q.name, Append, q.tier, 0, coded, 0)
		if p.Basis.Window > 0 {
			b.move(q.name, Append, q.tier, 0, fresh, 0)
		}
	case q.coding.plain():
		b.move(q.name, Append, q.tier, 0, fresh, 0)
	case !p.Encode.waits():
		b.move(q.name, Append, q.tier, 0, coded, 0)
	default:
		b.move(q.name, Append, q.tier, 0, fresh, 0)
		b.move(q.name, Update, q.tier, fresh, coded, 0)
	}
	if every := p.Encode.RecodeEvery; every > 0 {
		whole := n * b.bytes(q, t.kept) / float64(every)
		b.move(q.name, Update, q.tier, whole, whole, 0)
	}
	b.drop(q, n, t)
}

// drop adds what dropping a token moves.
func (b *builder) drop(q *part, n float64, t *tokens) {
	if t.dropped == 0 {
		return
	}
	p := b.policy
	if over := float64(p.Select.Overhang); over > 0 {
		left := n * b.bytes(q, max(0, t.kept-over/2)) / over
		b.move(q.name, Update, q.tier, left, left, 0)
	}
	if c := p.Combine.Compare; c > 0 && q.name == "keys" {
		b.move(q.name, Update, q.tier, n*t.dropped*c*b.bytes(q, t.kept), 0, 0)
		b.out.FLOPs[Update] += 2 * n * t.dropped * c * t.kept * q.dim
	}
	if m := p.Combine.Merged + float64(min(1, p.Combine.Stand)); m > 0 {
		one := n * t.dropped * m * q.dim * b.shape.Element
		b.move(q.name, Update, q.tier, one, one, 0)
	}
}

// lowRank adds a part that is computed from features of the layer's tokens.
func (b *builder) lowRank(q *part, n float64, t *tokens) {
	p, s := b.policy, b.shape
	rank, share := q.rank, n/float64(s.KVHeads)
	feature := rank * p.Encode.element(q.coding, s.Element)
	b.hold(q.name, q.tier, share*t.kept*feature)
	plain := min(float64(p.Basis.Window+p.Select.Attend.Beside), t.attended)
	rebuilt := t.attended - plain
	computed := rebuilt * p.missing()
	read := share * computed * feature
	if p.Select.chooses() {
		read *= float64(s.KVHeads) // every head's own choice
	}
	b.move(q.name, Rebuild, q.tier, read, 0, feature*float64(max(1, p.Select.Attend.Chunk)))
	if p.Basis.Factors {
		factors := n * rank * q.dim * s.Element
		b.hold(q.name+" factors", HBM, factors)
		b.move(q.name+" factors", Rebuild, HBM, factors, 0, 0)
	} else {
		b.factors(q, n)
	}
	b.out.FLOPs[Rebuild] += 2 * n * computed * rank * q.dim
	b.whole(q, n*q.dim*s.Element, plain, rebuilt, computed)
}

// factors adds the model's own matrices from features to a part of n heads.
func (b *builder) factors(q *part, n float64) {
	bytes := n * q.rank * q.dim * b.shape.Element
	b.out.Held = append(b.out.Held, Held{Object: q.name + " factors", Tier: HBM, Bytes: bytes, Common: true})
	b.out.Flows = append(b.out.Flows, Flow{Object: q.name + " factors", Stage: Rebuild, Tier: HBM, Read: bytes, Common: true})
}

// whole adds what of a part lies in HBM as it is, so many bytes a token: plain
// tokens, and those that were rebuilt, of which some were computed in this step.
func (b *builder) whole(q *part, bytes, plain, rebuilt, computed float64) {
	p := b.policy
	b.hold("plain "+q.name, HBM, plain*bytes)
	if p.keepsRebuilt() {
		b.hold("chosen "+q.name, HBM, rebuilt*bytes)
	}
	if p.Basis.Spilled {
		b.move(q.name, Rebuild, HBM, 0, computed*bytes, 0)
		plain += rebuilt
	}
	b.move(q.name, AttendS, HBM, plain*bytes, 0, 0)
}

// keepsRebuilt reports whether keys and values that were computed stay for a
// step that chooses them again.
func (p *Policy) keepsRebuilt() bool { return p.Basis.Spilled && p.Select.chooses() }

// missing returns the share of the attended tokens that a step computes.
func (p *Policy) missing() float64 {
	if !p.keepsRebuilt() {
		return 1
	}
	return (1 - p.Move.Hits) / float64(max(1, p.Select.Every))
}

// input adds the layer's inputs, of which n heads' keys and values are
// computed.
func (b *builder) input(n float64, t *tokens) {
	p, s := b.policy, b.shape
	share, width := n/float64(s.KVHeads), float64(s.Hidden)
	element := p.Encode.element(&p.Encode.Keys, s.Element)
	b.hold("x", p.Place.Keys, share*t.kept*width*element)
	reads := 1.0
	if p.Basis.Spilled {
		reads = 2 // keys and values are products of their own
	}
	b.move("x", Rebuild, p.Place.Keys, reads*share*t.attended*width*element, 0, 0)
	b.move("x", Append, p.Place.Keys, 0, share*width*element, 0)
	b.out.FLOPs[Rebuild] += 2 * n * t.attended * width * float64(s.KeyDim+s.ValueDim)
	if p.Basis.Spilled {
		kv := n * s.kv(t.attended)
		b.move("keys", Rebuild, HBM, 0, kv/2, 0)
		b.move("values", Rebuild, HBM, 0, kv/2, 0)
		b.move("keys", AttendS, HBM, kv/2, 0, 0)
		b.move("values", AttendS, HBM, kv/2, 0, 0)
	}
}

// correction adds low-rank corrections of encoded keys and values.
func (b *builder) correction(n float64, t *tokens) {
	p, s := b.policy, b.shape
	if p.Basis.Correction == 0 {
		return
	}
	elements := float64(p.Basis.Correction) * (2*t.kept + float64(s.KeyDim+s.ValueDim))
	b.hold("correction", HBM, n*elements*s.Element)
	b.move("correction", AttendS, HBM, n*elements*s.Element, 0, 0)
	b.out.FLOPs[AttendS] += 2 * n * float64(s.Group) * elements
}

// remote adds the queries and partial results of attention away from the GPU:
// sums of 32 bits with the running maximum and sum of each.
func (b *builder) remote(n float64) {
	if !b.policy.away() {
		return
	}
	s := b.shape
	rows := n * float64(s.Group)
	tier := b.policy.Place.Values.or()
	b.move("queries", AttendS, tier, 0, rows*float64(s.KeyDim)*s.Element, 0)
	b.move("partial results", AttendS, tier, rows*(float64(s.ValueDim)*4+8), 0, 0)
}

// object adds what is kept and moved of one.
func (b *builder) object(name string, o *Object, bytes float64) {
	held, moved := len(b.out.Held), len(b.out.Flows)
	if !o.Transient {
		b.hold(name, o.Tier, bytes/float64(max(1, o.LayersShare)))
	}
	often := o.often(&b.policy.Select)
	b.move(name, o.Stage, o.Tier, bytes*o.Read*often, bytes*o.Write*often, 0)
	for i := range b.out.Held[held:] {
		b.out.Held[held+i].Common = o.Common
	}
	for i := range b.out.Flows[moved:] {
		b.out.Flows[moved+i].Common = o.Common
	}
}

// objects adds the further objects of n heads.
func (b *builder) objects(n float64, t *tokens) {
	s := b.shape
	for _, name := range slices.Sorted(maps.Keys(b.policy.Object)) {
		o := b.policy.Object[name]
		sets := o.sets(s)
		if o.Heads != "layer" {
			sets *= n / float64(s.KVHeads)
		}
		entries := o.entries(t) * sets
		bytes := entries * o.entry(s)
		b.object(name, &o, bytes)
		each := o.FLOPs
		if o.Heads != "query" {
			each *= float64(s.Group)
		}
		if f := (each + o.Once) * entries * o.elements(s) * o.Read * o.often(&b.policy.Select); f > 0 {
			b.out.FLOPs[o.Stage] += f
		}
	}
}
