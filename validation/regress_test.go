package validation

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A row is worse when its error has grown in size, whichever its sign, or when
// nothing predicts it any more.
func TestRegressionsAreOfTheErrorsSizes(t *testing.T) {
	report := func(errors ...float64) *Report {
		r := &Report{}
		for i, e := range errors {
			r.Rows = append(r.Rows, Row{File: "t.csv", Row: string(rune('a' + i)), Bucket: "x", Error: e})
		}
		return r
	}
	texts := func(was, now *Report, points float64) (all []string) {
		for _, r := range Regressions(was, now, points) {
			all = append(all, r.String())
		}
		return all
	}
	was := report(1, -1, 4, -4, 2)
	require.Empty(t, texts(was, was, 0))
	require.Empty(t, texts(was, report(2, 2, -4, 0, 2), 1), "by a point at most")
	require.Empty(t, texts(was, report(1, -1, 4, -4, 2, 50), 0), "a new row has nothing to be worse than")
	require.Equal(t, []string{"t.csv: a: error -2.50 %, was +1.00 %", "t.csv: d: error +6.00 %, was -4.00 %", "t.csv: e: no prediction, was +2.00 % off"},
		texts(was, report(-2.5, 0, 4, 6), 1))
	other := report(1)
	other.Rows[0].Bucket = "y"
	require.Equal(t, []string{"t.csv: a: no prediction, was +1.00 % off"}, texts(report(1), other, 1), "another regime's row of that name")
}
