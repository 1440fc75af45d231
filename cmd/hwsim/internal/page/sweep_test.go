package page

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/cmd/hwsim/internal/sweep"
)

// fakeSweep is a sweep of n points, of which every 25th is of the front.
func fakeSweep(n int) *sweep.Analysis {
	a := &sweep.Analysis{Name: "fake", Design: "grid", Seed: 1, Fidelity: "analytic", Points: n, Finished: n, Distinct: n, Run: n,
		Objectives: []string{"max tokens_per_s", "min hbm_bytes"}, Best: []float64{1, 1}, Reference: []float64{0, 2}, Axes: []string{"batch", "card", "share"}}
	for i := range n {
		r := sweep.Row{Point: i, Values: []any{int64(1 << (i % 5)), []any{"x8", "x16", nil}[i%3], float64(i%7) / 10}, Objectives: []float64{float64((i*7919)%n) + 1, 1e9 * (1 + float64((i*104729)%n))}}
		a.Rows = append(a.Rows, r)
		if i%25 == 0 {
			a.Front = append(a.Front, r)
		}
	}
	return a
}

// Bytes of a page at most.
const mostBytes = 2_000_000

func TestSweepsOfManyPointsAreThinnedAndSaySo(t *testing.T) {
	for n, want := range map[int]int{10_000: 10_000, 100_000: mostPoints} {
		a := fakeSweep(n)
		d := pack(a, "")
		require.Len(t, d.Points, want)
		require.Len(t, d.Front, len(a.Front))
		for i, r := range a.Front {
			require.Equal(t, r.Point, d.Points[d.Front[i]])
		}
		var out bytes.Buffer
		require.NoError(t, Sweep(&out, a, "hwsim"))
		require.Less(t, out.Len(), mostBytes)
		require.Equal(t, want < n, bytes.Contains(out.Bytes(), fmt.Appendf(nil, "Of %d points the %d best and %d others", n, len(a.Front), want-len(a.Front))))
	}
}

func TestValuesOfAnAxisAreInOrder(t *testing.T) {
	rows := fakeSweep(20).Rows
	require.Equal(t, []string{"1", "2", "4", "8", "16"}, columnOf("batch", rows, 0).Values)
	require.Equal(t, []string{"-", "x16", "x8"}, columnOf("card", rows, 1).Values)
	require.Equal(t, []int{2, 1, 0}, columnOf("card", rows, 1).At[:3])
}

func TestSweepWithoutObjectivesHasNoPictures(t *testing.T) {
	a := &sweep.Analysis{Name: "n", Design: "grid", Points: 1, Finished: 1}
	var out bytes.Buffer
	require.NoError(t, Sweep(&out, a, "hwsim"))
	require.NotContains(t, out.String(), "<script")
}
