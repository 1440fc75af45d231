package workloads

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestValidateReportsEachBadKey(t *testing.T) {
	for key, spoil := range map[string]func(*Config){
		"workload.batch":       func(c *Config) { c.Workload.Batch = 0 },
		"workload.context":     func(c *Config) { c.Workload.Context = -1 },
		"workload.contexts.1":  func(c *Config) { c.Workload.Contexts = []int{1, 0} },
		"workload.steps":       func(c *Config) { c.Workload.Steps = -1 },
		"workload.tp":          func(c *Config) { c.Workload.TP = 3 },
		"weights.split":        func(c *Config) { c.Weights.Split, c.Weights.Access = Split{HBM: 0.5, DDR: 0.4}, ZeroCopy },
		"weights.access":       func(c *Config) { c.Weights.Split = Split{HBM: 0.5, DDR: 0.5} },
		"weights.dtype":        func(c *Config) { c.Weights.Dtype = "bf8" },
		"kv.split":             func(c *Config) { c.KV.Split, c.KV.Access = Split{HBM: 1.5, DDR: -0.5}, ZeroCopy },
		"kv.access":            func(c *Config) { c.KV.Access = "lazy" },
		"kv.dtype":             func(c *Config) { c.KV.Dtype = "fp4" },
		"kv.page_tokens":       func(c *Config) { c.KV.PageTokens = -16 },
		"kv.layout":            func(c *Config) { c.KV.Layout = "dhn" },
		"kv.unit":              func(c *Config) { c.KV.Unit = "token" },
		"kv.copy_bytes":        func(c *Config) { c.KV.CopyBytes = 100 },
		"sampling.tolerance":   func(c *Config) { c.Sampling.Tolerance = 0.5 },
		"sampling.layers":      func(c *Config) { c.Sampling.Layers = 2 },
		"gemm.tile_rows":       func(c *Config) { c.Kernels.GEMM.TileRows = []int{64, 64} },
		"gemm.max_stages":      func(c *Config) { c.Kernels.GEMM.MaxStages = 0 },
		"attention.max_splits": func(c *Config) { c.Kernels.Attention.MaxSplits = 0 },
	} {
		c := load(t)
		spoil(c)
		var keys []string
		report := func(key, _ string) { keys = append(keys, key) }
		c.Validate(report)
		c.Kernels.Validate(report)
		require.Equal(t, []string{key}, keys)
	}
}

func TestTensorParallelismNeedsAPeer(t *testing.T) {
	c := load(t, "workload.tp=2")
	c.System.Peer = nil
	var got []string
	c.Validate(func(key, message string) { got = append(got, key+": "+message) })
	require.Equal(t, []string{"workload.tp: needs a system with a peer GPU"}, got)
}
