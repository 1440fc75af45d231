package page

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strconv"
	"strings"

	"hwsim/cmd/hwsim/internal/report"
	"hwsim/cmd/hwsim/internal/sweep"
	"hwsim/cmd/hwsim/internal/units"
)

//go:embed sweep.js
var sweepScript string

//go:embed sweep.html
var sweepBody template.HTML

// mostPoints is how many points a page has: those of the front, and of the others every
// so-many-th.
const mostPoints = 20_000

// Sweep writes the page of a sweep. command runs a point, but for the point's number.
func Sweep(w io.Writer, a *sweep.Analysis, command string) error {
	blocks := report.SweepBlocks(a)
	p := newPage(a.Name+" - hwsim", blocks)
	if len(a.Rows) > 0 && len(a.Objectives) > 0 {
		data := pack(a, command)
		text := "Every dot is a point, the larger ones best: none beats them in every objective. Choose a dot, with a pointer or with the buttons, to see its configuration."
		if len(data.Points) < len(a.Rows) {
			text += fmt.Sprintf(" Of %d points the %d best and %d others, evenly taken, are here.", len(a.Rows), len(data.Front), len(data.Points)-len(data.Front))
		}
		p.add(&Section{ID: "points", Title: "Points", Text: text, Blocks: []Block{HTML{sweepBody}}})
		p.Script, p.Data = sweepScript, data
	}
	p.add(figures(blocks))
	return p.Write(w)
}

// figures is what the text report says between its head and foot, nil if nothing.
func figures(blocks []report.Block) *Section {
	if between := rest(blocks); between != nil {
		return &Section{ID: "figures", Title: "Figures", Blocks: between}
	}
	return nil
}

// packed is what the script of a sweep's page reads.
type packed struct {
	Command    string      `json:"command"`
	Points     []int       `json:"points"` // their numbers
	Front      []int       `json:"front"`  // indices of points, best in the first objective first
	Axes       []column    `json:"axes"`
	Objectives []objective `json:"objectives"`
}

// column is an axis: its distinct values in order, and which one each point has.
type column struct {
	Name   string   `json:"name"`
	Values []string `json:"values"`
	At     []int    `json:"at"`
}

// objective is figures to six digits.
type objective struct {
	Name string       `json:"name"`
	At   []shortFloat `json:"at"`
}

// shortFloat is written with six digits.
type shortFloat float64

// MarshalJSON implements json.Marshaler.
func (f shortFloat) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(f), 'g', 6, 64), nil
}

// pack turns the rows into columns.
func pack(a *sweep.Analysis, command string) *packed {
	front := map[int]bool{}
	for _, r := range a.Front {
		front[r.Point] = true
	}
	rows := thinned(a.Rows, front)
	d := &packed{Command: command, Front: []int{}}
	index := map[int]int{}
	for i, r := range rows {
		d.Points = append(d.Points, r.Point)
		index[r.Point] = i
	}
	for _, r := range a.Front {
		d.Front = append(d.Front, index[r.Point])
	}
	for i, name := range a.Axes {
		d.Axes = append(d.Axes, columnOf(name, rows, i))
	}
	for i, name := range a.Objectives {
		o := objective{Name: name}
		for _, r := range rows {
			o.At = append(o.At, shortFloat(r.Objectives[i]))
		}
		d.Objectives = append(d.Objectives, o)
	}
	return d
}

// thinned returns at most mostPoints rows, all of the front among them if these are not
// more.
func thinned(rows []sweep.Row, front map[int]bool) (some []sweep.Row) {
	others := len(rows) - len(front)
	room := max(0, mostPoints-len(front))
	seen, taken := 0, 0
	for _, r := range rows {
		if front[r.Point] {
			some = append(some, r)
			continue
		}
		seen++
		if want := seen * min(room, others) / max(1, others); want > taken {
			taken = want
			some = append(some, r)
		}
	}
	return some
}

// columnOf gathers an axis's values: numbers in their order, others as they come.
func columnOf(name string, rows []sweep.Row, axis int) column {
	c := column{Name: name}
	var values []any
	at := map[string]int{}
	for _, r := range rows {
		if v := r.Values[axis]; at[units.Value(v)] == 0 {
			values = append(values, v)
			at[units.Value(v)] = len(values)
		}
	}
	slices.SortStableFunc(values, compareValues)
	for i, v := range values {
		c.Values = append(c.Values, units.Value(v))
		at[units.Value(v)] = i
	}
	for _, r := range rows {
		c.At = append(c.At, at[units.Value(r.Values[axis])])
	}
	return c
}

// compareValues puts what is not set first, then numbers, then texts.
func compareValues(a, b any) int {
	x, xKind := sorted(a)
	y, yKind := sorted(b)
	return cmp.Or(cmp.Compare(xKind, yKind), cmp.Compare(x, y), strings.Compare(units.Value(a), units.Value(b)))
}

// sorted returns a value's number and its kind: nothing, a number or something else.
func sorted(v any) (number float64, kind int) {
	switch v := v.(type) {
	case nil:
		return 0, 0
	case float64:
		return v, 1
	case int64:
		return float64(v), 1
	}
	return 0, 2
}
