package flexgen

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// offPercent is a figure's error against a measured one, in percent.
func offPercent(got, want float64) float64 { return 100 * (got/want - 1) }

func TestCHEOPSRunsArePredicted(t *testing.T) {
	m := machine(t, "cheops25")
	for _, r := range rows(t, "cheops25_offload_runs.csv") {
		if r["framework"] != "FlexGen" {
			continue
		}
		percent, _, _ := strings.Cut(r["policy"], ",")
		p := policy(t, r["batch"]+"x1;"+percent)
		p.GPUAttention = true // FlexGen's default
		j := r.job(t)
		got := Run(m, r.shape(t), j, &p)
		decode := offPercent(got.Decode.Time.Seconds(), r.number(t, "decode_s"))
		t.Logf("%s batch %s %s: prefill %.1f s, measured %s (%+.1f %%); decode %.1f s, measured %s (%+.1f %%)", r["model"], r["batch"], percent,
			got.Prefill.Time.Seconds(), r["prefill_s"], offPercent(got.Prefill.Time.Seconds(), r.number(t, "prefill_s")),
			got.Decode.Time.Seconds(), r["decode_s"], decode)
		assert.InDelta(t, 0, decode, 10)
		assert.InDelta(t, 0, offPercent((got.Prefill.Time+got.Decode.Time).Seconds(), r.number(t, "total_s")), 10)
	}
}

func TestZeROInferencesRunsArePredicted(t *testing.T) {
	check := func(m *Machine, model string, j Job, batch int, published float64) {
		s, err := ShapeOf(model)
		require.NoError(t, err)
		slower, p := ZeROInference(m, batch)
		got := Run(slower, s, j, &p).TokensPerSecond
		t.Logf("ZeRO-Inference %s %s batch %d: %.3f tok/s, published %.3f: %+.1f %%", m.Name, model, batch, got, published, offPercent(got, published))
		assert.InDelta(t, 0, offPercent(got, published), 10)
	}
	t4 := machine(t, "t4")
	check(t4, "opt-30b", Job{512, 32}, 4, 0.60) // fitted
	check(t4, "opt-6.7b", Job{512, 32}, 16, 9.28)
	cheops := machine(t, "cheops25")
	for _, r := range rows(t, "cheops25_offload_runs.csv") {
		if r["framework"] == "DeepSpeed ZeRO-Inference" {
			check(cheops, strings.ToLower(r["model"]), r.job(t), int(r.number(t, "batch")), r.number(t, "tok_per_s"))
		}
	}
}

// table8 is FlexGen's Table 8: OPT-175B, prompts of 512, 32 tokens, nothing
// overlapped; s.
var table8 = []struct {
	name      string
	published float64
	within    float64 // percent; 0: a part that is known to be off, see README.md
	ours      func(r *Result) float64
}{
	{"prefill compute", 2220, 10, func(r *Result) float64 { return r.Prefill.Kinds[Compute].Seconds() }},
	{"prefill weights", 768, 0, func(r *Result) float64 { return r.Prefill.Kinds[LoadWeights].Seconds() }},
	{"prefill cache write", 261, 10, func(r *Result) float64 { return r.Prefill.Kinds[StoreCache].Seconds() }},
	{"prefill", 2711, 10, func(r *Result) float64 { return r.Prefill.Time.Seconds() }},
	{"decode compute", 1498, 0, func(r *Result) float64 { return r.Decode.Kinds[Compute].Seconds() }},
	{"decode weights", 3047, 15, func(r *Result) float64 { return r.Decode.Kinds[LoadWeights].Seconds() }},
	{"decode cache read", 7046, 10, func(r *Result) float64 { return r.Decode.Kinds[LoadCache].Seconds() }},
	{"decode cache write", 124, 0, func(r *Result) float64 { return r.Decode.Kinds[StoreCache].Seconds() }},
	{"decode", 11315, 10, func(r *Result) float64 { return r.Decode.Time.Seconds() }},
}

func TestTable8sPartsArePredicted(t *testing.T) {
	m := machine(t, "t4")
	s, err := ShapeOf("opt-175b")
	require.NoError(t, err)
	p := policy(t, "32x8;0/50/0/0/0/100")
	p.Serial = true
	r := Run(m, s, Job{512, 32}, &p)
	for _, row := range table8 {
		if row.within > 0 {
			assert.InDelta(t, 0, offPercent(row.ours(&r), row.published), row.within, row.name)
		}
		t.Logf("Table 8 %-20s %8.0f s, published %6.0f: %+.1f %%", row.name, row.ours(&r), row.published, offPercent(row.ours(&r), row.published))
	}
}

// instInfer is InstInfer's host with FlexGen: OPT-13B, batch 64, KV on the drive.
func instInfer(t *testing.T) (rate float64, r Result) {
	s, err := ShapeOf("opt-13b")
	require.NoError(t, err)
	p := policy(t, "64x1;100/0/0/0/100/0")
	p.GPUAttention = true
	j := Job{1024, 1024}
	r = Run(machine(t, "a6000"), s, j, &p)
	var bytes float64
	for token := 1; token < j.Output; token++ {
		bytes += float64(s.Layers) * s.kvBytes(64*float64(j.Prompt+token-1))
	}
	return bytes / 1e9 / r.Decode.Kinds[LoadCache].Seconds(), r
}

func TestFlexGensRateOnInstInfersHost(t *testing.T) {
	rate, r := instInfer(t)
	t.Logf("KV at %.2f GB/s, derived from InstInfer's ratios 0.91 to 1.33; %.2f tok/s, derived 0.72 to 1.05", rate, r.TokensPerSecond)
	assert.Less(t, rate, 7.0/3, "far below the drive's 7 GB/s, but above what InstInfer's ratios say")
	assert.Greater(t, rate, 0.91)
	const key = 64 * 1536 * 2 * 5120 // bytes of a layer's keys, mean
	one := key / 1e9 / machine(t, "a6000").diskToGPU.Elapsed(key, 1).Seconds()
	t.Logf("one tensor at a time: %.2f GB/s", one)
	assert.Greater(t, rate, 1.9*one, "two threads")
	share := r.Decode.Kinds[LoadCache].Seconds() / r.Decode.Time.Seconds()
	t.Logf("GB/s: share of KV access in decode %.1f %%, published 98.9", 100*share)
	assert.InDelta(t, 0.989, share, 0.05)
}
