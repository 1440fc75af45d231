package kernels

import (
	"encoding/csv"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/configs"
	"hwsim/devices/gpu"
	"hwsim/models"
	"hwsim/sim"
	"hwsim/workloads/internal/touch"
)

// products are shapes that hit every branch of the tile rule on 8 SMs: one
// tile, ragged rows, ragged depth, split K, several column tiles, and more
// tiles than SMs.
var products = []struct{ rows, k, m int }{
	{64, 64, 1}, {100, 96, 3}, {256, 4096, 2}, {384, 2048, 9}, {1000, 320, 17}, {2048, 512, 64}, {640, 1024, 200}, {4096, 256, 130}, {96, 8192, 5},
}

// product builds a product of a profile on the tiny machine. Addresses of the
// operands are far apart.
func product(t testing.TB, rows, k int, elem float64, groups []Group) (*gpu.Kernel, *GEMM, *gpu.Config) {
	t.Helper()
	c := part(8)
	w := Matrix{1 << 32, uint64(float64(k) * elem)}
	x := Matrix{2 << 32, uint64(k) * 2}
	y := Matrix{3 << 32, uint64(rows) * 2}
	kernel, g := library(t, "hopper_triton").GEMM.Build("p", c, w, x, y, elem, rows, k, groups, 4<<32)
	return kernel, g, c
}

// ofObject returns which of product's operands an address is in.
func ofObject(addr uint64) int { return int(addr >> 32) }

// A cluster along the tokens reads W once for its column tiles.
func TestGEMMReadsEachWeightOncePerClusterOfColumnTiles(t *testing.T) {
	for _, p := range products {
		for _, elem := range []float64{2, 1, 0.5} {
			t.Run(fmt.Sprint(p, elem), func(t *testing.T) {
				k, g, _ := product(t, p.rows, p.k, elem, []Group{{M: p.m}})
				columns := (p.m + g.Cols - 1) / g.Cols
				clusters := (columns + g.Wide - 1) / g.Wide
				unit := uint64(8)
				seen := touch.Cover{}
				touch.Walk(k, func(r gpu.Run, write bool) {
					if ofObject(r.Addr) == 1 && !write {
						seen.Add(r, unit)
					}
				})
				seen.Exactly(t, g.w.Addr, g.w.Pitch, p.rows, uint64(float64(p.k)*elem), unit, clusters)
			})
		}
	}
}

func TestGEMMWritesEachResultOnce(t *testing.T) {
	for _, p := range products {
		t.Run(fmt.Sprint(p), func(t *testing.T) {
			k, g, _ := product(t, p.rows, p.k, 2, []Group{{M: p.m}})
			out, elem := g.y, uint64(2)
			if g.Splits > 1 { // the parts lie one after the other, as rows of one matrix
				elem = 4
				out = Matrix{g.partial, uint64(p.rows) * 4}
			}
			seen := touch.Cover{}
			touch.Walk(k, func(r gpu.Run, write bool) {
				if write {
					seen.Add(r, elem)
				}
			})
			seen.Exactly(t, out.Addr, out.Pitch, p.m*g.Splits, uint64(p.rows)*elem, elem, 1)
		})
	}
}

// A cluster along W's rows reads its tokens once.
func TestGEMMReadsTokensOncePerClusterOfRowTiles(t *testing.T) {
	for _, p := range products {
		k, g, _ := product(t, p.rows, p.k, 2, []Group{{M: p.m}})
		tiles := (p.rows + g.Rows - 1) / g.Rows
		seen := touch.Cover{}
		touch.Walk(k, func(r gpu.Run, write bool) {
			if ofObject(r.Addr) == 2 && !write {
				seen.Add(r, 2)
			}
		})
		seen.Exactly(t, g.x.Addr, g.x.Pitch, p.m, uint64(p.k)*2, 2, (tiles+g.High-1)/g.High)
	}
}

func TestGEMMSplitsOfKCoverItOnce(t *testing.T) {
	for _, p := range products {
		_, g, _ := product(t, p.rows, p.k, 2, []Group{{M: p.m}})
		require.GreaterOrEqual(t, g.Splits*g.kTiles*g.tileK, p.k, "%v", p)
		require.Less(t, (g.Splits-1)*g.kTiles*g.tileK, p.k, "%v: the last part is empty", p)
		seen := map[int]int{}
		for cta := range g.ctas {
			for n := range g.work(cta) {
				it, split := g.nth(cta, n)
				if it.row == 0 && it.col == 0 {
					seen[split]++
				}
			}
		}
		require.Len(t, seen, g.Splits)
		for split, n := range seen {
			require.Equal(t, 1, n, "part %d of %v", split, p)
		}
	}
}

func TestGEMMGridNeverExceedsOneWave(t *testing.T) {
	for _, p := range products {
		k, g, c := product(t, p.rows, p.k, 2, []Group{{M: p.m}})
		require.LessOrEqual(t, k.CTAs, c.SMs)
		work := 0
		for cta := range g.ctas {
			require.Positive(t, g.work(cta))
			work += g.work(cta)
		}
		require.Equal(t, len(g.items)*g.Splits, work)
	}
}

func TestGEMMGroupsReadTheirOwnWeights(t *testing.T) {
	const rows, k, experts = 192, 256, 6
	rng := sim.NewRand(3)
	size := uint64(rows * k * 2)
	groups := Route(&rng, experts, 2, 5, size, k*2, rows*2)
	kernel, g, _ := product(t, rows, k, 2, groups)
	w, y := touch.Cover{}, touch.Cover{}
	touch.Walk(kernel, func(r gpu.Run, write bool) {
		switch {
		case write:
			y.Add(r, 2)
		case ofObject(r.Addr) == 1:
			w.Add(r, 8)
		}
	})
	require.Len(t, w, len(groups)*rows*k*2/8)
	for _, gr := range groups {
		for at := uint64(0); at < size; at += 8 {
			require.Equal(t, 1, w[g.w.Addr+gr.W+at])
		}
	}
	y.Exactly(t, g.y.Addr, g.y.Pitch, 5*2, rows*2, 2, 1)
}

func TestRouteGivesEachTokenItsExperts(t *testing.T) {
	for seed := range uint64(20) {
		rng := sim.NewRand(seed)
		groups := Route(&rng, 16, 4, 9, 100, 10, 7)
		tokens, last := 0, -1
		for _, g := range groups {
			require.Positive(t, g.M)
			require.LessOrEqual(t, g.M, 9, "an expert gets a token once")
			require.Greater(t, int(g.W), last)
			require.EqualValues(t, tokens*10, g.X)
			require.EqualValues(t, tokens*7, g.Y)
			tokens, last = tokens+g.M, int(g.W)
		}
		require.Equal(t, 9*4, tokens)
	}
}

func TestHeadsAreBlocksOfTheirOwn(t *testing.T) {
	for i, g := range Heads(5, 3, 1000, 10, 20) {
		require.Equal(t, Group{W: uint64(i) * 1000, X: uint64(i) * 10, Y: uint64(i) * 20, M: 3}, g)
	}
}

// The rule against what cuBLAS picked on an H200: the same tile, or one that
// leaves as much to do one after the other on an SM.
func TestGEMMShapesFollowCuBLAS(t *testing.T) {
	f, err := os.Open("../../validation/h200/kernel_info.csv")
	require.NoError(t, err)
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	profile := library(t, "hopper_triton").GEMM
	same, alike, n := 0, 0, 0
	for _, l := range lines[1:] {
		m, _ := strconv.Atoi(l[3])
		var rows, cols int
		if l[0] != "linear" || !strings.HasPrefix(l[4], "nvjet") {
			continue
		}
		_, err := fmt.Sscanf(l[4], "nvjet_sm90_tst_%dx%d_", &rows, &cols)
		require.NoError(t, err)
		height, k := shapeOf(t, l[1], l[2])
		s := profile.Shape(part(132), height, k, m, 1)
		tiles := (height + rows - 1) / rows * ((m + cols - 1) / cols)
		splits := 1
		if strings.Contains(l[4], "splitK") {
			splits = max(1, product3(t, l[5])/tiles)
		}
		ours := (height + s.Rows - 1) / s.Rows * ((m + s.Cols - 1) / s.Cols)
		if s.Rows == rows && s.Cols == cols {
			same++
		}
		after := func(tiles, elements, splits int) float64 {
			return float64((tiles*splits+131)/132*elements) / float64(splits)
		}
		if r := after(ours, s.Rows*s.Cols, s.Splits) / after(tiles, rows*cols, splits); r > 0.9 && r < 1.1 {
			alike++
		} else {
			t.Logf("%s %s m=%d: %dx%d in %d parts, cuBLAS %dx%d in %d", l[1], l[2], m, s.Rows, s.Cols, s.Splits, rows, cols, splits)
		}
		n++
	}
	t.Logf("of %d choices %d are the same and %d alike", n, same, alike)
	require.GreaterOrEqual(t, same, 213)
	require.GreaterOrEqual(t, alike, 269)
}

// Deep products that stream W have the parts of K that grids of cuBLAS show.
func TestGEMMPartsOfDeepProducts(t *testing.T) {
	p := library(t, "hopper_triton").GEMM
	for _, want := range []struct {
		name       string
		rows, k, m int
		tile       [2]int
		splits     int
	}{
		{"the tallest that fill a wave", 4096, 14336, 1, [2]int{128, 8}, 4},
		{"up to five", 5120, 13824, 8, [2]int{256, 8}, 5},
		{"no less deep than their rule", 5120, 8192, 16, [2]int{128, 16}, 3},
		{"fewer of wider tiles", 5120, 13824, 32, [2]int{128, 32}, 3},
		{"of tiles of 64 tokens three", 4096, 14336, 64, [2]int{96, 64}, 3},
		{"though one wave were full without", 8192, 28672, 1, [2]int{256, 8}, 4},
		{"not of a full wave half as deep", 8192, 8192, 1, [2]int{64, 8}, 1},
	} {
		s := p.Shape(part(132), want.rows, want.k, want.m, 1)
		require.Equal(t, want.tile, [2]int{s.Rows, s.Cols}, want.name)
		require.Equal(t, want.splits, s.Splits, want.name)
	}
}

func TestGEMMPartsNeedARuleForEveryWidth(t *testing.T) {
	const uneven, missing = "must be by ascending cols, with positive most and depth", "must have a rule for 64 cols"
	for _, test := range []struct {
		parts []PartsRule
		want  []string
	}{
		{nil, []string{missing}},
		{[]PartsRule{{Cols: 32, Most: 2, Depth: 64}}, []string{missing}},
		{[]PartsRule{{Cols: 64, Most: 2}}, []string{uneven}},
		{[]PartsRule{{Cols: 64, Depth: 64}}, []string{uneven}},
		{[]PartsRule{{16, 2, 64}, {8, 2, 64}, {64, 2, 64}}, []string{uneven}},
		{[]PartsRule{{8, 2, 64}, {64, 2, 64}}, nil},
	} {
		p := library(t, "hopper_triton").GEMM
		p.Parts = test.parts
		var got []string
		p.validateParts(func(_, message string) { got = append(got, message) })
		require.Equal(t, test.want, got, "%v", test.parts)
	}
}

// The scratch memory for parts is as large as max_split says.
func TestMaxSplitBoundsParts(t *testing.T) {
	p := library(t, "hopper_triton").GEMM
	require.Greater(t, p.Shape(part(132), 4096, 14336, 1, 1).Splits, 1)
	p.MaxSplit = 1
	require.Equal(t, 1, p.Shape(part(132), 4096, 14336, 1, 1).Splits)
}

// Products of several waves have deep pipelines only where tiles are narrow.
func TestGEMMOfSeveralWavesIsTall(t *testing.T) {
	p := library(t, "hopper_triton").GEMM
	for m, rows := range map[int]int{8: 256, 16: 256, 32: 512, 64: 512} {
		require.Equal(t, rows, p.Shape(part(132), 128256, 4096, m, 1).Rows, "%d tokens", m)
	}
}

// With more tiles of y than twice the CTAs the library counts them out.
func TestGEMMCountsOutTilesBeyondTwoWaves(t *testing.T) {
	for _, p := range []struct {
		rows    int
		counted bool
	}{{8 * 128, false}, {16 * 320, false}, {40 * 320, true}} {
		_, g, _ := product(t, p.rows, 256, 2, []Group{{M: 128}})
		require.Equal(t, p.counted, g.Counted(), "%d rows, %dx%d", p.rows, g.Rows, g.Cols)
	}
}

// Between two tiles of y that both halves of the CTA work on, results drain.
func TestGEMMDrainsBetweenTilesOfLargeAccumulators(t *testing.T) {
	k, g, _ := product(t, 40*320, 256, 2, []Group{{M: 512}})
	require.Greater(t, g.Rows*g.Cols, library(t, "hopper_triton").GEMM.AloneElements)
	require.Equal(t, g.kTiles, k.DrainEvery)
	require.InDelta(t, float64(g.Rows*g.Cols*2)/39, k.Drain.Nanoseconds(), 1)
	k, _, _ = product(t, 64, 256, 2, []Group{{M: 1}})
	require.Zero(t, k.DrainEvery)
}

// A tile computes at the peak; in the mean power allows tensor_tflops of all SMs.
func TestGEMMTilesTakeThePeakAndPowerTheMean(t *testing.T) {
	c := part(132)
	c.TensorPeak = 978
	p := library(t, "hopper_triton").GEMM
	k, g := p.Build("p", c, Matrix{}, Matrix{}, Matrix{}, 2, 4096, 4096, []Group{{M: 1024}}, 0)
	require.Equal(t, [2]int{256, 128}, [2]int{g.Rows, g.Cols})
	require.InDelta(t, 566, k.TileChain.Nanoseconds(), 1)
	require.InDelta(t, 4.194e6*128/790e3, k.TilePower.Nanoseconds(), 1)
}

// shapeOf returns rows and depth of a preset's product.
func shapeOf(t *testing.T, model, op string) (rows, k int) {
	t.Helper()
	d, err := configs.Load("models/"+model, nil)
	require.NoError(t, err)
	var m models.Model
	require.NoError(t, d.Decode(&m))
	for _, l := range append(m.Linears(0), m.Head()) {
		if l.Name == op {
			return l.Out, l.In
		}
	}
	require.Fail(t, "no product", "%s %s", model, op)
	return 0, 0
}

// product3 multiplies the sides of a grid such as 2x66x1.
func product3(t *testing.T, grid string) int {
	t.Helper()
	n := 1
	for _, s := range strings.Split(grid, "x") {
		v, err := strconv.Atoi(s)
		require.NoError(t, err)
		n *= v
	}
	return n
}

// The reduction reads all parts once, and what it adds them to, and writes y
// once.
func TestSplitReductionJoinsEveryPart(t *testing.T) {
	const height, width, splits = 3, 1000, 3
	var parts []Matrix
	for s := range uint64(splits) {
		parts = append(parts, Matrix{1<<32 + s*height*width*4, width * 4})
	}
	for _, added := range []Matrix{{}, {3 << 32, width * 2}} {
		k := library(t, "hopper_triton").SplitReduce.Sum(height, width, parts, added, Matrix{2 << 32, width * 2})
		in, plus, out := touch.Cover{}, touch.Cover{}, touch.Cover{}
		touch.Walk(k, func(r gpu.Run, write bool) {
			switch {
			case write:
				out.Add(r, 2)
			case r.Addr >= 3<<32:
				plus.Add(r, 2)
			default:
				in.Add(r, 4)
			}
		})
		in.Exactly(t, parts[0].Addr, parts[0].Pitch, height*splits, width*4, 4, 1)
		out.Exactly(t, 2<<32, width*2, height, width*2, 2, 1)
		if added.Addr != 0 {
			plus.Exactly(t, added.Addr, added.Pitch, height, width*2, 2, 1)
		} else {
			require.Empty(t, plus)
		}
	}
}

func TestSplitReductionWaitsForEachPart(t *testing.T) {
	parts, added := []Matrix{At(1<<32, 256), At(2<<32, 256)}, At(3<<32, 128)
	k := library(t, "hopper_triton").SplitReduce.Sum(1, 64, parts, added, At(4<<32, 128))
	require.Equal(t, 1, k.Stages, "tiles in flight")
	require.Empty(t, k.Program.Prologue(1, nil))
	require.Equal(t, 3, k.Program.Tiles(1))
	for tile, first := range []uint64{1<<32 + 128, 2<<32 + 128, 3<<32 + 64} {
		runs := k.Program.Tile(1, tile, nil)
		require.Len(t, runs, 1)
		require.Equal(t, first, runs[0].Addr, "tile %d", tile)
	}
}
