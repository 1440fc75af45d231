package validation

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLinearRegimesEndWhereArithmeticBegins(t *testing.T) {
	for m, want := range map[int]bucket{1: linearNarrow, 64: linearNarrow, 65: linearMiddle, 512: linearMiddle, 513: linearWide, 4096: linearWide} {
		require.Equal(t, want, linearRegime(m), "m = %d", m)
	}
}
