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
	"hwsim/devices/dram"
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

// The widest memories, in the worst of patterns, do not make a page too large.
func TestManyBanksStaySmall(t *testing.T) {
	row := workloads.BanksRow{Tier: "hbm", PseudoChannels: 2}
	for c := range 96 {
		var banks []dram.BankStats
		for b := range 2 * 64 {
			banks = append(banks, dram.BankStats{ACT: uint64(b % 7), Bursts: uint64(1 + (c*7919+b*104729)%1000)})
		}
		row.Channels = append(row.Channels, banks)
	}
	r := &workloads.Result{Banks: []workloads.BanksRow{row, row, row, row}, Complete: true}
	got := write(t, r)
	require.Less(t, len(got), mostBytes)
	require.Contains(t, got, "192 channels or pseudo-channels of 64 banks")
}

// What a configuration names goes through no page as markup.
func TestNamesAreEscaped(t *testing.T) {
	r := simulate(t, "exact", 1)
	const evil = `<script>alert("x")</script>`
	r.Name, r.Model, r.System, r.Kernels[0].Class, r.Objects[0].Object, r.Tiers[0].Tier = evil, evil, evil, evil, evil, evil
	r.Timeline.Tracks[0].Name, r.Latency[0].Of, r.Banks[0].Tier, r.Peaks.Memory[0].Tier = evil, evil, evil, evil
	require.NotContains(t, write(t, r), "<script>")

	a := fakeSweep(5)
	a.Axes[0] = evil
	a.Rows[0].Values[1] = evil
	var out bytes.Buffer
	require.NoError(t, Sweep(&out, a, evil))
	require.Equal(t, 1, strings.Count(out.String(), "<script>"), "the page's own")
}
