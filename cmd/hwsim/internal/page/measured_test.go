package page

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/validation"
)

// quick.csv is .ci/quick.json's rows, as -update writes them.
func TestMeasuredRowsAreThoseOfTheQuickValidation(t *testing.T) {
	text, err := os.ReadFile("../../../../.ci/quick.json")
	require.NoError(t, err)
	var report validation.Report
	require.NoError(t, json.Unmarshal(text, &report))
	layouts := map[string]string{}
	for _, s := range report.Tables {
		layouts[s.File] = s.Layout
	}
	var want bytes.Buffer
	w := csv.NewWriter(&want)
	w.Write([]string{"layout", "row", "measured_ns", "ours_ns"})
	for _, r := range report.Rows {
		w.Write([]string{layouts[r.File], r.Row, strconv.FormatFloat(r.Measured, 'g', 6, 64), strconv.FormatFloat(r.Ours, 'g', 6, 64)})
	}
	w.Flush()
	golden(t, "quick.csv", want.String())
	require.Equal(t, "h200", report.Config, "whose system quickMachine is")
	require.Len(t, comparisons(), len(report.Rows))
	for _, c := range comparisons() {
		require.Less(t, groupOf(c.layout), len(groups), "%s has no group", c.layout)
	}
}
