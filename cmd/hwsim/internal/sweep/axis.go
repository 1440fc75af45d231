package sweep

import (
	"math"
	"slices"

	"hwsim/cmd/hwsim/internal/sweep/expr"
)

// levels returns an axis's values one by one, each once, in the order given.
func (a *Axis) levels() []any {
	switch {
	case len(a.Presets) > 0:
		var all []any
		for _, p := range a.Presets {
			all = append(all, p)
		}
		return all
	case len(a.Values) > 0:
		return a.Values
	}
	var all []any
	for i := range a.Steps {
		v := a.between(float64(i) / float64(a.Steps-1))
		if i == 0 || all[len(all)-1] != v { // rounding to integers may make two one
			all = append(all, v)
		}
	}
	return all
}

// at returns the value of a sample's coordinate in [0, 1): each value of a list, and
// each integer of a range, has an equal part.
func (a *Axis) at(u float64) any {
	if a.Steps > 0 || len(a.Values) > 0 || len(a.Presets) > 0 {
		l := a.levels()
		return l[min(int(u*float64(len(l))), len(l)-1)]
	}
	if a.integer() && len(a.Range) > 0 {
		lo, hi, _ := limits(a.Range)
		return int64(math.Min(lo+math.Floor(u*(hi-lo+1)), hi))
	}
	return a.between(u)
}

// between returns the value at a share of a range.
func (a *Axis) between(share float64) any {
	var v float64
	if len(a.Log) > 0 {
		lo, hi, _ := limits(a.Log)
		v = lo * math.Pow(hi/lo, share)
	} else {
		lo, hi, _ := limits(a.Range)
		v = lo + (hi-lo)*share
	}
	if a.integer() {
		return int64(math.Round(v))
	}
	return expr.Round(v)
}

// integer tells a range whose ends are both written as integers.
func (a *Axis) integer() bool {
	return !slices.ContainsFunc(slices.Concat(a.Range, a.Log), func(v any) bool { _, ok := v.(int64); return !ok })
}

// ends returns two values of an axis, between which the others lie if they are
// numbers.
func (a *Axis) ends() []any {
	if a.Steps > 0 || len(a.Values) > 0 || len(a.Presets) > 0 {
		return a.levels()
	}
	return []any{a.between(0), a.between(1)}
}

// centre returns the value while other axes vary.
func (a *Axis) centre() any {
	if a.Centre != nil {
		return a.Centre
	}
	l := a.levels()
	return l[(len(l)-1)/2]
}
