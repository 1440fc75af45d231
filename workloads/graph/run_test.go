package graph

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/sim"
)

func TestReportedTimeIsMonotone(t *testing.T) {
	r := &Run{leaps: []leap{{100, 50}, {100, 80}, {300, 1000}}}
	require.Equal(t, sim.Time(99), r.reported(99), "a leap moves nothing before it")
	require.Equal(t, sim.Time(180), r.reported(100))
	require.Equal(t, sim.Time(1300), r.reported(300))
	last := sim.Time(-1)
	for now := range sim.Time(500) {
		require.Greater(t, r.reported(now), last)
		last = r.reported(now)
	}
}

// An engine does its copies in the order in which they end, wherever they stand
// in the graph; engines do not wait for each other.
func TestQueuedCopiesStartWhenTheirEngineIsFree(t *testing.T) {
	copies := []CopyEvent{
		{Engine: "host 0", Start: 0, End: 100},
		{Engine: "host 0", Start: 10, End: 300},
		{Engine: "host 0", Start: 5, End: 200},
		{Engine: "host 1", Start: 20, End: 250},
		{Engine: "host 0", Start: 400, End: 500},
	}
	queue(copies)
	for i, want := range []struct{ start, queued sim.Time }{{0, 0}, {200, 190}, {100, 95}, {20, 0}, {400, 0}} {
		require.Equal(t, want.start, copies[i].Start, "copy %d", i)
		require.Equal(t, want.queued, copies[i].Queued, "copy %d", i)
	}
}
