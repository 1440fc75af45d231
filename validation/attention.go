package validation

import (
	"context"

	"hwsim/hierarchy"
	"hwsim/workloads/operators"
)

// attention is decode attention with the kernel that joins its parts.
type attention operators.AttentionOptions

// compileAttention compares decode attention over HBM: µs.
func compileAttention(t *table) {
	for _, r := range t.rows {
		o := r.attention()
		o.Int8 = r.word("kv_dtype", "bf16", "int8") == "int8"
		t.attention(r, attentionRegime(&o), o)
	}
}

// compileRemoteAttention compares decode attention that reads its KV where it
// lies: µs.
func compileRemoteAttention(t *table) {
	for _, r := range t.rows {
		o := r.attention()
		switch r.word("place", "hbm", "host", "peer") {
		case "hbm":
			t.attention(r, attentionRegime(&o), o)
		case "host":
			o.Tier = hierarchy.DDR
			t.attention(r, attentionHost, o)
		case "peer":
			o.Tier = hierarchy.PeerHBM
			t.attention(r, attentionPeer, o)
		}
	}
}

// attention reads the columns that both tables have.
func (r row) attention() operators.AttentionOptions {
	return operators.AttentionOptions{
		QHeads: int(r.whole("q_heads", 1, 1<<12)), KVHeads: int(r.whole("kv_heads", 1, 1<<12)), Dim: int(r.whole("head_dim", 16, 1<<12)),
		Batch: int(r.whole("batch", 1, 1<<16)), Context: int(r.whole("context", 1, 1<<24)), Page: int(r.whole("page_tokens", 0, 1<<20)),
		HND: r.word("layout", "nhd", "hnd") == "hnd",
	}
}

func (t *table) attention(r row, b bucket, o operators.AttentionOptions) {
	t.time(r, b, attention(o), only, r.positive("us_median")*1e3, r.repeated("us_median_repeat")*1e3).
		moving(float64(o.Bytes())).over(o.Tier, o.Bytes())
}

// attentionRegime tells rows apart by the kernel that is compiled for them.
func attentionRegime(o *operators.AttentionOptions) bucket {
	switch {
	case o.Int8:
		return attentionInt8
	case o.Page > 0:
		return attentionPaged
	}
	return attentionContiguous
}

func (o attention) simulate(ctx context.Context, m *machine) (outcome, error) {
	c, _, err := m.load()
	if err != nil {
		return nil, err
	}
	t, err := operators.Attention(ctx, &c.System, &c.Kernels, operators.AttentionOptions(o))
	return single(t.Ns, err)
}
