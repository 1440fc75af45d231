package workloads

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// Of two engines that share a link one runs ahead of the other. Layers that stand
// for many see the lead grow, not that it is paid back: neither their time nor the
// bytes may count it as often as they stand for.
func TestLeadOfACopyEngineIsPaidBack(t *testing.T) {
	split := func(ddr, cxl string) []string {
		return []string{"kv.split.hbm=0.4", "kv.split.ddr=" + ddr, "kv.split.cxl=" + cxl}
	}
	for _, test := range []struct {
		name string
		sets []string
	}{
		{"two alike", with(thirds, "system.host.link.raw_gbps=16")},
		{"two alike over a slow link", with(thirds, "system.host.link.raw_gbps=4")},
		{"one has more", with(split("0.35", "0.25"), "system.host.link.raw_gbps=16")},
		{"one is held", with(split("0.45", "0.15"), "system.host.link.raw_gbps=16")},
		{"one alone", with(halfDDR, "system.host.link.raw_gbps=16")},
		{"memory is the limit", with(thirds, "system.host.cxl.expanders=1")},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			sets := with(prefetch, paged, "workload.context=4096", "model.layers=16", test.sets)
			exact := simulate(t, "exact", sets...)
			sampled, err := Run(context.Background(), load(t, sets...), Options{Seed: 1, Fidelity: "sampled", Workers: 1, Detail: true})
			require.NoError(t, err)
			t.Logf("%+.3f %%, bound %.3f %%", 100*(sampled.StepNs/exact.StepNs-1), 100*sampled.Bound)
			require.LessOrEqual(t, sampled.Bound, 0.015)
			require.LessOrEqual(t, math.Abs(sampled.StepNs/exact.StepNs-1), sampled.Bound)
			require.InEpsilon(t, sampled.TransferBytes, linkRow(t, sampled, "pcie from host").Bytes, 0.003)
			for _, tier := range exact.Tiers[1:] {
				require.InEpsilon(t, tier.Read, tierRow(t, sampled, tier.Tier).Read, 0.003, tier.Tier)
			}
			require.InEpsilon(t, sampled.StepNs, sampled.KernelNs+sampled.GapNs+sampled.ExposedNs, 1e-9)
			rows := 0.0
			for _, l := range sampled.Layers {
				rows += l.KernelNs + l.GapNs + l.ExposedNs
			}
			require.InEpsilon(t, sampled.StepNs, rows, 1e-9)
		})
	}
}
