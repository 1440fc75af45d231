package timeline

import (
	"bytes"
	"context"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/configs"
	"hwsim/hierarchy"
	"hwsim/sim"
	"hwsim/workloads"
	"hwsim/workloads/graph"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// simulate runs the tiny configuration with overrides.
func simulate(t *testing.T, fidelity string, workers int, sets ...string) *workloads.Result {
	t.Helper()
	d, err := configs.Load("../../../../workloads/testdata/tiny.toml", sets)
	require.NoError(t, err)
	var c workloads.Config
	require.NoError(t, d.Decode(&c))
	r, err := workloads.Run(context.Background(), &c, workloads.Options{Seed: 1, Fidelity: fidelity, Name: "tiny", Workers: workers, Detail: true})
	require.NoError(t, err)
	return r
}

func write(t *testing.T, r *workloads.Result) []byte {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, Write(&out, r))
	return out.Bytes()
}

var halfDDR = []string{"kv.split.hbm=0.5", "kv.split.ddr=0.5"}

func TestFilesAreOfTheTraceEventFormat(t *testing.T) {
	for _, test := range []struct {
		name, fidelity string
		flows          bool
		sets           []string
	}{
		{"no copies", "exact", false, nil},
		{"prefetch", "exact", true, append(halfDDR, "kv.access=prefetch")},
		{"on demand, steps", "exact", true, append(halfDDR, "kv.access=ondemand", "workload.steps=2")},
		{"zero copy", "exact", false, append(halfDDR, "kv.access=zerocopy")},
		{"tiers", "exact", true, []string{"kv.split.hbm=0.4", "kv.split.ddr=0.3", "kv.split.cxl=0.3", "kv.access=prefetch", "kv.page_tokens=16", "kv.unit=page"}},
		{"folded", "sampled", true, append(halfDDR, "kv.access=prefetch", "model.layers=24")},
		{"host attends", "exact", true, []string{"policy.use=49_a2ats"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := simulate(t, test.fidelity, 1, test.sets...)
			f := validate(t, write(t, r), r.Timeline.End)
			require.Equal(t, test.flows, len(f.flows) > 0)
			require.NotEmpty(t, f.values["hbm busy %"])
		})
	}
}

func TestLayersCoverTheRun(t *testing.T) {
	r := simulate(t, "exact", 1, "workload.steps=2")
	f := validate(t, write(t, r), r.Timeline.End)
	layers := f.slices[track{gpuProcess, layerThread}]
	require.Len(t, layers, 2*4, "three layers and the head")
	now := sim.Time(0)
	for _, l := range layers {
		require.Equal(t, now, l.start(t))
		now = l.end(t)
	}
	require.InDelta(t, 2*r.StepNs, now.Nanoseconds(), 1e-3)
	kernels := sim.Time(0)
	for _, k := range f.slices[track{gpuProcess, kernelThread}] {
		kernels += k.end(t) - k.start(t)
	}
	require.InDelta(t, 2*r.KernelNs, kernels.Nanoseconds(), 1e-3)
}

// What the counters say, over the time for which they say it, is what the report
// counts.
func TestRatesAddUpToTheReportsBytes(t *testing.T) {
	r := simulate(t, "exact", 1, append(halfDDR, "kv.access=prefetch")...)
	f := validate(t, write(t, r), r.Timeline.End)
	sum := func(name string) (bytes float64) {
		values := f.values[name+" GB/s"]
		for i := range values[1:] {
			v, err := values[i].Args["GB/s"].(interface{ Float64() (float64, error) }).Float64()
			require.NoError(t, err)
			bytes += v * (values[i+1].start(t) - values[i].start(t)).Nanoseconds()
		}
		return bytes
	}
	for _, tier := range r.Tiers {
		require.InEpsilon(t, float64(tier.Read+tier.Written), sum(tier.Tier), 0.01, tier.Tier)
	}
	for _, l := range r.Links {
		if l.Bytes > 0 {
			require.InEpsilon(t, float64(l.Bytes), sum(l.Link), 0.01, l.Link)
		}
	}
}

func TestLayersSayHowManyTheyStandFor(t *testing.T) {
	r := simulate(t, "sampled", 1, append(halfDDR, "kv.access=prefetch", "model.layers=24")...)
	f := validate(t, write(t, r), r.Timeline.End)
	layers, folded := 0.0, false
	for _, l := range f.slices[track{gpuProcess, layerThread}] {
		n := 1.0
		if v, ok := l.Args["stands_for"]; ok {
			var err error
			n, err = v.(interface{ Float64() (float64, error) }).Float64()
			require.NoError(t, err)
			folded = true
		}
		layers += n
	}
	require.InDelta(t, 24+1, layers, 1e-9)
	require.True(t, folded)
}

func TestBytesOfTheFileAreDeterministic(t *testing.T) {
	sets := append(halfDDR, "kv.access=prefetch")
	for _, fidelity := range []string{"exact", "sampled"} {
		first := write(t, simulate(t, fidelity, 1, sets...))
		require.Equal(t, string(first), string(write(t, simulate(t, fidelity, 2, sets...))))
	}
}

func TestGolden(t *testing.T) {
	r := simulate(t, "exact", 1, append(halfDDR, "kv.access=prefetch", "model.layers=1", "workload.context=256")...)
	got := write(t, r)
	const path = "testdata/tiny.json"
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o666))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

// A flow begins before its copy's end, however short the copy.
func TestFlowsLieWithinTheirSlices(t *testing.T) {
	for _, length := range []sim.Time{1, sim.Nanosecond, sim.Microsecond} {
		r := &workloads.Result{Timeline: &graph.Timeline{
			End:     2 * sim.Millisecond,
			Spans:   []graph.SpanEvent{{Span: graph.Span{Name: "layer 0", Weight: 1}, End: 2 * sim.Millisecond}},
			Copies:  []graph.CopyEvent{{Class: "fetch cxl", Engine: "host 1", Start: sim.Millisecond, End: sim.Millisecond + length, Bytes: [hierarchy.NumTiers]uint64{hierarchy.CXLMem: 64}}},
			Kernels: []graph.KernelEvent{{Class: "attention", Start: sim.Millisecond + length, End: 2 * sim.Millisecond, Copies: []int{0}}},
		}}
		f := validate(t, write(t, r), r.Timeline.End)
		require.Len(t, f.flows, 1)
		require.Equal(t, "64", f.slices[track{copyProcess, 1}][0].Args["cxl_bytes"].(interface{ String() string }).String())
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestErrorsOfTheWriterAreReported(t *testing.T) {
	require.ErrorIs(t, Write(full{}, simulate(t, "exact", 1)), os.ErrClosed)
}

// Channels' shares, over their intervals, are the busy share that the report has of
// their tier.
func TestChannelsAddUpToTheirTier(t *testing.T) {
	r := simulate(t, "exact", 1, append(halfDDR, "kv.access=prefetch")...)
	f := validate(t, write(t, r), r.Timeline.End)
	for tier, channels := range map[string]int{"hbm": 4, "ddr": 16} {
		sum, tracks := 0.0, 0
		for name, values := range f.values {
			if !strings.HasPrefix(name, tier+" 0") {
				continue
			}
			tracks++
			for i := range values[1:] {
				v, err := values[i].Args["%"].(interface{ Float64() (float64, error) }).Float64()
				require.NoError(t, err)
				sum += v / 100 * (values[i+1].start(t) - values[i].start(t)).Nanoseconds()
			}
		}
		require.Equal(t, channels, tracks)
		for _, row := range r.Tiers {
			if row.Tier == tier {
				require.InEpsilon(t, row.Busy, sum/float64(channels)/r.Timeline.End.Nanoseconds(), 0.01, tier)
			}
		}
	}
}

// However many channels and intervals there are, the file stays small.
func TestManyChannelsAreFewTracks(t *testing.T) {
	r := simulate(t, "exact", 1, "system.hbm.channels=70", "system.hbm.capacity_gib=8", "workload.context=2048", "model.layers=12")
	text := write(t, r)
	f := validate(t, text, r.Timeline.End)
	tracks, values := 0, 0
	for name, v := range f.values {
		if strings.HasPrefix(name, "hbm 0") {
			tracks, values = tracks+1, values+len(v)
		}
	}
	require.Equal(t, 24, tracks, "of three channels each, the last of one")
	require.NotEmpty(t, f.values["hbm 066 to 068 busy %"])
	require.NotEmpty(t, f.values["hbm 069 busy %"])
	require.LessOrEqual(t, values, 20_000+2*tracks)
}
