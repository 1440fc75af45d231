package workloads

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/configs"
	"hwsim/hierarchy"
)

// load returns the tiny configuration with overrides, each key=value.
func load(t testing.TB, sets ...string) *Config {
	t.Helper()
	d, err := configs.Load("testdata/tiny.toml", sets)
	require.NoError(t, err)
	var c Config
	require.NoError(t, d.Decode(&c))
	return &c
}

// place returns a configuration's machine with everything laid out on it.
func place(t testing.TB, sets ...string) *decode {
	t.Helper()
	c := load(t, sets...)
	s, err := hierarchy.Build(&c.System)
	require.NoError(t, err)
	d, err := newDecode(c, s, 1)
	require.NoError(t, err)
	return d
}

// begin returns a run that is ready to simulate.
func begin(t testing.TB, fidelity string, sets ...string) *run {
	t.Helper()
	d := place(t, sets...)
	c := d.config
	c.Sampling = c.Sampling.withDefaults()
	r := &run{config: c, options: Options{Seed: 1, Fidelity: fidelity}, system: d.system, decode: d, roof: d.roofline(), share: 1}
	r.build(r.few())
	d.system.Engine.SetWorkers(1)
	return r
}

// finish simulates a run to its end.
func finish(t testing.TB, r *run) *Result {
	t.Helper()
	require.NoError(t, r.graph.Simulate(context.Background(), nil))
	res, err := r.result()
	require.NoError(t, err)
	return res
}

// simulate runs the tiny configuration with overrides.
func simulate(t testing.TB, fidelity string, sets ...string) *Result {
	t.Helper()
	res, err := Run(context.Background(), load(t, sets...), Options{Seed: 1, Fidelity: fidelity, Workers: 1})
	require.NoError(t, err)
	require.True(t, res.Complete)
	return res
}

// Overrides that more than one test needs.
var (
	halfDDR  = []string{"kv.split.hbm=0.5", "kv.split.ddr=0.5"}
	thirds   = []string{"kv.split.hbm=0.4", "kv.split.ddr=0.3", "kv.split.cxl=0.3"}
	prefetch = "kv.access=prefetch"
	onDemand = "kv.access=ondemand"
	zeroCopy = "kv.access=zerocopy"
	paged    = []string{"kv.page_tokens=16", "kv.unit=page"}
)

// with joins lists of overrides and single ones.
func with(parts ...any) (sets []string) {
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			sets = append(sets, p)
		case []string:
			sets = append(sets, p...)
		}
	}
	return sets
}

// row returns the result's row of a tier.
func tierRow(t testing.TB, r *Result, name string) TierRow {
	t.Helper()
	for _, row := range r.Tiers {
		if row.Tier == name {
			return row
		}
	}
	require.Fail(t, fmt.Sprintf("no tier %s", name))
	return TierRow{}
}

// kernelRow returns the result's row of a class of kernels.
func kernelRow(t testing.TB, r *Result, class string) KernelRow {
	t.Helper()
	for _, row := range r.Kernels {
		if row.Class == class {
			return row
		}
	}
	require.Fail(t, fmt.Sprintf("no kernels %s", class))
	return KernelRow{}
}

// link returns the result's row of a direction of a link.
func linkRow(t testing.TB, r *Result, name string) LinkRow {
	t.Helper()
	for _, row := range r.Links {
		if row.Link == name {
			return row
		}
	}
	require.Fail(t, fmt.Sprintf("no link %s", name))
	return LinkRow{}
}

func tierID(n int) hierarchy.TierID { return hierarchy.TierID(n) }
