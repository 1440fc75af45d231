package workloads

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/configs"
	"hwsim/sim"
)

// choices are values that a random policy may have, key by key: a few, near the
// edges, and some that go with few others.
var choices = []struct {
	key    string
	values []string
}{
	{"select.sinks", []string{"4", "4000"}},
	{"select.recent", []string{"{tokens=100}", "{share=0.2}", `{share=0.5, of="total"}`}},
	{"select.best", []string{"{tokens=64}", `{share=0.1, of="prompt"}`}},
	{"select.generated", []string{"true"}},
	{"select.overhang", []string{"1", "64"}},
	{"select.layers", []string{"[1,0,3]", "[1]"}},
	{"select.dense_heads", []string{"0.25", "1.0"}},
	{"select.shared_by", []string{"2"}},
	{"select.every", []string{"4"}},
	{"select.attend", []string{"{tokens=100}", "{share=0.1, chunk=8}", "{tokens=5, chunk=16, beside=32}", "{tokens=64, pages=0.5}"}},
	{"combine", []string{"{merged=0.5, compare=1.0}", `{rule="mean", stand=1}`, "{entry_tokens=2.0}"}},
	{"encode.keys", []string{"{bits=2.0, group=32, param_bytes=4.0}", "{bits=4.0}"}},
	{"encode.values", []string{"{bits=2.0, token_bytes=4.0}", "{bits=8.0, outliers=0.1, outlier_bytes=4.0}"}},
	{"encode.window", []string{"32"}},
	{"encode.buffer", []string{"64"}},
	{"encode.recode_every", []string{"100"}},
	{"basis.x", []string{"true"}},
	{"basis.key_rank", []string{"1", "16"}},
	{"basis.value_share", []string{"0.2"}},
	{"basis.factors", []string{"true"}},
	{"basis.window", []string{"32", "5000"}},
	{"basis.correction", []string{"2"}},
	{"basis.spilled", []string{"true"}},
	{"share", []string{"{layers=2, from=0.5, retained=0.05}", "{layers=64}"}},
	{"place", []string{`{keys="ddr", values="ddr"}`, `{keys="cxl", values="cxl"}`, `{values="ddr"}`, `{keys="peer", values="peer", key_copies=2}`}},
	{"move", []string{"{hits=0.6}", "{hits=1.0}", "{hidden=true}"}},
	{"execute.site", []string{`"cpu"`, `"gpu"`}},
	{"step_tokens", []string{"2.0"}},
	{"object.one", []string{`{of="context", tokens=8, dims=1, stage="score", read=1.0, flops=2}`, `{of="kept", bytes=4, stage="update", read=1.0, write=1.0, transient=true}`,
		`{of="one", squares=1, stage="rebuild", read=1.0, common=true, layers_share=3}`, `{of="attended", dims=1, stage="fetch", read=1.0, tier="ddr"}`, `{of="dropped", dims=2, stage="attend", read=0.5, every=7}`}},
}

// Whatever passes Validate runs: it has a roofline, or does not fit.
func FuzzPolicies(f *testing.F) {
	for seed := range uint64(300) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		rng := sim.NewRand(seed)
		sets := []string{"workload.context=600", "workload.generated=40"}
		for _, c := range choices {
			if rng.IntN(6) == 0 {
				sets = append(sets, "policy."+c.key+"="+c.values[rng.IntN(len(c.values))])
			}
		}
		for _, more := range []string{"engine.use=hf_eager", "workload.tp=2", "workload.contexts=[600,41]", "kv.dtype=fp8", "kv.page_tokens=16"} {
			if rng.IntN(8) == 0 {
				sets = append(sets, more)
			}
		}
		d, err := configs.Load("testdata/tiny.toml", sets)
		require.NoError(t, err, "%v", sets)
		var c Config
		if d.Decode(&c) != nil {
			t.Skip("no policy")
		}
		res, err := Run(context.Background(), &c, Options{Seed: 1, Fidelity: "analytic"})
		if err != nil {
			var u user
			require.ErrorAs(t, err, &u, "%v", sets)
			return
		}
		require.Positive(t, res.StepNs, fmt.Sprint(sets))
	})
}
