package kernels

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices/gpu"
)

func TestLongRowsOfScoresAreForManyCTAs(t *testing.T) {
	p := library(t, "hopper_triton").Retrieve
	for _, test := range []struct {
		rows, chunks int
		long         bool
	}{
		{8, 16384, false}, {8, 20000, true}, {64, 4096, false}, {64, 8192, true}, {192, 4096, false}, {192, 5000, true},
	} {
		require.Equal(t, test.long, p.long(test.rows, test.chunks), "%d x %d", test.rows, test.chunks)
	}
	k := p.TopKernels(h200(), Retrieve{Rows: 8, Chunks: 512, Top: 16}, 0, 1)
	require.Len(t, k, 1)
	require.Equal(t, 512, k[0].Threads, "a thread for each chunk of a short row")
	k = p.TopKernels(h200(), Retrieve{Rows: 64, Chunks: 16384, Top: 256}, 0, 1)
	require.Len(t, k, 21)
	require.Equal(t, 704, k[len(k)-1].CTAs, "six elements a thread")
	require.Equal(t, 512, p.TopKernels(h200(), Retrieve{Rows: 64, Chunks: 8192, Top: 256}, 0, 1)[20].CTAs, "four at least")
}

// h200 returns what decides how many CTAs fit an H200.
func h200() *gpu.Config {
	return &gpu.Config{SMs: 132, ClockMHz: 1980, CTAs: 32, Threads: 2048, Registers: 65536, SharedBytes: 233472}
}

func TestAStageOfRetrievalMovesItsDataOnce(t *testing.T) {
	p := library(t, "hopper_triton").Retrieve
	o := Retrieve{Rows: 3, Group: 4, Dim: 128, Chunks: 1000, Tokens: 8, Top: 20}
	const landmarks, scores, index, from, to, keys, values = 1 << 24, 1 << 32, 1 << 33, 1 << 34, 1 << 35, 1 << 36, 1 << 37
	read := func(k *gpu.Kernel, base, bytes uint64) {
		t.Helper()
		n := uint64(0)
		for cta := range k.CTAs {
			runs := k.Program.Prologue(cta, nil)
			for tile := range k.Program.Tiles(cta) {
				runs = k.Program.Tile(cta, tile, runs)
			}
			for _, r := range append(runs, k.Program.Epilogue(cta, nil)...) {
				if r.Addr >= base && r.Addr < 2*base {
					n += r.Total()
				}
			}
		}
		require.Equal(t, bytes, n)
	}
	chunk := uint64(o.Tokens*o.Dim) * 2
	score := p.ScoreKernel(o, 0, landmarks, scores)
	read(score, landmarks, uint64(o.Rows)*1024*256) // whole CTAs
	fetch := p.GatherKernel(o, index, from, to, func(_, n int) int { return n })
	read(fetch, index, uint64(o.Rows*o.Top)*8)
	read(fetch, from, uint64(o.Rows*o.Top)*chunk)
	read(fetch, to, uint64(o.Rows*o.Top)*chunk)
	attend := p.AttendKernel(o, 0, keys, values, 1<<20)
	read(attend, keys, uint64(o.Rows*o.Top)*chunk)
	read(attend, values, uint64(o.Rows*o.Top)*chunk)
}
