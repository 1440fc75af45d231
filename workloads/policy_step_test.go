package workloads

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"hwsim/configs"
	"hwsim/devices"
	"hwsim/devices/gpu"
	"hwsim/hierarchy"
	"hwsim/workloads/internal/touch"
	"hwsim/workloads/kv"
)

// byTheHost lets attention run on the tiny machine's host.
var byTheHost = []string{"policy.use=49_a2ats"}

// surroundings are what policies are tried in.
var surroundings = map[string][]string{
	"alone":   nil,
	"uneven":  {"workload.contexts=[300,1024,40]"},
	"eager":   {"engine.use=hf_eager"},
	"ranks":   {"workload.tp=2"},
	"split":   with(thirds, zeroCopy),
	"copied":  with(thirds, prefetch, paged),
	"experts": {"model.moe.experts=4", "model.moe.active=2", "model.moe.expert_ffn=512"},
	"narrow":  {"kv.dtype=fp8"},
}

// further are policies that no preset has.
var further = map[string][]string{
	"spilled inputs":        {"policy.basis.x=true", "policy.basis.spilled=true"},
	"far and whole":         {`policy.place.keys="ddr"`, `policy.place.values="ddr"`},
	"far inputs":            {"policy.basis.x=true", `policy.place.keys="ddr"`},
	"chosen one by one":     {`policy.place.keys="ddr"`, `policy.place.values="ddr"`, "policy.select.attend.tokens=100"},
	"keys computed":         {"policy.basis.key_rank=16"},
	"values computed":       {"policy.basis.value_rank=16", "policy.basis.spilled=true"},
	"budgets of layers":     {"policy.select.recent.tokens=200", "policy.select.layers=[1,2,5]", "policy.select.overhang=64"},
	"three layers together": {"policy.share.layers=3", "policy.share.retained=0.1"},
	"far features":          {"policy.basis.key_rank=16", "policy.basis.spilled=true", `policy.place.keys="ddr"`, "policy.select.attend.tokens=64"},
}

// eachPolicy passes on every policy that simulates, and further ones, in all
// surroundings that it goes with.
func eachPolicy(t *testing.T, f func(t *testing.T, sets []string)) {
	t.Helper()
	policies := map[string][]string{"49_a2ats": byTheHost}
	for name, sets := range further {
		policies[name] = with(under("00_full"), sets)
	}
	for _, name := range configs.Presets("policies") {
		if simulable(t, name) {
			policies[name] = under(name)
		}
	}
	for name, sets := range policies {
		for around, more := range surroundings {
			if name == "04_vattention" && around != "alone" {
				continue // a dense cache in pages of its own, and no engine
			}
			t.Run(name+" "+around, func(t *testing.T) { f(t, with(sets, more)) })
		}
	}
}

// Every byte that any kernel or copy of a policy's step touches lies in one
// placed object.
func TestPoliciesTouchOnlyWhatIsPlaced(t *testing.T) {
	eachPolicy(t, func(t *testing.T, sets []string) {
		d := place(t, sets...)
		d.step(planAll(d.model.Layers), 0)
		outside := map[string]int{}
		for i := range d.graph.Ops {
			o := &d.graph.Ops[i]
			if o.Copy != nil {
				for _, s := range o.Copy.Segments {
					if !d.system.Space.Holds(s.Src, s.Bytes) || !d.system.Space.Holds(s.Dst, s.Bytes) {
						outside[o.Class]++
					}
				}
				continue
			}
			touch.Walk(o.Kernel, func(r gpu.Run, _ bool) {
				for row := range uint64(r.Rows) {
					if r.Bytes > 0 && !d.system.Space.Holds(r.Addr+row*r.Pitch, uint64(r.Bytes)) {
						outside[o.Class]++
					}
				}
			})
		}
		require.Empty(t, outside)
	})
}

// What the kernels of a stage ask for is what the policy counts, but for what is
// read through the L2 by several CTAs, the tables of a paged cache, and the new
// token, which is stored as keys and values whatever becomes of it.
func TestStagesMoveWhatThePolicyCounts(t *testing.T) {
	for _, name := range append(configs.Presets("policies"), "49_a2ats") {
		if !simulable(t, name) && name != "49_a2ats" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			d := place(t, under(name)...)
			if d.layout.method.absent() {
				t.Skip("changes no step")
			}
			d.step(planAll(d.model.Layers), 0)
			asked := map[string]float64{}
			for i := range d.graph.Ops {
				if o := &d.graph.Ops[i]; o.Kernel != nil {
					touch.Walk(o.Kernel, func(r gpu.Run, _ bool) { asked[o.Class] += float64(r.Total()) })
				}
			}
			for class, want := range counted(d) {
				assert.InDelta(t, want, asked[class], 0.02*want+float64(64*d.model.Layers), class)
			}
		})
	}
}

// counted returns what a step's stages move by the policy's count, in classes of
// kernels that do nothing else.
func counted(d *decode) map[string]float64 {
	want := map[string]float64{}
	for i := range d.layout.method.layers {
		l := &d.layout.method.layers[i]
		for _, s := range []kv.Stage{kv.Score, kv.Repeat, kv.AttendS, kv.Update} {
			for _, object := range l.swept(s) {
				sum := l.sum(s, object)
				want[string(s)+" "+object] += sum.read + sum.written
			}
		}
	}
	return want
}

// What a kernel is said to move from each far tier is what its CTAs ask for, but
// for a piece of a sweep and whole bytes a token. Products read features once for
// every tile of rows.
func TestOpsBytesAreWhatTheirProgramsAsk(t *testing.T) {
	eachPolicy(t, func(t *testing.T, sets []string) {
		d := place(t, sets...)
		d.step(planAll(d.model.Layers), 0)
		for i := range d.graph.Ops {
			o := &d.graph.Ops[i]
			if o.Kernel == nil || o.Class == "rebuild" || o.Class == "fetch and rebuild" {
				continue
			}
			for _, tier := range []hierarchy.TierID{hierarchy.DDR, hierarchy.CXLMem, hierarchy.PeerHBM} {
				asked := uint64(0)
				touch.Walk(o.Kernel, func(r gpu.Run, _ bool) {
					if hierarchy.TierID(devices.Tier(r.Addr)) == tier {
						asked += r.Total()
					}
				})
				require.InDelta(t, float64(o.Bytes[tier]), float64(asked), 0.1*float64(asked)+20480, "%s %v", o.Class, tier)
			}
		}
	})
}

// The operations of a step are the policy's, once each.
func TestOpsFLOPsAreThePolicys(t *testing.T) {
	for _, name := range []string{"23_mpcache", "31_shadowkv", "47_cskv", "03_xquant", "new_quest", "15_locret", "22_d2o"} {
		if !simulable(t, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			d := place(t, under(name)...)
			l := &d.layout.method.layers[1]
			d.serve(0, 1, nil)
			want, got := 0.0, 0.0
			for _, f := range l.flops {
				want += f
			}
			for _, o := range d.graph.Ops {
				got += o.FLOPs
			}
			assert.InEpsilon(t, want, got, 0.03)
		})
	}
}

func TestSampledIsWithinItsBoundOfExactUnderPolicies(t *testing.T) {
	more := []string{"workload.context=2048", "model.layers=12"}
	for _, test := range [][]string{under("48_snapkv"), under("31_shadowkv"), with(under("29_h2o"), halfDDR, prefetch)} {
		t.Run(fmt.Sprint(test), func(t *testing.T) {
			sets := with(test, more)
			exact, sampled := simulate(t, "exact", sets...), simulate(t, "sampled", with(sets, converges)...)
			miss := sampled.StepNs/exact.StepNs - 1
			t.Logf("%+.2f %%, bound %.2f %%, simulated %.0f %%", 100*miss, 100*sampled.Bound, 100*sampled.Simulated)
			assert.Less(t, sampled.Simulated, 0.9)
			assert.LessOrEqual(t, math.Abs(miss), sampled.Bound)
		})
	}
}

// Layers with one budget stand for each other, and for no others.
func TestLayersOfOneBudgetAreFolded(t *testing.T) {
	d := place(t, with(under("48_snapkv"), "policy.select.layers=[1,3]", "model.layers=32")...)
	p := d.planFolded(3)
	require.Equal(t, []int{0, 1, 2, 16, 17, 18}, p.layers)
	assert.InDeltaSlice(t, []float64{1, 7.5, 7.5, 1, 7.5, 7.5}, p.weight, 1e-9)
}

// No policy is faster than its roofline, wherever it runs.
func TestPoliciesRunExactly(t *testing.T) {
	for _, sets := range [][]string{
		with(under("49_a2ats")), with(under("31_shadowkv"), "workload.tp=2"), with(under("22_d2o"), thirds, zeroCopy),
		with(under("29_h2o"), thirds, prefetch, paged), with(under("48_snapkv"), "engine.use=hf_eager"), with(under("00_full"), further["far inputs"]),
	} {
		t.Run(fmt.Sprint(sets), func(t *testing.T) {
			res := simulate(t, "exact", sets...)
			assert.GreaterOrEqual(t, res.StepNs, res.RooflineNs)
		})
	}
}

func TestPoliciesGiveTheSameBytesAtAnyNumberOfProcessors(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var want string
	for _, procs := range []int{1, 2} {
		runtime.GOMAXPROCS(procs)
		var all []Compared
		for _, name := range []string{"48_snapkv", "31_shadowkv", "44_razorattention"} {
			all = append(all, Compared{Policy: name, Config: load(t, under(name)...)})
		}
		c, err := Compare(context.Background(), all, Options{Seed: 3, Fidelity: "sampled"})
		require.NoError(t, err)
		got, err := json.Marshal(c)
		require.NoError(t, err)
		if want == "" {
			want = string(got)
		}
		require.Equal(t, want, string(got))
	}
}

// Where copies hide the kernels, these need not be simulated.
func TestCopiesBesideWaitsTakeAsLongAsBesideKernels(t *testing.T) {
	sets := with(under("29_h2o"), halfDDR, prefetch, "system.host.link.raw_gbps=8", "workload.context=16384", "sampling.tolerance=0.03")
	d := place(t, sets...)
	roof := d.roofline()
	require.Less(t, roof.KernelNs, hidden*roof.Ns)
	whole := simulate(t, "sampled", sets...)
	res, err := runPart(context.Background(), load(t, sets...), Options{Seed: 1, Fidelity: "sampled", Workers: 1}, copiesPart)
	require.NoError(t, err)
	assert.InDelta(t, whole.StepNs, res.StepNs, res.Bound*res.StepNs)
}

// A policy that the configuration refuses, and one that does not fit, have rows
// that say so, beside those that run.
func TestComparisonTellsWhatDoesNotRun(t *testing.T) {
	small := load(t, with(under("48_snapkv"), "workload.context=1000000", "policy.select.best.tokens=900000")...)
	all := []Compared{{Policy: "refused", Config: &Config{}, Err: errors.Join(errors.New("one"), errors.New("two"))},
		{Policy: "large", Config: small}, {Policy: "runs", Config: load(t, under("48_snapkv")...)}}
	c, err := Compare(context.Background(), all, Options{Seed: 1, Fidelity: "sampled"})
	require.NoError(t, err)
	require.Len(t, c.Rows, 3)
	assert.Equal(t, "one; two", c.Rows[0].Problem)
	assert.Contains(t, c.Rows[1].Problem, "do not fit into hbm")
	assert.Positive(t, c.Rows[2].StepNs)
	assert.Greater(t, c.Rows[2].MaxBatch, 2)
	stopped, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = Compare(stopped, all[2:], Options{Seed: 1, Fidelity: "sampled"})
	require.ErrorIs(t, err, errNothing)
}
