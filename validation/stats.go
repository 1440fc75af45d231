package validation

import (
	"math"
	"slices"
)

// mean returns the mean of some values.
func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// quantile returns the value below which a share of all lies, between two of
// them by their distance.
func quantile(values []float64, share float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	at := share * float64(len(sorted)-1)
	low := int(at)
	if low+1 == len(sorted) {
		return sorted[low]
	}
	return sorted[low] + (at-float64(low))*(sorted[low+1]-sorted[low])
}

// absolute returns the values without their signs.
func absolute(values []float64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = math.Abs(v)
	}
	return out
}

// MAPE returns the mean absolute error of the predictions, relative.
func MAPE(predicted, measured []float64) float64 {
	sum := 0.0
	for i, m := range measured {
		sum += math.Abs(predicted[i]-m) / m
	}
	return sum / float64(len(measured))
}

// weighted returns the absolute error of all predictions over the sum of what
// was measured: every row counts by its time.
func weighted(predicted, measured []float64) float64 {
	off, total := 0.0, 0.0
	for i, m := range measured {
		off += math.Abs(predicted[i] - m)
		total += m
	}
	return off / total
}
