//go:build slow

package program

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"hwsim/configs"
	"hwsim/workloads/synthetic"
)

// The eleven workloads of Victima's evaluation, native and virtualised, beside the
// published means. Which pairs have the published order, and which do not, is told in
// devices/mmu/README.md.
func TestElevenWorkloads(t *testing.T) {
	for _, machine := range []struct {
		config    string
		schemes   []string
		published map[string]float64
	}{
		{"radix", []string{"pomtlb", "l3tlb64k", "tlb64k", "tlb128k", "victima_paper"},
			map[string]float64{"pomtlb": 1.074 / 1.062, "l3tlb64k": 1.029, "tlb128k": 1.074, "victima_paper": 1.074}},
		{"radix_virt", []string{"pomtlb", "tlb128k", "victima_paper"},
			map[string]float64{"pomtlb": 1.287 / 1.201, "victima_paper": 1.287}},
	} {
		logs := map[string]float64{}
		for _, kind := range synthetic.Eleven() {
			base := of(t, machine.config, kind, "victima_baseline")
			line := fmt.Sprintf("%-10s %-8s MPKI %5.1f walk %5.0f miss %5.0f |", machine.config, kind, base.Translation.L2MPKI, base.Translation.WalkCycles.Mean, base.Translation.MissCycles)
			for _, scheme := range machine.schemes {
				r := of(t, machine.config, kind, scheme)
				logs[scheme] += math.Log(r.IPC / base.IPC)
				line += fmt.Sprintf(" %s %.3f (miss %.0f)", scheme, r.IPC/base.IPC, r.Translation.MissCycles)
				if scheme == "victima_paper" {
					assert.GreaterOrEqual(t, r.IPC, 0.999*base.IPC, "%s: Victima is no loss", kind)
				}
			}
			t.Log(line)
		}
		for _, scheme := range machine.schemes {
			t.Logf("%s, %s: mean speed-up %.3f (published %.3f)", machine.config, scheme, math.Exp(logs[scheme]/float64(len(synthetic.Eleven()))), machine.published[scheme])
		}
	}
}

// of runs a workload on a core of a configuration's machine.
func of(t *testing.T, config, kind, core string) *Result {
	t.Helper()
	d, err := configs.Load(config, []string{"stream.kind=" + kind, "core.use=" + core, "run.warm_accesses=6000000", "run.accesses=1500000"})
	require.NoError(t, err)
	c := &Config{}
	require.NoError(t, d.Decode(c))
	r, err := Run(context.Background(), c, Options{Seed: 1})
	require.NoError(t, err)
	return r
}
