package gpu

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices/cache"
)

// A chase round and round lines that the L1 does not hold misses those of
// overfull sets, of which each has one line more than ways.
func TestL1BeyondItsSizeMissesWholeSets(t *testing.T) {
	const lines, pass = 128, 3
	for _, v := range []struct{ over, missed int }{{0, 0}, {1, l1Ways + 1}, {10, 10 * (l1Ways + 1)}, {lines / l1Ways, lines + lines/l1Ways}} {
		c := l1{bytes: lines * cache.LineBytes}
		missed := 0
		for n := range pass {
			missed = 0
			for i := range lines + v.over {
				if !c.touch(uint64(i) * cache.LineBytes) {
					missed++
				}
			}
			if n == 0 {
				require.Equal(t, lines+v.over, missed, "it begins empty")
			}
		}
		require.Equal(t, v.missed, missed, "%d lines more", v.over)
	}
}
