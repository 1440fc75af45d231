package calibrate

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"math"
	"strconv"
	"strings"

	"hwsim/hierarchy"
	"hwsim/validation"
)

// Parameter is one value of a system, as the tables have it.
type Parameter struct {
	Key     string
	Was     float64 // in the base
	Value   float64
	From    string // the rows
	Problem string // why there is no value; "": there is one
}

// Result is a calibrated system.
type Result struct {
	Base       string // configuration or system
	Prefix     string // of keys in Base
	Parameters []Parameter
}

// calibration is the procedure under way.
type calibration struct {
	ctx    context.Context
	base   string
	data   fs.FS
	rows   []row
	system *hierarchy.Config // with the values so far
	sets   []string          // the same values
}

// Run reads the parameters of a system off the tables in data, beginning with
// those of a base. An error with a method UserError is of the base or the
// tables.
func Run(ctx context.Context, base string, data fs.FS) (*Result, error) {
	system, prefix, err := validation.System(base)
	if err != nil {
		return nil, err
	}
	rows, err := validation.Measurements(data)
	if err != nil {
		return nil, err
	}
	c := &calibration{ctx: ctx, base: base, data: data, rows: rows, system: system}
	r := &Result{Base: base, Prefix: prefix}
	for i := range readings {
		p, err := c.read(&readings[i])
		if err != nil {
			return nil, err
		}
		r.Parameters = append(r.Parameters, p)
	}
	return r, nil
}

// read follows one reading and takes its value over.
func (c *calibration) read(x *reading) (Parameter, error) {
	p := Parameter{Key: x.key}
	field := x.field(c.system)
	if field == nil {
		p.Problem = "the base has no such part"
		return p, nil
	}
	p.Was = *field
	rows := x.rows(c.system, c.rows)
	if len(rows) == 0 {
		p.Problem = "no rows: " + x.from
		return p, nil
	}
	p.From = x.from + ": " + places(rows)
	if x.simulated {
		var err error
		if rows, err = c.predict(rows); err != nil {
			p.Problem = err.Error()
			return p, c.ctx.Err()
		}
	}
	p.Value = rounded(x.value(c.system, p.Was, rows))
	if !(p.Value >= 0) || math.IsInf(p.Value, 0) {
		p.Problem = fmt.Sprintf("%s: they give %g", p.From, p.Value)
		return p, nil
	}
	*field = p.Value
	c.sets = append(c.sets, p.set())
	return p, nil
}

// predict simulates rows with the values so far.
func (c *calibration) predict(rows []row) ([]row, error) {
	wanted := map[string]bool{}
	for i := range rows {
		wanted[id(&rows[i])] = true
	}
	r, err := validation.Run(c.ctx, validation.Options{Config: c.base, Sets: c.sets, Data: c.data, Rows: func(r row) bool { return wanted[id(&r)] }})
	switch {
	case err != nil:
		return nil, err
	case len(r.Rows) < len(rows) && len(r.NotSimulated) > 0:
		return nil, fmt.Errorf("%s:%d: %s", rows[0].File, rows[0].Line, r.NotSimulated[0].Reason)
	case len(r.Rows) < len(rows):
		return nil, fmt.Errorf("%s:%d: not simulated", rows[0].File, rows[0].Line)
	}
	return inOrder(r.Rows, rows), nil
}

// inOrder returns predicted rows in the order of the measured ones.
func inOrder(predicted, measured []row) []row {
	at := map[string]row{}
	for _, r := range predicted {
		at[id(&r)] = r
	}
	ordered := make([]row, len(measured))
	for i := range measured {
		ordered[i] = at[id(&measured[i])]
	}
	return ordered
}

// id tells rows apart.
func id(r *row) string { return fmt.Sprintf("%s:%d %s", r.File, r.Line, r.Bucket) }

// places says where rows are, a table's lines after its name.
func places(rows []row) string {
	var b strings.Builder
	for i, r := range rows {
		switch {
		case i == 0 || rows[i-1].File != r.File:
			fmt.Fprintf(&b, " %s:%d", r.File, r.Line)
		default:
			fmt.Fprintf(&b, ",%d", r.Line)
		}
	}
	return b.String()[1:]
}

// digits of a parameter that mean something.
const digits = 4

func rounded(v float64) float64 {
	v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', digits, 64), 64)
	return v
}

// set is the parameter as a value of the system.
func (p *Parameter) set() string { return p.Key + "=" + text(p.Value) }

// text writes a value as TOML has it.
func text(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// Write writes the result as a TOML file over its base, with the origin of
// each value.
func (r *Result) Write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "base = [%q]\n", r.Base)
	for _, p := range r.Parameters {
		if p.Problem != "" {
			fmt.Fprintf(&b, "# %s%s: %s\n", r.Prefix, p.Key, strings.Join(strings.Fields(p.Problem), " "))
			continue
		}
		fmt.Fprintf(&b, "%s%s = %s # was %s; %s\n", r.Prefix, p.Key, text(p.Value), text(rounded(p.Was)), p.From)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
