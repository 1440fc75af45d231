package models

// Validate reports every key whose value describes no transformer.
func (m *Model) Validate(report func(key, message string)) {
	positive := func(key string, v int) {
		if v <= 0 || v > 1<<24 {
			report(key, "must be 1 to 16777216")
		}
	}
	if m.Name == "" {
		report("name", "must not be empty")
	}
	positive("layers", m.Layers)
	positive("hidden", m.Hidden)
	positive("q_heads", m.QHeads)
	positive("vocab", m.Vocab)
	if m.Norm != "rms" && m.Norm != "layer" {
		report("norm", `must be "rms" or "layer"`)
	}
	if m.LearnedPositions < 0 {
		report("learned_positions", "must not be negative")
	}
	if m.ParamsPublished < 0 {
		report("params_published", "must not be negative")
	}
	m.validateAttention(report, positive)
	m.validateFeedForward(report, positive)
}

func (m *Model) validateAttention(report func(key, message string), positive func(string, int)) {
	if a := m.MLA; a != nil {
		positive("mla.q_lora_rank", a.QLoraRank)
		positive("mla.kv_lora_rank", a.KVLoraRank)
		positive("mla.qk_nope_dim", a.QKNopeDim)
		positive("mla.qk_rope_dim", a.QKRopeDim)
		positive("mla.v_dim", a.VDim)
		return
	}
	positive("head_dim", m.HeadDim)
	positive("kv_heads", m.KVHeads)
	if m.KVHeads > 0 && m.QHeads%m.KVHeads != 0 {
		report("kv_heads", "must divide q_heads")
	}
}

func (m *Model) validateFeedForward(report func(key, message string), positive func(string, int)) {
	e := m.MoE
	if e == nil || e.DenseLayers > 0 {
		positive("ffn", m.FFN)
	}
	if e == nil {
		return
	}
	positive("moe.experts", e.Experts)
	positive("moe.active", e.Active)
	positive("moe.expert_ffn", e.ExpertFFN)
	if e.Active > e.Experts {
		report("moe.active", "must not exceed moe.experts")
	}
	if e.Shared < 0 {
		report("moe.shared", "must not be negative")
	}
	if e.DenseLayers < 0 || e.DenseLayers > m.Layers {
		report("moe.dense_layers", "must lie between 0 and layers")
	}
}
