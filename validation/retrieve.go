package validation

import (
	"context"

	"hwsim/hierarchy"
	"hwsim/workloads/operators"
)

// retrieval is one layer of landmark retrieval, or a stage of it.
type retrieval operators.RetrieveOptions

// compileRetrieval compares the stages of landmark retrieval and the whole
// layer: µs.
func compileRetrieval(t *table) {
	places := map[string]hierarchy.TierID{"hbm": hierarchy.HBM, "host": hierarchy.DDR}
	for _, r := range t.rows {
		o := retrieval{
			QHeads: int(r.whole("q_heads", 1, 1<<12)), KVHeads: int(r.whole("kv_heads", 1, 1<<12)), Dim: int(r.whole("head_dim", 16, 1<<12)),
			Batch: int(r.whole("batch", 1, 1<<16)), Context: int(r.whole("context", 1, 1<<24)),
			Chunk: int(r.whole("chunk_tokens", 1, 1<<12)), Top: int(r.whole("top_chunks", 1, 1<<20)),
			Values: places[r.word("v_place", "hbm", "host")], Keys: places[r.word("k_place", "hbm", "host")],
		}
		for _, s := range []struct {
			stage, column string
			bucket        bucket
		}{
			{"score", "score_us", retrievalScore}, {"top", "topk_us", retrievalTop}, {"fetch", "fetch_us", retrievalFetch},
			{"attend", "attend_us", retrievalAttend}, {"", "layer_us_graph", retrievalLayer},
		} {
			o.Stage = s.stage
			t.time(r, s.bucket, o.of(), only, r.positive(s.column)*1e3, 0)
		}
	}
}

// of returns the retrieval as far as its stage depends on it: where the cache
// lies decides only what fetching takes.
func (o retrieval) of() retrieval {
	if o.Stage != "" && o.Stage != "fetch" {
		o.Values, o.Keys = hierarchy.HBM, hierarchy.HBM
	}
	return o
}

func (o retrieval) simulate(ctx context.Context, m *machine) (outcome, error) {
	c, _, err := m.load()
	if err != nil {
		return nil, err
	}
	t, err := operators.Retrieve(ctx, &c.System, &c.Kernels, operators.RetrieveOptions(o))
	return single(t.Ns, err)
}
