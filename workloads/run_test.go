package workloads

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/configs"
	"hwsim/devices/gpu"
)

// At every number of processors and workers, and from run to run.
func TestSameSeedGivesSameBytes(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	sets := with(thirds, paged, prefetch, "workload.context=3000", "model.layers=5", "model.moe.experts=4", "model.moe.active=2", "model.moe.expert_ffn=512")
	for _, fidelity := range []string{"exact", "sampled", "analytic"} {
		t.Run(fidelity, func(t *testing.T) {
			var want []byte
			for _, procs := range []int{1, 2} {
				runtime.GOMAXPROCS(procs)
				for range 2 {
					res, err := Run(context.Background(), load(t, sets...), Options{Seed: 7, Fidelity: fidelity, Workers: procs})
					require.NoError(t, err)
					got, err := json.Marshal(res)
					require.NoError(t, err)
					if want == nil {
						want = got
					}
					require.Equal(t, string(want), string(got), "%d workers", procs)
				}
			}
		})
	}
}

func TestSeedDecidesTheRouting(t *testing.T) {
	sets := with("model.moe.experts=8", "model.moe.active=2", "model.moe.expert_ffn=256", "workload.context=64")
	var steps []float64
	for _, seed := range []uint64{1, 2} {
		res, err := Run(context.Background(), load(t, sets...), Options{Seed: seed, Fidelity: "exact", Workers: 1})
		require.NoError(t, err)
		steps = append(steps, res.StepNs)
	}
	require.NotEqual(t, steps[0], steps[1])
}

// cancelling is a program that cancels a context when its kernel starts.
type cancelling struct {
	gpu.Program
	cancel func()
}

func (c cancelling) Tiles(cta int) int { c.cancel(); return c.Program.Tiles(cta) }

func TestInterruptedRunReportsWhatItKnows(t *testing.T) {
	for _, fidelity := range []string{"exact", "sampled"} {
		t.Run(fidelity, func(t *testing.T) {
			sets := with(halfDDR, prefetch, "model.layers=8", "workload.context=2048")
			whole := simulate(t, fidelity, sets...)
			r := begin(t, fidelity, sets...)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			for i := range r.decode.graph.Ops { // stop in the third span
				if o := &r.decode.graph.Ops[i]; o.Span == 2 && o.Kernel != nil {
					o.Kernel.Program = cancelling{o.Kernel.Program, cancel}
					break
				}
			}
			require.NoError(t, r.graph.Simulate(ctx, nil))
			res, err := r.result()
			require.NoError(t, err)
			require.False(t, res.Complete)
			require.InEpsilon(t, whole.StepNs, res.StepNs, 0.3)
			require.InDelta(t, res.StepNs, res.KernelNs+res.GapNs+res.ExposedNs, 1)
		})
	}
}

func TestRunInterruptedBeforeItsFirstLayerIsAnError(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := Run(ctx, load(t), Options{Fidelity: "exact", Workers: 1})
	require.ErrorIs(t, err, errNothing)
}

// user tells errors that are of the configuration's values.
type user interface{ UserError() bool }

func TestWhatDoesNotFitIsTheUsersError(t *testing.T) {
	small := "system.host.ddr.capacity_gib=0.001"
	for _, test := range []struct {
		want string
		sets []string
	}{
		// 3 layers of 2·1e6 tokens of 2·4·64·2 B: 5.72 GiB, less what the weights leave of 2
		{"kv: 5.72 GiB do not fit into hbm: 1.98 of its 2.00 GiB are free, 3.75 GiB too few", []string{"workload.context=1000000"}},
		{"kv: 0.00 GiB do not fit into ddr: 0.00 of its 0.00 GiB are free", with(halfDDR, zeroCopy, small)},
		{"weights: 3.81 GiB do not fit into hbm", []string{"model.vocab=4000000"}},
		{"weights: 12.0", []string{"model.hidden=32768", "model.layers=1", "model.ffn=65536"}},
		{"kv: 0.00 GiB do not fit into cxl: ", with("kv.split.hbm=0.5", "kv.split.cxl=0.5", zeroCopy, "system.host.cxl.capacity_gib=0.001")},
	} {
		t.Run(test.want, func(t *testing.T) { requireUsers(t, load(t, test.sets...), test.want) })
	}
	c := load(t, with("kv.split.hbm=0.5", "kv.split.peer=0.5", zeroCopy)...)
	c.System.Peer = nil
	requireUsers(t, c, "kv: this system has no peer memory")
	c = load(t)
	c.System.HBM.DRAM.Standard = "hbm9" // what Validate refuses, Build refuses too
	requireUsers(t, c, "hbm: ")
}

// requireUsers runs a configuration that fails by its values.
func requireUsers(t *testing.T, c *Config, want string) {
	t.Helper()
	_, err := Run(context.Background(), c, Options{Fidelity: "exact", Workers: 1})
	require.ErrorContains(t, err, want)
	var u user
	require.ErrorAs(t, err, &u)
	require.True(t, u.UserError())
}

// The presets are what users begin with. Those with a core are package program's,
// those with [offload] package offload's.
func TestEveryShippedConfigurationRuns(t *testing.T) {
	for _, name := range configs.Presets("") {
		d, err := configs.Load(name, nil)
		require.NoError(t, err)
		_, core := d.Get("core")
		_, offloaded := d.Get("offload")
		if core || offloaded {
			continue
		}
		_, d = d.Split("sweep") // what is swept runs as it is
		t.Run(name, func(t *testing.T) {
			var c Config
			require.NoError(t, d.Decode(&c))
			res, err := Run(context.Background(), &c, Options{Fidelity: "analytic"})
			require.NoError(t, err)
			require.True(t, res.Complete)
			require.Positive(t, res.StepNs)
			require.InDelta(t, res.StepNs, res.KernelNs+res.GapNs+res.ExposedNs, 1)
			require.NotEmpty(t, res.Objects)
		})
	}
}

// Several steps are as many decode steps, and the report is of one.
func TestStepsAreAveraged(t *testing.T) {
	one := simulate(t, "exact", "workload.context=256")
	three := simulate(t, "exact", "workload.context=256", "workload.steps=3")
	require.InEpsilon(t, one.StepNs, three.StepNs, 0.05)
	for i, k := range one.Kernels {
		require.Equal(t, k.Bytes, three.Kernels[i].Bytes, k.Class)
		require.Equal(t, k.Calls, three.Kernels[i].Calls, k.Class)
	}
}

// A simulated step takes no less than the roofline of the same graph.
func TestExactIsNoFasterThanTheRoofline(t *testing.T) {
	for _, sets := range [][]string{nil, with(halfDDR, prefetch), with(halfDDR, onDemand), with(halfDDR, zeroCopy), with(thirds, paged, prefetch), {"workload.tp=2"}} {
		t.Run(fmt.Sprint(sets), func(t *testing.T) {
			res := simulate(t, "exact", with(sets, "workload.context=4096")...)
			require.GreaterOrEqual(t, res.StepNs, res.RooflineNs)
		})
	}
}

// The cost of a decode step in real time: the simulator's own speed.
func BenchmarkDecodeStep(b *testing.B) {
	bytes := uint64(0)
	for b.Loop() {
		for _, k := range simulate(b, "exact", "workload.context=2048").Kernels {
			bytes += k.Bytes
		}
	}
	b.ReportMetric(float64(bytes)/128/b.Elapsed().Seconds(), "lines/s")
}
