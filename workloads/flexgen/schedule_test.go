package flexgen

import (
	"testing"

	"hwsim/configs"
	"hwsim/devices/hostio"
	"hwsim/sim"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// block is a small one.
var (
	small      = Shape{Layers: 3, Hidden: 256}
	short      = Job{Prompt: 16, Output: 4}
	blockOf3   = Policy{Batch: 2, Batches: 3, Weights: Shares{0, 50}, Cache: Shares{0, 50}, Hidden: Shares{0, 100}}
	onGPU      = Policy{Batch: 2, Batches: 3, Weights: Shares{GPU: 100}, Cache: Shares{GPU: 100}, Hidden: Shares{GPU: 100}}
	sublayers  = 2 * small.Layers
	inAllSteps = short.Output * sublayers
)

// steps returns in which step of the schedule each operation is.
func steps(p *Policy) map[Op][]int {
	at := map[Op][]int{}
	n := 0
	Schedule(small, short, p, func(ops []Op) {
		for _, op := range ops {
			at[op] = append(at[op], n)
		}
		n++
	})
	return at
}

func TestEveryOperationIsDoneOnceAndInItsTime(t *testing.T) {
	at := steps(&blockOf3)
	count := map[Kind]int{}
	for op, n := range at {
		require.Len(t, n, 1, "%v", op)
		count[op.Kind]++
		compute := at[Op{Compute, op.Place}]
		require.Len(t, compute, 1, "%v", op)
		switch op.Kind {
		case LoadWeights:
			assert.Zero(t, op.Batch, "a block shares them")
			assert.Equal(t, max(0, compute[0]-blockOf3.Batches), n[0], "%v", op)
		case LoadCache, LoadHidden:
			assert.Equal(t, compute[0]-1, n[0], "%v", op)
		case StoreCache, StoreHidden:
			assert.Equal(t, compute[0]+1, n[0], "%v", op)
		}
	}
	places := inAllSteps * blockOf3.Batches
	assert.Equal(t, map[Kind]int{
		LoadWeights: inAllSteps, Compute: places, StoreHidden: places, LoadHidden: places - 1,
		StoreCache: places / 2, LoadCache: places / 2 * (short.Output - 1) / short.Output,
	}, count)
}

func TestABlockSharesItsWeights(t *testing.T) {
	m := machine(t, "t4")
	one, three := blockOf3, blockOf3
	one.Batches = 1
	a, b := Run(m, small, short, &one), Run(m, small, short, &three)
	assert.Equal(t, a.Decode.Kinds[LoadWeights], b.Decode.Kinds[LoadWeights])
	assert.Equal(t, 3*a.Decode.Kinds[Compute], b.Decode.Kinds[Compute])
}

func TestOverlapIsBetweenTheBusiestResourceAndTheSum(t *testing.T) {
	m := machine(t, "t4")
	r := sim.NewRand(1)
	for range 100 {
		p := Policy{Batch: 1 + r.IntN(40), Batches: 1 + r.IntN(4), GPUAttention: r.IntN(2) == 0, CompressWeights: r.IntN(2) == 0, CompressCache: r.IntN(2) == 0}
		for _, s := range []*Shares{&p.Weights, &p.Cache, &p.Hidden} {
			s.GPU = r.IntN(101)
			s.CPU = r.IntN(101 - s.GPU)
		}
		overlapped := Run(m, small, short, &p)
		p.Serial = true
		serial := Run(m, small, short, &p)
		for _, phase := range [][2]Phase{{overlapped.Prefill, serial.Prefill}, {overlapped.Decode, serial.Decode}} {
			var sum sim.Time
			for _, busy := range phase[0].Busy {
				assert.GreaterOrEqual(t, phase[0].Time, busy)
			}
			for _, kind := range phase[1].Kinds {
				sum += kind
			}
			assert.Equal(t, sum, phase[1].Time)
			assert.LessOrEqual(t, phase[0].Time, phase[1].Time, "%+v", p)
		}
	}
}

func TestWhatIsOnTheGPUMovesNowhere(t *testing.T) {
	r := Run(machine(t, "t4"), small, short, &onGPU)
	for resource := LinkIn; resource < resources; resource++ {
		assert.Zero(t, r.Prefill.Busy[resource]+r.Decode.Busy[resource], resource)
	}
	assert.Equal(t, r.Decode.Busy[GPUTime], r.Decode.Time)
}

func TestTheCPUAttendsWhereTheCacheIs(t *testing.T) {
	m := machine(t, "t4")
	p := Policy{Batch: 8, Batches: 1, Weights: Shares{GPU: 100}, Cache: Shares{CPU: 100}, Hidden: Shares{GPU: 100}}
	delegated := Run(m, small, short, &p)
	p.GPUAttention = true
	fetched := Run(m, small, short, &p)
	assert.Zero(t, delegated.Decode.Kinds[LoadCache])
	assert.Positive(t, delegated.Decode.Busy[CPUTime])
	assert.Positive(t, fetched.Decode.Kinds[LoadCache])
	assert.Zero(t, fetched.Decode.Busy[CPUTime])
	p = Policy{Batch: 8, Batches: 1, Cache: Shares{CPU: 100}, CompressCache: true}
	compressed := Run(m, small, short, &p)
	assert.Zero(t, compressed.Decode.Busy[CPUTime], "not what is compressed")
}

func TestFourBitsAreNineThirtySeconds(t *testing.T) {
	m := machine(t, "t4")
	p := Policy{Batch: 1, Batches: 1, Weights: Shares{CPU: 100}, Cache: Shares{GPU: 100}, Hidden: Shares{GPU: 100}}
	whole := Run(m, small, short, &p).Decode.Kinds[LoadWeights].Seconds()
	p.CompressWeights = true
	assert.InEpsilon(t, whole*9/32, Run(m, small, short, &p).Decode.Kinds[LoadWeights].Seconds(), 1e-6)
}

func TestPoliciesAreRead(t *testing.T) {
	assert.Equal(t, Policy{Batch: 48, Batches: 3, Weights: Shares{20, 80}, Cache: Shares{0, 50}, Hidden: Shares{0, 100}},
		policy(t, "48x3;20/80/0/50/0/100"))
	for text, want := range map[string]string{
		"48x3":              "want BATCHxBATCHES;WG/WC/CG/CC/HG/HC",
		"48;0/0/0/0/0/0":    "want BATCHxBATCHES",
		"48x3;0/0/0/0/0":    "want BATCHxBATCHES",
		"48x3;0/0/0/0/0/a":  `"a" is not a whole number`,
		"0x3;0/0/0/0/0/0":   "batch must be positive, is 0",
		"1x0;0/0/0/0/0/0":   "batches must be positive, is 0",
		"1x1;60/60/0/0/0/0": "weights must be two shares of 100 % at most together, is 60 and 60",
		"1x1;0/0/0/0/-1/0":  "hidden must be two shares",
	} {
		_, err := ParsePolicy(text)
		require.ErrorContains(t, err, want, text)
	}
}

func FuzzParsePolicy(f *testing.F) {
	f.Add("48x3;20/80/0/100/0/100")
	f.Add("x;/////")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePolicy(text)
		if err == nil {
			p.Validate(func(key, message string) { t.Errorf("%q: %s %s", text, key, message) })
		}
	})
}

func TestMachinesThatCannotBeAreReported(t *testing.T) {
	for set, want := range map[string]string{
		"gpu.memory_gbps=0": "gpu.memory_gbps: must be positive",
		"host=\"tape\"":     "tape",
		"gpu.cores=1":       "gpu.cores",
	} {
		_, err := LoadMachine("t4", []string{set})
		require.ErrorContains(t, err, want)
	}
	_, err := ShapeOf("opt-1b")
	require.ErrorContains(t, err, `no shape for model "opt-1b"`)
}

func TestPathsOfAHostAreThoseOfASchedule(t *testing.T) {
	stages := map[string]hostio.Stage{"s": {Resource: "tape", GBps: 1}}
	paths := map[string]hostio.Path{}
	for _, name := range []string{"disk_to_gpu", "disk_to_cpu", "gpu_to_disk"} {
		paths[name] = hostio.Path{Threads: 1, Legs: []hostio.Leg{{Uses: []string{"s"}}}}
	}
	m := &Machine{Host: "h"}
	h := &hostio.Host{Stages: stages, Paths: paths}
	require.ErrorContains(t, m.connect(h), `host h: path disk_to_gpu: resource "tape" is none of [link_in link_out drive main]`)
	stages["s"] = hostio.Stage{Resource: "drive", GBps: 1}
	require.ErrorContains(t, m.connect(h), `host h: no path "cpu_to_gpu"`)
	paths["cpu_to_gpu"] = paths["disk_to_gpu"]
	require.NoError(t, m.connect(h))
}

func TestEveryMachinePresetLoads(t *testing.T) {
	for _, name := range configs.Presets("flexgen") {
		machine(t, name)
	}
}

func BenchmarkRun(b *testing.B) {
	m, err := LoadMachine("t4", nil)
	require.NoError(b, err)
	s, _ := ShapeOf("opt-175b")
	p, _ := ParsePolicy("32x8;0/50/0/0/0/100")
	b.ReportAllocs()
	for range b.N {
		Run(m, s, Job{512, 32}, &p)
	}
}
