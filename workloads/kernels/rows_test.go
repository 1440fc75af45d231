package kernels

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices/gpu"
)

func TestNormsReadWeightsAfterTheirRow(t *testing.T) {
	const width, in, weights, out = 4096, 1 << 32, 2 << 32, 3 << 32
	k := library(t, "hopper_triton").Norm.Norm(8, width, in, weights, out)
	require.Equal(t, 8, k.CTAs)
	row := func(addr uint64) []gpu.Run { return []gpu.Run{{Addr: addr, Rows: 1, Bytes: width * 2}} }
	require.Equal(t, row(in+5*width*2), k.Program.Prologue(5, nil))
	require.Equal(t, 1, k.Program.Tiles(5))
	require.Equal(t, row(weights), k.Program.Tile(5, 0, nil))
	require.Equal(t, row(out+5*width*2), k.Program.Epilogue(5, nil))
}

func TestNormsTakePowersOfTwo(t *testing.T) {
	p := &library(t, "hopper_triton").Norm
	chain := func(width int) float64 { return p.Norm(1, width, 0, 0, 0).TileChain.Nanoseconds() }
	for width, places := range map[int]int{4096: 4096, 4097: 8192, 5120: 8192, 8192: 8192} {
		require.InDelta(t, p.ElementNs*float64(places)/float64(p.Threads), chain(width), 1e-3, "%d", width)
	}
}
