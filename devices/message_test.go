package devices

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"hwsim/sim"
)

func TestMessageFitsACacheLine(t *testing.T) {
	require.LessOrEqual(t, unsafe.Sizeof(Message{}), uintptr(64))
}

func TestWhyAddsByCause(t *testing.T) {
	var w Why
	w.Add(Queue, 5)
	w.Add(Queue, 7)
	w.Add(Busy, 100)
	require.Equal(t, Why{Queue: 12, Busy: 100}, w)
	require.Equal(t, sim.Time(112), w.Total())
}

func TestWhyMergesCauseByCause(t *testing.T) {
	w, o := Why{Queue: 1, Cache: 2}, Why{Cache: 3, Refresh: 4}
	w.Merge(&o)
	require.Equal(t, Why{Queue: 1, Cache: 5, Refresh: 4}, w)
	require.Equal(t, Why{Cache: 3, Refresh: 4}, o)
}

// A share that does not fit stays at its maximum: it must not turn negative.
func TestWhySaturates(t *testing.T) {
	const most = sim.Time(1<<31 - 1)
	var w Why
	w.Add(Credit, sim.Second)
	require.Equal(t, most, sim.Time(w[Credit]))
	w.Add(Credit, sim.Second)
	require.Equal(t, most, sim.Time(w[Credit]))
	w.Merge(&Why{Credit: 1})
	require.Equal(t, most, sim.Time(w[Credit]))
	w.Add(Queue, most)
	require.Equal(t, 2*most, w.Total(), "the total does not saturate")
}

func TestCausesHaveDistinctNames(t *testing.T) {
	seen := map[string]bool{}
	for c := range NumCauses {
		require.NotEmpty(t, c.String())
		require.False(t, seen[c.String()], c.String())
		seen[c.String()] = true
	}
}
