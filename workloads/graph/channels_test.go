package graph

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices/dram"
	"hwsim/sim"
)

// Intervals are taken together where there are many, and what channels were busy
// for stays; what is more than an interval has is told in the next.
func TestManyIntervalsAreTakenTogether(t *testing.T) {
	c, err := dram.New(dram.Config{Standard: "hbm3_6400"})
	require.NoError(t, err)
	buses := sim.Time(c.Spec().PseudoChannels)
	const intervals, length = 50_000, 1000
	r := &Run{readings: &readings{groups: []channelGroup{{channels: []*dram.Channel{c}}, {channels: []*dram.Channel{c}}}}}
	timeline := &Timeline{End: intervals * length}
	for i := range sim.Time(intervals) {
		timeline.Edges = append(timeline.Edges, i*length)
		half, late := (i+1)*length*buses/2, sim.Time(0)
		if i >= intervals/2 {
			late = intervals * length * buses / 4 // all at once: more than an interval has
		}
		r.readings.list = append(r.readings.list, reading{at: (i + 1) * length, buses: []sim.Time{half, late}})
	}
	r.addChannels(timeline)
	require.Len(t, timeline.Channels, 2)
	n := len(timeline.ChannelEdges)
	require.Equal(t, mostChannelValues/2, n)
	first, second := 0.0, 0.0
	for i, at := range timeline.ChannelEdges {
		require.Equal(t, sim.Time(i)*5*length, at)
		require.InDelta(t, 0.5, timeline.Channels[0].Busy[i], 1e-12)
		require.LessOrEqual(t, timeline.Channels[1].Busy[i], 1.0)
		first += timeline.Channels[0].Busy[i]
		second += timeline.Channels[1].Busy[i]
	}
	require.InDelta(t, 0.5*float64(n), first, 1e-6)
	require.InDelta(t, 0.25*float64(n), second, 1e-6)
	require.Len(t, timeline.Channels[1].Busy, n)
}
