package offload

import (
	"testing"

	"hwsim/configs"

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
		{"offload.system=flexgn", `offload.system: "flexgn" is none of flexgen, flexgen-gds, flexgen-sparq, zero, recompute (did you mean "flexgen"?)`},
		{"offload.machine=t5", `offload.machine: config "flexgen/t5": no such file`},
		{"offload.model=opt-1b", `offload.model: no shape for model "opt-1b"`},
		{"offload.prompt=0", "offload.prompt: must be 1 to 1048576"},
		{"offload.output=1", "offload.output: must be 2 to 16384"},
		{"offload.batch=3", "offload.batch: is not flexgen's: its policy begins with the batch"},
		{"offload.search=true", "offload.policy: give either policy or search = true"},
		{`offload.policy="8"`, "offload.policy: policy \"8\": want BATCHxBATCHES;WG/WC/CG/CC/HG/HC"},
		{"offload.sparse=0.5", "offload.sparse: is flexgen-sparq's"},
		{"offload.pinned_cache=true", "offload.pinned_cache: is zero's"},
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
