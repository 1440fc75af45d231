package kv

import (
	"maps"
	"math"
	"reflect"
	"slices"

	"hwsim/workloads/kvalloc"
)

// Policy is a method. The zero value keeps and reads all keys and values in
// HBM.
type Policy struct {
	Name   string `toml:"name"`   // that reports say; any text
	Source string `toml:"source"` // the paper

	Select  Select            `toml:"select"`
	Combine Combine           `toml:"combine"`
	Encode  Encode            `toml:"encode"`
	Basis   Basis             `toml:"basis"`
	Share   Share             `toml:"share"`
	Place   Place             `toml:"place"`
	Move    Move              `toml:"move"`
	Execute Execute           `toml:"execute"`
	Object  map[string]Object `toml:"object"` // by name

	Virtual *kvalloc.Virtual `toml:"virtual"` // how a virtually contiguous cache gets its memory; nil: it has it all

	StepTokens float64 `toml:"step_tokens"` // tokens that a pass over the weights and the cache yields; 0: one
}

// Combine says what becomes of tokens that are dropped.
type Combine struct {
	Rule        string  `toml:"rule"`         // drop, average, gaussian, ema, centroid, mean or entry; "" is drop
	Stand       int     `toml:"stand"`        // tokens of a head that stand for all that were dropped
	Compare     float64 `toml:"compare"`      // share of the kept keys that a dropped one is compared with
	Merged      float64 `toml:"merged"`       // share of the dropped tokens that are merged into a kept one
	EntryTokens float64 `toml:"entry_tokens"` // generated tokens that share one key and value; 0: one
}

// Basis says what is stored instead of keys and values.
type Basis struct {
	X          bool    `toml:"x"`           // the layer's input, encoded as keys are
	KeyRank    int     `toml:"key_rank"`    // elements of a token of the layer that its keys are computed from; 0: keys are stored
	ValueRank  int     `toml:"value_rank"`  // elements of a token of the layer that its values are computed from; 0: values are stored
	KeyShare   float64 `toml:"key_share"`   // the same as a share of the elements of a layer's keys
	ValueShare float64 `toml:"value_share"` // the same as a share of the elements of a layer's values
	Factors    bool    `toml:"factors"`     // the matrices from them to keys or values are the sequence's own
	Window     int     `toml:"window"`      // newest tokens stored as keys and values beside them
	Correction int     `toml:"correction"`  // rank of a correction to encoded keys and values
	Spilled    bool    `toml:"spilled"`     // keys and values so computed are written to memory before attention reads them
}

// ranks returns how many elements of a token of the layer keys and values are
// computed from; 0: they are stored.
func (b *Basis) ranks(s *Shape) (keys, values float64) {
	return max(float64(b.KeyRank), math.Floor(b.KeyShare*float64(s.KVHeads*s.KeyDim)+1e-9)),
		max(float64(b.ValueRank), math.Floor(b.ValueShare*float64(s.KVHeads*s.ValueDim)+1e-9))
}

// low reports whether keys or values are computed from less.
func (b *Basis) low() bool {
	return b.KeyRank > 0 || b.ValueRank > 0 || b.KeyShare > 0 || b.ValueShare > 0
}

// Share says what layers have in common.
type Share struct {
	From     float64 `toml:"from"`     // share of the depth after which layers share
	Layers   int     `toml:"layers"`   // layers that share one direction of every key and value; 0: none do
	Retained float64 `toml:"retained"` // share of the tokens that every layer keeps apart
}

// Group returns the layers, from the first to before the last, that a layer shares
// directions with: itself alone before From, and where those of the model's end
// are too few.
func (s *Share) Group(layer, layers int) (first, last int) {
	begin := int(math.Ceil(s.From * float64(layers)))
	if s.Layers < 2 || layer < begin {
		return layer, layer + 1
	}
	first = layer - (layer-begin)%s.Layers
	if last = first + s.Layers; last > layers {
		return layer, layer + 1
	}
	return first, last
}

// Place says where keys and values lie.
type Place struct {
	Keys   Tier `toml:"keys"`       // memory that keys lie in; empty: as [kv.split] says
	Values Tier `toml:"values"`     // memory that values lie in; empty: as [kv.split] says
	Copies int  `toml:"key_copies"` // copies of the keys, in several orders; 0: one
}

// Move says how attended tokens get to where attention runs.
type Move struct {
	Hits     float64 `toml:"hits"`     // share of the chosen tokens that are in HBM from the step before: not fetched again, nor computed if basis.spilled
	Gathered bool    `toml:"gathered"` // chosen tokens are copied side by side before attention, those in HBM too
	Hidden   bool    `toml:"hidden"`   // fetching goes on beside the rebuilding of keys
}

// Execute says where attention runs.
type Execute struct {
	Site string `toml:"site"` // gpu, cpu or csd; "" is gpu
}

// Tier names a memory: those of package hierarchy, or a drive, or another
// party's over a network.
type Tier string

// Tiers beyond those of a machine of package hierarchy.
const (
	HBM     Tier = "hbm"
	DDR     Tier = "ddr"
	CXL     Tier = "cxl"
	Peer    Tier = "peer"
	CSD     Tier = "csd"
	Network Tier = "network"
)

// or returns t, or HBM if none is named.
func (t Tier) or() Tier {
	if t == "" {
		return HBM
	}
	return t
}

// Stage is the part of a layer's attention in which something moves.
type Stage string

// Stages, in the order in which a layer goes through them.
const (
	Score   Stage = "score"   // what the choice of tokens is made by
	Fetch   Stage = "fetch"   // chosen tokens from beyond HBM
	Rebuild Stage = "rebuild" // keys and values computed from what is stored
	Repeat  Stage = "repeat"  // the framework's copies before attention
	AttendS Stage = "attend"
	Append  Stage = "append" // the new token
	Update  Stage = "update" // scores, time stamps; what is dropped, moved, merged, encoded anew
)

// Stages lists all, in order.
var Stages = []Stage{Score, Fetch, Rebuild, Repeat, AttendS, Append, Update}

// Plain reports whether the policy changes nothing but, at most, how the cache
// gets its memory.
func (p *Policy) Plain() bool {
	q := *p
	q.Name, q.Source, q.Virtual = "", "", nil
	return reflect.DeepEqual(q, Policy{})
}

// Chooses reports whether a step attends to a part of what is kept.
func (p *Policy) Chooses() bool { return p.Select.chooses() }

// Away reports whether attention runs where keys and values lie, not on the
// GPU.
func (p *Policy) Away() bool { return p.away() }

// Apart reports whether keys and values lie in different memories.
func (p *Policy) Apart() bool { return p.Place.Keys.or() != p.Place.Values.or() }

// Tiers returns the memories that the policy names.
func (p *Policy) Tiers() (out []Tier) {
	add := func(t Tier) {
		if t = t.or(); !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	add(p.Place.Keys)
	add(p.Place.Values)
	for _, name := range slices.Sorted(maps.Keys(p.Object)) {
		add(p.Object[name].Tier)
	}
	return out
}

// Stored reports whether keys and values are kept themselves, not what they are
// computed from.
func (p *Policy) Stored(s Shape) (keys, values bool) {
	k, v := p.Basis.ranks(&s)
	return !p.Basis.X && k == 0, !p.Basis.X && v == 0
}

// Ranks returns the elements of a token of a layer that keys and values are
// computed from; 0: they are stored.
func (p *Policy) Ranks(s Shape) (keys, values int) {
	k, v := p.Basis.ranks(&s)
	return int(k), int(v)
}
