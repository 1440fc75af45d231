package sim

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHistogramQuantilesAreWithinOneInSixtyFour(t *testing.T) {
	r := NewRand(7)
	var h Histogram
	var all []Time
	for range 100_000 {
		v := Time(math.Exp(r.NormFloat64()*3 + 12))
		h.Add(v)
		all = append(all, v)
	}
	slices.Sort(all)
	for _, q := range []float64{0, 0.001, 0.1, 0.5, 0.9, 0.99, 0.9999} {
		want := all[int(q*float64(len(all)))]
		require.InDelta(t, float64(want), float64(h.Quantile(q)), float64(want)/64+1, "quantile %v", q)
	}
	require.Equal(t, all[len(all)-1], h.Quantile(1))
	require.Equal(t, all[len(all)-1], h.Max())
	require.Equal(t, all[0], h.Min())
}

func TestHistogramBucketsCoverAllTimes(t *testing.T) {
	last := -1
	for shift := range 63 {
		for _, v := range []Time{1 << shift, 1<<shift + 1<<shift/3, 2<<shift - 1} {
			if v < 0 {
				v = Never
			}
			i := bucketOf(v)
			require.GreaterOrEqual(t, i, last)
			require.Less(t, i, buckets)
			require.InEpsilon(t, float64(v), float64(middle(i)), 1.0/64+1e-9)
			require.Equal(t, i, bucketOf(middle(i)))
			last = i
		}
	}
	require.Equal(t, buckets-1, bucketOf(Never))
	for v := range Time(64) {
		require.Equal(t, v, middle(bucketOf(v)), "small spans are exact")
	}
}

func TestHistogramMeanIsExactBeyond64Bits(t *testing.T) {
	var h Histogram
	require.Zero(t, h.Mean())
	require.Zero(t, h.Quantile(0.5))
	h.AddN(Never-1, 1000)
	h.AddN(Never-3, 1000)
	require.Equal(t, Never-2, h.Mean())
	require.EqualValues(t, 2000, h.Count())
}

func TestMergedHistogramsEqualOne(t *testing.T) {
	r := NewRand(2)
	var a, b, both, merged Histogram
	for i := range 1000 {
		v := Time(r.IntN(1 << 30))
		n := int64(1 + i%3)
		both.AddN(v, n)
		if i%2 == 0 {
			a.AddN(v, n)
		} else {
			b.AddN(v, n)
		}
	}
	merged.Merge(&Histogram{})
	merged.Merge(&a)
	merged.Merge(&b)
	require.Equal(t, both, merged)
}

func TestTimeWeightedCountsEachValueForItsDuration(t *testing.T) {
	var w TimeWeighted
	w.Set(10, 4)
	w.Set(20, 1)
	w.Set(20, 2)
	require.EqualValues(t, 2, w.Value())
	require.EqualValues(t, 4, w.Max())
	require.Equal(t, (10*0+10*4+20*2)/40.0, w.Mean(40))
}

func TestStudentTMatchesTables(t *testing.T) {
	// Two-sided 95 % and 99 % points; Abramowitz and Stegun, table 26.10.
	for df, want := range map[int][2]float64{1: {12.706, 63.657}, 2: {4.303, 9.925}, 5: {2.571, 4.032}, 10: {2.228, 3.169}, 30: {2.042, 2.750}} {
		require.InDelta(t, want[0], studentT(0.95, df), 6e-4)
		require.InDelta(t, want[1], studentT(0.99, df), 6e-4)
	}
}

// coverage returns how often the interval of 95 % holds the true mean 5 of a
// series with correlation phi from one value to the next.
func coverage(phi float64, values int) float64 {
	const runs = 2000
	r := NewRand(11)
	held := 0
	for range runs {
		var b Batches
		x := r.NormFloat64() / math.Sqrt(1-phi*phi)
		for range values {
			x = phi*x + r.NormFloat64()
			b.Add(5 + x)
		}
		if math.Abs(b.Mean()-5) <= b.HalfWidth(0.95) {
			held++
		}
	}
	return float64(held) / runs
}

func TestBatchIntervalsHoldTheTrueMean(t *testing.T) {
	for _, c := range []struct {
		phi    float64
		values int
	}{{0, 20}, {0, 1000}, {0.5, 200}, {0.9, 400}, {0.9, 4000}} {
		got := coverage(c.phi, c.values)
		t.Logf("correlation %v, %d values: %.3f", c.phi, c.values, got)
		require.InDelta(t, 0.95, got, 0.045, "correlation %v, %d values", c.phi, c.values)
	}
}

func TestBatchesMergeNeighboursAndKeepTheMean(t *testing.T) {
	var b Batches
	require.Zero(t, b.Mean())
	require.Zero(t, b.Trend())
	require.True(t, math.IsInf(b.HalfWidth(0.95), 1))
	for i := range 1000 {
		b.Add(float64(i))
		require.Less(t, b.N(), maxBatches)
	}
	require.Equal(t, 499.5, b.Mean())
	require.Equal(t, 1000, b.Count())
	require.Equal(t, 15.5, b.mean[0], "the first 32 values")
	require.InDelta(t, 500, b.Trend(), 40, "a ramp's halves differ by half its height")
}

func TestConstantSeriesIsKnownExactly(t *testing.T) {
	var b Batches
	for range 100 {
		b.Add(3)
	}
	require.Zero(t, b.HalfWidth(0.95))
	require.Zero(t, b.Trend())
}

func TestMeasuringAllocatesNothing(t *testing.T) {
	var h Histogram
	var b Batches
	var w TimeWeighted
	now := Time(0)
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		now += 999
		h.Add(now)
		b.Add(float64(now))
		w.Set(now, 1)
	}))
}

func TestHistogramRepeatsWhatWasAddedSince(t *testing.T) {
	var h, want Histogram
	for _, v := range []Time{5, 70_000, 1 << 62} {
		h.Add(v)
		want.Add(v)
	}
	since := h
	for _, v := range []Time{3, 900, 1 << 62} {
		h.Add(v)
		want.AddN(v, 5)
	}
	h.Repeat(&since, 4)
	require.Equal(t, want, h)
}
