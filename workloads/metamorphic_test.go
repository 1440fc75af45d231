package workloads

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// oneWave makes attention's CTAs fit the tiny GPU at once. Where some are left
// over, which SM they land on is decided by the last nanosecond, and a step
// jumps by 3 % when anything changes.
const oneWave = "kernels.attention.ctas_per_sm=3"

// more is a resource, and an override that doubles it.
var more = map[string][]string{
	"hbm channels": {"system.hbm.channels=8", "system.l2.bytes=4194304"}, // the L2's slices stay as they are
	"host link":    {"system.host.link.raw_gbps=126"},
	"ddr channels": {"system.host.ddr.channels=16"},
	"cxl reads":    {"system.host.cxl.expander.read_gbps=35.6", "system.host.cxl.expander.link.raw_gbps=64"},
	"tensor cores": {"system.gpu.tensor_tflops=1580"},
	"l2 slices":    {"system.l2.slice_gbps=144"},
	"expanders":    {"system.host.cxl.expanders=2"},
}

func TestMoreBandwidthLengthensNoStep(t *testing.T) {
	const long = "workload.context=24576" // enough to leap, and for CTAs that are served unfairly to end late
	for _, test := range []struct {
		name, fidelity string
		sets           []string
	}{
		{"prefetch", "exact", with(thirds, paged, prefetch, oneWave, "workload.context=4096")},
		{"prefetch", "sampled", with(thirds, paged, prefetch, oneWave, long)},
		{"zerocopy", "exact", with(thirds, zeroCopy, oneWave, long)},
		{"zerocopy", "sampled", with(thirds, zeroCopy, oneWave, long)},
	} {
		before := simulate(t, test.fidelity, test.sets...)
		t.Logf("%s, %s: %.0f %% simulated", test.name, test.fidelity, 100*before.Simulated)
		require.Equal(t, test.fidelity == "exact", before.Simulated == 1)
		for resource, double := range more {
			t.Run(fmt.Sprint(test.name, " ", test.fidelity, " ", resource), func(t *testing.T) {
				after := simulate(t, test.fidelity, with(test.sets, double)...)
				t.Logf("%+.3f %%", 100*(after.StepNs/before.StepNs-1))
				require.LessOrEqual(t, after.StepNs, before.StepNs*(1.002+before.Bound+after.Bound))
			})
		}
	}
}

// What a step waits for must shorten it when doubled.
func TestTheBottleneckMatters(t *testing.T) {
	for _, test := range []struct {
		resource string
		share    float64 // of the step that must go
		sets     []string
	}{
		{"hbm channels", 0.1, with(oneWave, "workload.context=8192")},
		{"expanders", 0.3, with(onDemand, "kv.split.hbm=0.2", "kv.split.cxl=0.8", oneWave, "workload.context=8192")},
		{"host link", 0.2, with(onDemand, "kv.split.hbm=0.2", "kv.split.ddr=0.8", oneWave, "workload.context=8192")},
	} {
		t.Run(test.resource, func(t *testing.T) {
			before, after := simulate(t, "exact", test.sets...), simulate(t, "exact", with(test.sets, more[test.resource])...)
			require.Less(t, after.StepNs, before.StepNs*(1-test.share))
		})
	}
}

// phases are launch gaps with which kernels meet refreshes elsewhere: with one
// of them a kernel takes up to 3 % more or less than with another.
var phases = []string{"system.gpu.gap_ns=200", "system.gpu.gap_ns=500", "system.gpu.gap_ns=800"}

// requireRising simulates values of a key, each no faster than the one before in
// the mean of the phases.
func requireRising(t *testing.T, key string, values []string, sets ...string) {
	t.Helper()
	last := 0.0
	for _, v := range values {
		step := 0.0
		for _, p := range phases {
			step += simulate(t, "exact", with(sets, p, key+"="+v)...).StepNs / float64(len(phases))
		}
		t.Logf("%s=%s: %.1f ns", key, v, step)
		require.GreaterOrEqual(t, step, last, "%s=%s", key, v)
		last = step
	}
}

func TestMoreWorkShortensNoStep(t *testing.T) {
	t.Run("batch", func(t *testing.T) {
		requireRising(t, "workload.batch", []string{"1", "2", "3", "4", "8", "16"}, "kernels.attention.ctas_per_sm=0")
	})
	t.Run("context", func(t *testing.T) {
		requireRising(t, "workload.context", []string{"64", "256", "1024", "4096"}, oneWave)
	})
	t.Run("layers", func(t *testing.T) { requireRising(t, "model.layers", []string{"1", "2", "4"}, oneWave) })
}

func TestMoreKVInDDRShortensNoStepOnDemand(t *testing.T) {
	last := 0.0
	for _, far := range []float64{0, 0.25, 0.5, 0.75, 1} {
		step := simulate(t, "exact", onDemand, oneWave, "workload.context=4096", fmt.Sprintf("kv.split.hbm=%g", 1-far), fmt.Sprintf("kv.split.ddr=%g", far)).StepNs
		t.Logf("%g in DDR: %.1f ns", far, step)
		require.GreaterOrEqual(t, step, last)
		last = step
	}
}

// But for what is copied on demand just before its use and still found in the
// L2: a prefetched layer is read from HBM again, at the rate that attention
// reads at.
func TestPrefetchIsNoSlowerThanOnDemand(t *testing.T) {
	for _, split := range [][]string{halfDDR, thirds, {"kv.split.hbm=0.9", "kv.split.ddr=0.1"}, {"kv.split.hbm=0", "kv.split.ddr=1"}} {
		for _, context := range []string{"workload.context=300", "workload.context=2048"} {
			t.Run(fmt.Sprint(split, context), func(t *testing.T) {
				sets := with(split, context, oneWave, "model.layers=4")
				ahead, late := simulate(t, "exact", with(sets, prefetch)...), simulate(t, "exact", with(sets, onDemand)...)
				again := max(0, float64(tierRow(t, ahead, "hbm").Read)-float64(tierRow(t, late, "hbm").Read)) / kernelRow(t, ahead, "attention").GBps
				t.Logf("%+.2f %%, of which reads from HBM instead of L2 %.2f %%", 100*(ahead.StepNs/late.StepNs-1), 100*again/late.StepNs)
				require.LessOrEqual(t, ahead.StepNs, late.StepNs*1.005+again)
				require.Equal(t, late.TransferBytes, ahead.TransferBytes)
			})
		}
	}
}

// Only block tables depend on the size of a page: they grow with their number.
func TestPageSizeChangesOnlyTableReads(t *testing.T) {
	attention := func(page int) uint64 {
		for _, k := range simulate(t, "exact", oneWave, "workload.context=1024", fmt.Sprintf("kv.page_tokens=%d", page)).Kernels {
			if k.Class == "attention" {
				return k.Bytes
			}
		}
		return 0
	}
	// three layers; two sequences of four heads; a table entry of 4 B a page and reader
	tables := func(page int) uint64 { return 3 * 2 * 4 * 1024 / uint64(page) * 4 }
	contiguous := attention(0)
	for _, page := range []int{8, 16, 32, 64} {
		require.Equal(t, contiguous+tables(page), attention(page), "pages of %d tokens", page)
	}
}
