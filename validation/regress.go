package validation

import (
	"fmt"
	"math"
)

// Regression is a row that a report predicts worse than another did. Errors
// are in percent.
type Regression struct {
	File string
	Row  string
	Was  float64
	Now  float64
}

// String says what changed.
func (r Regression) String() string {
	return fmt.Sprintf("%s: %s: error %+.2f %%, was %+.2f %%", r.File, r.Row, r.Now, r.Was)
}

// Regressions returns the rows of a report, in its order, whose errors are
// greater in size than those of the same rows of an earlier one by more than
// so many points. Rows that only one of them has are passed over.
func Regressions(was, now *Report, points float64) (worse []Regression) {
	type key struct{ file, row, bucket string }
	old := map[key]float64{}
	for _, r := range was.Rows {
		old[key{r.File, r.Row, r.Bucket}] = r.Error
	}
	for _, r := range now.Rows {
		e, ok := old[key{r.File, r.Row, r.Bucket}]
		if ok && math.Abs(r.Error) > math.Abs(e)+points {
			worse = append(worse, Regression{r.File, r.Row, e, r.Error})
		}
	}
	return worse
}
