package models

import "math"

// Model is the shape of one transformer. Sizes are in elements.
type Model struct {
	Name             string  `toml:"name"`              // that reports say; any text
	Layers           int     `toml:"layers"`            // decoder layers
	Hidden           int     `toml:"hidden"`            // width of the residual stream
	QHeads           int     `toml:"q_heads"`           // query heads
	KVHeads          int     `toml:"kv_heads"`          // key and value heads; fewer than q_heads is GQA; unused by MLA
	HeadDim          int     `toml:"head_dim"`          // width of one head; unused by MLA
	FFN              int     `toml:"ffn"`               // inner width of a dense feed-forward block
	Vocab            int     `toml:"vocab"`             // rows of the embedding and of the head
	Gated            bool    `toml:"gated"`             // SwiGLU: a gate beside the up projection
	Norm             string  `toml:"norm"`              // "rms" (a weight) or "layer" (a weight and a bias)
	QKNorm           bool    `toml:"qk_norm"`           // RMS norm on each query and key head
	Rope             bool    `toml:"rope"`              // rotary position embedding, nothing stored
	LearnedPositions int     `toml:"learned_positions"` // rows of a stored position table
	TiedEmbeddings   bool    `toml:"tied_embeddings"`   // the head shares the embedding's weights
	AttentionBias    bool    `toml:"attention_bias"`    // biases on qkv and o
	MLPBias          bool    `toml:"mlp_bias"`          // biases on up and down
	ParamsPublished  float64 `toml:"params_published"`  // published parameter count, for the check

	MLA *MLA `toml:"mla"`
	MoE *MoE `toml:"moe"`
}

// MLA is multi-head latent attention (DeepSeek-V2, arXiv 2405.04434): the
// cache holds one compressed vector a token, shared by all heads.
type MLA struct {
	QLoraRank  int `toml:"q_lora_rank"`  // width of the compressed query
	KVLoraRank int `toml:"kv_lora_rank"` // width of the compressed, cached key and value
	QKNopeDim  int `toml:"qk_nope_dim"`  // head width without position
	QKRopeDim  int `toml:"qk_rope_dim"`  // head width with rotary position; its key is cached, shared by heads
	VDim       int `toml:"v_dim"`        // head width of values
}

// MoE is a mixture of experts in place of the feed-forward block.
type MoE struct {
	Experts     int `toml:"experts"`      // routed experts of a layer
	Active      int `toml:"active"`       // routed experts one token uses
	Shared      int `toml:"shared"`       // experts every token uses
	ExpertFFN   int `toml:"expert_ffn"`   // inner width of one expert
	DenseLayers int `toml:"dense_layers"` // first layers that keep a dense block
}

// Params returns the number of stored parameters.
func (m Model) Params() int64 {
	n := int64(m.Vocab)*int64(m.Hidden) + int64(m.LearnedPositions)*int64(m.Hidden)
	if !m.TiedEmbeddings {
		n += m.Head().Params()
	}
	for layer := range m.Layers {
		for _, l := range m.Linears(layer) {
			n += l.Params()
		}
	}
	return n + int64(m.Layers)*m.layerNormParams() + m.normParams()
}

// WeightBytes returns the size of all parameters at elemBytes each.
func (m Model) WeightBytes(elemBytes float64) int64 {
	return ceilBytes(m.Params(), elemBytes)
}

// KVBytesPerToken returns what one layer caches of one token, at elemBytes
// an element.
func (m Model) KVBytesPerToken(elemBytes float64) int64 {
	a := m.Attention()
	if m.MLA != nil {
		return ceilBytes(int64(a.QKDim), elemBytes) // the value is part of the key
	}
	return ceilBytes(int64(a.KVHeads)*int64(a.QKDim+a.VDim), elemBytes)
}

// Attention is the shape of one layer's product of queries with the cache.
type Attention struct {
	QHeads, KVHeads int
	QKDim           int // width over which scores are formed
	VDim            int // width of the weighted sum
}

// Attention returns the shape in which a decode step attends. MLA attends in
// its absorbed form: all query heads share one cached vector, whose first
// kv_lora_rank elements serve as the value too.
func (m Model) Attention() Attention {
	if a := m.MLA; a != nil {
		return Attention{QHeads: m.QHeads, KVHeads: 1, QKDim: a.KVLoraRank + a.QKRopeDim, VDim: a.KVLoraRank}
	}
	return Attention{QHeads: m.QHeads, KVHeads: m.KVHeads, QKDim: m.HeadDim, VDim: m.HeadDim}
}

// IsMoE reports whether a layer, counted from zero, routes to experts.
func (m Model) IsMoE(layer int) bool { return m.MoE != nil && layer >= m.MoE.DenseLayers }

// normParams returns the parameters of one norm over the residual stream.
func (m Model) normParams() int64 {
	if m.Norm == "layer" {
		return 2 * int64(m.Hidden)
	}
	return int64(m.Hidden)
}

// layerNormParams returns the norm parameters of one layer: before attention
// and before the feed-forward block, and those inside attention.
func (m Model) layerNormParams() int64 {
	n := 2 * m.normParams()
	if m.QKNorm {
		n += 2 * int64(m.HeadDim)
	}
	if m.MLA != nil {
		n += int64(m.MLA.QLoraRank + m.MLA.KVLoraRank)
	}
	return n
}

// ceilBytes returns the whole bytes that n elements occupy.
func ceilBytes(n int64, elemBytes float64) int64 {
	return int64(math.Ceil(float64(n) * elemBytes))
}
