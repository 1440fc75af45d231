package validation

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A row is worse when its error has grown in size, whichever its sign.
func TestRegressionsAreOfTheErrorsSizes(t *testing.T) {
	report := func(errors ...float64) *Report {
		r := &Report{}
		for i, e := range errors {
			r.Rows = append(r.Rows, Row{File: "t.csv", Row: string(rune('a' + i)), Bucket: "x", Error: e})
		}
		return r
	}
	was := report(1, -1, 4, -4, 2)
	require.Empty(t, Regressions(was, was, 0))
	require.Empty(t, Regressions(was, report(2, 2, -4, 0, 2), 1), "by a point at most")
	require.Equal(t, []Regression{{"t.csv", "a", 1, -2.5}, {"t.csv", "d", -4, 6}}, Regressions(was, report(-2.5, 0, 4, 6, 2, 50), 1), "a new row has nothing to be worse than")
	other := report(9)
	other.Rows[0].Bucket = "y"
	require.Empty(t, Regressions(was, other, 1), "another regime's row of that name")
	require.Equal(t, "t.csv: a: error -2.50 %, was +1.00 %", Regression{"t.csv", "a", 1, -2.5}.String())
}
