package published

import (
	"fmt"
	"io"
	"math"
	"text/tabwriter"
)

// Row is one figure, as it was published and as it is here.
type Row struct {
	ID        string // V8 and so on
	What      string // with its unit
	Published float64
	Ours      float64
	Tolerance float64 // share of the published figure; 0: shown, not judged
	AtLeast   bool    // the published figure is a bound that ours may exceed
	Source    string
	Missing   string // what a row that falls short lacks
}

// Difference returns by what share ours is above the published figure.
func (r *Row) Difference() float64 { return r.Ours/r.Published - 1 }

// Judged tells whether the row has a tolerance.
func (r *Row) Judged() bool { return r.Tolerance > 0 }

// Pass tells whether ours is within the tolerance.
func (r *Row) Pass() bool {
	d := r.Difference()
	if r.AtLeast {
		return d >= -r.Tolerance
	}
	return math.Abs(d) <= r.Tolerance
}

// verdict says what Table prints of it.
func (r *Row) verdict() string {
	switch {
	case !r.Judged():
		return "shown"
	case r.Pass():
		return "ok"
	}
	return "short"
}

// Short returns the rows that are judged and do not pass.
func Short(rows []Row) (short []Row) {
	for i := range rows {
		if r := &rows[i]; r.Judged() && !r.Pass() {
			short = append(short, *r)
		}
	}
	return short
}

// Table writes the rows, with how many fall short and of what they lack.
func Table(w io.Writer, rows []Row) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "target\tfigure\tpublished\tours\tdifference\ttolerance\t\tsource")
	judged := 0
	for i := range rows {
		r := &rows[i]
		if r.Judged() {
			judged++
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%.5g\t%+.2f %%\t%s\t%s\t%s\n", r.ID, r.What, r.printed(), r.Ours, 100*r.Difference(), r.tolerance(), r.verdict(), r.Source)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("published figures: %w", err)
	}
	return notes(w, rows, judged)
}

func (r *Row) printed() string {
	if r.AtLeast {
		return fmt.Sprintf("> %.5g", r.Published)
	}
	return fmt.Sprintf("%.5g", r.Published)
}

func (r *Row) tolerance() string {
	if !r.Judged() {
		return "-"
	}
	return fmt.Sprintf("%.3g %%", 100*r.Tolerance)
}

// notes writes how many rows fall short, and what rows lack.
func notes(w io.Writer, rows []Row, judged int) error {
	short := len(Short(rows))
	if _, err := fmt.Fprintf(w, "%d of %d within their tolerance\n", judged-short, judged); err != nil {
		return fmt.Errorf("published figures: %w", err)
	}
	for i := range rows {
		if r := &rows[i]; r.Missing != "" {
			if _, err := fmt.Fprintf(w, "%s, %s: %s\n", r.ID, r.What, r.Missing); err != nil {
				return fmt.Errorf("published figures: %w", err)
			}
		}
	}
	return nil
}
