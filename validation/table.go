package validation

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"hwsim/configs"
)

// inputError is a mistake in what the user gave.
type inputError struct{ error }

func (inputError) UserError() bool { return true }

func (e inputError) Unwrap() error { return e.error }

func inputErrorf(format string, args ...any) error { return inputError{fmt.Errorf(format, args...)} }

// table is one CSV file, and what its rows are compared with.
type table struct {
	file   string
	header []string
	layout *layout // nil: not recognised, and rows are not read
	rows   []row

	comparisons []*comparison
	omissions   []Omission
	problems    []error
}

// row is one line of a table, with the number of that line.
type row struct {
	t     *table
	line  int
	cells []string
}

// readTable reads a CSV file and recognises it by its columns.
func readTable(file string, r io.Reader) (*table, error) {
	t := &table{file: file, header: []string{}}
	c := csv.NewReader(r)
	header, err := c.Read()
	if errors.Is(err, io.EOF) {
		return t, nil
	}
	if err != nil {
		return nil, t.syntaxError(err)
	}
	for i, name := range header {
		name = strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))
		if slices.Contains(t.header, name) {
			return nil, inputErrorf("%s:1: column %d: %q a second time", file, i+1, name)
		}
		t.header = append(t.header, name)
	}
	if t.layout = recognise(t.header); t.layout == nil {
		return t, nil
	}
	for {
		cells, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, t.syntaxError(err)
		}
		line, _ := c.FieldPos(0)
		t.rows = append(t.rows, row{t, line, cells})
	}
	return t, t.compile()
}

// syntaxError says where a file is no CSV.
func (t *table) syntaxError(err error) error {
	if parse, ok := errors.AsType[*csv.ParseError](err); ok {
		return inputErrorf("%s:%d: %w", t.file, parse.Line, parse.Err)
	}
	return inputErrorf("%s: %w", t.file, err)
}

// compile turns the rows into comparisons, as the layout says.
func (t *table) compile() error {
	if t.layout.compile != nil {
		t.layout.compile(t)
	}
	return errors.Join(t.problems...)
}

// maxProblems is how many bad cells of one table are reported.
const maxProblems = 10

// bad reports a cell. Its readers return what is allowed then, so that the
// rest of the row can be read.
func (r row) bad(column, message string) {
	if len(r.t.problems) < maxProblems {
		r.t.problems = append(r.t.problems, inputErrorf("%s:%d: %s: %s", r.t.file, r.line, column, message))
	}
}

// text returns a cell, "" if the table has no such column.
func (r row) text(column string) string {
	i := slices.Index(r.t.header, column)
	if i < 0 {
		return ""
	}
	return strings.TrimSpace(r.cells[i])
}

// word returns a cell that must be one of a few.
func (r row) word(column string, allowed ...string) string {
	s := r.text(column)
	configs.OneOf(func(_, message string) { r.bad(column, message) }, column, s, allowed...)
	if !slices.Contains(allowed, s) {
		return allowed[0]
	}
	return s
}

// whole returns a cell that must be a whole number from lo to hi.
func (r row) whole(column string, lo, hi uint64) uint64 {
	s := r.text(column)
	v, err := strconv.ParseUint(s, 10, 64)
	if err != nil || v < lo || v > hi {
		r.bad(column, fmt.Sprintf("%q: want a whole number from %d to %d", s, lo, hi))
		return lo
	}
	return v
}

// positive returns a cell that must be a number above 0.
func (r row) positive(column string) float64 { return r.number(column, false) }

// share returns a cell that must be from 0 to 1.
func (r row) share(column string) float64 {
	v := r.number(column, true)
	if v > 1 {
		r.bad(column, fmt.Sprintf("%q: want a number from 0 to 1", r.text(column)))
	}
	return v
}

// maxNumber is above everything that is measured, in any unit, and far enough
// from overflow.
const maxNumber = 1e18

func (r row) number(column string, zero bool) float64 {
	s := r.text(column)
	v, err := strconv.ParseFloat(s, 64)
	switch {
	case err == nil && v == 0 && zero:
		return 0
	case err != nil || !(v >= 1/maxNumber && v <= maxNumber):
		r.bad(column, fmt.Sprintf("%q: want a number above 0", s))
		return 1
	}
	return v
}

// repeated returns a column of a repeated measurement, 0 where there is none.
func (r row) repeated(column string) float64 {
	if r.text(column) == "" {
		return 0
	}
	return r.positive(column)
}

// keys returns the cells of the columns that say what was measured.
func (r row) keys() map[string]string {
	cells := map[string]string{}
	for _, column := range r.t.layout.keys {
		cells[column] = r.text(column)
	}
	return cells
}

// name says which row it is, by the columns that say what was measured.
func (r row) name() string {
	var cells []string
	for _, column := range r.t.layout.keys {
		cells = append(cells, r.text(column))
	}
	return strings.Join(cells, " ")
}
