package program

import (
	"encoding/csv"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// reference returns the rows of a table of ../shared/reference/tlb as numbers by
// column, keyed by what key makes of a row's cells; these do not ship with the
// project.
func reference(t *testing.T, file string, key func(cells []string) string) map[string]map[string]float64 {
	t.Helper()
	f, err := os.Open("../../../shared/reference/tlb/" + file)
	if err != nil {
		t.Skip("no reference data")
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comment = '#'
	all, err := r.ReadAll()
	require.NoError(t, err)
	rows := map[string]map[string]float64{}
	for _, cells := range all[1:] {
		row := map[string]float64{}
		for i, v := range cells {
			if x, err := strconv.ParseFloat(v, 64); err == nil {
				row[all[0][i]] = x
			}
		}
		rows[key(cells)] = row
	}
	return rows
}
