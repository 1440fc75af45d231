package program

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"hwsim/configs"
)

// load returns a core's preset with a stream, as the sets say.
func load(t *testing.T, sets ...string) *Config {
	t.Helper()
	d, err := configs.Load("testdata/run.toml", sets)
	require.NoError(t, err)
	c := &Config{}
	require.NoError(t, d.Decode(c))
	return c
}

func run1(t *testing.T, sets ...string) *Result {
	t.Helper()
	r, err := Run(context.Background(), load(t, sets...), Options{Seed: 1})
	require.NoError(t, err)
	return r
}

// Bounds of the fifth step: miss ratios of uniform accesses within a point, reads
// of a walk within 5 %, on the rows whose page tables are mended ("fix"). ChampSim's page stride is left out: its queues merge reads
// of one line that are under way, 1.24 a walk, where a walk has two.
func TestChampSimsMissesAndReads(t *testing.T) {
	t.Parallel()
	golden := reference(t, "champsim_tlb_synthetic.csv", func(cells []string) string { return cells[0] + " " + cells[1] + " " + cells[2] })
	for _, c := range []struct {
		row    string
		stream []string
	}{
		{"rand 4", []string{"stream.kind=uniform", "stream.footprint_bytes=4194304"}},
		{"rand 6", []string{"stream.kind=uniform", "stream.footprint_bytes=6291456"}},
		{"rand 8", []string{"stream.kind=uniform", "stream.footprint_bytes=8388608"}},
		{"rand 16", []string{"stream.kind=uniform", "stream.footprint_bytes=16777216"}},
		{"rand 64", []string{"stream.kind=uniform", "stream.footprint_bytes=67108864"}},
		{"rand 256", []string{"stream.kind=uniform", "stream.footprint_bytes=268435456"}},
		{"rand 1024", []string{"stream.kind=uniform", "stream.footprint_bytes=1073741824"}},
		{"rand 8192", []string{"stream.kind=uniform"}},
		{"chase 8192", []string{"stream.kind=chase"}},
		{"zipf 8192", []string{"stream.kind=zipf"}},
		{"gups 8192", []string{"stream.kind=gups"}},
		{"stream 8192", []string{"stream.kind=stream"}},
	} {
		r := run1(t, append(c.stream, "core.use=champsim", "run.warm_accesses=200000", "run.accesses=100000")...)
		tr, want := &r.Translation, golden["fix "+c.row]
		reads := 0.0
		for _, k := range tr.Reads {
			reads += float64(k.Count) / float64(max(1, tr.Walks))
		}
		misses := float64(tr.L2Misses) / float64(tr.L2Hits+tr.L2Misses)
		wantMisses := want["stlb_miss"] / want["stlb_access"]
		t.Logf("%-11s misses %.3f (%.3f), reads a walk %.3f (%.3f), miss %.0f cycles (%.0f)", c.row, misses, wantMisses, reads, want["pte_access_per_walk"], tr.MissCycles, want["stlb_avg_miss_latency_cy"])
		if c.stream[0] == "stream.kind=uniform" {
			assert.InDelta(t, wantMisses, misses, 0.01, c.row)
		}
		if tr.Walks > 0 {
			assert.InEpsilon(t, want["pte_access_per_walk"], reads, 0.05, c.row)
		}
	}
}
