package kernels

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices/gpu"
	"hwsim/workloads/internal/touch"
)

func TestStretchGoesOnInTheNextRegionAndBeginsAgain(t *testing.T) {
	s := Stretch{{Addr: 1000, Bytes: 100}, {Addr: 5000, Bytes: 50}}
	for _, test := range []struct {
		from, bytes uint64
		want        []gpu.Run
	}{
		{0, 100, []gpu.Run{{Addr: 1000, Rows: 1, Bytes: 100}}},
		{90, 20, []gpu.Run{{Addr: 1090, Rows: 1, Bytes: 10}, {Addr: 5000, Rows: 1, Bytes: 10}}},
		{140, 20, []gpu.Run{{Addr: 5040, Rows: 1, Bytes: 10}, {Addr: 1000, Rows: 1, Bytes: 10}}},
		{300, 10, []gpu.Run{{Addr: 1000, Rows: 1, Bytes: 10}}},
		{7, 0, nil},
	} {
		require.Equal(t, test.want, s.Runs(test.from, test.bytes, nil))
	}
	require.Empty(t, Stretch(nil).Runs(3, 10, nil))
	require.Equal(t, Stretch{{Addr: 1000, Bytes: 100}, {Addr: 5000, Bytes: 20}}, s.Upto(120))
	require.Equal(t, s, s.Upto(1000))
}

// A sweep moves each byte as often as it is told, within its stretches.
func TestSweepMovesWhatItIsTold(t *testing.T) {
	p := library(t, "hopper_triton")
	from, to := Stretch{{Addr: 1 << 20, Bytes: 100_000}, {Addr: 1 << 24, Bytes: 20_000}}, Stretch{{Addr: 1 << 30, Bytes: 90_000}}
	for _, test := range []struct{ read, written uint64 }{{120_000, 0}, {120_000, 90_000}, {500, 90_000}, {240_000, 1}, {0, 70_000}} {
		var read, written uint64
		touch.Walk(p.Sweep(from, test.read, to, test.written), func(r gpu.Run, write bool) {
			if write {
				written += r.Total()
				require.GreaterOrEqual(t, r.Addr, to[0].Addr)
				require.LessOrEqual(t, r.Addr+uint64(r.Bytes), to[0].Addr+to[0].Bytes)
			} else {
				read += r.Total()
			}
		})
		require.Equal(t, test.read, read)
		require.Equal(t, test.written, written)
	}
}
