//go:build slow

package workloads

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/configs"
)

// wholeSteps are steps on real machines, of every kind that is shipped.
var wholeSteps = []struct {
	config string
	sets   []string
}{
	{"h200", with("workload.batch=1", "workload.context=8192")},
	{"h200", with("workload.batch=8", "workload.context=1024")},
	{"h200", with("workload.batch=8", "workload.context=32768")},
	{"h200", with("workload.batch=32", "workload.context=4096")},
	{"h200", with("workload.batch=64", "workload.context=2048")},
	{"h200", with("workload.batch=128", "workload.context=1024")},
	{"h200", with(`model.use="llama2-13b"`, "workload.batch=8", "workload.context=2048")},
	{"h200", with(`model.use="qwen3-32b"`, "workload.batch=8", "workload.context=8192")},
	{"h200", with(paged, "workload.batch=16", "workload.context=8192")},
	{"h200", with("kv.dtype=int8", "workload.batch=32", "workload.context=8192")},
	{"h200", with(`model.use="mixtral-8x7b"`, "workload.batch=8", "workload.context=2048")},
	{"h200", with(`model.use="llama3-70b"`, "workload.tp=2", "workload.batch=16", "workload.context=4096")},
	{"h200", with("kv.split={hbm=0.875, ddr=0.125}", "kv.unit=fraction", onDemand, "workload.batch=8", "workload.context=8192")},
	{"h200", with("kv.split={hbm=0.8, peer=0.2}", zeroCopy, "workload.batch=8", "workload.context=4096")},
	{"h100", with("workload.batch=8", "workload.context=8192")},
	{"h100_ddr_offload", nil},
	{"cxl_bound", nil},
	{"a100", nil},
	{"a100_cxl", nil},
	{"l40s", with("workload.batch=4", "workload.context=4096")},
}

func TestSampledStepsAreKnownToAPercent(t *testing.T) {
	for _, test := range wholeSteps {
		t.Run(fmt.Sprint(test.config, test.sets), func(t *testing.T) {
			d, err := configs.Load(test.config, test.sets)
			require.NoError(t, err)
			var c Config
			require.NoError(t, d.Decode(&c))
			r, err := Run(context.Background(), &c, Options{Seed: 1, Fidelity: "sampled"})
			require.NoError(t, err)
			t.Logf("%.0f us, bound %.2f %%, simulated %.1f %%", r.StepNs/1e3, 100*r.Bound, 100*r.Simulated)
			require.LessOrEqual(t, r.Bound, 0.01)
		})
	}
}
