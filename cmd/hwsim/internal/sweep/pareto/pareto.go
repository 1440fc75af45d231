// Package pareto finds the points that no other point beats in every objective,
// and measures what they dominate.
//
// All objectives are to be made small. A point dominates another if it is nowhere
// greater and somewhere less; equal points do not dominate each other, so both are
// on the front.
//
// The hypervolume is the part of the box between the ideal and a reference point
// that the front dominates (Zitzler and Thiele 1998), by exclusive volumes of limited
// sets as WFG computes it (While, Bradstreet and Barone, IEEE TEC 16(1), 2012),
// without its choice of objectives by slices: fronts of sweeps have few objectives.
package pareto

import (
	"cmp"
	"math"
	"slices"
)

// Front returns the indices of the points that none dominates, ascending.
func Front(points [][]float64) []int {
	order := make([]int, len(points))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return slices.Compare(points[a], points[b]) })
	var front []int // a point is dominated only by such as come before it
	for _, i := range order {
		if !slices.ContainsFunc(front, func(j int) bool { return dominates(points[j], points[i]) }) {
			front = append(front, i)
		}
	}
	slices.Sort(front)
	return front
}

func dominates(a, b []float64) bool {
	less := false
	for i := range a {
		if a[i] > b[i] {
			return false
		}
		less = less || a[i] < b[i]
	}
	return less
}

// Hypervolume returns the volume that the points dominate up to the reference.
// Points beyond the reference count as far as they are within it.
func Hypervolume(points [][]float64, reference []float64) float64 {
	var inside [][]float64
	for _, p := range points {
		if within(p, reference) {
			inside = append(inside, p)
		}
	}
	return volume(nondominated(inside), reference)
}

func within(p, reference []float64) bool {
	for i := range p {
		if p[i] >= reference[i] {
			return false
		}
	}
	return true
}

// nondominated returns the front's points, each once, the greatest last objective
// first, so that the sets limited by later points are small.
func nondominated(points [][]float64) [][]float64 {
	var front [][]float64
	for _, i := range Front(points) {
		front = append(front, points[i])
	}
	slices.SortFunc(front, func(a, b []float64) int {
		last := len(a) - 1
		return cmp.Or(cmp.Compare(b[last], a[last]), slices.Compare(a, b))
	})
	return slices.CompactFunc(front, slices.Equal)
}

// volume is that of a front sorted by nondominated.
func volume(front [][]float64, reference []float64) float64 {
	switch len(reference) {
	case 1:
		if len(front) == 0 {
			return 0
		}
		return reference[0] - front[0][0]
	case 2:
		return area(front, reference)
	}
	sum := 0.0
	for i, p := range front {
		sum += box(p, reference) - volume(nondominated(limited(p, front[i+1:])), reference)
	}
	return sum
}

// area sums the rectangles of a front of two objectives, the greatest second first.
func area(front [][]float64, reference []float64) float64 {
	sum, top := 0.0, reference[1]
	for _, p := range front {
		sum += (reference[0] - p[0]) * (top - p[1])
		top = p[1]
	}
	return sum
}

func box(p, reference []float64) float64 {
	v := 1.0
	for i := range p {
		v *= reference[i] - p[i]
	}
	return v
}

// limited returns the points moved to where they and p overlap.
func limited(p []float64, points [][]float64) [][]float64 {
	out := make([][]float64, len(points))
	for i, q := range points {
		out[i] = make([]float64, len(q))
		for k := range q {
			out[i][k] = math.Max(p[k], q[k])
		}
	}
	return out
}
