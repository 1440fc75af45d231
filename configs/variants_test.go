package configs

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func variants() loader {
	l := library(map[string]string{
		"run.toml":           "[system]\nuse = 'big'\n[system.dram]\nchannels = 3\n[sweep]\npoints = 4",
		"systems/big.toml":   "sms = 8\n[dram]\nuse = 'ddr'",
		"systems/small.toml": "sms = 2\n[dram]\nuse = 'ddr'",
		"systems/ddr.toml":   "channels = 1\nranks = 2",
	})
	l.trees = &trees{}
	return l
}

// A variant is what loading with its sets would have given, whether it overrides
// a value or picks another preset.
func TestAVariantIsTheDocumentLoadedWithItsSets(t *testing.T) {
	d, err := variants().load("run", []string{"system.dram.ranks=4"})
	require.NoError(t, err)
	before := d.Hash()
	for _, sets := range [][]string{nil, {"system.sms=5"}, {"system.use=small"}, {"system.use=small", "system.dram.ranks=1"}} {
		want, err := variants().load("run", append([]string{"system.dram.ranks=4"}, sets...))
		require.NoError(t, err)
		for range 2 { // from files, then from memory
			got, err := d.With(sets)
			require.NoError(t, err)
			require.Equal(t, string(want.text(true)), string(got.text(true)), sets)
			require.Equal(t, want.Hash(), got.Hash())
		}
	}
	require.Equal(t, before, d.Hash(), "a variant must not change its document")
	_, err = d.With([]string{"system.use=bug"})
	require.ErrorContains(t, err, `-set system.use=bug: system.use: config "bug": no such file`)
}

func TestVariantsMayBeMadeConcurrently(t *testing.T) {
	d, err := variants().load("run", nil)
	require.NoError(t, err)
	var all sync.WaitGroup
	hashes := make([]string, 16)
	for i := range hashes {
		all.Go(func() {
			v, err := d.With([]string{"system.use=small", fmt.Sprintf("system.sms=%d", i%2)})
			if err == nil {
				hashes[i] = v.Hash()
			}
		})
	}
	all.Wait()
	for i := range hashes {
		require.NotEmpty(t, hashes[i])
		require.Equal(t, hashes[i%2], hashes[i])
	}
	require.NotEqual(t, hashes[0], hashes[1])
}

func TestSplitPartsATableFromTheRest(t *testing.T) {
	d, err := variants().load("run", nil)
	require.NoError(t, err)
	part, rest := d.Split("sweep")
	require.Equal(t, "[sweep]\npoints = 4\n", string(part.text(false)))
	require.Equal(t, "run.toml", part.Pos("sweep.points").File[len("configs/"):])
	_, there := rest.Get("sweep")
	require.False(t, there)
	v, err := rest.With([]string{"system.sms=1"})
	require.NoError(t, err)
	_, there = v.Get("sweep")
	require.False(t, there)
	none, same := d.Split("nothing")
	require.Empty(t, none.text(false))
	require.Equal(t, d.Hash(), same.Hash())
}

func TestInlineIsReadBackAsTheSameValue(t *testing.T) {
	for _, v := range []any{int64(3), 0.5, 2.0, "a \"b\"", true, []any{int64(1), "x"}, map[string]any{"hbm": 0.4, "odd key": int64(1)}} {
		text, err := Inline(v)
		require.NoError(t, err)
		got, err := parseValue(text)
		require.NoError(t, err)
		require.Equal(t, v, got)
	}
	_, err := Inline(struct{}{})
	require.Error(t, err)
}
