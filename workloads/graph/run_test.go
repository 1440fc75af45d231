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
