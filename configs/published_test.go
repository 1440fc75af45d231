package configs_test

import (
	"bufio"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/configs"
	"hwsim/hierarchy"
	"hwsim/workloads/micro"
)

// te42kyfo/gpu-benches is GPL-3.0: its files are read where they lie and are
// not part of this repository.
const benches = "../../shared/reference/gpu-benches"

// A regime is published figures that one mechanism decides.
type regime struct {
	name    string
	kib     []float64 // working sets
	percent float64   // bound on the mean error's size; 0: only reported
}

// published says which figures are of a preset.
var published = []struct {
	preset  string
	latency string // gpu-latency's file: ns of a chase
	chases  []regime
	l2      string // gpu-l2-cache's file: GB/s of streams
	streams []regime
	memory  string  // gpu-stream's file: GB/s of memory
	read    float64 // bound on its rate of reads, which on the A100 of 80 GB still rose with the threads where they end
}{
	{
		preset: "a100_80gb_sxm", latency: "a100_80.txt", l2: "a100_80.txt", memory: "a100_80.txt",
		chases: []regime{{"L1", []float64{35, 144}, 8}, {"L1 edge", []float64{160, 177, 196}, 0}, {"L2 near", []float64{4333, 18132}, 8},
			{"20 to 30 MB", []float64{21941, 24136, 26551, 29207}, 0}, {"L2 far", []float64{32129, 38878}, 8},
			{"40 to 60 MB", []float64{42767, 47045, 51750, 56926}, 0}, {"HBM", []float64{75772, 340388}, 8}},
		streams: []regime{{"L2", []float64{8192, 16896}, 8}, {"L2 to its size", []float64{25600, 33792, 40448}, 0}, {"HBM", []float64{193024}, 8}},
	},
	{
		preset: "a100_40gb_sxm", latency: "a100_40.txt", memory: "a100_40.txt", read: 8,
		chases: []regime{{"L1", []float64{35, 144}, 8}, {"L1 edge", []float64{160, 177, 196}, 0}, {"L2 near", []float64{4333, 18132}, 8},
			{"L2 far", []float64{32129, 38878}, 8}, {"HBM", []float64{75772, 1529075}, 8}},
	},
	{
		preset: "h100_pcie", latency: "h100_pcie.txt", l2: "h100_pcie.txt", memory: "h100_pcie.txt", read: 8,
		chases: []regime{{"L1", []float64{35, 144, 216}, 8}, {"L1 edge", []float64{239, 264}, 0}, {"L2 near", []float64{4333, 21941}, 8},
			{"25 to 30 MB", []float64{26551, 29207}, 0}, {"L2 far", []float64{35343, 47045}, 0},
			{"50 to 70 MB", []float64{51750, 56926, 62620}, 0}, {"HBM", []float64{75772, 340388}, 8}},
		streams: []regime{{"L2", []float64{8192, 16896, 21504}, 8}, {"L2 to its size", []float64{30720, 36864, 40448, 48128}, 0}, {"HBM", []float64{193024}, 8}},
	},
	{
		preset: "l40s", latency: "l40.txt", l2: "l40.txt", memory: "l40.txt", read: 8,
		chases: []regime{{"L1", []float64{30, 84}, 8}, {"L1 edge", []float64{90, 95, 101}, 0}, {"L2", []float64{4351, 46241, 93726}, 8},
			{"96 to 120 MB", []float64{101378, 109655, 118607}, 0}, {"GDDR6", []float64{185030, 1095850}, 8}},
		streams: []regime{{"L2", []float64{8192, 33792, 76288}, 8}, {"L2 to its size", []float64{91648, 100352}, 0}, {"GDDR6", []float64{411648}, 8}},
	},
}

// Latencies and rates of presets nobody here measured are as published.
func TestPresetsDoWhatWasPublished(t *testing.T) {
	if _, err := os.Stat(benches); err != nil {
		t.Skip(err)
	}
	for _, p := range published {
		t.Run(p.preset, func(t *testing.T) {
			t.Parallel()
			c := system(t, p.preset)
			ns := column(t, "gpu-latency/"+p.latency, 2, 4)
			for _, r := range p.chases {
				r.check(t, "chase", func(kib float64) (ours, theirs float64) {
					size, cycles := nearest(ns, kib)
					bytes := uint64(size * 1024)
					o := micro.ChaseOptions{Range: bytes, Nodes: int(min(bytes/128, 1<<20))}
					ours = chase(t, p.preset, o)
					if bytes <= 2*uint64(c.GPU.L1Bytes) {
						o.L1 = true
						ours = warm(o.Nodes, chase(t, p.preset, o), ours)
					}
					return ours, cycles / c.GPU.ClockMHz * 1e3
				})
			}
			rate := func(o micro.StreamOptions) (ns float64) {
				o.Blocks, o.Threads = c.GPU.SMs*(c.GPU.Threads/512), 512
				gbps, err := micro.Stream(context.Background(), system(t, p.preset), o)
				require.NoError(t, err)
				return 1 / gbps
			}
			for _, r := range p.streams {
				r.check(t, "stream", func(kib float64) (ours, theirs float64) {
					size, gbps := nearest(column(t, "gpu-l2-cache/"+p.l2, 2, 6), kib)
					return rate(micro.StreamOptions{Range: uint64(size * 1024)}), 1 / gbps
				})
			}
			for i, r := range []regime{{"write", []float64{8 << 20}, 8}, {"read", []float64{8 << 20}, p.read}, {"copy", []float64{8 << 20}, 8}} {
				r.check(t, "memory", func(kib float64) (ours, theirs float64) {
					writes := []int{4, 0, 2}[i]
					return rate(micro.StreamOptions{Range: uint64(kib * 1024), WritesOf4: writes}), 1 / best(column(t, "gpu-stream/"+p.memory, 0, 6+i))
				})
			}
		})
	}
}

// check compares a regime's figures, each a time.
func (r regime) check(t *testing.T, what string, compare func(kib float64) (ours, theirs float64)) {
	var sum float64
	var each []string
	for _, kib := range r.kib {
		ours, theirs := compare(kib)
		sum += math.Abs(ours/theirs - 1)
		figures := fmt.Sprintf("%.0f: %.1f %.1f", kib, theirs, ours)
		if ours < 1 {
			figures = fmt.Sprintf("%.0f: %.0f %.0f", kib, 1/theirs, 1/ours)
		}
		each = append(each, fmt.Sprintf("%s %+.1f %%", figures, 100*(ours/theirs-1)))
	}
	mean := 100 * sum / float64(len(r.kib))
	t.Logf("%-6s %-15s mean error %4.1f %%: %s", what, r.name, mean, strings.Join(each, ", "))
	if r.percent > 0 && mean > r.percent {
		t.Errorf("%s, %s: mean error %.1f %% is above the bound of %g %%", what, r.name, mean, r.percent)
	}
}

func chase(t *testing.T, preset string, o micro.ChaseOptions) (ns float64) {
	t.Helper()
	ns, err := micro.Chase(context.Background(), system(t, preset), o)
	require.NoError(t, err)
	return ns
}

// warm returns the time of an access when the L1 has been filled: our chase
// begins with an empty one and ends after 20 000 accesses, the published one
// goes on for a million.
func warm(nodes int, ns, missNs float64) float64 {
	const all = 20_000
	n := float64(nodes)
	return (ns*all - missNs*n) / (all - n)
}

func system(t *testing.T, preset string) *hierarchy.Config {
	t.Helper()
	d, err := configs.Load("systems/"+preset, nil)
	require.NoError(t, err)
	var c hierarchy.Config
	require.NoError(t, d.Decode(&c))
	return &c
}

type point struct{ x, y float64 }

// column reads two columns of a table of gpu-benches: lines of numbers among
// others, with units between.
func column(t *testing.T, file string, x, y int) (points []point) {
	t.Helper()
	f, err := os.Open(filepath.Join(benches, file))
	require.NoError(t, err)
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		cells := strings.Fields(lines.Text())
		if len(cells) <= max(x, y) {
			continue
		}
		a, err1 := strconv.ParseFloat(cells[x], 64)
		b, err2 := strconv.ParseFloat(cells[y], 64)
		if err1 == nil && err2 == nil {
			points = append(points, point{a, b})
		}
	}
	require.NotEmpty(t, points, file)
	return points
}

// nearest returns the published point nearest to a working set.
func nearest(points []point, x float64) (size, value float64) {
	at := points[0]
	for _, p := range points {
		if math.Abs(p.x-x) < math.Abs(at.x-x) {
			at = p
		}
	}
	return at.x, at.y
}

func best(points []point) (y float64) {
	for _, p := range points {
		y = max(y, p.y)
	}
	return y
}

// A short name is a configuration of the GPU, as h200 is.
func TestShortNamesOfGPUsLoad(t *testing.T) {
	for name, want := range map[string]string{"h200": "h200_sxm", "h100": "h100_sxm", "a100": "a100_80gb_sxm", "l40s": "l40s"} {
		d, err := configs.Load(name, nil)
		require.NoError(t, err)
		got, _ := d.Get("system.name")
		require.Equal(t, want, got, name)
	}
}
