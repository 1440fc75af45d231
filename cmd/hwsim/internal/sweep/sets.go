package sweep

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"

	"hwsim/configs"
)

// Set returns the keys that a point sets, and to what.
func (d *Design) Set(p Point) (map[string]any, error) {
	set := map[string]any{}
	for i, v := range p.Values {
		if v != nil {
			set[d.Config.Axes[i].target()] = v
		}
	}
	for i, e := range d.derived {
		v, err := e.Number(d.values(p.Values))
		if err != nil {
			return nil, fmt.Errorf("sweep.derive.%d: %w; an axis under a condition has a value with otherwise", i, err)
		}
		set[d.Config.Derive[i].Key] = whole(v)
	}
	return set, nil
}

// whole returns a number without a fraction as an integer, which any key takes that
// takes numbers.
func whole(v float64) any {
	if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
		return int64(v)
	}
	return v
}

// target is the key that an axis sets.
func (a *Axis) target() string {
	if len(a.Presets) > 0 {
		return a.Key + ".use"
	}
	return a.Key
}

// sets writes what a point sets as the command line would, axes first and in order.
func (d *Design) sets(set map[string]any) (sets []string, err error) {
	add := func(key string) error {
		v, ok := set[key]
		if !ok {
			return nil
		}
		text, err := configs.Inline(v)
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		sets = append(sets, key+"="+text)
		return nil
	}
	for i := range d.Config.Axes {
		if err := add(d.Config.Axes[i].target()); err != nil {
			return nil, err
		}
	}
	for _, derived := range d.Config.Derive {
		if err := add(derived.Key); err != nil {
			return nil, err
		}
	}
	return sets, nil
}

// variant returns the configuration with what a point sets.
func (d *Design) variant(base *configs.Document, set map[string]any) (*configs.Document, error) {
	sets, err := d.sets(set)
	if err != nil {
		return nil, err
	}
	return base.With(sets)
}

// Variant returns the configuration of a point by its number.
func (d *Design) Variant(base *configs.Document, point int) (*configs.Document, error) {
	set, err := d.Set(d.Points[point])
	if err != nil {
		return nil, err
	}
	return d.variant(base, set)
}

// Identity is a hash of what tells the sweep's points: the design, and what the
// configuration is with each value of each axis. Objectives are no part of it, so
// that outcomes can be compared by others later. An axis whose values do not go with
// the configuration's shape is the error.
func (d *Design) Identity(base *configs.Document, seed uint64) (string, error) {
	sum := sha256.New()
	c := d.Config
	fmt.Fprintf(sum, "%s %d %d %q %q %s\n", c.Design, c.Points, seed, c.Derive, c.Constraints, base.Hash())
	for i := range c.Axes {
		a := &c.Axes[i]
		fmt.Fprintf(sum, "%q %v %v %v %q %v %v\n", a.Key, a.Steps, len(a.Log) > 0, a.integer(), a.When, a.Otherwise, a.Centre)
		for _, v := range a.ends() {
			variant, err := d.variant(base, map[string]any{a.target(): v})
			if err != nil {
				return "", fmt.Errorf("sweep.axes.%d: %w", i, err)
			}
			fmt.Fprintln(sum, variant.Hash())
		}
	}
	return hex.EncodeToString(sum.Sum(nil))[:16], nil
}
