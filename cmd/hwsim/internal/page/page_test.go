package page

import (
	"bytes"
	"context"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/configs"
	"hwsim/workloads"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o666))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.True(t, string(want) == got, "%s is otherwise; -update rewrites it", path)
}

// simulate runs the tiny configuration with overrides.
func simulate(t *testing.T, fidelity string, workers int, sets ...string) *workloads.Result {
	t.Helper()
	d, err := configs.Load("../../../../workloads/testdata/tiny.toml", sets)
	require.NoError(t, err)
	var c workloads.Config
	require.NoError(t, d.Decode(&c))
	r, err := workloads.Run(context.Background(), &c, workloads.Options{Seed: 1, Fidelity: fidelity, Name: "tiny", Workers: workers, Detail: true})
	require.NoError(t, err)
	return r
}

var tiers = []string{"kv.split.hbm=0.4", "kv.split.ddr=0.3", "kv.split.cxl=0.3", "kv.access=prefetch", "kv.page_tokens=16", "kv.unit=page"}

func write(t *testing.T, r *workloads.Result) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, Step(&out, r))
	return out.String()
}

func TestStepMatchesItsGoldenFile(t *testing.T) {
	got := write(t, simulate(t, "exact", 1, "kv.split.hbm=0.5", "kv.split.ddr=0.5", "kv.access=prefetch"))
	require.Contains(t, got, string(style))
	golden(t, "testdata/tiny.html", strings.Replace(got, string(style), "", 1))
}

func TestPagesDoNotDependOnTheNumberOfThreads(t *testing.T) {
	require.Equal(t, write(t, simulate(t, "sampled", 1, tiers...)), write(t, simulate(t, "sampled", 4, tiers...)))
}
