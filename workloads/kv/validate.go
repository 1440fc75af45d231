package kv

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"hwsim/configs"
)

// mostTokens bounds every count of tokens, layers and elements.
const mostTokens = 1 << 24

// Load reads a policy, a file or a preset of configs/policies; the sets
// override its keys.
func Load(name string, sets []string) (*Policy, error) {
	var c struct {
		Policy Policy `toml:"policy"`
	}
	return &c.Policy, load("policy", name, sets, &c)
}

// load reads a file or a preset of a table into a struct that has it.
func load(table, name string, sets []string, into any) error {
	own := make([]string, len(sets))
	for i, set := range sets {
		own[i] = table + "." + set
	}
	doc, err := configs.LoadTable(table, name, own)
	if err != nil {
		return err
	}
	return doc.Decode(into)
}

// Validate reports what no policy can be.
func (p *Policy) Validate(report func(key, message string)) {
	p.Select.validate(report)
	p.Combine.validate(report)
	p.Encode.validate(report)
	p.Basis.validate(report)
	p.Place.validate(report)
	share(report, "share.from", p.Share.From)
	configs.Within(report, "share.layers", p.Share.Layers, 0, 64)
	share(report, "share.retained", p.Share.Retained)
	share(report, "move.hits", p.Move.Hits)
	one(report, "execute.site", p.Execute.Site, "gpu", "cpu", "csd")
	number(report, "step_tokens", p.StepTokens, 0, 64)
	for _, name := range slices.Sorted(maps.Keys(p.Object)) {
		o := p.Object[name]
		o.validate("object."+name, report)
	}
	if p.Basis.X && p.Basis.low() {
		report("basis.x", "goes without ranks and shares of keys and values")
	}
	if p.away() && (p.Basis.X || p.Basis.low()) {
		report("execute.site", "must be gpu where keys or values are computed")
	}
}

func (s *Select) validate(report func(key, message string)) {
	configs.Within(report, "select.sinks", s.Sinks, 0, mostTokens)
	s.Recent.validate("select.recent", report)
	s.Best.validate("select.best", report)
	configs.Within(report, "select.overhang", s.Overhang, 0, mostTokens)
	configs.Within(report, "select.shared_by", s.SharedBy, 0, 1<<10)
	configs.Within(report, "select.every", s.Every, 0, 1<<16)
	share(report, "select.dense_heads", s.DenseHeads)
	sum := 0.0
	for i, l := range s.Layers {
		number(report, fmt.Sprintf("select.layers.%d", i), l, 0, 1e6)
		sum += l
	}
	if len(s.Layers) > 0 && !(sum > 0) {
		report("select.layers", "must have a budget above 0")
	}
	if s.DenseHeads > 0 && !s.forgets() {
		report("select.dense_heads", "needs sinks, recent or best for the other heads")
	}
	s.Attend.validate("select.attend", report)
	configs.Within(report, "select.attend.chunk", s.Attend.Chunk, 0, 1<<16)
	configs.Within(report, "select.attend.beside", s.Attend.Beside, 0, mostTokens)
	share(report, "select.attend.pages", s.Attend.Pages)
}

func (a *Amount) validate(key string, report func(key, message string)) {
	configs.Within(report, key+".tokens", a.Tokens, 0, mostTokens)
	share(report, key+".share", a.Share)
	one(report, key+".of", a.Of, "prompt", "context", "total")
}

func (c *Combine) validate(report func(key, message string)) {
	one(report, "combine.rule", c.Rule, "drop", "average", "gaussian", "ema", "centroid", "mean", "entry")
	configs.Within(report, "combine.stand", c.Stand, 0, 1<<16)
	share(report, "combine.compare", c.Compare)
	share(report, "combine.merged", c.Merged)
	number(report, "combine.entry_tokens", c.EntryTokens, 0, 64)
}

func (e *Encode) validate(report func(key, message string)) {
	for _, c := range []struct {
		key string
		*Coding
	}{{"keys", &e.Keys}, {"values", &e.Values}, {"high", &e.High}} {
		number(report, "encode."+c.key+".bits", c.Bits, 0, 64)
		configs.Within(report, "encode."+c.key+".group", c.Group, 0, 1<<20)
		number(report, "encode."+c.key+".param_bytes", c.ParamBytes, 0, 1<<10)
		number(report, "encode."+c.key+".token_bytes", c.TokenBytes, 0, 1<<16)
		share(report, "encode."+c.key+".outliers", c.Outliers)
		number(report, "encode."+c.key+".outlier_bytes", c.OutlierBytes, 0, 1<<10)
		if c.ParamBytes > 0 && c.Group == 0 {
			report("encode."+c.key+".group", "must be positive with param_bytes")
		}
	}
	share(report, "encode.high_share", e.HighShare)
	configs.Within(report, "encode.window", e.Window, 0, mostTokens)
	configs.Within(report, "encode.buffer", e.Buffer, 0, mostTokens)
	configs.Within(report, "encode.recode_every", e.RecodeEvery, 0, mostTokens)
}

func (b *Basis) validate(report func(key, message string)) {
	configs.Within(report, "basis.key_rank", b.KeyRank, 0, 1<<16)
	configs.Within(report, "basis.value_rank", b.ValueRank, 0, 1<<16)
	configs.Within(report, "basis.window", b.Window, 0, mostTokens)
	configs.Within(report, "basis.correction", b.Correction, 0, 1<<12)
	share(report, "basis.key_share", b.KeyShare)
	share(report, "basis.value_share", b.ValueShare)
	if b.KeyRank > 0 && b.KeyShare > 0 {
		report("basis.key_share", "goes without key_rank")
	}
	if b.ValueRank > 0 && b.ValueShare > 0 {
		report("basis.value_share", "goes without value_rank")
	}
	if b.Factors && !b.low() {
		report("basis.factors", "needs a rank or share of keys or values")
	}
}

func (p *Place) validate(report func(key, message string)) {
	p.Keys.validate("place.keys", report)
	p.Values.validate("place.values", report)
	configs.Within(report, "place.key_copies", p.Copies, 0, 8)
}

func (o *Object) validate(key string, report func(key, message string)) {
	one(report, key+".of", o.Of, "context", "kept", "attended", "generated", "dropped", "one")
	one(report, key+".heads", o.Heads, "kv", "query", "layer")
	configs.Within(report, key+".tokens", o.Tokens, 0, mostTokens)
	configs.Within(report, key+".every", o.Every, 0, mostTokens)
	configs.Within(report, key+".layers_share", o.LayersShare, 0, 1<<10)
	for _, v := range []struct {
		name  string
		value float64
	}{{"bytes", o.Bytes}, {"elements", o.Elements}, {"dims", o.Dims}, {"squares", o.Squares}, {"hidden", o.Hidden}, {"bits", o.Bits},
		{"read", o.Read}, {"write", o.Write}, {"flops", o.FLOPs}, {"once", o.Once}} {
		number(report, key+"."+v.name, v.value, 0, 1e9)
	}
	var stages []string
	for _, s := range Stages {
		stages = append(stages, string(s))
	}
	one(report, key+".stage", string(o.Stage), stages...)
	if o.Stage == "" && (o.Read > 0 || o.Write > 0) {
		report(key+".stage", "must be one of "+strings.Join(stages, ", ")+" where the object is read or written")
	}
	o.Tier.validate(key+".tier", report)
}

func (t Tier) validate(key string, report func(key, message string)) {
	one(report, key, string(t), string(HBM), string(DDR), string(CXL), string(Peer), string(CSD), string(Network))
}

func share(report func(key, message string), key string, v float64) { number(report, key, v, 0, 1) }

func number(report func(key, message string), key string, v, least, most float64) {
	if math.IsNaN(v) || v < least || v > most {
		report(key, fmt.Sprintf("must be %g to %g", least, most))
	}
}

// one reports a word that is none of those allowed; empty is the first of them.
func one(report func(key, message string), key, word string, allowed ...string) {
	if word != "" && !slices.Contains(allowed, word) {
		report(key, "must be "+strings.Join(allowed[:len(allowed)-1], ", ")+" or "+allowed[len(allowed)-1])
	}
}
