// Package touch helps tests to see which memory a kernel reads and writes.
package touch

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices/gpu"
)

// Walk passes every run of a kernel's CTAs to f.
func Walk(k *gpu.Kernel, f func(r gpu.Run, write bool)) {
	for cta := range k.CTAs {
		runs := k.Program.Prologue(cta, nil)
		for tile := range k.Program.Tiles(cta) {
			runs = k.Program.Tile(cta, tile, runs)
		}
		for _, r := range runs {
			f(r, r.Store)
		}
		for _, r := range k.Program.Epilogue(cta, nil) {
			f(r, true)
		}
	}
}

// Cover counts how often each byte is touched.
type Cover map[uint64]int

// Add counts the run's bytes, unit bytes at a time.
func (c Cover) Add(r gpu.Run, unit uint64) {
	for row := range uint64(r.Rows) {
		for at := uint64(0); at < uint64(r.Bytes); at += unit {
			c[r.Addr+row*r.Pitch+at]++
		}
	}
}

// Exactly requires that each unit of rows of so many bytes, at a pitch, was
// touched n times and nothing else was.
func (c Cover) Exactly(t *testing.T, addr, pitch uint64, rows int, width, unit uint64, n int) {
	t.Helper()
	seen := 0
	for row := range uint64(rows) {
		for at := uint64(0); at < width; at += unit {
			require.Equal(t, n, c[addr+row*pitch+at], "row %d byte %d", row, at)
			seen++
		}
	}
	require.Len(t, c, seen, "bytes outside the matrix")
}
