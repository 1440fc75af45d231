package workloads

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// leapingCase is a step long enough to leap in.
type leapingCase struct {
	name string
	sets []string
}

// converges is a tolerance that a machine of four channels reaches within a
// kernel of 40 µs: its rates scatter more than those of 94 do.
const converges = "sampling.tolerance=0.01"

// Every way to reach data, long and short batches.
var fastCases = []leapingCase{
	{"all in hbm", with(oneWave, "workload.context=32768")},
	{"prefetch overlaps", with(oneWave, halfDDR, prefetch, "workload.context=32768")},
	{"on demand", with(oneWave, halfDDR, onDemand, "workload.context=32768")},
	{"zero copy", with(oneWave, halfDDR, zeroCopy, "workload.context=32768")},
	{"zero copy from three tiers", with(oneWave, thirds, zeroCopy, more["cxl reads"], "workload.context=24576")},
	{"uneven contexts", with(oneWave, "workload.contexts=[40000,120000]")},
	{"one sequence", with(oneWave, "workload.batch=1", "workload.context=65536")},
	// At 8192 a twelfth is leapt over, and exact's own chance, 0.5 %, decides.
	{"many sequences", with(oneWave, "workload.batch=18", "workload.context=16384")},
	{"experts", with(oneWave, "workload.context=32768", "model.moe.experts=8", "model.moe.active=2", "model.moe.expert_ffn=2048")},
	{"ranks", with(oneWave, "workload.batch=4", "workload.context=65536", "workload.tp=2")},
	{"folded layers", with(oneWave, "workload.context=32768", "model.layers=8")},
}

func TestSampledIsWithinItsBoundOfExact(t *testing.T) { requireWithinBound(t, fastCases) }

func requireWithinBound(t *testing.T, cases []leapingCase) {
	t.Helper()
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			exact := simulate(t, "exact", test.sets...)
			r := begin(t, "sampled", with(test.sets, converges)...)
			sampled := finish(t, r)
			miss := math.Abs(sampled.StepNs/exact.StepNs - 1)
			t.Logf("%+.3f %%, bound %.3f %%, simulated %.0f %%", 100*(sampled.StepNs/exact.StepNs-1), 100*sampled.Bound, 100*sampled.Simulated)
			require.Less(t, sampled.Simulated, 0.9)
			require.LessOrEqual(t, miss, sampled.Bound)
		})
	}
}
