package sim

import "math/bits"

// Every octave of a Histogram has 1<<subBits buckets of equal width.
const (
	subBits = 5
	buckets = (64 - subBits) << subBits
)

// Histogram counts spans of time in buckets that grow with the span: each is
// at most 1/32 of its least value wide, so that a quantile is within 1/64. The
// zero value is empty. Nothing allocates.
type Histogram struct {
	count    int64
	sum      [2]uint64 // high and low word, in ps
	min, max Time
	bucket   [buckets]int64
}

// Add counts one span of t ps. A negative one counts as 0.
func (h *Histogram) Add(t Time) { h.AddN(t, 1) }

// AddN counts n spans of t ps each; it does nothing unless n is above 0.
func (h *Histogram) AddN(t Time, n int64) {
	if n <= 0 {
		return
	}
	t = max(t, 0)
	h.bucket[bucketOf(t)] += n
	hi, lo := bits.Mul64(uint64(t), uint64(n))
	h.gain(n, [2]uint64{hi, lo}, t, t)
}

// Merge adds all that o has counted.
func (h *Histogram) Merge(o *Histogram) {
	if o.count == 0 {
		return
	}
	for i, n := range &o.bucket {
		h.bucket[i] += n
	}
	h.gain(o.count, o.sum, o.min, o.max)
}

// Repeat counts what was added since an earlier copy of h n times more, n ≥ 0.
func (h *Histogram) Repeat(since *Histogram, n int64) {
	for i := range h.bucket {
		h.bucket[i] += n * (h.bucket[i] - since.bucket[i])
	}
	low, borrow := bits.Sub64(h.sum[1], since.sum[1], 0)
	high, _ := bits.Sub64(h.sum[0], since.sum[0], borrow)
	carry, low := bits.Mul64(low, uint64(n))
	h.gain(n*(h.count-since.count), [2]uint64{high*uint64(n) + carry, low}, h.min, h.max)
}

func (h *Histogram) gain(n int64, sum [2]uint64, least, most Time) {
	if h.count == 0 {
		h.min = least
	}
	h.min, h.max = min(h.min, least), max(h.max, most)
	h.count += n
	var carry uint64
	h.sum[1], carry = bits.Add64(h.sum[1], sum[1], 0)
	h.sum[0] += sum[0] + carry
}

// Count returns how many spans were counted.
func (h *Histogram) Count() int64 { return h.count }

// Mean returns the exact mean in ps, rounded down; 0 when empty.
func (h *Histogram) Mean() Time {
	if h.count == 0 {
		return 0
	}
	q, _ := bits.Div64(h.sum[0], h.sum[1], uint64(h.count))
	return Time(q)
}

// Min returns the least span in ps, exactly; 0 when empty.
func (h *Histogram) Min() Time { return h.min }

// Max returns the greatest span in ps, exactly; 0 when empty.
func (h *Histogram) Max() Time { return h.max }

// Quantile returns the span in ps that the fraction q of all spans do not
// exceed, within 1/64; 0 when empty.
func (h *Histogram) Quantile(q float64) Time {
	if q >= 1 {
		return h.max
	}
	rank := int64(q * float64(h.count)) // spans below the one wanted
	for i, n := range &h.bucket {
		if rank -= n; rank < 0 {
			return min(max(middle(i), h.min), h.max)
		}
	}
	return h.max
}

// Bin is the spans of so many ps, from From on and shorter than To.
type Bin struct {
	From, To Time
	Count    int64
}

// Bins returns the spans counted in octaves that are each cut into 1<<split equal
// parts, split from 0 to 5, without those that hold none.
func (h *Histogram) Bins(split int) (bins []Bin) {
	width := 1 << (subBits - split) // buckets a bin
	for first := 0; first < len(h.bucket); first += width {
		b := Bin{From: least(first), To: least(first + width)}
		for _, n := range h.bucket[first : first+width] {
			b.Count += n
		}
		if b.Count > 0 {
			bins = append(bins, b)
		}
	}
	return bins
}

func bucketOf(t Time) int {
	shift := max(bits.Len64(uint64(t))-subBits-1, 0)
	return shift<<subBits + int(t>>shift)
}

// middle returns the middle of bucket i.
func middle(i int) Time { return least(i) + 1<<shiftOf(i)>>1 }

// least returns the least span of bucket i.
func least(i int) Time { return Time(i-shiftOf(i)<<subBits) << shiftOf(i) }

// shiftOf returns log2 of the width of bucket i.
func shiftOf(i int) int { return max(i>>subBits-1, 0) }
