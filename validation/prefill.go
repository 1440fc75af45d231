package validation

import (
	"context"

	"hwsim/workloads/operators"
)

// prefill is a causal attention of prompts.
type prefill operators.PrefillOptions

// longPrompt is beyond what takes seconds to simulate.
const longPrompt = 8192

// compilePrefill compares causal attentions of whole prompts: µs.
func compilePrefill(t *table) {
	for _, r := range t.rows {
		r.word("causal", "1")
		o := prefill{Heads: int(r.whole("q_heads", 1, 1<<10)), Batch: int(r.whole("batch", 1, 1<<10)), Tokens: int(r.whole("context", 1, 1<<20)),
			Dim: int(r.whole("head_dim", 1, 1<<10))}
		if kv := int(r.whole("kv_heads", 1, 1<<10)); kv != o.Heads {
			t.omit(r, prefills, "several query heads of a KV head")
			continue
		}
		b := prefills
		if o.Tokens > longPrompt {
			b = prefillsLong
		}
		t.time(r, b, o, only, r.positive("us_median")*1e3, r.repeated("us_median_repeat")*1e3)
	}
}

func (o prefill) simulate(ctx context.Context, m *machine) (outcome, error) {
	c := m.system
	p, err := profiles("cudnn_attention")
	if err != nil {
		return nil, err
	}
	t, err := operators.Prefill(ctx, &c, p.Prefill, operators.PrefillOptions(o))
	return single(t.Ns, err)
}
