package sim

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

const maxBatches = 32

// Batches estimates the mean of a correlated series and how well it is known,
// by the method of batch means: the series is cut into at most 32 batches of
// equal length, whose means are nearly independent once they are long. When
// all 32 are full neighbours merge. The zero value is empty.
type Batches struct {
	mean  [maxBatches]float64
	n     int
	size  uint // log2 of the values a batch is made of
	open  float64
	opens int // values in the batch not yet full
	total float64
	count int
}

// Add appends one value, itself the mean of as much as the caller likes.
func (b *Batches) Add(x float64) {
	b.total += x
	b.count++
	b.open += x
	b.opens++
	if b.opens < 1<<b.size {
		return
	}
	b.mean[b.n] = b.open / float64(b.opens)
	b.n++
	b.open, b.opens = 0, 0
	if b.n == maxBatches {
		b.merge()
	}
}

func (b *Batches) merge() {
	b.n /= 2
	for i := range b.n {
		b.mean[i] = (b.mean[2*i] + b.mean[2*i+1]) / 2
	}
	b.size++
}

// N returns the number of full batches, 0 to 31.
func (b *Batches) N() int { return b.n }

// Count returns the number of values added.
func (b *Batches) Count() int { return b.count }

// Mean returns the mean of all values, in their unit; 0 when there are none.
func (b *Batches) Mean() float64 {
	if b.count == 0 {
		return 0
	}
	return b.total / float64(b.count)
}

// HalfWidth returns half the width of the interval around Mean that holds the
// true mean with the given confidence, as 0.95, by Student's t, widened by the
// correlation that is left between neighbouring batches. It is infinite for
// fewer than three batches.
func (b *Batches) HalfWidth(confidence float64) float64 {
	if b.n < 3 {
		return math.Inf(1)
	}
	m := average(b.mean[:b.n])
	var square, lagged float64
	for i, x := range b.mean[:b.n] {
		square += (x - m) * (x - m)
		if i > 0 {
			lagged += (x - m) * (b.mean[i-1] - m)
		}
	}
	if square == 0 {
		return 0
	}
	n := float64(b.n)
	// A sample's correlation is low by about 1/n. Negative correlation would
	// narrow the interval on thin evidence.
	r := min(max(lagged/square+1/n, 0), 0.9)
	variance := square / (n - 1) / n * (1 + r) / (1 - r)
	return studentT(confidence, b.n-1) * math.Sqrt(variance)
}

// Trend returns how far the mean of the later half of the batches lies above
// that of the earlier, in the unit of the values; 0 for fewer than two.
func (b *Batches) Trend() float64 {
	half := b.n / 2
	if half == 0 {
		return 0
	}
	return average(b.mean[b.n-half:b.n]) - average(b.mean[:half])
}

func average(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// studentT returns the t that |T| stays below with probability p for df
// degrees of freedom.
func studentT(p float64, df int) float64 {
	return distuv.StudentsT{Sigma: 1, Nu: float64(df)}.Quantile((1 + p) / 2)
}
