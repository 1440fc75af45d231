package validation

import (
	"context"

	"hwsim/workloads/hostattn"
)

// hostAttention is decode attention on the host's CPU.
type hostAttention hostattn.Options

// compileHostAttention compares single calls that follow each other.
func compileHostAttention(t *table) {
	for _, r := range t.rows {
		o := hostAttention{Threads: int(r.whole("threads", 1, 1<<12)), Heads: int(r.whole("q_heads", 1, 1<<12)), KVHeads: int(r.whole("kv_heads", 1, 1<<12)),
			HeadDim: int(r.whole("head_dim", 1, 1<<12)), Batch: int(r.whole("batch", 1, 1<<16)), Context: int(r.whole("context", 1, 1<<24)),
			BFloat16: r.word("dtype", "float32", "bfloat16") == "bfloat16"}
		if o.Heads%o.KVHeads != 0 {
			r.bad("q_heads", "must be a multiple of kv_heads")
			continue
		}
		bytes := hostattn.Options(o).Bytes()
		b := cpuMemory
		if bytes <= cachedBytes {
			b = cpuCached
		}
		t.time(r, b, o, only, r.positive("us_median")*1e3, r.repeated("us_median_repeat")*1e3).moving(float64(bytes))
	}
}

// cachedBytes is how much a server's last cache can keep from call to call.
const cachedBytes = 128 << 20

func (o hostAttention) simulate(ctx context.Context, m *machine) (outcome, error) {
	return single(hostattn.Time(ctx, m.system.Host, hostattn.Options(o)))
}
