package validation

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEveryMeasuredKernelOfAStepHasAClassOfItsOwn(t *testing.T) {
	kernels, err := Kernels()
	require.NoError(t, err)
	seen := map[Kernel]bool{}
	count := map[string]int{}
	for _, k := range kernels {
		key := Kernel{Model: k.Model, Batch: k.Batch, Context: k.Context, Class: k.Class}
		require.False(t, seen[key], "%v twice", key)
		seen[key] = true
		count[k.Class]++
	}
	steps := count["lm_head"]
	require.Equal(t, 6, steps)
	for _, class := range []string{"up", "down", "qkv", "o", "attention", "attention_reduce", "norm", "rope", "activation", "copy", "splitk_reduce"} {
		require.Equal(t, steps, count[class], class)
	}
}

func TestFitFindsTheLineThatMadeTheData(t *testing.T) {
	line := Affine{Ns: 500, PerNs: 4}
	var bytes, ns []float64
	for b := 1e3; b < 1e6; b *= 2 {
		bytes, ns = append(bytes, b), append(ns, line.At(b))
	}
	fit := FitAffine(bytes, ns)
	require.InEpsilon(t, line.Ns, fit.Ns, 1e-6)
	require.InEpsilon(t, line.PerNs, fit.PerNs, 1e-6)
}

// The roofline must not promise a step slower than the measured one.
func TestNoStepBeatsTheRoofline(t *testing.T) {
	steps, err := Steps()
	require.NoError(t, err)
	for _, s := range steps {
		r, err := s.Predict(context.Background(), "analytic")
		require.NoError(t, err)
		require.Less(t, r.StepNs, s.Ns, "%s batch %d context %d", s.Model, s.Batch, s.Context)
	}
}
