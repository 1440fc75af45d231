//go:build slow

package validation

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// The bounds of the first step: MAPE of whole steps, and of each class of
// kernels over the steps that were profiled.
const (
	stepBound  = 0.06
	classBound = 0.25
)

func TestDecodeStepsOnTheH200(t *testing.T) {
	steps, err := Steps()
	require.NoError(t, err)
	kernels, err := Kernels()
	require.NoError(t, err)
	var bytes, measured, repeat, ours []float64
	classes := map[string][]float64{} // relative errors
	for _, s := range steps {
		r, err := s.Predict(context.Background(), "sampled")
		require.NoError(t, err)
		bytes, measured, repeat, ours = append(bytes, s.Bytes), append(measured, s.Ns), append(repeat, s.RepeatNs), append(ours, r.StepNs)
		t.Logf("%-10s batch %3d context %6d: measured %8.1f µs (repeat %+5.1f %%), ours %8.1f µs, %+5.1f %%, bound %.2f %%, simulated %.1f %%", s.Model, s.Batch,
			s.Context, s.Ns/1e3, (s.RepeatNs/s.Ns-1)*100, r.StepNs/1e3, (r.StepNs/s.Ns-1)*100, r.Bound*100, r.Simulated*100)
		for _, k := range kernels {
			if k.Model != s.Model || k.Batch != s.Batch || k.Context != s.Context {
				continue
			}
			for _, row := range r.Kernels {
				if row.Class == k.Class {
					classes[k.Class] = append(classes[k.Class], row.Ns/k.Ns-1)
				}
			}
		}
	}
	fit := FitAffine(bytes, measured)
	line := make([]float64, len(bytes))
	for i, b := range bytes {
		line[i] = fit.At(b)
	}
	t.Logf("steps: n %d, MAPE %.2f %%; best fit of %.0f µs and %.0f GB/s %.2f %%; repeat %.2f %%", len(ours), MAPE(ours, measured)*100, fit.Ns/1e3, fit.PerNs,
		MAPE(line, measured)*100, MAPE(repeat, measured)*100)
	require.LessOrEqual(t, MAPE(ours, measured), stepBound)
	for class, errors := range classes {
		sum, bias := 0.0, 0.0
		for _, e := range errors {
			sum += math.Abs(e)
			bias += e
		}
		n := float64(len(errors))
		t.Logf("%-16s n %d, MAPE %5.1f %%, bias %+5.1f %%  %.2f", class, len(errors), sum/n*100, bias/n*100, errors)
		require.LessOrEqual(t, sum/n, classBound, class)
	}
}
