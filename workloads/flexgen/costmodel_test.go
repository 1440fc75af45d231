package flexgen

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// policyOf returns a row's policy of flexgen_cost_model.csv.
func (r row) policyOf(t *testing.T) Policy {
	return policy(t, r["gpu_batch_size"]+"x"+r["num_gpu_batches"]+";"+r["percent_wg/wc/cg/cc/hg/hc"])
}

// columns returns the table's figures of a cost.
func (c *Cost) columns() map[string]float64 {
	f, g := c.Prefill, c.Decode
	return map[string]float64{
		"ctog_prefill_s": f.CPUToGPU, "gtoc_prefill_s": f.GPUToCPU, "dtoc_prefill_s": f.DiskToCPU, "ctod_prefill_s": f.CPUToDisk, "comp_prefill_s": f.Compute,
		"ctog_gen_s": g.CPUToGPU, "gtoc_gen_s": g.GPUToCPU, "dtoc_gen_s": g.DiskToCPU, "ctod_gen_s": g.CPUToDisk, "comp_gen_s": g.Compute,
		"T_prefill_layer_s": c.PrefillLayer, "T_gen_layer_s": c.DecodeLayer, "T_total_s": c.Seconds,
	}
}

func TestTheReleasedEquationsAreReproduced(t *testing.T) {
	for _, r := range rows(t, "flexgen_cost_model.csv") {
		m := ReleasedT4()
		m.DiskToCPU = r.number(t, "dtoc_GiBps")
		p := r.policyOf(t)
		c := m.Evaluate(r.shape(t), r.job(t), &p)
		for column, got := range c.columns() {
			want := r.number(t, column)
			if want == 0 {
				require.Zero(t, got, column)
				continue
			}
			require.InEpsilon(t, want, got, 1e-4, "%s of %v", column, r)
		}
		assert.InDelta(t, r.number(t, "predicted_tok_s"), c.TokensPerSecond, 0.5e-4+1e-3*c.TokensPerSecond)
		t.Logf("%s %s %s %s: %.4f tok/s, table %s", r["model"], r["prompt_len"], r["percent_wg/wc/cg/cc/hg/hc"], r["dtoc_GiBps"], c.TokensPerSecond, r["predicted_tok_s"])
	}
}
