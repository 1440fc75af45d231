package workloads

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices"
	"hwsim/devices/gpu"
	"hwsim/workloads/internal/touch"
)

// Every address that any kernel of a step touches lies in what has been placed
// in its tier.
func TestKernelsTouchOnlyWhatIsPlaced(t *testing.T) {
	moe := []string{"model.moe.experts=4", "model.moe.active=2", "model.moe.shared=1", "model.moe.expert_ffn=512"}
	mla := []string{"model.mla.q_lora_rank=128", "model.mla.kv_lora_rank=64", "model.mla.qk_nope_dim=32", "model.mla.qk_rope_dim=16", "model.mla.v_dim=32"}
	for name, sets := range map[string][]string{
		"dense":    nil,
		"zerocopy": with(thirds, zeroCopy, paged),
		"prefetch": with(thirds, prefetch, "weights.split.hbm=0.5", "weights.split.ddr=0.5", "weights.access=prefetch"),
		"experts":  with(moe, "workload.batch=7"),
		"latent":   with(mla, "kv.page_tokens=16"),
		"ranks":    with("workload.tp=2"),
		"uneven":   {"workload.contexts=[1,77,500]"},
	} {
		t.Run(name, func(t *testing.T) {
			d := place(t, sets...)
			d.step(planAll(d.model.Layers), 0)
			for i := range d.graph.Ops {
				if d.graph.Ops[i].Kernel == nil {
					continue
				}
				touch.Walk(d.graph.Ops[i].Kernel, func(r gpu.Run, _ bool) {
					if r.Rows == 0 {
						return
					}
					end := r.Addr + uint64(r.Rows-1)*r.Pitch + uint64(r.Bytes)
					tier := devices.Tier(r.Addr)
					require.Equal(t, tier, devices.Tier(end-1))
					require.LessOrEqual(t, end-uint64(tier)<<devices.TierShift, d.system.Space.Used(tierID(tier)), "%s", d.graph.Ops[i].Class)
				})
			}
		})
	}
}
