package offload

import (
	"testing"

	"hwsim/configs"
	"hwsim/workloads/flexgen"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// load returns a preset with sets.
func load(name string, sets ...string) (*Config, error) {
	d, err := configs.Load(name, sets)
	if err != nil {
		return nil, err
	}
	c := &Config{}
	return c, d.Decode(c)
}

func simulate(t *testing.T, name string, sets ...string) *Result {
	t.Helper()
	c, err := load(name, sets...)
	require.NoError(t, err)
	r, err := Run(c, Options{Name: name})
	require.NoError(t, err)
	return r
}

func TestEveryShippedConfigurationOfGenerationRuns(t *testing.T) {
	ran := 0
	for _, name := range configs.Presets("") {
		d, err := configs.Load(name, nil)
		require.NoError(t, err)
		if _, ok := d.Get("offload"); !ok {
			continue
		}
		ran++
		r := simulate(t, name)
		assert.Positive(t, r.TokensPerSecond)
		assert.InEpsilon(t, float64(r.Sequences*r.Output)/(r.TimeNs/1e9), r.TokensPerSecond, 1e-6, "all tokens in all the time")
		for _, m := range r.Memories {
			assert.LessOrEqual(t, m.UsedBytes, m.CapacityBytes, m.Memory)
		}
	}
	assert.GreaterOrEqual(t, ran, 2)
}

// short makes a run quick.
var short = []string{"offload.prompt=64", "offload.output=4"}

func TestEverySystemRuns(t *testing.T) {
	for _, system := range []string{"flexgen", "flexgen-gds", "flexgen-sparq"} {
		r := simulate(t, "flexgen_a6000_ssd", append(short, "offload.system="+system)...)
		assert.Equal(t, system, r.System)
		assert.Positive(t, r.CacheBytes)
	}
	for _, system := range []string{"zero", "recompute"} {
		r := simulate(t, "flexgen_a6000_ssd", append(short, "offload.system="+system, "offload.batch=8", `offload.policy=""`, "offload.gpu_attention=false")...)
		assert.Equal(t, 8, r.Sequences)
		assert.Empty(t, r.Policy)
	}
}

func TestEveryDenseModelRuns(t *testing.T) {
	for _, model := range configs.Presets("models") {
		c, err := load("flexgen_t4", append(short, "offload.model="+model, `offload.policy="1x1;0/50/0/0/0/100"`)...)
		if err != nil {
			assert.Regexp(t, "offload.model: model .*: has (experts|latent attention)", err.Error())
			continue
		}
		r, err := Run(c, Options{})
		require.NoError(t, err)
		assert.Positive(t, r.TokensPerSecond, model)
	}
}

func TestSearchFindsAPolicy(t *testing.T) {
	given := simulate(t, "flexgen_t4", "offload.model=opt-30b", `offload.policy="48x3;20/80/0/100/0/100"`)
	found := simulate(t, "flexgen_t4", "offload.model=opt-30b", `offload.policy=""`, "offload.search=true")
	assert.True(t, found.Found)
	assert.GreaterOrEqual(t, found.TokensPerSecond, given.TokensPerSecond)
}

func TestWrongConfigurationsAreOneLine(t *testing.T) {
	for _, test := range []struct {
		set, want string
	}{
		{"offload.system=flexgn", `offload.system: "flexgn" is none of flexgen, flexgen-gds, flexgen-sparq, zero, recompute, instinfer (did you mean "flexgen"?)`},
		{"offload.machine=t5", `offload.machine: config "flexgen/t5": no such file`},
		{"offload.model=opt-1b", `offload.model: no shape for model "opt-1b"`},
		{"offload.prompt=0", "offload.prompt: must be 1 to 1048576"},
		{"offload.output=1", "offload.output: must be 2 to 16384"},
		{"offload.batch=3", "offload.batch: is not flexgen's: its policy begins with the batch"},
		{"offload.search=true", "offload.policy: give either policy or search = true"},
		{`offload.policy="8"`, "offload.policy: policy \"8\": want BATCHxBATCHES;WG/WC/CG/CC/HG/HC"},
		{"offload.sparse=0.5", "offload.sparse: is flexgen-sparq's"},
		{"offload.pinned_cache=true", "offload.pinned_cache: is zero's"},
		{"offload.csd=instinfer", "offload.csd: is instinfer's"},
		{"offload.drives=2", "offload.drives: is instinfer's"},
		{"offload.gpus=2", "offload.gpus: is instinfer's"},
		{"offload.precision=0.1", "offload.precision: is instinfer's"},
		{`offload.machine_set=["memory.host_gib=0"]`, "offload.machine: "},
		{"offload.polic=1", "offload.polic: unknown key (did you mean \"policy\"?)"},
	} {
		_, err := load("flexgen_t4", test.set)
		require.ErrorContains(t, err, test.want, test.set)
		assert.NotContains(t, err.Error(), "\n", test.set)
	}
	_, err := load("flexgen_t4", "offload.system=zero", "offload.batch=1")
	require.ErrorContains(t, err, "offload.policy: is FlexGen's, not of zero")
}

func TestWrongAttentionOnDrivesIsOneLine(t *testing.T) {
	for set, want := range map[string]string{
		"offload.batch=0":                         "offload.batch: must be 1 to 65536",
		"offload.drives=0":                        "offload.drives: must be 1 to 65536, is 0",
		"offload.gpus=-1":                         "offload.gpus: must be 0 to 1024, is -1",
		"offload.sparse=0.6":                      "offload.sparse: must be 0 to 0.5",
		"offload.precision=1":                     "offload.precision: must be 0 to below 1, is 1",
		"offload.csd=instinfr":                    `offload.csd: config "csd/instinfr": no such file`,
		`offload.csd_set=["pe_cycles=0"]`:         "offload.csd: ",
		`offload.policy="1x1;0/0/0/0/0/0"`:        "offload.policy: is FlexGen's, not of instinfer",
		"offload.system=recompute":                "offload.csd: is instinfer's",
		"offload.drive=2":                         `offload.drive: unknown key (did you mean "drives"?)`,
		`offload.csd_set=["engine.exact_head=2"]`: `engine.exact_head: unknown key`,
	} {
		_, err := load("instinfer_a6000_1csd", set)
		require.ErrorContains(t, err, want, set)
	}
	for set, want := range map[string]string{
		"offload.model=opt-30b":                       "offload: 64 sequences on 1 x instinfer do not fit: GPU memory: needs 5",
		`offload.csd_set=["layout.head_dim=64"]`:      "offload.csd: ",
		`offload.csd_set=["flash.blocks=32"]`:         "fullest drive: needs 32.0 GiB, has 16.0",
		"offload.machine_set=[\"memory.gpu_gib=30\"]": "",
	} {
		c, err := load("instinfer_a6000_1csd", append(short, set)...)
		if err == nil {
			_, err = Run(c, Options{})
		}
		if want == "" {
			require.NoError(t, err, "the prompts are computed in turns")
			continue
		}
		require.ErrorContains(t, err, want, set)
	}
}

// Whatever attends, parts of decode follow each other, and what is read is at least
// what is wanted, but for tails in the drive's DRAM.
func TestPartsOfDecodeOnDrivesSumUp(t *testing.T) {
	for _, sets := range [][]string{
		nil, {"offload.csd=cxl_near_memory"}, {"offload.sparse=0"}, {"offload.drives=3"},
		{"offload.model=llama3-8b"}, {"offload.model=llama3-8b", "offload.csd=cxl_near_memory", "offload.drives=64"},
	} {
		r := simulate(t, "instinfer_a6000_1csd", append([]string{"offload.output=3", "offload.batch=4", "offload.prompt=256"}, sets...)...)
		sum := 0.0
		for _, k := range r.Kinds {
			sum += k.DecodeNs
		}
		assert.InEpsilon(t, r.DecodeNs, sum, 1e-9, sets)
		a := r.InStorage
		assert.Equal(t, r.CacheBytes, a.DecodeReadBytes*layersOf[r.Model], sets)
		assert.Greater(t, a.Amplification, 0.98, sets)
		assert.GreaterOrEqual(t, a.AccessGBps, r.CacheGBps, sets)
		flash := a.Device == "instinfer"
		assert.Equal(t, flash, a.EnduranceTokens > 0, sets)
		assert.Equal(t, flash, a.WriteAmplification == 1.5, "256 tokens fill their pages")
		assert.Equal(t, flash, a.EnduranceYears > 0 && a.EnduranceErasedTokens < a.EnduranceCopiedTokens && a.EnduranceCopiedTokens < a.EnduranceTokens)
	}
}

var layersOf = map[string]float64{"opt-13b": 40, "llama3-8b": 32}

// Nothing fills a page, so nothing is read, programmed or worn.
func TestAFewTokensStayInTheDrivesDRAM(t *testing.T) {
	r := simulate(t, "instinfer_a6000_1csd", "offload.prompt=4", "offload.output=3")
	assert.Zero(t, r.CacheBytes)
	assert.Zero(t, r.CacheGBps)
	assert.Zero(t, r.InStorage.AccessGBps)
	assert.Zero(t, r.InStorage.Amplification)
	assert.Zero(t, r.InStorage.WriteAmplification)
	assert.Zero(t, r.InStorage.EnduranceYears)
	assert.EqualValues(t, 64*6*3*40*5120*2, r.InStorage.GatheredMostBytes, "keys twice, values")
	assert.Positive(t, r.TokensPerSecond)
}

// A quarter of the heads of keys: a quarter of the cache to read and of the
// commands to send, and a kernel that is the limit.
func TestGroupedQueriesReadAndCommandLess(t *testing.T) {
	few := append(short, "offload.batch=16", "offload.prompt=512", "offload.sparse=0")
	whole := simulate(t, "instinfer_a6000_1csd", append(few, "offload.model=opt-6.7b")...) // 32 layers of 32 heads
	grouped := simulate(t, "instinfer_a6000_1csd", append(few, "offload.model=llama3-8b")...)
	assert.InEpsilon(t, whole.CacheBytes/4, grouped.CacheBytes, 1e-9)
	assert.InEpsilon(t, whole.Kinds[2].DecodeNs/4, grouped.Kinds[2].DecodeNs, 1e-9)
	assert.Greater(t, grouped.Kinds[1].DecodeNs, whole.Kinds[1].DecodeNs)
}

func TestNearMemoryIsFasterThanFlash(t *testing.T) {
	few := append(short, "offload.batch=8", "offload.prompt=512")
	flash := simulate(t, "instinfer_a6000_1csd", few...)
	memory := simulate(t, "instinfer_a6000_1csd", append(few, "offload.csd=cxl_near_memory")...)
	assert.Less(t, memory.DecodeNs, flash.DecodeNs)
	assert.Less(t, memory.InStorage.Amplification, flash.InStorage.Amplification)
	assert.Zero(t, memory.InStorage.DRAMBytes)
}

func TestAMachinesKeysAreOverridden(t *testing.T) {
	usual := simulate(t, "flexgen_a6000_ssd", short...)
	small := simulate(t, "flexgen_a6000_ssd", append(short, `offload.machine_set=["memory.host_gib=12"]`)...)
	assert.EqualValues(t, 12<<30, small.Memories[1].CapacityBytes)
	assert.Less(t, small.FileHit, usual.FileHit)
}

func TestWhatTimeCannotCountIsAnError(t *testing.T) {
	c, err := load("flexgen_a6000_ssd", "offload.system=recompute", "offload.batch=65536", `offload.policy=""`, "offload.gpu_attention=false")
	require.NoError(t, err)
	_, err = Run(c, Options{})
	require.EqualError(t, err, "offload: takes longer than the 106 days that simulated time can count")
	c, err = load("instinfer_a6000_1csd", "offload.prompt=64", "offload.output=16384", "offload.batch=65536", "offload.drives=40", "offload.precision=0.5")
	require.NoError(t, err)
	_, err = Run(c, Options{})
	require.ErrorIs(t, err, flexgen.ErrTooLong)
}

type user interface{ UserError() bool }

func TestWhatDoesNotFitSaysWhatAndByHowMuch(t *testing.T) {
	for set, want := range map[string]string{
		`offload.policy="32x8;100/0/0/0/0/100"`:   `offload: policy 32x8;100/0/0/0/0/100 does not fit: GPU memory: needs 3`,
		`offload.policy="32x8;0/100/0/0/0/100"`:   `host memory: needs 34`,
		`offload.policy="320x8;0/50/0/0/100/0"`:   `too few: `,
		"offload.system=flexgen-gds":              "offload: host flexgen_t4: has no path direct_to_gpu",
		`offload.policy="32x80;0/50/0/0/0/100"`:   "drive: needs ",
		`offload.policy="64x8;100/0/100/0/100/0"`: "GPU memory: needs ",
	} {
		c, err := load("flexgen_t4", set)
		require.NoError(t, err)
		_, err = Run(c, Options{})
		require.ErrorContains(t, err, want)
		var u user
		require.ErrorAs(t, err, &u)
		require.True(t, u.UserError())
	}
}
