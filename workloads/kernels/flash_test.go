package kernels

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices/gpu"
)

// rowCache is a KV cache that says which token was read: one byte a token.
type rowCache struct{}

func (rowCache) Read(kind, seq, head, from, to int, runs []gpu.Run) []gpu.Run {
	addr := uint64(kind)<<40 | uint64(seq)<<32 | uint64(head)<<24
	return append(runs, gpu.Run{Addr: addr + uint64(from), Rows: 1, Bytes: uint32(to - from)})
}

// alike returns a batch of equal sequences.
func alike(sequences, qHeads, kvHeads, tokens int) *Batch {
	b := &Batch{QHeads: qHeads, KVHeads: kvHeads, Dim: 128}
	for range sequences {
		b.Lengths = append(b.Lengths, tokens)
	}
	return b
}

func TestContextsAreCutAsTheLibraryCutsThem(t *testing.T) {
	for _, test := range []struct {
		library                   string
		sms                       int
		sequences, q, kv, context int
		parts, tokens             int
	}{
		{"flash_attention_2", 108, 1, 8, 1, 8192, 64, 128},              // no cut of 64 tiles fills more of 216 places
		{"flash_attention_2", 108, 32, 8, 1, 32768, 6, 5504},            // 192 of 216 places: 85 % of the best
		{"flash_attention_2", 108, 16, 32, 8, 4096, 3, 1408},            // 384 of two waves
		{"flash_attention_2", 108, 32, 32, 8, 4096, 1, 4096},            // 256 CTAs fill the places
		{"flash_attention_2", 108, 1, 8, 8, 131072, 1, 131072},          // no group
		{"flash_attention_3", 132, 1, 1, 1, 131072, 15, 8832},           // 69 tiles a SM as if there were 8 heads
		{"flash_attention_3", 132, 16, 1, 1, 8192, 1, 8192},             // the same
		{"flash_attention_3", 132, 600, 8, 8, 1024, 1, 1024},            // more sequences than a graph has
		{"flash_attention_3_ampere", 108, 1, 8, 1, 8192, 63, 224},       // 63 of 74 CTAs: 85 % of the best
		{"flash_attention_3_ampere", 108, 1, 8, 8, 16384, 12, 1456},     // 96 CTAs fill the places
		{"flash_attention_3_ampere", 108, 16, 8, 1, 131072, 7, 18816},   // 191 tiles a SM
		{"flash_attention_3_ampere", 108, 128, 8, 1, 65536, 1, 65632},   // more sequences than places
		{"flash_attention_3_ampere", 108, 1, 64, 64, 8192, 2, 37 * 112}, // 49 tiles a SM
		{"flash_attention_3_ampere", 108, 1, 8, 1, 448, 1, 448},         // no more than 4 tiles
		{"flashinfer", 108, 1, 32, 32, 2049, 6, 352},                    // 6 places a head: 22 of 129 pages
		{"flashinfer", 108, 8, 32, 32, 2049, 1, 2064},                   // more sequences than places
		{"flashinfer", 108, 1, 32, 32, 97, 1, 128},                      // no less than a tile
		{"flash_attention_2_ada", 142, 1, 32, 8, 512, 4, 128},           //
		{"flash_attention_2_rtx", 188, 128, 32, 8, 2049, 1, 17 * 128},   //
	} {
		p := library(t, test.library).Library
		c := *part(test.sms)
		c.Registers, c.SharedBytes, c.Threads, c.CTAs = 65536, 167936, 2048, 32
		cuts := rules[p.Rule](p, &c, alike(test.sequences, test.q, test.kv, test.context))
		require.Equal(t, cut{test.parts, test.tokens}, cuts[0], "%+v", test)
		require.Len(t, cuts, test.sequences)
	}
}

// FlashAttention 3 on Ampere has another kernel where it may not cut, after
// which nothing is joined; where it may, it joins whether it has cut or not.
func TestWhatMayNotBeCutHasAKernelOfItsOwn(t *testing.T) {
	p := library(t, "flash_attention_3_ampere").Library
	for _, test := range []struct {
		sequences, tokens, threads int
		joins                      bool
	}{{1, 448, 128, false}, {1, 449, 256, true}, {512, 449, 256, true}, {512, 64, 128, false}} {
		c := part(108)
		k, f := p.Build(c, alike(test.sequences, 8, 1, test.tokens), rowCache{}, Matrix{}, Matrix{}, 0)
		require.Equal(t, test.threads, k.Threads, "%+v", test)
		require.Equal(t, test.joins, p.Joins(c, f), "%+v", test)
	}
}

// A call's time beside its kernels is its planning CTA's, which has a warp for
// 31 sequences, and that of schedulers, which the uncut kernel does without.
func TestPlanningAndSchedulingGrowWithTheSequences(t *testing.T) {
	p := &LibraryProfile{Rule: boundedRule, MaxParts: 128, CallNs: 1000, PlanNs: 100, ScanNs: 310, Attend: FlashProfile{TileTokens: 112}}
	p.Uncut.Threads = 128
	for _, test := range []struct {
		sequences, tokens int
		ns                float64
	}{{1, 64, 1100}, {31, 64, 1100}, {32, 64, 1200}, {100, 64, 1400}, {2048, 64, 4200}, {100, 4096, 2400}} {
		require.InDelta(t, test.ns, p.Fixed(part(108), alike(test.sequences, 8, 1, test.tokens)).Nanoseconds(), 1e-3, "%+v", test)
	}
}

// FlashAttention 2 sizes parts for the longest: shorter contexts have empty ones.
func TestPartsAreSizedForTheLongest(t *testing.T) {
	p := library(t, "flash_attention_2").Library
	b := &Batch{QHeads: 8, KVHeads: 1, Dim: 128, Lengths: []int{1024, 200}}
	_, f := p.Build(part(108), b, rowCache{}, Matrix{}, Matrix{}, 0)
	require.Equal(t, 8, f.Parts())
	require.Equal(t, []int{2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 0, 0, 0, 0, 0, 0}, tilesOf(f))
}

func tilesOf(f *Flash) (tiles []int) {
	for cta := range f.parts {
		tiles = append(tiles, f.Tiles(cta))
	}
	return tiles
}

func TestKeysAndValuesAreReadOnceInTurn(t *testing.T) {
	for _, name := range []string{"flash_attention_2", "flash_attention_3", "flash_attention_3_ampere", "flashinfer"} {
		for _, lengths := range [][]int{{1}, {128, 129}, {1000, 1, 5000}, {700, 700, 700, 700}} {
			t.Run(fmt.Sprint(name, lengths), func(t *testing.T) {
				b := &Batch{QHeads: 8, KVHeads: 4, Dim: 128, Lengths: lengths}
				c := *part(8)
				c.Registers, c.SharedBytes, c.Threads, c.CTAs = 65536, 167936, 2048, 32
				k, f := library(t, name).Library.Build(&c, b, rowCache{}, Matrix{}, Matrix{}, 0)
				seen := map[uint64]int{}
				for cta := range k.CTAs {
					for tile := range f.Tiles(cta) {
						for _, r := range f.Tile(cta, tile, nil) {
							require.Equal(t, uint64(tile%2), r.Addr>>40)
							for i := range uint64(r.Bytes) {
								seen[r.Addr+i]++
							}
						}
					}
				}
				all := 0
				for _, n := range lengths {
					all += 2 * b.KVHeads * n
				}
				require.Len(t, seen, all)
				for _, n := range seen {
					require.Equal(t, 1, n)
				}
			})
		}
	}
}

// The copies of queries and output are those that the strides need.
func TestCopiesFollowTheOrderOfHeads(t *testing.T) {
	p := library(t, "flash_attention_2").Library
	for _, test := range []struct {
		sequences, q, kv int
		before, after    bool
	}{{4, 8, 8, false, false}, {4, 8, 1, false, true}, {1, 8, 2, false, true}, {4, 8, 2, true, true}} {
		before, after := p.Copies(alike(test.sequences, test.q, test.kv, 64), Matrix{}, Matrix{}, Matrix{}, Matrix{})
		require.Equal(t, []bool{test.before, test.after}, []bool{before != nil, after != nil}, "%+v", test)
	}
	before, after := library(t, "flash_attention_3").Library.Copies(alike(4, 8, 2, 64), Matrix{}, Matrix{}, Matrix{}, Matrix{})
	require.Nil(t, before)
	require.Nil(t, after)
}

func TestJoinReadsEveryPartOfTheOutput(t *testing.T) {
	p := library(t, "flash_attention_2").Library
	b := alike(2, 8, 2, 1024)
	_, f := p.Build(part(108), b, rowCache{}, Matrix{}, At(1<<40, 2048), 1<<32)
	written, read := uint64(0), uint64(0)
	for cta := range f.parts {
		for _, r := range f.Epilogue(cta, nil) {
			written += r.Total()
		}
	}
	k := p.Join(f)
	for cta := range k.CTAs {
		for tile := range k.Program.Tiles(cta) {
			for _, r := range k.Program.Tile(cta, tile, nil) {
				read += r.Total()
			}
		}
	}
	require.Equal(t, uint64(8*2*8*128*4), written, "8 parts of 2 sequences' 8 heads")
	require.Equal(t, written, read)
}

func TestPrefillReadsUpToTheDiagonal(t *testing.T) {
	p := library(t, "cudnn_attention").Prefill
	k, f := p.Build(part(132), 3, 500, 128, 1<<32, 2<<32, 3<<32, 4<<32)
	require.Equal(t, 12, k.CTAs)
	for cta := range k.CTAs {
		_, from, to := f.place(cta)
		var rows [5]uint64
		for tile := range f.Tiles(cta) {
			for _, r := range f.Tile(cta, tile, nil) {
				rows[r.Addr>>32] += r.Total() / 256
			}
		}
		last := uint64(min(500, (to+127)/128*128))
		require.Equal(t, [5]uint64{2: last, 3: last}, rows)
		require.Equal(t, uint64(to-from)*256, f.Prologue(cta, nil)[0].Total())
		require.Equal(t, uint64(to-from)*256, f.Epilogue(cta, nil)[0].Total())
	}
	require.InDelta(t, 2*3*500*500*128, f.FLOPs(), 1)
}

func TestProfilesOfServingLibrariesAreChecked(t *testing.T) {
	for want, p := range map[string]LibraryProfile{
		"rule":               {Rule: "odd"},
		"max_parts":          {Rule: "per_sm"},
		"attend.tile_tokens": {Rule: "per_sm", MaxParts: 1, PageTokens: 16},
	} {
		var keys []string
		p.Validate(func(key, _ string) { keys = append(keys, key) })
		require.Contains(t, keys, want)
	}
}
