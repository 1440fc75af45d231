package models

import "fmt"

// Shard returns the share of one rank under tensor parallelism over tp ranks,
// split as Megatron-LM splits (arXiv 1909.08053): query heads, the inner
// width of each feed-forward block and expert, and the vocabulary are
// divided. Key and value heads are divided while there are enough and
// replicated beyond; norms, the router, position tables and MLA's compressed
// projections and cache are replicated.
//
// Every rank holds a slice of every expert. Placing whole experts on ranks
// (expert parallelism) is a choice of placement, not of shape.
func (m Model) Shard(tp int) (Model, error) {
	if tp < 1 {
		return Model{}, fmt.Errorf("shard %s: tensor parallelism %d is below 1", m.Name, tp)
	}
	if tp == 1 {
		return m, nil
	}
	s, d := m, divider{ranks: tp}
	d.by("q_heads", &s.QHeads)
	d.by("ffn", &s.FFN)
	d.by("vocab", &s.Vocab)
	if m.MLA == nil {
		d.kvHeads(&s.KVHeads)
	}
	if m.MoE != nil {
		moe := *m.MoE // the copy must not alter the whole model
		d.by("moe.expert_ffn", &moe.ExpertFFN)
		s.MoE = &moe
	}
	s.ParamsPublished = 0
	if d.err != nil {
		return Model{}, fmt.Errorf("shard %s: %w", m.Name, d.err)
	}
	return s, nil
}

// divider divides sizes among ranks and keeps the first failure.
type divider struct {
	ranks int
	err   error
}

func (d *divider) by(key string, size *int) {
	if *size%d.ranks != 0 && d.err == nil {
		d.err = fmt.Errorf("%s = %d does not divide over %d ranks", key, *size, d.ranks)
	}
	*size /= d.ranks
}

// kvHeads leaves at least one head a rank; ranks that share it must be
// equally many.
func (d *divider) kvHeads(heads *int) {
	if d.ranks <= *heads {
		d.by("kv_heads", heads)
		return
	}
	if d.ranks%*heads != 0 && d.err == nil {
		d.err = fmt.Errorf("%d ranks cannot share kv_heads = %d evenly", d.ranks, *heads)
	}
	*heads = 1
}
