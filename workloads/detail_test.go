package workloads

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/hierarchy"
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

// What a page draws adds up to what the report says.
func TestDetailAgreesWithTheReport(t *testing.T) {
	r := detailed(t, "exact", "kv.split.hbm=0.4", "kv.split.ddr=0.3", "kv.split.cxl=0.3", "kv.access=prefetch", "kv.page_tokens=16", "kv.unit=page")
	placed := map[string]uint64{}
	for _, l := range r.KVLayers {
		for tier, b := range l.Bytes {
			placed[hierarchy.TierID(tier).String()] += b
		}
	}
	for _, o := range r.Objects {
		if o.Object != classKV {
			continue
		}
		own := 0 // the step's own tokens, in HBM
		if o.Tier == "hbm" {
			c := load(t)
			own = 2 * 2 * r.Batch * c.Model.KVHeads * c.Model.HeadDim * c.Model.Layers
		}
		require.Equal(t, int(o.Bytes), int(placed[o.Tier])+own, o.Tier)
		delete(placed, o.Tier)
	}
	require.Equal(t, map[string]uint64{"peer": 0}, placed)

	require.Len(t, r.Banks, len(r.Tiers))
	for i, b := range r.Banks {
		var bursts, acts uint64
		for _, channel := range b.Channels {
			for _, bank := range channel {
				bursts, acts = bursts+bank.Bursts, acts+bank.ACT
			}
		}
		require.Equal(t, r.Tiers[i].Tier, b.Tier)
		require.Zero(t, (r.Tiers[i].Read+r.Tiers[i].Written)%bursts, "whole bursts")
		require.InDelta(t, r.Tiers[i].RowHits, 1-float64(acts)/float64(bursts), 1e-9)
	}

	require.Len(t, r.Latency, len(r.Kernels)+len(r.Tiers))
	for i, k := range r.Kernels {
		l, n, sum := r.Latency[i], int64(0), int64(0)
		for _, b := range l.Bins {
			n += b.Count
		}
		require.Equal(t, k.Class, l.Of)
		for _, b := range l.Bins {
			if sum += b.Count; 2*sum > n {
				require.LessOrEqual(t, b.From.Nanoseconds(), k.LatencyNs.P50)
				require.GreaterOrEqual(t, b.To.Nanoseconds(), k.LatencyNs.P50)
				break
			}
		}
	}
}

// FLOPs of a dense product are two for each weight and token.
func TestDetailKnowsTheArithmetic(t *testing.T) {
	r := detailed(t, "exact")
	c := load(t)
	for _, k := range r.Kernels {
		if k.Class == "down" {
			m := &c.Model
			require.InEpsilon(t, 2*float64(r.Batch*m.Hidden*m.FFN*m.Layers), k.FLOPs, 1e-9)
			return
		}
	}
	t.Fatal("no down")
}
