package sim

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestClockEdgesNeverAccumulateRounding(t *testing.T) {
	for _, hz := range []uint64{1, 3, 1_410_000_000, 1_593_000_000, 1_755_000_000, 2_619_000_000, 6_400_000_000} {
		c := ClockHz(hz)
		for _, n := range []int64{0, 1, 2, 3, 1000, 999_999_937} {
			// Edge n of hz cycles a second lies at n·10¹²/hz ps.
			want := new(big.Int).Mul(big.NewInt(n), big.NewInt(int64(Second)))
			want.Div(want, new(big.Int).SetUint64(hz))
			if want.IsInt64() {
				require.Equal(t, Time(want.Int64()), c.Edge(n), "%d Hz, edge %d", hz, n)
			}
		}
		if hz > 1 {
			require.Equal(t, 3600*Second, c.Edge(3600*int64(hz)), "an hour has exactly that many cycles")
		}
	}
}

func TestAtInvertsEdge(t *testing.T) {
	r := NewRand(1)
	for range 100_000 {
		c := ClockHz(1 + uint64(r.IntN(10_000_000_000)))
		n := int64(r.IntN(1 << 20))
		at := c.Edge(n)
		require.Equal(t, at, c.Edge(c.At(at)))
		after := c.At(at + 1)
		require.Greater(t, c.Edge(after), at, "the edge at or after a later time is later")
		require.LessOrEqual(t, c.Edge(after-1), at, "and the first such")
	}
}

func TestClockIsKeptInLowestTerms(t *testing.T) {
	require.Equal(t, Clock{2000, 3}, ClockHz(1_500_000_000))
	require.InDelta(t, 666.667, ClockHz(1_500_000_000).Period(), 1e-3)
}

func TestTimePrintsInItsLargestUnit(t *testing.T) {
	for want, at := range map[string]Time{
		"0 ps": 0, "999 ps": 999, "-5 ps": -5, "1 ns": Nanosecond, "-1.5 ns": -1500, "12.35 ns": 12_346,
		"1.5 µs": 1500 * Nanosecond, "2 ms": 2 * Millisecond, "3.25 s": 3250 * Millisecond, "never": Never,
	} {
		require.Equal(t, want, at.String())
	}
}

func TestFromNanosecondsRoundsToNearest(t *testing.T) {
	require.Equal(t, Time(1500), FromNanoseconds(1.5))
	require.Equal(t, Time(313), FromNanoseconds(0.3125)) // tCK of DDR5-6400
	require.Equal(t, Time(-313), FromNanoseconds(-0.3125))
	require.Equal(t, 1.5, Time(1500).Nanoseconds())
	require.Equal(t, 0.002, (2 * Nanosecond).Microseconds())
	require.Equal(t, 2.0, (2 * Second).Seconds())
}
