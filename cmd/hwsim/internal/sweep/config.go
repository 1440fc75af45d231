package sweep

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"hwsim/cmd/hwsim/internal/sweep/expr"
	"hwsim/configs"
)

// Config is the table [sweep].
type Config struct {
	Design      string    `toml:"design"`      // one of Designs; empty: grid
	Points      int       `toml:"points"`      // points of random, lhs and halton; of sobol its rows
	Axes        []Axis    `toml:"axes"`        // what varies
	Derive      []Derived `toml:"derive"`      // what follows from them
	Constraints []string  `toml:"constraints"` // expressions of axes that points must fulfil; others are left out
	Objectives  []string  `toml:"objectives"`  // "max E" or "min E", E an expression of metrics and axes
	Reference   []float64 `toml:"reference"`   // of the hypervolume, a value an objective; nothing: the worst of the points
}

// Derived is a key that follows from axes.
type Derived struct {
	Key   string `toml:"key"`   // of the configuration, dotted
	Value string `toml:"value"` // expression of axes, a number
}

// Axis is one key and its values: exactly one of Values, Range, Log and Presets.
type Axis struct {
	Key     string   `toml:"key"`     // of the configuration, dotted
	Name    string   `toml:"name"`    // in expressions and reports; empty: the key
	Values  []any    `toml:"values"`  // as they are
	Range   []any    `toml:"range"`   // [least, most], evenly; integers if both are written as such
	Log     []any    `toml:"log"`     // [least, most], in even ratios
	Presets []string `toml:"presets"` // names that the table key uses
	Steps   int      `toml:"steps"`   // values of a range, its ends included; 0: any value, of designs that sample
	Centre  any      `toml:"centre"`  // of one at a time: its value while others vary; nothing: the middle one

	When      string `toml:"when"`      // expression of earlier axes under which the axis counts; empty: always
	Otherwise any    `toml:"otherwise"` // its value elsewhere; nothing: the key is left as it is
}

// The designs.
const (
	Grid   = "grid"
	Random = "random"
	LHS    = "lhs"
	Halton = "halton"
	OAT    = "oat"
	Sobol  = "sobol"
)

// Designs are all designs, the default first.
var Designs = []string{Grid, Random, LHS, Halton, OAT, Sobol}

// The bounds of a sweep.
const (
	maxAxes   = 32 // Sobol's samples have two dimensions an axis, Halton's sequence few good ones
	maxPoints = 1 << 20
	maxSteps  = 1 << 12
)

// samplers are the designs that draw points.
var samplers = []string{Random, LHS, Halton, Sobol}

// withDefaults returns the table with what may be left out.
func (c Config) withDefaults() Config {
	if c.Design == "" {
		c.Design = Grid
	}
	c.Axes = slices.Clone(c.Axes)
	for i := range c.Axes {
		if c.Axes[i].Name == "" {
			c.Axes[i].Name = c.Axes[i].Key
		}
	}
	return c
}

// Validate reports values that make no sweep.
func (c Config) Validate(report func(key, message string)) {
	c = c.withDefaults()
	configs.OneOf(report, "design", c.Design, Designs...)
	if slices.Contains(samplers, c.Design) {
		configs.Within(report, "points", c.Points, 1, maxPoints)
	} else if c.Points != 0 {
		report("points", "belongs to designs that sample: "+strings.Join(samplers, ", "))
	}
	if n := len(c.Axes); n < 1 || n > maxAxes {
		report("axes", fmt.Sprintf("must be 1 to %d, are %d", maxAxes, n))
	}
	for i := range c.Axes {
		c.validateAxis(func(key, message string) { report(fmt.Sprintf("axes.%d.%s", i, key), message) }, i)
	}
	c.validateDerived(report)
	if c.Design == Sobol && len(c.Constraints) > 0 {
		report("constraints", "do not go with sobol, whose rows must be whole")
	}
	for i, text := range c.Constraints {
		c.validateExpression(report, fmt.Sprintf("constraints.%d", i), text, c.names(len(c.Axes)))
	}
	for i, text := range c.Objectives {
		if _, err := parseObjective(text); err != nil {
			report(fmt.Sprintf("objectives.%d", i), err.Error())
		}
	}
	if n := len(c.Reference); n != 0 && n != len(c.Objectives) {
		report("reference", fmt.Sprintf("must be a value for each of the %d objectives, are %d", len(c.Objectives), n))
	}
}

func (c *Config) validateAxis(report func(key, message string), i int) {
	a := &c.Axes[i]
	before := c.names(i)
	switch {
	case a.Key == "":
		report("key", "want the key of the configuration that varies")
	case slices.Contains(before, a.Key), slices.Contains(before, a.Name):
		report("key", a.Name+" is an axis already")
	}
	a.validateValues(report, c.Design)
	if a.When != "" {
		c.validateExpression(report, "when", a.When, before)
	} else if a.Otherwise != nil {
		report("otherwise", "needs when")
	}
	if a.Centre != nil && c.Design != OAT {
		report("centre", "belongs to design "+OAT)
	}
}

func (c *Config) validateDerived(report func(key, message string)) {
	taken := c.names(len(c.Axes))
	for i, d := range c.Derive {
		if d.Key == "" || slices.Contains(taken, d.Key) {
			report(fmt.Sprintf("derive.%d.key", i), "want a key that is no axis and not derived already")
		}
		c.validateExpression(report, fmt.Sprintf("derive.%d.value", i), d.Value, c.names(len(c.Axes)))
		taken = append(taken, d.Key)
	}
}

// names returns the names and keys of the first n axes.
func (c *Config) names(n int) (names []string) {
	for _, a := range c.Axes[:n] {
		names = append(names, a.Name, a.Key)
	}
	return names
}

// validateExpression checks an expression of axes of those names.
func (c *Config) validateExpression(report func(key, message string), key, text string, names []string) {
	e, err := expr.Parse(text)
	if err != nil {
		report(key, err.Error())
		return
	}
	for _, n := range e.Names() {
		if !slices.Contains(names, n) {
			report(key, fmt.Sprintf("%q: %s is no axis here", text, n))
			return
		}
	}
}

func (a *Axis) validateValues(report func(key, message string), design string) {
	kinds := 0
	for _, n := range []int{len(a.Values), len(a.Range), len(a.Log), len(a.Presets)} {
		if n > 0 {
			kinds++
		}
	}
	if kinds != 1 {
		report("values", "want one of values, range, log and presets")
		return
	}
	key, ends := "range", a.Range
	if len(a.Log) > 0 {
		key, ends = "log", a.Log
	}
	if len(ends) == 0 {
		if a.Steps != 0 {
			report("steps", "belongs to range and log")
		}
		return
	}
	lo, hi, ok := limits(ends)
	switch {
	case !ok || !(lo < hi) || math.IsInf(hi-lo, 0):
		report(key, "must be [least, most]")
	case key == "log" && lo <= 0:
		report(key, "must begin above 0")
	}
	if a.Steps == 0 && !slices.Contains(samplers, design) {
		report("steps", "must say how many values of the range, in design "+design)
	} else if a.Steps != 0 {
		configs.Within(report, "steps", a.Steps, 2, maxSteps)
	}
}

// limits returns the ends of a range.
func limits(ends []any) (lo, hi float64, ok bool) {
	if len(ends) != 2 {
		return 0, 0, false
	}
	lo, okLo := number(ends[0])
	hi, okHi := number(ends[1])
	return lo, hi, okLo && okHi
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// An objective is what points are compared by.
type objective struct {
	text  string
	value *expr.Expr
	most  bool // the more the better
}

func parseObjective(text string) (objective, error) {
	word, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	if word != "max" && word != "min" {
		return objective{}, fmt.Errorf("%q: want max or min, and an expression of metrics and axes", text)
	}
	e, err := expr.Parse(strings.TrimSpace(rest))
	return objective{text, e, word == "max"}, err
}
