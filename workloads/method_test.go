package workloads

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"hwsim/configs"
	"hwsim/workloads/kv"
)

// under are overrides that put the tiny workload under a policy of the presets.
func under(policy string) []string {
	return []string{"policy.use=" + policy, "workload.batch=2", "workload.context=1024", "workload.generated=8"}
}

// simulable reports whether a policy runs on a machine with a GPU and a host
// alone, and why not.
func simulable(t *testing.T, name string) bool {
	t.Helper()
	p, err := kv.Load(name, nil)
	require.NoError(t, err)
	for _, tier := range p.Tiers() {
		if tier == kv.CSD || tier == kv.Network {
			return false
		}
	}
	return p.Execute.Site == "" || p.Execute.Site == "gpu"
}

func TestEveryPolicyRuns(t *testing.T) {
	for _, name := range configs.Presets("policies") {
		if !simulable(t, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			res := simulate(t, "sampled", under(name)...)
			assert.Positive(t, res.StepNs)
			if res.Policy != nil {
				assert.LessOrEqual(t, res.Policy.Attended, math.Ceil(res.Policy.Kept))
			}
		})
	}
}

// What kernels ask for is what the policy counts, but for whole bytes a token.
func TestKernelsReadWhatThePolicyCounts(t *testing.T) {
	for _, name := range configs.Presets("policies") {
		if !simulable(t, name) {
			continue
		}
		d := place(t, under(name)...)
		if d.layout.method.absent() {
			continue
		}
		for layer := range d.model.Layers {
			l := &d.layout.method.layers[layer]
			want := 0.0
			for _, object := range []string{"keys", "values"} {
				want += l.sum(kv.AttendS, object).read
			}
			heads := d.model.KVHeads
			if d.config.Engine.RepeatsHeads {
				heads = d.model.QHeads
			}
			cache, _ := d.view(layer, heads)
			got := 0.0
			for seq, n := range l.attended {
				for head := range heads {
					for _, r := range cache.Read(seq, head, 0, n, nil) {
						if r.Addr < d.layout.kv.tables || d.layout.kv.tables == 0 {
							got += float64(r.Rows) * float64(r.Bytes)
						}
					}
				}
			}
			assert.InDelta(t, want, got, 0.03*want, "%s layer %d", name, layer)
		}
	}
}

func TestPartsAddUpToTheStep(t *testing.T) {
	sets := with(under("48_snapkv"), "workload.context=4096")
	whole := simulate(t, "exact", sets...)
	sum := 0.0
	for _, p := range []part{attentionPart, restPart} {
		res, err := runPart(context.Background(), load(t, sets...), Options{Seed: 1, Fidelity: "exact", Workers: 1}, p)
		require.NoError(t, err)
		sum += res.StepNs
	}
	assert.InEpsilon(t, whole.StepNs, sum, 0.02)
}
