package validation

import "math"

// Affine is the best simple model of a table: a fixed time and a bandwidth.
type Affine struct {
	Ns    float64 // fixed
	PerNs float64 // bytes
}

// FitAffine returns the line through (bytes, ns) with the least mean absolute
// relative error, found from the least relative squares by reweighting.
func FitAffine(bytes, ns []float64) Affine {
	weight := make([]float64, len(ns))
	for i, t := range ns {
		weight[i] = 1 / (t * t)
	}
	var best Affine
	least := math.Inf(1)
	for range 200 {
		fit := leastSquares(bytes, ns, weight)
		sum := 0.0
		for i := range ns {
			e := math.Abs(fit.At(bytes[i])-ns[i]) / ns[i]
			sum += e
			weight[i] = 1 / (ns[i] * ns[i]) / max(e, 1e-4)
		}
		if sum < least {
			best, least = fit, sum
		}
	}
	return best
}

// At returns the fit's time for so many bytes, in ns.
func (a Affine) At(bytes float64) float64 { return a.Ns + bytes/a.PerNs }

func leastSquares(x, y, w []float64) Affine {
	var s, sx, sy, sxx, sxy float64
	for i := range x {
		s += w[i]
		sx += w[i] * x[i]
		sy += w[i] * y[i]
		sxx += w[i] * x[i] * x[i]
		sxy += w[i] * x[i] * y[i]
	}
	slope := (s*sxy - sx*sy) / (s*sxx - sx*sx)
	return Affine{Ns: (sy - slope*sx) / s, PerNs: 1 / slope}
}
