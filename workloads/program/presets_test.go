package program

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/configs"
)

// small makes a run of a moment.
var small = []string{"run.warm_accesses=20000", "run.accesses=20000"}

func decode(t *testing.T, d *configs.Document, err error) *Config {
	t.Helper()
	require.NoError(t, err)
	var c Config
	require.NoError(t, d.Decode(&c))
	return &c
}

func simulate(t *testing.T, c *Config) *Result {
	t.Helper()
	r, err := Run(context.Background(), c, Options{Seed: 1})
	require.NoError(t, err)
	return r
}

// requireWhole checks that a result adds up.
func requireWhole(t *testing.T, r *Result, accesses int) {
	t.Helper()
	require.True(t, r.Complete)
	require.EqualValues(t, accesses, r.Accesses)
	require.Positive(t, r.Cycles)
	require.Positive(t, r.IPC)
	require.LessOrEqual(t, r.Translating+r.Waiting, 1.0)
	m := &r.Translation
	require.Equal(t, m.Lookups, m.L1Hits+m.Merged+m.L2Hits+m.L2Misses)
	require.Equal(t, m.L2Misses, m.L3Hits+m.Misses)
	require.NotEmpty(t, r.Caches)
}

func TestEveryShippedConfigurationOfACoreRuns(t *testing.T) {
	ran := 0
	for _, name := range configs.Presets("") {
		d, err := configs.Load(name, small)
		require.NoError(t, err)
		if _, ok := d.Get("core"); !ok {
			continue
		}
		ran++
		t.Run(name, func(t *testing.T) {
			r := simulate(t, decode(t, d, err))
			requireWhole(t, r, 20000)
			require.Positive(t, r.Translation.Walks)
			d, err = configs.Load(name, nil)
			_, virtual := d.Get("core.host")
			require.Equal(t, virtual, r.Translation.HostWalks > 0)
			l := decode(t, d, err).Run
			require.LessOrEqual(t, l.warm()+l.accesses(), 5_000_000, "an example takes seconds")
		})
	}
	require.GreaterOrEqual(t, ran, 6)
}

func TestEveryCoreRunsAStream(t *testing.T) {
	for _, name := range configs.Presets("cores") {
		t.Run(name, func(t *testing.T) {
			sets := append([]string{"stream.kind=uniform", "stream.footprint_bytes=268435456"}, small...)
			d, err := configs.LoadTable("core", name, sets)
			requireWhole(t, simulate(t, decode(t, d, err)), 20000)
		})
	}
}

func TestEveryStreamRunsOnACore(t *testing.T) {
	for _, name := range configs.Presets("streams") {
		t.Run(name, func(t *testing.T) {
			d, err := configs.Load("radix", append([]string{"stream.use=" + name}, small...))
			requireWhole(t, simulate(t, decode(t, d, err)), 20000)
		})
	}
}

func TestEqualSeedsGiveEqualBytes(t *testing.T) {
	d, err := configs.Load("victima_virt", small)
	c := decode(t, d, err)
	var want []byte
	for range 2 {
		got, err := json.Marshal(simulate(t, c))
		require.NoError(t, err)
		if want == nil {
			want = got
		}
		require.Equal(t, string(want), string(got))
	}
}
