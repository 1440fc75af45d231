package sweep

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distmv"
	"gonum.org/v1/gonum/stat/samplemv"

	"hwsim/cmd/hwsim/internal/sweep/expr"
	"hwsim/cmd/hwsim/internal/sweep/sobol"
)

// A Design is the points of a sweep.
type Design struct {
	Config  Config
	Points  []Point
	Dropped int // points that a constraint has left out

	when        []*expr.Expr // by axis; nil: always
	constraints []*expr.Expr
	derived     []*expr.Expr
	objectives  []objective
	names       map[string]int // axes by name and key
}

// A Point has a value for each axis; nil where the axis leaves its key as it is.
type Point struct {
	Values []any
	Varied int // of one at a time, the axis that is not at its centre; -1: none
}

// NewDesign makes the points that a valid table describes. Random ones depend on the
// seed.
func NewDesign(c Config, seed uint64) (*Design, error) {
	c = c.withDefaults()
	d := &Design{Config: c, names: map[string]int{}}
	if err := d.compile(); err != nil {
		return nil, err
	}
	var err error
	switch c.Design {
	case Grid:
		err = d.grid(nil)
	case OAT:
		err = d.oneAtATime()
	case Sobol:
		err = d.saltelli(seed)
	default:
		err = d.sample(seed)
	}
	if err == nil && len(d.Points) == 0 {
		err = fmt.Errorf("sweep: no point fulfils the constraints")
	}
	return d, err
}

// compile parses the expressions.
func (d *Design) compile() error {
	parse := func(text string) (*expr.Expr, error) {
		if text == "" {
			return nil, nil
		}
		return expr.Parse(text)
	}
	for i, a := range d.Config.Axes {
		d.names[a.Name], d.names[a.Key] = i, i
		e, err := parse(a.When)
		if err != nil {
			return fmt.Errorf("sweep.axes.%d.when: %w", i, err)
		}
		d.when = append(d.when, e)
	}
	for i, text := range d.Config.Constraints {
		e, err := expr.Parse(text)
		if err != nil {
			return fmt.Errorf("sweep.constraints.%d: %w", i, err)
		}
		d.constraints = append(d.constraints, e)
	}
	for i, one := range d.Config.Derive {
		e, err := expr.Parse(one.Value)
		if err != nil {
			return fmt.Errorf("sweep.derive.%d: %w", i, err)
		}
		d.derived = append(d.derived, e)
	}
	for i, text := range d.Config.Objectives {
		o, err := parseObjective(text)
		if err != nil {
			return fmt.Errorf("sweep.objectives.%d: %w", i, err)
		}
		d.objectives = append(d.objectives, o)
	}
	return nil
}

// values returns how expressions find the axes' values at a point.
func (d *Design) values(point []any) expr.Values {
	return func(name string) (any, bool) {
		i, ok := d.names[name]
		if !ok || i >= len(point) || point[i] == nil {
			return nil, false
		}
		return point[i], true
	}
}

// on tells whether the next axis counts where those before it have these values.
func (d *Design) on(point []any) (bool, error) {
	w := d.when[len(point)]
	if w == nil {
		return true, nil
	}
	on, err := w.Bool(d.values(point))
	if err != nil {
		return false, fmt.Errorf("sweep.axes.%d.when: %w", len(point), err)
	}
	return on, nil
}

// grid adds all points whose first axes have these values.
func (d *Design) grid(point []any) error {
	if len(point) == len(d.Config.Axes) {
		return d.add(Point{Values: slices.Clone(point), Varied: -1})
	}
	a := &d.Config.Axes[len(point)]
	on, err := d.on(point)
	if err != nil {
		return err
	}
	levels := []any{a.Otherwise}
	if on {
		levels = a.levels()
	}
	for _, v := range levels {
		if err := d.grid(append(point, v)); err != nil {
			return err
		}
	}
	return nil
}

// add appends a point if it fulfils the constraints.
func (d *Design) add(p Point) error {
	for i, c := range d.constraints {
		ok, err := c.Bool(d.values(p.Values))
		if err != nil {
			return fmt.Errorf("sweep.constraints.%d: %w; an axis under a condition has one with otherwise", i, err)
		}
		if !ok {
			d.Dropped++
			return nil
		}
	}
	if len(d.Points)+d.Dropped >= maxPoints {
		return fmt.Errorf("sweep: more than %d points", maxPoints)
	}
	d.Points = append(d.Points, p)
	return nil
}

// choose returns a point of picked values, where axes count.
func (d *Design) choose(pick func(axis int) any) (point []any, err error) {
	for i := range d.Config.Axes {
		on, err := d.on(point)
		if err != nil {
			return nil, err
		}
		if on {
			point = append(point, pick(i))
		} else {
			point = append(point, d.Config.Axes[i].Otherwise)
		}
	}
	return point, nil
}

// addSample adds the point at coordinates, one an axis.
func (d *Design) addSample(u []float64) error {
	point, err := d.choose(func(i int) any { return d.Config.Axes[i].at(u[i]) })
	if err != nil {
		return err
	}
	return d.add(Point{Values: point, Varied: -1})
}

// sample adds the points of random, lhs and halton.
func (d *Design) sample(seed uint64) error {
	m := samples(d.Config.Design, d.Config.Points, len(d.Config.Axes), seed)
	for i := range d.Config.Points {
		if err := d.addSample(m.RawRowView(i)); err != nil {
			return err
		}
	}
	return nil
}

// saltelli adds the rows of Sobol indices. Their two samples are the halves of one
// Halton sequence's dimensions.
func (d *Design) saltelli(seed uint64) error {
	n := len(d.Config.Axes)
	if d.Config.Points*sobol.Width(n) > maxPoints {
		return fmt.Errorf("sweep.points: %d rows of %d points are more than %d", d.Config.Points, sobol.Width(n), maxPoints)
	}
	m := samples(Halton, d.Config.Points, 2*n, seed)
	for i := range d.Config.Points {
		u := m.RawRowView(i)
		for _, point := range sobol.Row(u[:n], u[n:]) {
			if err := d.addSample(point); err != nil {
				return err
			}
		}
	}
	return nil
}

// samples returns n points of the unit cube.
func samples(design string, n, dimensions int, seed uint64) *mat.Dense {
	m := mat.NewDense(n, dimensions, nil)
	src := rand.NewPCG(seed, 0)
	unit := distmv.NewUnitUniform(dimensions, src)
	switch design {
	case LHS:
		samplemv.LatinHypercube{Q: unit, Src: src}.Sample(m)
	case Halton:
		samplemv.Halton{Kind: samplemv.Owen, Q: unit, Src: src}.Sample(m)
	default:
		samplemv.IID{Dist: unit}.Sample(m)
	}
	return m
}

// oneAtATime adds the centre, and each value of each axis with the others there.
func (d *Design) oneAtATime() error {
	centre := func(i int) any { return d.Config.Axes[i].centre() }
	point, err := d.choose(centre)
	if err != nil {
		return err
	}
	if err := d.add(Point{Values: point, Varied: -1}); err != nil {
		return err
	}
	for axis := range d.Config.Axes {
		if err := d.vary(axis, centre); err != nil {
			return err
		}
	}
	return nil
}

// vary adds each value of an axis, if it counts at the centre.
func (d *Design) vary(axis int, centre func(int) any) error {
	for _, v := range d.Config.Axes[axis].levels() {
		varied := false
		point, err := d.choose(func(i int) any {
			if i != axis {
				return centre(i)
			}
			varied = true
			return v
		})
		if err != nil {
			return err
		}
		if !varied {
			return nil
		}
		if err := d.add(Point{Values: point, Varied: axis}); err != nil {
			return err
		}
	}
	return nil
}
