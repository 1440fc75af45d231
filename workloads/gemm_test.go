package workloads

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/configs"
	"hwsim/devices"
	"hwsim/devices/gpu"
	"hwsim/models"
	"hwsim/sim"
)

// products are shapes that hit every branch of the tile rule on 8 SMs: one
// tile, ragged rows, ragged depth, split K, several column tiles, and more
// tiles than SMs.
var products = []struct{ rows, k, m int }{
	{64, 64, 1}, {100, 96, 3}, {256, 4096, 2}, {384, 2048, 9}, {1000, 320, 17}, {2048, 512, 64}, {640, 1024, 200}, {4096, 256, 130}, {96, 8192, 5},
}

// product builds a product of a profile on the tiny machine. Addresses of the
// operands are far apart.
func product(t testing.TB, rows, k int, elem Dtype, groups []group) (*gpu.Kernel, *gemm, *Config) {
	t.Helper()
	c := load(t)
	w := matrix{1 << 32, elem.bytes(uint64(k))}
	x := matrix{2 << 32, uint64(k) * 2}
	y := matrix{3 << 32, uint64(rows) * 2}
	kernel, g := c.Kernels.GEMM.build("p", &c.System.GPU, w, x, y, elem.size(), rows, k, groups, 4<<32)
	return kernel, g, c
}

// ofObject returns which of product's operands an address is in.
func ofObject(addr uint64) int { return int(addr >> 32) }

// A cluster along the tokens reads W once for its column tiles.
func TestGEMMReadsEachWeightOncePerClusterOfColumnTiles(t *testing.T) {
	for _, p := range products {
		for _, elem := range []Dtype{"bf16", "fp8", "int4"} {
			t.Run(fmt.Sprint(p, elem), func(t *testing.T) {
				k, g, _ := product(t, p.rows, p.k, elem, []group{{m: p.m}})
				columns := (p.m + g.tileCols - 1) / g.tileCols
				clusters := (columns + g.cluster - 1) / g.cluster
				unit := uint64(8)
				seen := cover{}
				walk(k, func(r gpu.Run, write bool) {
					if ofObject(r.Addr) == 1 && !write {
						seen.add(r, unit)
					}
				})
				seen.exactly(t, g.w, p.rows, elem.bytes(uint64(p.k)), unit, clusters)
			})
		}
	}
}

func TestGEMMWritesEachResultOnce(t *testing.T) {
	for _, p := range products {
		t.Run(fmt.Sprint(p), func(t *testing.T) {
			k, g, _ := product(t, p.rows, p.k, "bf16", []group{{m: p.m}})
			out, elem := g.y, uint64(2)
			if g.splits > 1 { // the parts lie one after the other, as rows of one matrix
				elem = 4
				out = matrix{g.partial, uint64(p.rows) * 4}
			}
			seen := cover{}
			walk(k, func(r gpu.Run, write bool) {
				if write {
					seen.add(r, elem)
				}
			})
			seen.exactly(t, out, p.m*g.splits, uint64(p.rows)*elem, elem, 1)
		})
	}
}

// A cluster along W's rows reads the tokens' one tile once; with several
// column tiles each tile of W needs its tokens itself.
func TestGEMMReadsTokensOncePerClusterOfRowTiles(t *testing.T) {
	for _, p := range products {
		k, g, _ := product(t, p.rows, p.k, "bf16", []group{{m: p.m}})
		times := (p.rows + g.tileRows - 1) / g.tileRows
		if p.m <= g.tileCols {
			times = (times + g.cluster - 1) / g.cluster
		}
		seen := cover{}
		walk(k, func(r gpu.Run, write bool) {
			if ofObject(r.Addr) == 2 && !write {
				seen.add(r, 2)
			}
		})
		seen.exactly(t, g.x, p.m, uint64(p.k)*2, 2, times)
	}
}

func TestGEMMSplitsOfKCoverItOnce(t *testing.T) {
	for _, p := range products {
		_, g, _ := product(t, p.rows, p.k, "bf16", []group{{m: p.m}})
		require.GreaterOrEqual(t, g.splits*g.kTiles*g.tileK, p.k, "%v", p)
		require.Less(t, (g.splits-1)*g.kTiles*g.tileK, p.k, "%v: the last part is empty", p)
		seen := map[int]int{}
		for cta := range g.ctas {
			for n := range g.work(cta) {
				it, split := g.nth(cta, n)
				if it.row == 0 && it.col == 0 {
					seen[split]++
				}
			}
		}
		require.Len(t, seen, g.splits)
		for split, n := range seen {
			require.Equal(t, 1, n, "part %d of %v", split, p)
		}
	}
}

func TestGEMMGridNeverExceedsOneWave(t *testing.T) {
	for _, p := range products {
		k, g, c := product(t, p.rows, p.k, "bf16", []group{{m: p.m}})
		require.LessOrEqual(t, k.CTAs, c.System.GPU.SMs)
		work := 0
		for cta := range g.ctas {
			require.Positive(t, g.work(cta))
			work += g.work(cta)
		}
		require.Equal(t, len(g.items)*g.splits, work)
	}
}

func TestGEMMGroupsReadTheirOwnWeights(t *testing.T) {
	const rows, k, experts = 192, 256, 6
	rng := sim.NewRand(3)
	size := uint64(rows * k * 2)
	groups := route(&rng, experts, 2, 5, size, k*2, rows*2)
	kernel, g, _ := product(t, rows, k, "bf16", groups)
	w, y := cover{}, cover{}
	walk(kernel, func(r gpu.Run, write bool) {
		switch {
		case write:
			y.add(r, 2)
		case ofObject(r.Addr) == 1:
			w.add(r, 8)
		}
	})
	require.Len(t, w, len(groups)*rows*k*2/8)
	for _, gr := range groups {
		for at := uint64(0); at < size; at += 8 {
			require.Equal(t, 1, w[g.w.addr+gr.w+at])
		}
	}
	y.exactly(t, g.y, 5*2, rows*2, 2, 1)
}

func TestRouteGivesEachTokenItsExperts(t *testing.T) {
	for seed := range uint64(20) {
		rng := sim.NewRand(seed)
		groups := route(&rng, 16, 4, 9, 100, 10, 7)
		tokens, last := 0, -1
		for _, g := range groups {
			require.Positive(t, g.m)
			require.LessOrEqual(t, g.m, 9, "an expert gets a token once")
			require.Greater(t, int(g.w), last)
			require.EqualValues(t, tokens*10, g.x)
			require.EqualValues(t, tokens*7, g.y)
			tokens, last = tokens+g.m, int(g.w)
		}
		require.Equal(t, 9*4, tokens)
	}
}

func TestHeadsAreBlocksOfTheirOwn(t *testing.T) {
	for i, g := range heads(5, 3, 1000, 10, 20) {
		require.Equal(t, group{w: uint64(i) * 1000, x: uint64(i) * 10, y: uint64(i) * 20, m: 3}, g)
	}
}

// The tile rule against what cuBLAS picked on an H200. It is a rule for
// streaming weights; where it and the library's tables differ by a tile the
// step hardly changes, so only the bulk must agree.
func TestGEMMTileRuleFollowsCuBLAS(t *testing.T) {
	f, err := os.Open("../../shared/reference/h200/kernel_info.csv")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("no reference data")
	}
	require.NoError(t, err)
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	agree, n := 0, 0
	for _, l := range lines[1:] {
		m, _ := strconv.Atoi(l[3])
		if l[0] != "linear" || m > 64 || !strings.HasPrefix(l[4], "nvjet") {
			continue
		}
		rows, k := shapeOf(t, l[1], l[2])
		c := load(t, "system.gpu.sms=132")
		kernel, _ := c.Kernels.GEMM.build("p", &c.System.GPU, matrix{0, uint64(k) * 2}, matrix{}, matrix{}, 2, rows, k, []group{{m: m}}, 0)
		n++
		if got, want := float64(kernel.CTAs), float64(product3(t, l[5])); got >= 0.75*want && got <= 1.25*want {
			agree++
		} else {
			t.Logf("%s %s m=%d: %v CTAs, cuBLAS %v (%s)", l[1], l[2], m, got, want, l[4])
		}
	}
	t.Logf("%d of %d choices agree within 25 %%", agree, n)
	require.GreaterOrEqual(t, 2*agree, n)
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

// The reduction reads all parts once and writes y once.
func TestSplitReductionJoinsEveryPart(t *testing.T) {
	c := load(t)
	const height, width, splits = 3, 1000, 3
	var parts []matrix
	for s := range uint64(splits) {
		parts = append(parts, matrix{1<<32 + s*height*width*4, width * 4})
	}
	k := c.Kernels.SplitReduce.sum(height, width, parts, matrix{2 << 32, width * 2})
	in, out := cover{}, cover{}
	walk(k, func(r gpu.Run, write bool) {
		if write {
			out.add(r, 2)
		} else {
			in.add(r, 4)
		}
	})
	in.exactly(t, parts[0], height*splits, width*4, 4, 1)
	out.exactly(t, matrix{2 << 32, width * 2}, height, width*2, 2, 1)
}

// Every address that any kernel of a step touches lies in what has been placed
// in its tier.
func TestKernelsTouchOnlyWhatIsPlaced(t *testing.T) {
	moe := []string{"model.moe.experts=4", "model.moe.active=2", "model.moe.shared=1", "model.moe.expert_ffn=512"}
	mla := []string{"model.mla.q_lora_rank=128", "model.mla.kv_lora_rank=64", "model.mla.qk_nope_dim=32", "model.mla.qk_rope_dim=16", "model.mla.v_dim=32"}
	for name, sets := range map[string][]string{
		"dense":    nil,
		"zerocopy": with(thirds, zeroCopy, paged),
		"prefetch": with(thirds, prefetch, "weights.split.hbm=0.5", "weights.split.ddr=0.5", "weights.access=prefetch"),
		"experts":  with(moe, "workload.batch=7"),
		"latent":   with(mla, "kv.page_tokens=16"),
		"ranks":    with("workload.tp=2"),
		"uneven":   {"workload.contexts=[1,77,500]"},
	} {
		t.Run(name, func(t *testing.T) {
			d := place(t, sets...)
			d.step(planAll(d.model.Layers), 0)
			for i := range d.ops {
				if d.ops[i].Kernel == nil {
					continue
				}
				walk(d.ops[i].Kernel, func(r gpu.Run, _ bool) {
					if r.Rows == 0 {
						return
					}
					end := r.Addr + uint64(r.Rows-1)*r.Pitch + uint64(r.Bytes)
					tier := devices.Tier(r.Addr)
					require.Equal(t, tier, devices.Tier(end-1))
					require.LessOrEqual(t, end-uint64(tier)<<devices.TierShift, d.system.Space.Used(tierID(tier)), "%s", d.ops[i].class)
				})
			}
		})
	}
}
