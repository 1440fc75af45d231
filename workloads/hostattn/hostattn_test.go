package hostattn

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/configs"
	"hwsim/devices/host"
	"hwsim/hierarchy"
)

// xeon returns the host of the H200, alone on its socket.
func xeon(t *testing.T) *hierarchy.Host {
	t.Helper()
	d, err := configs.Load("h200_sxm", nil)
	require.NoError(t, err)
	var c hierarchy.Config
	require.NoError(t, d.Decode(&c))
	c.Host.CPU.OthersGBps = 0
	return c.Host
}

func call(t *testing.T, h *hierarchy.Host, o Options) float64 {
	t.Helper()
	ns, err := Time(context.Background(), h, o)
	require.NoError(t, err)
	return ns
}

// gb is one call over a GiB, more than the last cache has.
var gb = Options{Threads: 1, Heads: 32, KVHeads: 32, HeadDim: 128, Batch: 8, Context: 4096}

func TestAThreadStreamsItsLinesInFlightOverTheirLatency(t *testing.T) {
	h := xeon(t)
	little := func(fills int) float64 {
		h.CPU.Fills = fills
		return float64(gb.Bytes()) / call(t, h, gb)
	}
	require.InEpsilon(t, 2, little(24)/little(12), 0.05)
	h.CPU.LLCNs, h.CPU.Fills = 100, 32
	cached := Options{Threads: 1, Heads: 8, KVHeads: 8, HeadDim: 128, Batch: 1, Context: 8192}
	require.InEpsilon(t, 32*64/100.0, float64(cached.Bytes())/call(t, h, cached), 0.05)
}

func TestThreadsOfOneCoreShareItsFills(t *testing.T) {
	h := xeon(t)
	o := gb
	o.Threads, h.CPU.Cores = 4, 2
	two := call(t, h, o)
	h.CPU.Cores, h.CPU.Siblings = 4, 1
	require.InEpsilon(t, 2, two/call(t, h, o), 0.05)
}

func TestMoreThreadsThanHeadsAreIdle(t *testing.T) {
	h := xeon(t)
	o := Options{Threads: 8, Heads: 32, KVHeads: 8, HeadDim: 128, Batch: 1, Context: 8192}
	eight := call(t, h, o)
	o.Threads = 16
	require.Equal(t, eight, call(t, h, o))
}

func TestTheThreadWithMostHeadsIsAwaited(t *testing.T) {
	h := xeon(t)
	o := Options{Threads: 8, Heads: 8, KVHeads: 8, HeadDim: 128, Batch: 1, Context: 8192}
	one := call(t, h, o)
	o.Heads, o.KVHeads = 9, 9
	require.InEpsilon(t, 2, call(t, h, o)/one, 0.1)
}

func TestQueriesOfAGroupReadItsKeysOnce(t *testing.T) {
	h := xeon(t)
	c := &h.CPU.Attention.Float32
	o := gb
	o.KVHeads = 8
	one := call(t, h, Options{Threads: 1, Heads: 8, KVHeads: 8, HeadDim: 128, Batch: 8, Context: 4096})
	elements := float64(o.Bytes()) / 4
	require.True(t, c.Vector)
	require.InEpsilon(t, one+elements*4/h.CPU.FMAs, call(t, h, o), 0.02, "four multiply-adds an element beside")
	h.CPU.FMAs = 1e6
	require.InEpsilon(t, one, call(t, h, o), 0.02)
}

func TestTheLastCacheKeepsWhatComesAgainSoon(t *testing.T) {
	c := &host.CPU{LLCBytes: 100, LLCWays: 20, OthersGBps: 1}
	require.InDelta(t, 1, survive(c, 20, 0), 1e-3)
	require.InDelta(t, 0.5, survive(c, 100, 0), 0.1)
	require.InDelta(t, 0, survive(c, 300, 0), 1e-3)
	require.Equal(t, survive(c, 80, 0), survive(c, 20, 60), "others' lines count alike")
}

func TestResultsAreTheSameEveryTime(t *testing.T) {
	h := xeon(t)
	o := Options{Threads: 4, Heads: 32, KVHeads: 8, HeadDim: 128, Batch: 1, Context: 4096, BFloat16: true}
	require.Equal(t, call(t, h, o), call(t, h, o))
}

func TestAHostWithoutAProcessorSaysSo(t *testing.T) {
	h := xeon(t)
	h.CPU = nil
	_, err := Time(context.Background(), h, gb)
	require.EqualError(t, err, "the host needs cpu and ddr")
}
