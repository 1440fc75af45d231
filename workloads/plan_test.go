package workloads

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/hierarchy"
)

func TestPlanWeightsAddUpToTheLayers(t *testing.T) {
	for _, layers := range []int{1, 2, 3, 4, 5, 8, 33} {
		for _, few := range []int{3, 5} {
			for _, sets := range [][]string{nil, with(halfDDR, prefetch), with(halfDDR, prefetch, "kv.unit=layer"), with(halfDDR, zeroCopy),
				{"model.moe.experts=4", "model.moe.active=2", "model.moe.expert_ffn=256", "model.moe.dense_layers=1"},
				{"weights.split.hbm=0.5", "weights.split.ddr=0.5", "weights.access=ondemand"}} {
				t.Run(fmt.Sprint(layers, few, sets), func(t *testing.T) {
					d := place(t, with(sets, fmt.Sprintf("model.layers=%d", layers))...)
					p := d.planFolded(few)
					sum := 0.0
					standsFor := map[string]float64{} // layers of each kind
					for i, l := range p.layers {
						if i > 0 {
							require.Greater(t, l, p.layers[i-1])
						}
						require.GreaterOrEqual(t, p.weight[i], 1.0)
						require.Equal(t, p.weight[i] > 1, p.like[i])
						standsFor[d.signature(l)] += p.weight[i]
						sum += p.weight[i]
					}
					require.InDelta(t, layers, sum, 1e-9)
					for n := range layers {
						standsFor[d.signature(n)]--
					}
					for s, rest := range standsFor {
						require.InDelta(t, 0, rest, 1e-9, "layers like %s", s)
					}
				})
			}
		}
	}
}

func TestPlanOfExactSimulatesEveryLayerOnce(t *testing.T) {
	require.Equal(t, &plan{layers: []int{0, 1, 2}, weight: []float64{1, 1, 1}, like: make([]bool, 3)}, planAll(3))
}

// A layer whose successor fetches nothing costs something else: the last of a
// run with far data stands for itself only.
func TestPlanSimulatesTheLastLayerWithFarData(t *testing.T) {
	p := place(t, with(halfDDR, prefetch, "model.layers=9")...).planFolded(3)
	require.Equal(t, []int{0, 1, 2, 8}, p.layers)
	require.Equal(t, []float64{1, 3.5, 3.5, 1}, p.weight)
}

// More layers are simulated where chance evens out less, fewer where copies hide
// the kernels.
func TestLayersSimulatedLeaveLittleToChance(t *testing.T) {
	few := func(sets ...string) int {
		r := begin(t, "sampled", with(sets, "model.layers=32")...)
		return r.few()
	}
	require.Equal(t, 3, few("system.hbm.channels=94"))
	require.Greater(t, few("system.hbm.channels=24"), 3)
	require.Equal(t, 2, few(with(prefetch, "system.hbm.channels=94", "kv.split.hbm=0.1", "kv.split.ddr=0.9", "workload.context=32768")...))
}

func TestTiersOfListsWhatIsUsed(t *testing.T) {
	require.Equal(t, []hierarchy.TierID{hierarchy.HBM}, tiersOf(&place(t).system.Space))
	require.Equal(t, []hierarchy.TierID{hierarchy.HBM, hierarchy.DDR, hierarchy.CXLMem}, tiersOf(&place(t, with(thirds, zeroCopy)...).system.Space))
}
