package sobol

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func rowsOf(n, d int, f func(u []float64) float64) (rows [][]float64) {
	rng := rand.New(rand.NewPCG(3, 4))
	draw := func() []float64 {
		u := make([]float64, d)
		for i := range u {
			u[i] = rng.Float64()
		}
		return u
	}
	for range n {
		var y []float64
		for _, u := range Row(draw(), draw()) {
			y = append(y, f(u))
		}
		rows = append(rows, y)
	}
	return rows
}

// Ishigami and Homma (1990), a = 7, b = 0.1: the indices are known in closed form
// (Saltelli et al., Global Sensitivity Analysis, 2008).
func TestIshigami(t *testing.T) {
	rows := rowsOf(1<<15, 3, func(u []float64) float64 {
		x := func(i int) float64 { return math.Pi * (2*u[i] - 1) }
		return math.Sin(x(0)) + 7*math.Pow(math.Sin(x(1)), 2) + 0.1*math.Pow(x(2), 4)*math.Sin(x(0))
	})
	for i, want := range []Index{{0.3139, 0.5576}, {0.4424, 0.4424}, {0, 0.2437}} {
		got := Indices(rows, 3)[i]
		require.InDelta(t, want.First, got.First, 0.02)
		require.InDelta(t, want.Total, got.Total, 0.02)
	}
}

// Of a sum, first and total indices are the variances' shares, and add up to 1.
func TestASumHasNoInteractions(t *testing.T) {
	rows := rowsOf(1<<14, 3, func(u []float64) float64 { return 1000 + u[0] + 2*u[1] })
	got := Indices(rows, 3)
	for i, want := range []float64{0.2, 0.8, 0} {
		require.InDelta(t, want, got[i].First, 0.02)
		require.InDelta(t, want, got[i].Total, 0.02)
	}
	require.Zero(t, got[2].Total, "an input that does nothing")
}

func TestNoVarianceNoIndices(t *testing.T) {
	require.Equal(t, []Index{{}, {}}, Indices(rowsOf(8, 2, func([]float64) float64 { return 5 }), 2))
	require.Equal(t, []Index{{}}, Indices(nil, 1))
}

func TestARowMixesOneInputAtATime(t *testing.T) {
	require.Equal(t, [][]float64{{1, 2}, {3, 4}, {3, 2}, {1, 4}}, Row([]float64{1, 2}, []float64{3, 4}))
	require.Len(t, Row([]float64{1, 2}, []float64{3, 4}), Width(2))
}
