//go:build slow

package validation

import (
	"context"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// The bounds of the first step, in percent: MAPE of whole steps, and of each
// class of kernels over the steps that were profiled.
const (
	stepBound  = 6
	classBound = 25
)

func TestDecodeStepsOnTheH200(t *testing.T) {
	data := fstest.MapFS{}
	for _, file := range []string{"decode_step.csv", "decode_kernels.csv"} {
		text, err := embedded.ReadFile("h200/" + file)
		require.NoError(t, err)
		data[file] = &fstest.MapFile{Data: text}
	}
	r, err := Run(context.Background(), Options{Config: "h200", Data: data})
	require.NoError(t, err)
	for _, row := range r.Rows {
		t.Logf("%s: measured %.1f µs, ours %.1f µs, %+.1f %%", row.Row, row.Measured/1e3, row.Ours/1e3, row.Error)
	}
	for _, s := range r.Tables {
		t.Logf("%-20s n %2d, MAPE %5.2f %%, bias %+5.2f %%", s.Bucket, s.N, s.MAPE, s.Bias)
		bound := float64(classBound)
		if s.File == "decode_step.csv" {
			require.Equal(t, 21, s.N)
			t.Logf("best fit %.2f %%, repeat %.2f %%", *s.BaselineMAPE, *s.RepeatMAPE)
			bound = stepBound
		}
		require.LessOrEqual(t, s.MAPE, bound, s.Bucket)
	}
}
