package sweep

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"hwsim/cmd/hwsim/internal/sweep/expr"
	"hwsim/cmd/hwsim/internal/sweep/pareto"
	"hwsim/cmd/hwsim/internal/sweep/sobol"
	"hwsim/cmd/hwsim/internal/sweep/store"
)

// Analysis is what a sweep's outcomes tell.
type Analysis struct {
	Schema   int    `json:"schema"`
	Name     string `json:"name"` // of the configuration
	Design   string `json:"design"`
	Seed     uint64 `json:"seed"`
	Fidelity string `json:"fidelity"`

	Points   int `json:"points"`   // of the sweep
	Dropped  int `json:"dropped"`  // that constraints left out, beside those
	Finished int `json:"finished"` // of the points
	Distinct int `json:"distinct"` // configurations among the finished
	Run      int `json:"run"`      // finished points that run; the others have a problem

	Objectives  []string  `json:"objectives"`
	Best        []float64 `json:"best"`        // of each objective
	Reference   []float64 `json:"reference"`   // of the hypervolume
	Hypervolume float64   `json:"hypervolume"` // share of the box from best to reference that the front dominates

	Axes     []string  `json:"axes"`  // names
	Front    []Row     `json:"front"` // points that none beats in every objective, best in the first one first
	Effects  []Effect  `json:"effects"`
	Indices  []Index   `json:"indices"`
	Whole    int       `json:"whole_rows"` // rows of sobol without a problem, of which the indices are
	Problems []Problem `json:"problems"`   // the most frequent first

	Records []store.Record `json:"-"`
	Rows    []Row          `json:"-"` // all points that run, in order
	design  *Design
}

// Row is a point and its objectives.
type Row struct {
	Point      int            `json:"point"`
	Set        map[string]any `json:"set"`
	Values     []any          `json:"values"` // of the axes; nil: as the configuration has it
	Objectives []float64      `json:"objectives"`
}

// Effect is what an axis does to an objective on its own, the others at their centre.
type Effect struct {
	Axis      string  `json:"axis"`
	Objective string  `json:"objective"`
	Centre    float64 `json:"centre"`
	Least     float64 `json:"least"`
	LeastAt   any     `json:"least_at"`
	Most      float64 `json:"most"`
	MostAt    any     `json:"most_at"`
}

// Index is the share of an objective's variance that is an axis's.
type Index struct {
	Axis      string  `json:"axis"`
	Objective string  `json:"objective"`
	First     float64 `json:"first"`
	Total     float64 `json:"total"`
}

// Problem is why points do not run. Figures in the text are left out.
type Problem struct {
	Text   string `json:"text"`
	Points int    `json:"points"`
}

// Analyse compares the outcomes of a design's points.
func Analyse(d *Design, h store.Header, records []store.Record) (*Analysis, error) {
	a := &Analysis{
		Schema: 1, Name: h.Name, Design: d.Config.Design, Seed: h.Seed, Fidelity: h.Fidelity,
		Points: len(d.Points), Dropped: d.Dropped, Finished: len(records), Records: records, design: d,
	}
	for _, o := range d.objectives {
		a.Objectives = append(a.Objectives, o.text)
	}
	for _, axis := range d.Config.Axes {
		a.Axes = append(a.Axes, axis.Name)
	}
	a.count()
	rows, err := a.rows()
	a.Rows = rows
	if err != nil || len(a.Objectives) == 0 {
		return a, err
	}
	a.front(rows)
	switch d.Config.Design {
	case OAT:
		a.effects(rows)
	case Sobol:
		a.indices(rows)
	}
	return a, nil
}

// Check evaluates the objectives of an outcome, to tell mistakes in them early.
func (d *Design) Check(r store.Record) error {
	if r.Problem != "" {
		return nil
	}
	_, err := d.evaluate(r)
	return err
}

var figures = regexp.MustCompile(`[0-9][0-9.]*`)

// count counts distinct configurations and problems.
func (a *Analysis) count() {
	keys, problems := map[string]bool{}, map[string]int{}
	for _, r := range a.Records {
		keys[r.Key] = true
		if r.Problem == "" {
			a.Run++
		} else {
			problems[figures.ReplaceAllString(r.Problem, "…")]++
		}
	}
	a.Distinct = len(keys)
	for text, n := range problems {
		a.Problems = append(a.Problems, Problem{text, n})
	}
	slices.SortFunc(a.Problems, func(x, y Problem) int {
		return cmp.Or(cmp.Compare(y.Points, x.Points), cmp.Compare(x.Text, y.Text))
	})
}

// rows evaluates the objectives of all points that run.
func (a *Analysis) rows() (rows []Row, err error) {
	for _, r := range a.Records {
		if r.Problem != "" {
			continue
		}
		values, err := a.design.evaluate(r)
		if err != nil {
			return nil, err
		}
		rows = append(rows, Row{r.Point, r.Set, a.design.Points[r.Point].Values, values})
	}
	return rows, nil
}

// evaluate returns a point's objectives.
func (d *Design) evaluate(r store.Record) ([]float64, error) {
	axes := d.values(d.Points[r.Point].Values)
	values := expr.Values(func(name string) (any, bool) {
		if v, ok := r.Metrics[name]; ok {
			return v, true
		}
		return axes(name)
	})
	var out []float64
	for i, o := range d.objectives {
		v, err := o.value.Number(values)
		if err != nil {
			return nil, fmt.Errorf("sweep.objectives.%d: %w at point %d; there are the axes, and %s", i, err, r.Point,
				strings.Join(slices.Sorted(maps.Keys(r.Metrics)), ", "))
		}
		out = append(out, v)
	}
	return out, nil
}

// costs returns the objectives of rows with signs such that less is better.
func (a *Analysis) costs(rows []Row) [][]float64 {
	costs := make([][]float64, len(rows))
	for i, r := range rows {
		costs[i] = a.signed(r.Objectives)
	}
	return costs
}

// signed turns objectives into costs, and costs into objectives.
func (a *Analysis) signed(values []float64) []float64 {
	out := slices.Clone(values)
	for i, o := range a.design.objectives {
		if o.most {
			out[i] = -out[i]
		}
	}
	return out
}

// front finds the front and its hypervolume.
func (a *Analysis) front(rows []Row) {
	if len(rows) == 0 {
		return
	}
	costs := a.costs(rows)
	for _, i := range pareto.Front(costs) {
		a.Front = append(a.Front, rows[i])
	}
	slices.SortStableFunc(a.Front, func(x, y Row) int { return slices.Compare(a.signed(x.Objectives), a.signed(y.Objectives)) })
	best, worst := slices.Clone(costs[0]), slices.Clone(costs[0])
	for _, c := range costs {
		for i, v := range c {
			best[i], worst[i] = min(best[i], v), max(worst[i], v)
		}
	}
	if len(a.design.Config.Reference) > 0 {
		worst = a.signed(a.design.Config.Reference)
	}
	a.Best, a.Reference = a.signed(best), a.signed(worst)
	a.Hypervolume = share(a.costs(a.Front), best, worst)
}

// share returns the hypervolume of costs as a share of the box between best and
// worst, whose sides are so made 1. An objective that does not vary tells nothing
// and is left out.
func share(costs [][]float64, best, worst []float64) float64 {
	scaled := make([][]float64, len(costs))
	var reference []float64
	for k := range best {
		side := worst[k] - best[k]
		if side <= 0 {
			continue
		}
		reference = append(reference, 1)
		for i, c := range costs {
			scaled[i] = append(scaled[i], (c[k]-best[k])/side)
		}
	}
	if len(reference) == 0 {
		return 0
	}
	return pareto.Hypervolume(scaled, reference)
}

// effects compares the values of each axis.
func (a *Analysis) effects(rows []Row) {
	at := slices.IndexFunc(rows, func(r Row) bool { return a.design.Points[r.Point].Varied < 0 })
	if at < 0 {
		return // the centre does not run
	}
	centre := rows[at]
	for axis, name := range a.Axes {
		for o, objective := range a.Objectives {
			e := Effect{Axis: name, Objective: objective, Centre: centre.Objectives[o], Least: math.Inf(1), Most: math.Inf(-1)}
			for _, r := range rows {
				if a.design.Points[r.Point].Varied == axis {
					e.add(r.Objectives[o], r.Values[axis])
				}
			}
			if e.LeastAt != nil {
				a.Effects = append(a.Effects, e)
			}
		}
	}
}

func (e *Effect) add(value float64, at any) {
	if value < e.Least {
		e.Least, e.LeastAt = value, at
	}
	if value > e.Most {
		e.Most, e.MostAt = value, at
	}
}

// indices estimates Sobol indices of the rows of which all points run.
func (a *Analysis) indices(rows []Row) {
	width := sobol.Width(len(a.Axes))
	byPoint := map[int]Row{}
	for _, r := range rows {
		byPoint[r.Point] = r
	}
	for o, objective := range a.Objectives {
		var whole [][]float64
		for first := 0; first+width <= a.Points; first += width {
			var y []float64
			for k := first; k < first+width; k++ {
				if r, ok := byPoint[k]; ok {
					y = append(y, r.Objectives[o])
				}
			}
			if len(y) == width {
				whole = append(whole, y)
			}
		}
		a.Whole = len(whole)
		for i, index := range sobol.Indices(whole, len(a.Axes)) {
			a.Indices = append(a.Indices, Index{a.Axes[i], objective, index.First, index.Total})
		}
	}
}
