package kernels

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices/gpu"
	"hwsim/models"
)

// latentTokens is a compressed cache that only remembers which tokens it was
// asked for.
type latentTokens struct{}

func (latentTokens) Rows(seq, from, to int, runs []gpu.Run) []gpu.Run {
	return append(runs, gpu.Run{Addr: uint64(seq)<<32 + uint64(from), Rows: 1, Bytes: uint32(to - from)})
}

// latentHeads is the shape of DeepSeek-V3's attention of so many heads.
func latentHeads(n int) models.Attention {
	return models.Attention{QHeads: n, KVHeads: 1, QKDim: 576, VDim: 512}
}

// latentOf returns a preset's attention over a compressed cache.
func latentOf(t *testing.T, name string) *LatentProfile {
	t.Helper()
	p := library(t, name).Latent
	require.NotNil(t, p)
	return p
}

func TestMLAReadsEveryTokenOncePerBlockOfHeads(t *testing.T) {
	c := &gpu.Config{SMs: 108}
	for _, test := range []struct {
		library       string
		heads, blocks int
	}{{"triton_mla", 1, 1}, {"triton_mla", 8, 1}, {"triton_mla", 128, 8}, {"flash_mla", 16, 1}, {"flash_mla", 128, 2}} {
		lengths := []int{1, 33, 4096, 7, 1000}
		a := latentHeads(test.heads)
		k, l := latentOf(t, test.library).Build(c, a, lengths, latentTokens{}, At(0, uint64(a.QHeads*a.QKDim)*2), At(1<<40, uint64(a.QHeads*a.VDim)*2), 1<<41)
		read := make([]map[int]int, len(lengths))
		for i := range read {
			read[i] = map[int]int{}
		}
		for cta := range k.CTAs {
			for tile := range k.Program.Tiles(cta) {
				for _, r := range k.Program.Tile(cta, tile, nil) {
					for n := range int(r.Bytes) {
						read[r.Addr>>32][int(uint32(r.Addr))+n]++
					}
				}
			}
		}
		for seq, n := range lengths {
			require.Len(t, read[seq], n, test.library)
			for token, times := range read[seq] {
				require.Equal(t, test.blocks, times, "%s: sequence %d, token %d", test.library, seq, token)
			}
		}
		require.Equal(t, test.blocks, l.blocks())
	}
}

// What is joined is what was stored: each part's rows, once.
func TestMLAJoinsThePartsThatWereStored(t *testing.T) {
	c := &gpu.Config{SMs: 108}
	for _, library := range []string{"triton_mla", "flash_mla"} {
		p, a := latentOf(t, library), latentHeads(32)
		k, l := p.Build(c, a, []int{1, 3, 7, 5000}, latentTokens{}, At(0, 1), At(1<<40, uint64(a.QHeads*a.VDim)*2), 1<<41)
		stored := map[uint64]bool{}
		for cta := range k.CTAs {
			for _, r := range k.Program.Epilogue(cta, nil) {
				for row := range uint64(r.Rows) {
					if at := r.Addr + row*r.Pitch; at >= 1<<41 {
						require.False(t, stored[at], library)
						require.Less(t, at, uint64(1<<41)+p.JoinedBytes(c, a, 4), library)
						stored[at] = true
					}
				}
			}
		}
		join := p.Join(l)
		joined := 0
		for cta := range join.CTAs {
			for tile := range join.Program.Tiles(cta) {
				require.True(t, stored[join.Program.Tile(cta, tile, nil)[0].Addr], library)
				joined++
			}
		}
		require.Len(t, stored, joined, library)
	}
}

func TestMLAHasAKernelForOneHeadAndOneForFew(t *testing.T) {
	p := latentOf(t, "triton_mla")
	for heads, want := range map[int]*LatentLoop{1: &p.One, 2: &p.Few, 15: &p.Few, 16: &p.Attend, 128: &p.Attend} {
		require.Same(t, want, p.loop(heads), heads)
	}
	p = latentOf(t, "flash_mla")
	require.Same(t, &p.Attend, p.loop(1))
}

// The host bounds calls that take the GPU less time; longer ones hide all but
// its lead of the first.
func TestTheHostBoundsShortCalls(t *testing.T) {
	p := &LatentProfile{HostNs: 100, LeadNs: 60}
	for _, test := range []struct{ call, want float64 }{
		{10, 100}, {40, 100}, {100, 110}, {200, 210},
	} {
		require.InDelta(t, test.want, p.Submitted(6, test.call), 1e-9, "%v ns", test.call)
	}
}
