package sim

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRecorderReadsBackByTimeThenTrack(t *testing.T) {
	r := NewRecorder()
	a, b := r.Track("link"), r.Track("dram")
	r.Span(b, "row", 5, 9)
	r.Span(a, "flit", 5, 6)
	r.Span(b, "refresh", 1, 2)
	r.Span(b, "column", 5, 7)
	r.Counter(b, 3, 10)
	r.Counter(a, 3, 20)
	require.Equal(t, []string{"link", "dram"}, r.Tracks())
	require.Equal(t, []Span{{b, "refresh", 1, 2}, {a, "flit", 5, 6}, {b, "row", 5, 9}, {b, "column", 5, 7}}, r.Spans())
	require.Equal(t, []Sample{{a, 3, 20}, {b, 3, 10}}, r.Samples())
}

func TestNilRecorderIsOff(t *testing.T) {
	var r *Recorder
	require.Zero(t, testing.AllocsPerRun(100, func() {
		r.Span(r.Track("x"), "y", 1, 2)
		r.Counter(0, 1, 2)
	}))
	require.Nil(t, r.Tracks())
	require.Nil(t, r.Spans())
	require.Nil(t, r.Samples())
}
