package validation

import (
	"fmt"
	"math"
)

// Regression is a row that a report predicts worse than an earlier one did, or
// not at all. Errors are in percent.
type Regression struct {
	File string
	Row  string
	Was  float64
	Now  *float64 // nil: no prediction
}

// String says what changed.
func (r Regression) String() string {
	if r.Now == nil {
		return fmt.Sprintf("%s: %s: no prediction, was %+.2f %% off", r.File, r.Row, r.Was)
	}
	return fmt.Sprintf("%s: %s: error %+.2f %%, was %+.2f %%", r.File, r.Row, *r.Now, r.Was)
}

// Regressions returns the rows of an earlier report, in its order, that another
// of the same kind of run has no prediction for, or one whose error is greater in
// size by more than so many points.
func Regressions(was, now *Report, points float64) (worse []Regression) {
	type key struct{ file, row, bucket string }
	found := map[key]float64{}
	for _, r := range now.Rows {
		found[key{r.File, r.Row, r.Bucket}] = r.Error
	}
	for _, r := range was.Rows {
		e, ok := found[key{r.File, r.Row, r.Bucket}]
		switch {
		case !ok:
			worse = append(worse, Regression{r.File, r.Row, r.Error, nil})
		case math.Abs(e) > math.Abs(r.Error)+points:
			worse = append(worse, Regression{r.File, r.Row, r.Error, &e})
		}
	}
	return worse
}
