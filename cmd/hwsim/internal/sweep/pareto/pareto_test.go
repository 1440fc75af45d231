package pareto

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// bruteFront compares every point with every other.
func bruteFront(points [][]float64) (front []int) {
	for i, p := range points {
		if !slices.ContainsFunc(points, func(q []float64) bool { return dominates(q, p) }) {
			front = append(front, i)
		}
	}
	return front
}

// bruteVolume adds up the cells of the grid that the points' coordinates make.
func bruteVolume(points [][]float64, reference []float64) float64 {
	cuts := make([][]float64, len(reference))
	for d := range reference {
		cuts[d] = []float64{reference[d]}
		for _, p := range points {
			if p[d] < reference[d] {
				cuts[d] = append(cuts[d], p[d])
			}
		}
		slices.Sort(cuts[d])
		cuts[d] = slices.Compact(cuts[d])
	}
	var sum func(d int, corner []float64, v float64) float64
	sum = func(d int, corner []float64, v float64) float64 {
		if d == len(reference) {
			if slices.ContainsFunc(points, func(p []float64) bool { return slices.Equal(p, corner) || dominates(p, corner) }) {
				return v
			}
			return 0
		}
		total := 0.0
		for i := 0; i+1 < len(cuts[d]); i++ {
			total += sum(d+1, append(slices.Clone(corner), cuts[d][i]), v*(cuts[d][i+1]-cuts[d][i]))
		}
		return total
	}
	return sum(0, nil, 1)
}

// zdt1 is the front f2 = 1 - sqrt(f1) of Zitzler, Deb and Thiele (2000), with
// points above it.
func zdt1(n int) (points [][]float64) {
	for i := range n {
		f := float64(i) / float64(n-1)
		for g := 1.0; g < 1.5; g += 0.25 {
			points = append(points, []float64{f, g * (1 - math.Sqrt(f/g))})
		}
	}
	return points
}

// dtlz2 is the octant of a sphere of Deb, Thiele, Laumanns and Zitzler (2002), with
// points beyond it.
func dtlz2(n int) (points [][]float64) {
	for i := range n {
		for j := range n {
			a, b := math.Pi/2*float64(i)/float64(n-1), math.Pi/2*float64(j)/float64(n-1)
			for r := 1.0; r < 1.2; r += 0.1 {
				points = append(points, []float64{r * math.Cos(a) * math.Cos(b), r * math.Cos(a) * math.Sin(b), r * math.Sin(a)})
			}
		}
	}
	return points
}

// discrete is a machine's choices: equal points, ties in single objectives, and a
// front that is not convex.
var discrete = [][]float64{{4, 1, 2}, {4, 1, 2}, {3, 3, 1}, {3, 3, 2}, {1, 4, 4}, {2, 4, 4}, {4, 4, 0}, {2, 2, 3}, {4, 4, 4}, {0, 5, 5}, {2, 2, 2}}

func TestKnownFrontsAgainstBruteForce(t *testing.T) {
	for name, c := range map[string]struct {
		points    [][]float64
		reference []float64
	}{
		"ZDT1":     {zdt1(40), []float64{1.1, 1.2}},
		"DTLZ2":    {dtlz2(6), []float64{1.1, 1.1, 1.1}},
		"discrete": {discrete, []float64{5, 5, 5}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, bruteFront(c.points), Front(c.points))
			want := bruteVolume(c.points, c.reference)
			require.InDelta(t, want, Hypervolume(c.points, c.reference), 1e-12*want)
		})
	}
	require.Equal(t, []int{0, 1, 2, 4, 6, 9, 10}, Front(discrete))
}

// The area above f2 = 1 - sqrt(f1) in the unit square is 2/3, the volume outside the
// sphere in the unit cube 1 - π/6: fronts of more points come nearer from below.
func TestVolumesOfFrontsInClosedForm(t *testing.T) {
	before := 0.0
	for _, n := range []int{10, 100, 1000} {
		v := Hypervolume(zdt1(n), []float64{1, 1})
		require.Greater(t, v, before)
		require.Less(t, v, 2.0/3)
		before = v
	}
	require.InDelta(t, 2.0/3, before, 1e-3)
	before = 0
	for _, n := range []int{4, 8, 16} {
		v := Hypervolume(dtlz2(n), []float64{1, 1, 1})
		require.Greater(t, v, before)
		require.Less(t, v, 1-math.Pi/6)
		before = v
	}
	require.InDelta(t, 1-math.Pi/6, before, 0.06)
}

func TestRandomPointsAgainstBruteForce(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		d, n := 1+rng.IntN(4), rng.IntN(9)
		reference := make([]float64, d)
		for i := range reference {
			reference[i] = 4
		}
		points := make([][]float64, n)
		for i := range points {
			for range d {
				points[i] = append(points[i], float64(rng.IntN(6)))
			}
		}
		require.Equal(t, bruteFront(points), Front(points))
		require.InDelta(t, bruteVolume(points, reference), Hypervolume(points, reference), 1e-9)
	}
}

func TestNoPointsDominateNothing(t *testing.T) {
	require.Empty(t, Front(nil))
	require.Zero(t, Hypervolume(nil, []float64{1, 1, 1}))
	require.Zero(t, Hypervolume([][]float64{{2, 0}}, []float64{1, 1}))
}

func BenchmarkFront(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	points := make([][]float64, 10000)
	for i := range points {
		points[i] = []float64{rng.Float64(), rng.Float64(), rng.Float64()}
	}
	for b.Loop() {
		Front(points)
	}
}
