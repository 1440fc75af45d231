package workloads

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices/dram"
	"hwsim/hierarchy"
	"hwsim/sim"
	"hwsim/workloads/replay"
)

// recorded runs the tiny configuration exactly, and returns the record of a
// channel's requests, and the channel.
func recorded(t *testing.T, tier hierarchy.TierID, workers int, sets ...string) (trace []byte, count int64, asked uint64, c *dram.Channel) {
	t.Helper()
	var out bytes.Buffer
	r := begin(t, "exact", sets...)
	q := &Requests{Tier: tier, Channel: 1, Recorder: replay.NewRecorder(&out)}
	require.NoError(t, q.record(r.system))
	r.system.Engine.SetWorkers(workers)
	finish(t, r)
	require.NoError(t, q.Recorder.Close())
	count, asked = q.Recorder.Count()
	return out.Bytes(), count, asked, r.system.Channels(tier)[1]
}

// A record, replayed on the same channel at its times, asks for the same bytes,
// opens about as many rows and takes as long. Replay sends a request a tick, and
// none before there is room for it, which a machine's channels do.
func TestARecordReplaysAsItRan(t *testing.T) {
	for _, test := range []struct {
		name string
		tier hierarchy.TierID
		dram func(c *hierarchy.Config) dram.Config
		sets []string
	}{
		{"hbm", hierarchy.HBM, func(c *hierarchy.Config) dram.Config { return c.HBM.DRAM }, []string{"workload.context=1024"}},
		{"ddr", hierarchy.DDR, func(c *hierarchy.Config) dram.Config { return c.Host.DDR.DRAM }, with(halfDDR, prefetch, "workload.context=1024")},
		{"cxl", hierarchy.CXLMem, func(c *hierarchy.Config) dram.Config { return c.Host.CXL.Expander.DRAM }, with(thirds, paged, prefetch, "workload.context=1024")},
	} {
		t.Run(test.name, func(t *testing.T) {
			text, count, asked, ran := recorded(t, test.tier, 1, test.sets...)
			cfg := test.dram(&load(t, test.sets...).System)
			c, err := dram.New(cfg)
			require.NoError(t, err)
			trace, err := replay.Read("requests.csv", bytes.NewReader(text), c.Spec())
			require.NoError(t, err)
			require.True(t, trace.Timed)
			require.Len(t, trace.Requests, int(count))
			sum := uint64(0)
			for _, q := range trace.Requests {
				sum += uint64(q.Bytes)
			}
			require.Equal(t, asked, sum)

			again := replay.Run(c, trace, replay.Pace{})
			before, after := ran.Stats(), &again.Stats
			require.Equal(t, count, again.Requests)
			require.Equal(t, before.BytesRead, after.BytesRead)
			require.Equal(t, before.Reads, after.Reads)
			queued := float64(max(128, cfg.WriteQueueDepth) * c.Spec().BurstBytes)
			require.InDelta(t, before.BytesWritten, after.BytesWritten, queued, "either may end with writes queued")
			require.InEpsilon(t, before.ACT, after.ACT, 0.05)
			require.InEpsilon(t, lastArrival(trace, c.Spec()).Nanoseconds(), again.Time.Nanoseconds(), 0.03)
		})
	}
}

// lastArrival is when the last request is due.
func lastArrival(trace *replay.Trace, s *dram.Spec) sim.Time {
	return s.Tick.Edge(trace.Requests[len(trace.Requests)-1].Due)
}

func TestRecordsAreDeterministic(t *testing.T) {
	one, _, _, _ := recorded(t, hierarchy.HBM, 1)
	two, _, _, _ := recorded(t, hierarchy.HBM, 2)
	require.Equal(t, string(one), string(two))
}

// A channel that is not there is the user's mistake, and recording changes nothing.
func TestRecordingOnlyLooks(t *testing.T) {
	q := &Requests{Tier: hierarchy.HBM, Channel: 4, Recorder: replay.NewRecorder(&bytes.Buffer{})}
	options := Options{Seed: 1, Fidelity: "exact", Workers: 1, Requests: q}
	_, err := Run(context.Background(), load(t), options)
	require.EqualError(t, err, "requests of hbm.4: the machine has 4 channels of hbm")
	require.Implements(t, (*interface{ UserError() bool })(nil), err)
	q.Channel = 3
	with, err := Run(context.Background(), load(t), options)
	require.NoError(t, err)
	require.Equal(t, simulate(t, "exact"), with)
}
