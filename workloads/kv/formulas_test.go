package kv

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"hwsim/configs"
)

// symbols are those of the published formulas: P prompt, t generated and L
// visible tokens; h KV heads, g query heads of each, d elements of one, D of
// the residual stream; b bytes of an element.
type symbols struct{ P, t, L, h, g, d, D, b float64 }

// moved is what a formula says of a layer: bytes kept, read and written in a
// step.
type moved struct{ held, read, written float64 }

// sel is a cache of B tokens of every head, read whole, with a token written.
func (s symbols) sel(B float64) moved {
	kv := 2 * s.h * s.d * s.b
	return moved{B * kv, B * kv, kv}
}

// scored is the same with so many bytes for each token, kept, read and written.
func (s symbols) scored(B, bytes float64) moved { return s.sel(B).with(B*bytes*s.h, 1, 1) }

// with adds an object of which shares are read and written.
func (m moved) with(bytes, read, written float64) moved {
	return moved{m.held + bytes, m.read + bytes*read, m.written + bytes*written}
}

// moves adds bytes that are not kept.
func (m moved) moves(read, written float64) moved {
	return moved{m.held, m.read + read, m.written + written}
}

// packed is what a tail of keys and of values in b bytes and the rest in e bytes
// an element, and parameters of a token of the layer, come to.
func (s symbols) packed(tailK, tailV, e, token float64) float64 {
	return s.h*s.d*((tailK+tailV)*s.b+(2*s.L-tailK-tailV)*e) + (s.L-tailV)*token
}

// formulas are those of the papers, as their bytes and traffic are usually
// written; where a method acts on the prompt alone the generated tokens t are
// added.
var formulas = map[string]struct {
	prompt int // 0: 4096
	layer  int
	want   func(s symbols) moved
}{
	"00_full":          {want: func(s symbols) moved { return s.sel(s.L) }},
	"01_elastic_cache": {want: func(s symbols) moved { return s.sel(s.P / 2) }},
	"03_xquant": {want: func(s symbols) moved { // L D q/8 for the layer
		q := 4 + 20.0/128
		return moved{s.L * s.D * q / 8, s.L * s.D * q / 8, s.D * q / 8}
	}},
	"04_vattention": {want: func(s symbols) moved { return s.sel(s.L) }},
	"06_lacache": {want: func(s symbols) moved { // between 256 and 512; 256 are moved every 256 steps
		copied := 2 * 256 * s.d * s.b * s.h / 256
		return s.sel((256+512)/2).moves(copied, copied)
	}},
	"07_mikv": {want: func(s symbols) moved { // 2 d L (ρ hi + (1-ρ) lo)/8 + scales, scores, balancer, a demotion
		e := (0.6*4+0.4*2)/8 + 4/s.d
		demoted := 0.4 * 2 * s.d * s.h
		return moved{2 * s.d * s.L * e * s.h, 2 * s.d * s.L * e * s.h, 2 * s.d * e * s.h}.with(4*s.L*s.h, 1, 1).with(s.d*s.b*s.h, 1, 0).
			moves(demoted*4/8, demoted*2/8)
	}},
	"09_cake":     {want: func(s symbols) moved { return s.scored(1024, 8) }},
	"12_windowkv": {want: func(s symbols) moved { return s.sel(math.Floor(0.12*s.P) + s.t) }},
	"14_lazyeviction": {want: func(s symbols) moved { // mean of B and B+W, 2 B d b every W steps
		B, W := math.Floor(s.L/2), 64.0
		copied := 2 * B * s.d * s.b * s.h / W
		return s.scored(B+W/2, 8).moves(copied, copied)
	}},
	"15_locret": {prompt: 16384, want: func(s symbols) moved {
		B := 6000 + s.t
		weights := ((s.D+2*s.h*s.d)*1024 + 1024*s.h) * s.b
		return s.sel(B).with(4*B*s.h, 0, 0).moves(0, 4*s.h).with(weights, 1, 0)
	}},
	"19_block_quantization": {want: func(s symbols) moved { // 2 L d (m + e/G)/8
		e := (8 + 8.0/128) / 8
		return moved{2 * s.L * s.d * e * s.h, 2 * s.L * s.d * e * s.h, 2 * s.d * e * s.h}
	}},
	"22_d2o": {want: func(s symbols) moved { // a dropped key is compared with B, half are merged: 2 d b read and written
		B := 2 * math.Floor(0.1*s.P)
		merged := 2 * s.d * s.b * s.h / 2
		return s.scored(B, 4).moves(B*s.d*s.b*s.h+merged, merged)
	}},
	"23_mpcache": {want: func(s symbols) moved { // (Σ centroids + 2k) d b, centroids for two layers at once
		B, k, one := s.P/2+s.t, 256.0, s.d*s.b*s.h
		m := moved{2*B*one + B/64*one + B/16*one, (B/64+B/16/4)/2*one + 2*k*one, 2 * one}
		opened := 2 * k * s.d * s.h * 8
		return m.moves(opened, opened)
	}},
	"25_hamburger": {want: func(s symbols) moved { return s.sel(s.P + s.t/2) }},
	"29_h2o":       {want: func(s symbols) moved { return s.scored(2*math.Floor(0.1*s.L), 4) }},
	"30_kvmerger":  {want: func(s symbols) moved { return s.sel(s.P/2 + s.t) }},
	"31_shadowkv": {want: func(s symbols) moved {
		one, r, O := s.d*s.b*s.h, 160.0, 48.0*8
		k := math.Ceil(math.Floor(s.L/64)/8) * 8
		landmarks, lowRank, factors := s.L/8*one, s.L*r*s.b, r*one
		fetched := (1 - 0.6) * k * one
		scores := 2 * s.L / 8 * s.h * s.g
		return moved{
			held:    landmarks + lowRank + factors + 2*(k+O)*one + s.L*one,                    // the last are the values in host memory
			read:    landmarks + 2*scores + 2*(k+O)*one + fetched + 0.4*k*r*s.b*s.h + factors, // rank-r rows are gathered for every head
			written: 2*scores + fetched + 0.4*k*one + r*s.b + one,                             // what is fetched and rebuilt lands in HBM
		}
	}},
	"32_minicache": {layer: 20, want: func(s symbols) moved { // half of: L d b + 2 magnitudes + γ 2 L d b, for K and V of two layers
		e, γ := (4+32/s.d)/8, 0.05
		half := (s.L*s.d*e + 2*s.L*s.b + γ*2*s.L*s.d*e) / 2
		return moved{2 * s.h * half, 2 * s.h * (s.L*s.d*e*(1+γ) + s.L*s.b), 2 * s.d * e * s.h}
	}},
	"33_zipcache": {want: func(s symbols) moved { // parameters of channels and of tokens, not of groups
		q := (0.6*4 + 0.4*2) / 8
		tail := s.t / 2 // of at most 100
		kv := s.packed(tail, tail, q, 4)
		m := moved{kv, kv, 0}.with(5*s.d*s.b*s.h, 1, 0)
		fresh, coded, recoded := 2*s.d*s.b*s.h, 2*s.d*q*s.h+4, (kv+4*s.L*s.h)/100
		return m.moves(fresh+recoded, fresh+coded+recoded)
	}},
	"34_pldr_llm": {want: func(s symbols) moved { return s.sel(s.L).with(s.h*s.g*s.d*s.d*s.b, 1, 0) }},
	"37_kinetics": {want: func(s symbols) moved {
		m := s.sel(s.L).with(s.L/16*s.d*s.b*s.h, 1, 0)
		return m.moves(-2*(s.L-64*16)*s.d*s.b*s.h, 0)
	}},
	"39_scissorhands": {want: func(s symbols) moved {
		B, m := 2*math.Floor(0.1*s.L), 64.0
		copied := 2 * B * s.d * s.b * s.h / m
		return s.scored(B+m/2, 2).moves(copied, copied)
	}},
	"42_instinfer": {want: func(s symbols) moved { // K twice; r of d channels, then the pages with chosen tokens; q down, partial results up
		one, H := s.d*s.b*s.h, s.h*s.g
		return moved{3 * s.L * one, s.L*one/8 + 2*s.L*one/2 + H*(4*s.d+8), 3*one + H*s.d*s.b}
	}},
	"43_kivi": {want: func(s symbols) moved { // K waits R/2 in the mean, V waits R
		e, R := (2+32.0/32)/8, 32.0
		kv := s.packed(R/2, R, e, 0)
		fresh := 2 * s.d * s.b * s.h
		return moved{kv, kv + fresh, fresh + 2*s.d*e*s.h}
	}},
	"44_razorattention": {want: func(s symbols) moved {
		n, kv, others := 4+math.Floor(0.2*s.L)+1, 2*s.d*s.b, s.h*7/8
		kept := kv * (s.h/8*s.L + others*n)
		return moved{kept, kept + others*kv, s.h*kv + others*kv}
	}},
	"45_compresskv": {want: func(s symbols) moved { return s.sel(1024 + s.t) }},
	"47_cskv": {want: func(s symbols) moved {
		r, W := 2*math.Floor(0.2*s.h*s.d), 32.0
		window := 2 * W * s.h * s.d * s.b
		m := moved{s.L*r*s.b + window, (s.L-W)*r*s.b + window, r*s.b + 2*s.h*s.d*s.b}
		return m.with(r*s.h*s.d*s.b, 1, 0) // the model's factors
	}},
	"48_snapkv": {want: func(s symbols) moved { return s.sel(1024 + s.t) }},
	"49_a2ats": {want: func(s symbols) moved {
		one, k, H := s.d*s.b*s.h, math.Floor(0.03*s.L), s.h*s.g
		m := moved{2 * s.L * one, 2*k*one + H*(4*s.d+8), 2*one + H*s.d*s.b}
		return m.with(8*s.L*s.h, 1, 0).with(256*one, 1, 0)
	}},
	"60_gear": {want: func(s symbols) moved { // 2 L d q/8 + scales + ρ 2 L d (b + index) + 2 r (L+d) b
		e, tail := 2.0/8+4.0/64+0.02*4, s.t/2
		kv := s.packed(tail, tail, e, 0)
		fresh := 2 * s.d * s.b * s.h
		return moved{kv, kv + fresh, fresh + 2*s.d*e*s.h}.with(2*2*(s.L+s.d)*s.b*s.h, 1, 0)
	}},
	"64_chelsea": {want: func(s symbols) moved {
		B, n, every := math.Floor(0.2*s.L), math.Floor(0.2*s.L)+128, 256.0
		copied := 2 * B * s.d * s.b * s.h / every
		return s.sel(n).with(4*n*s.h, 1, 0).moves(copied+n*s.d*s.b*s.h/every, copied)
	}},
	"new_streaming_llm": {want: func(s symbols) moved { return s.sel(4 + 1020) }},
	"new_retrieve": {want: func(s symbols) moved { // 512 tokens: copied, then read
		token, chosen := 2*s.d*s.b*s.h, 512*2*s.d*s.b*s.h
		landmarks, scores := s.L/8*s.d*s.b*s.h, s.L/8*4*s.h
		return moved{s.L*token + chosen + landmarks, landmarks + 2*chosen, scores + chosen + token}
	}},
	"new_quest": {want: func(s symbols) moved {
		m := s.sel(s.L).with(s.L/16*2*s.d*s.b*s.h, 1, 0)
		return m.moves(-2*(s.L-1024)*s.d*s.b*s.h, 0)
	}},
}

func TestPresetsMoveWhatTheirFormulasSay(t *testing.T) {
	assert.Len(t, formulas, len(configs.Presets("policies")))
	for _, model := range []string{"llama3-8b", "llama2-7b"} {
		shape := shapeOf(t, model)
		for _, name := range configs.Presets("policies") {
			f, ok := formulas[name]
			require.True(t, ok, "%s has no formula", name)
			p, err := Load(name, nil)
			require.NoError(t, err)
			c := Context{Prompt: 4096, Generated: 64}
			if f.prompt > 0 {
				c.Prompt = f.prompt
			}
			l := p.Layer(shape, c, &Engine{}, f.layer)
			want := f.want(symbols{float64(c.Prompt), float64(c.Generated), float64(c.Tokens()), float64(shape.KVHeads), float64(shape.Group), 128, 4096, 2})
			read, written := sum(l)
			held := 0.0
			for _, h := range l.Held {
				held += h.Bytes
			}
			assert.InEpsilon(t, want.held, held, 1e-9, "%s of %s keeps", name, model)
			assert.InEpsilon(t, want.read, read, 1e-9, "%s of %s reads", name, model)
			assert.InEpsilon(t, want.written, written, 1e-9, "%s of %s writes", name, model)
		}
	}
}

// Products and sums are the published ones of each stage in a layer.
func TestPresetsComputeWhatTheirFormulasSay(t *testing.T) {
	const L, h, g, d, D = 4160, 8, 4, 128, 4096
	for name, want := range map[string]map[Stage]float64{
		"00_full":     {AttendS: 4 * g * h * L * d},
		"03_xquant":   {AttendS: 4 * g * h * L * d, Rebuild: 2 * L * D * 2 * h * d},
		"15_locret":   {AttendS: 4 * g * h * L * d, Update: 2*(D+2*h*d)*1024 + 2*1024*h},
		"22_d2o":      {AttendS: 4 * g * h * 818 * d, Update: 2 * h * 818 * d},
		"34_pldr_llm": {AttendS: 4 * g * h * L * d, Score: 2 * d * d * g * h},
		"47_cskv":     {AttendS: 4 * g * h * L * d, Rebuild: 2 * (L - 32) * 408 * h * d},
		"60_gear":     {AttendS: 4*g*h*L*d + 2*2*g*2*(L+d)*h},
	} {
		p, err := Load(name, nil)
		require.NoError(t, err)
		got := p.Layer(llama3, Context{Prompt: 4096, Generated: 64}, &Engine{}, 0).FLOPs
		assert.Len(t, got, len(want), name)
		for stage, flops := range want {
			assert.InEpsilon(t, flops, got[stage], 1e-9, "%s %s", name, stage)
		}
	}
}

func TestWhatBreathesIsLargestBeforeADropping(t *testing.T) {
	p, err := Load("14_lazyeviction", nil)
	require.NoError(t, err)
	l := p.Layer(llama3, Context{Prompt: 4096, Generated: 64}, &Engine{}, 0)
	assert.EqualValues(t, 2080+32, l.Kept)
	assert.EqualValues(t, 2080+64, l.Most)
}
