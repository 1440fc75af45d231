// Package sobol estimates the shares of an output's variance that inputs account
// for, from samples that Saltelli's scheme asks for.
//
// Of n rows of two independent samples A and B of d inputs, the function is wanted
// at A, at B, and for each input i at A with that input of B. The first-order index
// (what the input does alone) is estimated as by Saltelli et al., Computer Physics
// Communications 181 (2010), the total index (with all its interactions) as by Jansen
// (1999). The inputs are taken as independent and uniform over their axes.
package sobol

// Width returns the points of a row of d inputs: A, B, and A with each input of B.
func Width(d int) int { return d + 2 }

// Row returns the inputs of a row's points, of its samples a and b.
func Row(a, b []float64) [][]float64 {
	points := [][]float64{a, b}
	for i := range a {
		mixed := append([]float64(nil), a...)
		mixed[i] = b[i]
		points = append(points, mixed)
	}
	return points
}

// Index is what an input accounts for, as shares of the variance.
type Index struct{ First, Total float64 }

// Indices estimates the indices of d inputs from the outputs of whole rows, each as
// Row orders its points. Without variance, all are zero.
func Indices(rows [][]float64, d int) []Index {
	indices := make([]Index, d)
	mean, variance := spread(rows)
	if variance == 0 {
		return indices
	}
	for _, y := range rows {
		a, b := y[0], y[1]
		for i := range indices {
			mixed := y[2+i]
			indices[i].First += (b - mean) * (mixed - a) // less the mean, the terms are small
			indices[i].Total += (a - mixed) * (a - mixed) / 2
		}
	}
	for i := range indices {
		indices[i].First /= variance * float64(len(rows))
		indices[i].Total /= variance * float64(len(rows))
	}
	return indices
}

// spread returns mean and variance of the outputs at A and B.
func spread(rows [][]float64) (mean, variance float64) {
	n := float64(2 * len(rows))
	if n == 0 {
		return 0, 0
	}
	for _, y := range rows {
		mean += (y[0] + y[1]) / n
	}
	for _, y := range rows {
		variance += ((y[0]-mean)*(y[0]-mean) + (y[1]-mean)*(y[1]-mean)) / n
	}
	return mean, variance
}
