package models

import "math"

// Linear is one matrix product y = Wx of a layer, W of Out rows and In
// columns.
type Linear struct {
	Name    string
	Out, In int
	Bias    bool

	// Heads above one makes the product block-diagonal: so many independent
	// products of Out × In, each on its own slice of the input.
	Heads int

	// Experts above one says how many such matrices exist, of which a token
	// uses ActivePerToken. Both are one for a plain product.
	Experts, ActivePerToken int
}

// Weights returns the elements of all of the product's matrices.
func (l Linear) Weights() int64 {
	return int64(l.Out) * int64(l.In) * int64(l.Heads) * int64(l.Experts)
}

// Params returns the weights and the bias.
func (l Linear) Params() int64 {
	n := l.Weights()
	if l.Bias {
		n += int64(l.Out) * int64(l.Heads) * int64(l.Experts)
	}
	return n
}

// MACs returns the multiply-accumulates of one token.
func (l Linear) MACs() int64 {
	return int64(l.Out) * int64(l.In) * int64(l.Heads) * int64(l.ActivePerToken)
}

// plain returns a product with one matrix, which every token uses.
func plain(name string, out, in int, bias bool) Linear {
	return Linear{Name: name, Out: out, In: in, Bias: bias, Heads: 1, Experts: 1, ActivePerToken: 1}
}

// Linears returns the products of one layer, counted from zero, in the order
// in which a decode step computes them. Projections of one input are fused as
// inference libraries fuse them: qkv is one product, and so are gate and up.
func (m Model) Linears(layer int) []Linear {
	l := m.attentionLinears()
	if m.IsMoE(layer) {
		return append(l, m.expertLinears()...)
	}
	return append(l,
		plain("up", m.upWidth(m.FFN), m.Hidden, m.MLPBias),
		plain("down", m.Hidden, m.FFN, m.MLPBias))
}

// Head returns the product that yields a token's logits.
func (m Model) Head() Linear { return plain("lm_head", m.Vocab, m.Hidden, false) }

func (m Model) attentionLinears() []Linear {
	if m.MLA != nil {
		return m.latentLinears()
	}
	return []Linear{
		plain("qkv", (m.QHeads+2*m.KVHeads)*m.HeadDim, m.Hidden, m.AttentionBias),
		plain("o", m.Hidden, m.QHeads*m.HeadDim, m.AttentionBias),
	}
}

// latentLinears returns MLA's products in absorbed form: the key half of
// kv_b is applied to the query and the value half to the attention's output,
// so that the cache is read compressed.
func (m Model) latentLinears() []Linear {
	a := m.MLA
	kUp := plain("k_up", a.KVLoraRank, a.QKNopeDim, false)
	vUp := plain("v_up", a.VDim, a.KVLoraRank, false)
	kUp.Heads, vUp.Heads = m.QHeads, m.QHeads
	return []Linear{
		plain("q_a", a.QLoraRank, m.Hidden, m.AttentionBias),
		plain("q_b", m.QHeads*(a.QKNopeDim+a.QKRopeDim), a.QLoraRank, false),
		plain("kv_a", a.KVLoraRank+a.QKRopeDim, m.Hidden, m.AttentionBias),
		kUp,
		vUp,
		plain("o", m.Hidden, m.QHeads*a.VDim, m.AttentionBias),
	}
}

// expertLinears returns the products of a mixture of experts. Shared experts
// act as one block of their joint width.
func (m Model) expertLinears() []Linear {
	e := m.MoE
	up := plain("expert_up", m.upWidth(e.ExpertFFN), m.Hidden, m.MLPBias)
	down := plain("expert_down", m.Hidden, e.ExpertFFN, m.MLPBias)
	up.Experts, up.ActivePerToken = e.Experts, e.Active
	down.Experts, down.ActivePerToken = e.Experts, e.Active
	l := []Linear{plain("router", e.Experts, m.Hidden, false), up, down}
	if e.Shared > 0 {
		width := e.Shared * e.ExpertFFN
		l = append(l,
			plain("shared_up", m.upWidth(width), m.Hidden, m.MLPBias),
			plain("shared_down", m.Hidden, width, m.MLPBias))
	}
	return l
}

// upWidth returns the rows of the product into a block of inner width ffn.
func (m Model) upWidth(ffn int) int {
	if m.Gated {
		return 2 * ffn
	}
	return ffn
}

// ExpectedExperts returns how many of a layer's experts a batch touches on
// average when each token picks active distinct ones uniformly:
// E·(1−(1−k/E)^tokens).
func ExpectedExperts(experts, active, tokens int) float64 {
	e, k := float64(experts), float64(active)
	return e * (1 - math.Pow(1-k/e, float64(tokens)))
}
