package hostmemory

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices/dram"
	"hwsim/hierarchy"
	"hwsim/sim"
)

func ddr(t *testing.T, channels int) *Memory {
	t.Helper()
	spec := hierarchy.Memory{Channels: channels, GranuleBytes: 256}
	spec.DRAM.Standard = "ddr5_4800bn"
	m, err := New(&spec, 80)
	require.NoError(t, err)
	return m
}

// A request is back no earlier than both ways and the DRAM take, whatever its
// channel, once, and with its tag.
func TestEveryRequestIsAnsweredOnce(t *testing.T) {
	const n, way = 64, 40 * sim.Nanosecond
	m := ddr(t, 4)
	require.Equal(t, way, m.Way)
	require.Equal(t, way, m.End())
	for i := range uint32(n) {
		m.Send(0, dram.Request{Addr: uint64(i) * 256, Bytes: 64, Tag: i})
	}
	back := map[uint32]sim.Time{}
	for m.Now < 10*sim.Microsecond {
		m.Advance(func(at sim.Time, done *dram.Completion) {
			require.NotContains(t, back, done.Tag)
			require.Greater(t, at, m.Now, "not before it is known")
			back[done.Tag] = at
		})
	}
	require.Len(t, back, n)
	for tag, at := range back {
		require.Greater(t, at, 2*way+10*sim.Nanosecond, "request %d", tag)
	}
}
