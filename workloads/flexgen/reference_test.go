package flexgen

import (
	"encoding/csv"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// row is a row of a table, by column.
type row map[string]string

// rows returns the rows of a table of ../shared/reference/ssd, which does not
// ship with the project.
func rows(t *testing.T, file string) []row {
	t.Helper()
	f, err := os.Open("../../../shared/reference/ssd/" + file)
	if err != nil {
		t.Skip("no reference data")
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	var out []row
	for _, cells := range all[1:] {
		r := row{}
		for i, v := range cells {
			r[all[0][i]] = v
		}
		out = append(out, r)
	}
	return out
}

func (r row) number(t *testing.T, column string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(r[column], 64)
	require.NoError(t, err, column)
	return v
}

func (r row) shape(t *testing.T) Shape {
	t.Helper()
	s, err := ShapeOf(strings.ToLower(r["model"]))
	require.NoError(t, err)
	return s
}

func (r row) job(t *testing.T) Job {
	return Job{Prompt: int(r.number(t, "prompt_len")), Output: int(r.number(t, "gen_len"))}
}

func policy(t *testing.T, s string) Policy {
	t.Helper()
	p, err := ParsePolicy(s)
	require.NoError(t, err)
	return p
}
