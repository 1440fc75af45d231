package csd

import (
	"testing"

	"hwsim/configs"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDevicesThatCannotBeAreReported(t *testing.T) {
	for _, c := range []struct{ preset, set, want string }{
		{"instinfer", "link_gbps=0", "link_gbps: must be above 0"},
		{"instinfer", "command_us=-1", "command_us: must be 0 to"},
		{"instinfer", "pe_cycles=0", "pe_cycles: must be 1 to 10000000 with flash"},
		{"instinfer", "layout.token_group=8", "layout.token_group: must fill a page of 4096 bytes"},
		{"instinfer", "layout.channel_tokens=64", "layout.channel_tokens: must fill a page of 4096 bytes"},
		{"instinfer", "layout.channel_group=24", "layout.channel_group: must divide head_dim"},
		{"instinfer", "layout.second_copy=false", "layout.second_copy: must be true with flash"},
		{"instinfer", "engine.gemv_gflops=0", "engine.gemv_gflops: must be above 0"},
		{"instinfer", "engine.exact_heads=0", "engine.exact_heads: must be 1 to 256"},
		{"instinfer", "engine.filter_gbps=-1", "engine.filter_gbps: -1 is out of range"},
		{"instinfer", "sparsity.ratio=0.9", "sparsity.ratio: must be above 0, to 0.5"},
		{"instinfer", "sparsity.run_mean=0.5", "sparsity.run_mean: must be 1 to 4096"},
		{"instinfer", "engine.kernels=2", "engine.kernels: unknown key"},
		{"instinfer", "memory.channels=2", "flash: or memory: one of the two tables must be there"},
		{"cxl_near_memory", "layout.second_copy=true", "layout.second_copy: must be false with memory"},
		{"cxl_near_memory", "memory.channels=0", "memory.channels: must be 1 to 256"},
		{"instinfer", "dram_gib=-1", "dram_gib: -1 is out of range"},
		{"cxl_near_memory", "memory.capacity_gib=0", "memory.capacity_gib: must be above 0"},
		{"cxl_near_memory", "memory.granule_bytes=100", "memory.granule_bytes: must be a power of two"},
		{"cxl_near_memory", "memory.granule_bytes=128", "memory.granule_bytes: must be a multiple of the pieces of 256 and 64 bytes"},
	} {
		d, err := configs.Load("csd/"+c.preset, []string{c.set})
		require.NoError(t, err)
		assert.ErrorContains(t, d.Decode(&Config{}), c.want, c.set)
	}
}

func TestNewReportsWhatCannotBe(t *testing.T) {
	c := preset(t, "instinfer")
	c.Unit.ClockMHz = 0
	_, err := New(c)
	require.EqualError(t, err, "csd: engine.clock_mhz must be above 0, to 1e+06")
	c = preset(t, "instinfer")
	c.Flash.Cell = "plc"
	_, err = New(c)
	require.ErrorContains(t, err, "csd: flash: cell must be")
	c = preset(t, "cxl_near_memory")
	c.Memory.DRAM.Standard = "core"
	_, err = New(c)
	require.ErrorContains(t, err, "csd: memory: dram: ")
}
