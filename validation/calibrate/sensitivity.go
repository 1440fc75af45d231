package calibrate

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"math"
	"text/tabwriter"

	"hwsim/validation"
)

// Effect is what a regime's mean error becomes when a parameter is off.
type Effect struct {
	Key          string
	File, Bucket string
	MAPE, Off    float64 // in percent, with the parameter right and off
}

const (
	off       = 0.1 // of a parameter
	mentioned = 0.2 // percentage points from which an effect is listed
)

// Sensitivity tells what each parameter of a result costs when it is 10 %
// too high: the change of the errors of the quick sample's microbenchmarks.
func Sensitivity(ctx context.Context, r *Result, data fs.FS) (effects []Effect, err error) {
	right, err := errorsWith(ctx, r, data)
	if err != nil {
		return nil, err
	}
	for _, p := range r.Parameters {
		if p.Problem != "" {
			continue
		}
		p.Value *= 1 + off
		scores, err := errorsWith(ctx, r, data, p.set())
		if err != nil {
			return nil, err
		}
		effects = append(effects, changes(p.Key, right, scores)...)
	}
	return effects, nil
}

// errorsWith returns the scores of the result's system with some values set.
func errorsWith(ctx context.Context, r *Result, data fs.FS, sets ...string) ([]validation.Score, error) {
	found, err := validation.Run(ctx, validation.Options{Config: r.Base, Sets: append(r.sets(), sets...), Data: data, Quick: true, Rows: micro})
	if err != nil {
		return nil, err
	}
	return found.Tables, ctx.Err()
}

// micro tells microbenchmarks from rows of models.
func micro(r row) bool {
	_, model := r.Keys["model"]
	return !model
}

// sets are the result's values.
func (r *Result) sets() (sets []string) {
	for _, p := range r.Parameters {
		if p.Problem == "" {
			sets = append(sets, p.set())
		}
	}
	return sets
}

// changes returns the regimes whose error has changed. Both runs have the same.
func changes(key string, right, off []validation.Score) (effects []Effect) {
	for i, s := range off {
		if s.Bound != nil && i < len(right) && math.Abs(s.MAPE-right[i].MAPE) >= mentioned {
			effects = append(effects, Effect{key, s.File, s.Bucket, right[i].MAPE, s.MAPE})
		}
	}
	return effects
}

// WriteEffects writes the effects as a table.
func WriteEffects(w io.Writer, effects []Effect) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "# parameter + %g %%\ttable\tregime\tMAPE\tbecomes\n", 100*off)
	for _, e := range effects {
		fmt.Fprintf(t, "# %s\t%s\t%s\t%.2f\t%.2f\n", e.Key, e.File, e.Bucket, e.MAPE, e.Off)
	}
	return t.Flush()
}
