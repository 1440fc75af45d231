package workloads

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// The tiny model has 6 buffers of 512 bytes a token: 128 tokens a group of 64
// KiB.
var inGroups = []string{"kv.virtual.group_bytes=65536", "workload.contexts=[100,128,129,1000]"}

func analyse(t *testing.T, sets ...string) *Result {
	t.Helper()
	res, err := Run(context.Background(), load(t, sets...), Options{Fidelity: "analytic"})
	require.NoError(t, err)
	return res
}

func TestSequencesHoldWholePageGroups(t *testing.T) {
	res := analyse(t, inGroups...)
	m := res.Mapping
	require.Equal(t, 128, m.GroupTokens)
	require.EqualValues(t, (1+1+2+8)*6*65536, m.Mapped)
	require.Equal(t, m.Mapped-6*512*(100+128+129+1000), m.Unused)
	placed := uint64(0)
	for _, o := range res.Objects {
		if o.Object == classKV || o.Object == classGroups {
			placed += o.Bytes
		}
	}
	const tails = 6 * 4 * 512 // the new tokens
	require.Equal(t, m.Mapped+tails, placed)
}

// In as many steps as a group has tokens every sequence maps one, at different
// steps here.
func TestASequenceMapsAGroupOfEachBufferAtOnce(t *testing.T) {
	apart := analyse(t, with(inGroups, "kv.virtual.map_us=40")...)
	require.InDelta(t, 4*6/128.0, apart.Mapping.CallsPerStep, 1e-9)
	require.InDelta(t, 6*40e3, apart.Mapping.StallNs.Max, 1e-3)
	require.InDelta(t, 4*6*40e3/128.0, apart.Mapping.StallNs.Mean, 1e-3)
	together := analyse(t, with(inGroups, "kv.virtual.map_us=40", "kv.virtual.overlap=true")...)
	require.InDelta(t, 6*40e3-together.StepNs, together.Mapping.StallNs.Max, 1e-3, "what the step before does not hide")
	same := analyse(t, with(inGroups[:1], "workload.batch=3", "workload.context=300", "kv.virtual.map_us=40")...)
	require.InDelta(t, 3*6*40e3, same.Mapping.StallNs.Max, 1e-3, "equal sequences go together")
}

// Mapping is beside the step: the same kernels over the same addresses.
func TestVirtualContiguityChangesNoStep(t *testing.T) {
	plain, virtual := simulate(t, "sampled", inGroups[1]), simulate(t, "sampled", inGroups...)
	require.Equal(t, plain.StepNs, virtual.StepNs)
	require.Equal(t, plain.Kernels, virtual.Kernels)
	require.Nil(t, plain.Mapping)
	require.Positive(t, virtual.Mapping.CallsPerStep)
}

func TestGroupsThatDoNotFitAreTheUsersError(t *testing.T) {
	large := []string{"workload.batch=64", "workload.context=1", "kv.virtual.group_bytes=8388608"}
	c := load(t, large...)
	requireUsers(t, c, "unfilled page groups: ")
	requireUsers(t, load(t, with(large, "workload.batch=1000")...), "unfilled page groups: ")
	requireUsers(t, load(t, "kv.virtual.group_bytes=4096", "model.kv_heads=8", "model.head_dim=512"), "page group of 4096 bytes")
}

func TestAVirtualCacheIsContiguousAndInHBM(t *testing.T) {
	for _, spoil := range []func(k *KV){func(k *KV) { k.PageTokens = 16 }, func(k *KV) { k.Split, k.Access = Split{HBM: 0.5, DDR: 0.5}, ZeroCopy }} {
		c := load(t, inGroups...)
		spoil(&c.KV)
		var keys []string
		c.Validate(func(key, _ string) { keys = append(keys, key) })
		require.Equal(t, []string{"kv.virtual"}, keys)
	}
}
