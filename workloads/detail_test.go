package workloads

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// detailed is simulate with Options.Detail.
func detailed(t *testing.T, fidelity string, sets ...string) *Result {
	t.Helper()
	res, err := Run(context.Background(), load(t, sets...), Options{Seed: 1, Fidelity: fidelity, Workers: 1, Detail: true})
	require.NoError(t, err)
	return res
}

func TestDetailIsNoPartOfTheReport(t *testing.T) {
	for _, fidelity := range []string{"exact", "sampled", "analytic"} {
		sets := with(halfDDR, prefetch)
		without, with := simulate(t, fidelity, sets...), detailed(t, fidelity, sets...)
		require.Nil(t, without.Timeline)
		require.Empty(t, without.Layers)
		require.Equal(t, fidelity != "analytic", with.Timeline != nil)
		a, err := json.Marshal(without)
		require.NoError(t, err)
		b, err := json.Marshal(with)
		require.NoError(t, err)
		require.Equal(t, string(a), string(b), fidelity)
	}
}

// Layers, with those they stand for, are the step: of several steps, the mean.
func TestLayersAddUpToTheStep(t *testing.T) {
	for _, fidelity := range []string{"exact", "sampled"} {
		r := detailed(t, fidelity, with(halfDDR, prefetch, "model.layers=16", "workload.steps=2", "workload.context=256")...)
		var kernels, gaps, exposed float64
		var copied uint64
		ns, bytes := map[string]float64{}, map[string]float64{}
		for _, l := range r.Layers {
			kernels, gaps, exposed = kernels+l.KernelNs, gaps+l.GapNs, exposed+l.ExposedNs
			for _, c := range l.Copies {
				require.Equal(t, []string{"ddr"}, c.Tiers)
				copied += c.Bytes
			}
			for _, k := range l.Kernels {
				require.Equal(t, []string{"hbm"}, k.Tiers)
				ns[k.Class] += k.Ns
				bytes[k.Class] += float64(k.Bytes)
			}
		}
		if fidelity == "exact" {
			require.Len(t, r.Layers, 16+1)
		} else {
			require.Equal(t, "layers 1 to 14", r.Layers[1].Name)
			require.Len(t, r.Layers, 4, "the first, the folded, the last and the head")
		}
		require.InEpsilon(t, r.KernelNs, kernels, 1e-9)
		require.InEpsilon(t, r.GapNs, gaps, 1e-9)
		require.InDelta(t, r.ExposedNs, exposed, 1e-3)
		require.InDelta(t, r.TransferBytes, copied, float64(len(r.Layers)))
		require.Len(t, ns, len(r.Kernels))
		for _, k := range r.Kernels {
			require.InEpsilon(t, k.Ns, ns[k.Class], 1e-9, k.Class)
			require.InDelta(t, k.Bytes, bytes[k.Class], float64(len(r.Layers)), k.Class)
		}
	}
}

// Of a run that was interrupted, only ended layers are shown.
func TestInterruptedTimelinesEndWithTheirLastLayer(t *testing.T) {
	r := begin(t, "exact", with(halfDDR, prefetch)...)
	r.options.Detail = true
	r.graph.Record()
	require.NoError(t, r.graph.Simulate(context.Background(), func(spans int) bool { return spans == 2 }))
	res, err := r.result()
	require.NoError(t, err)
	require.False(t, res.Complete)
	line := res.Timeline
	require.Len(t, line.Spans, 2)
	for _, k := range line.Kernels {
		require.LessOrEqual(t, k.End, line.End)
	}
	for _, c := range line.Copies {
		require.LessOrEqual(t, c.End, line.End)
	}
	for _, at := range line.Edges {
		require.Less(t, at, line.End)
	}
}
