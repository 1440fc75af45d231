package operators

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/workloads/kernels"
)

func TestChosenChunksOfARowDifferAndAscend(t *testing.T) {
	r := kernels.Retrieve{Rows: 5, Chunks: 64, Top: 16}
	pick := drawn(r)
	for row := range r.Rows {
		last := -1
		for n := range r.Top {
			c := pick(row, n)
			require.Greater(t, c, last)
			require.Less(t, c, r.Chunks)
			last = c
		}
	}
}
