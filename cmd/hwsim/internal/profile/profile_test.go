package profile

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/pprof/profile"
	"github.com/stretchr/testify/require"

	"hwsim/workloads"
)

// workload is the outermost frame of the sample's stacks.
const workload = "llama3-8b, batch 8, context 8192"

func result(t *testing.T) *workloads.Result {
	t.Helper()
	text, err := os.ReadFile("../report/testdata/sample.json")
	require.NoError(t, err)
	var r workloads.Result
	require.NoError(t, json.Unmarshal(text, &r))
	return &r
}

func write(t *testing.T, r *workloads.Result) []byte {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, Write(&out, r))
	return out.Bytes()
}

func read(t *testing.T, r *workloads.Result) *profile.Profile {
	t.Helper()
	p, err := profile.ParseData(write(t, r))
	require.NoError(t, err)
	return p
}

// totals sums time and bytes below a stack, the outermost name first.
func totals(p *profile.Profile, names ...string) (ns, bytes int64) {
	for _, s := range p.Sample {
		stack := stackOf(s)
		if len(stack) >= len(names) && slices.Equal(stack[:len(names)], names) {
			ns += s.Value[0]
			bytes += s.Value[1]
		}
	}
	return ns, bytes
}

func stackOf(s *profile.Sample) (names []string) {
	for _, l := range slices.Backward(s.Location) {
		names = append(names, l.Line[0].Function.Name)
	}
	return names
}

func TestTotalIsTheStep(t *testing.T) {
	r := result(t)
	ns, bytes := totals(read(t, r), workload, "step")
	require.EqualValues(t, math.Round(r.StepNs), ns)
	want := r.TransferBytes
	for _, k := range r.Kernels {
		want += k.Bytes
	}
	require.EqualValues(t, want, bytes)
	require.Equal(t, ns, read(t, r).DurationNanos)
}

func TestKernelTimeIsDividedByCause(t *testing.T) {
	r := result(t)
	p := read(t, r)
	k := r.Kernels[0]
	ns, bytes := totals(p, workload, "step", k.Class)
	require.InDelta(t, k.Ns, ns, 1)
	require.EqualValues(t, k.Bytes, bytes)
	ns, _ = totals(p, workload, "step", k.Class, "caches and memory", "queue")
	require.InDelta(t, k.Ns*k.Causes["queue"], ns, 1)
}

func TestWaitsAreLeavesOfTheStep(t *testing.T) {
	r := result(t)
	p := read(t, r)
	gaps, _ := totals(p, workload, "step", "launch gaps")
	require.InDelta(t, r.GapNs, gaps, 1)
	exposed, _ := totals(p, workload, "step", "exposed transfer")
	require.InDelta(t, r.ExposedNs, exposed, 1)
}

// Neither overlapping kernels nor time without a kernel change the total.
func TestKernelsAreFittedToTheirTime(t *testing.T) {
	for _, factor := range []float64{0, 0.5, 2} {
		r := result(t)
		for i := range r.Kernels {
			r.Kernels[i].Ns *= factor
		}
		ns, _ := totals(read(t, r))
		require.EqualValues(t, math.Round(r.StepNs), ns)
	}
	r := result(t)
	r.Kernels = nil
	ns, _ := totals(read(t, r), workload, "step", "kernels")
	require.InDelta(t, r.KernelNs, ns, 1)
}

func TestBytesOfTheFileAreDeterministic(t *testing.T) {
	first := write(t, result(t))
	for range 10 {
		require.Equal(t, first, write(t, result(t)))
	}
	require.Zero(t, read(t, result(t)).TimeNanos)
}

func TestInterruptedRunsSaySo(t *testing.T) {
	r := result(t)
	r.Complete = false
	require.Contains(t, read(t, r).Comments, "interrupted")
}

// layered is the sample result with layers: the first, the other 31 as one, and
// the head.
func layered(t *testing.T) *workloads.Result {
	t.Helper()
	r := result(t)
	for name, n := range map[string]float64{"layer 0": 1, "layers 1 to 31": 31, "head": 1} {
		l := workloads.LayerRow{Name: name, KernelNs: r.KernelNs * n / 33, GapNs: r.GapNs * n / 33, ExposedNs: r.ExposedNs * n / 33,
			Copies: []workloads.CopyRow{{Class: "fetch cxl", Tiers: []string{"cxl"}, Bytes: uint64(n) << 20}}}
		for _, k := range r.Kernels {
			k.Ns *= n / 33
			k.Tiers = []string{"hbm"}
			l.Kernels = append(l.Kernels, k)
		}
		r.Layers = append(r.Layers, l)
	}
	slices.SortFunc(r.Layers, func(a, b workloads.LayerRow) int { return strings.Compare(b.Name, a.Name) })
	return r
}

func TestStacksAreWorkloadLayerKernelDeviceCause(t *testing.T) {
	r := layered(t)
	p := read(t, r)
	k := r.Kernels[0]
	for _, test := range []struct{ device, cause string }{
		{"tlbs", "translate"}, {"caches and crossbar", "cache"}, {"caches and hbm", "queue"}, {"hbm", "row miss"}, {"hbm", "busy"},
	} {
		ns, _ := totals(p, workload, "layers 1 to 31", k.Class, test.device, test.cause)
		require.InDelta(t, k.Ns*31/33*k.Causes[test.cause], ns, 1, test.cause)
	}
	ns, _ := totals(p)
	require.InDelta(t, r.StepNs, ns, 1)
	_, bytes := totals(p, workload, "layers 1 to 31", "fetch cxl", "cxl")
	require.EqualValues(t, 31<<20, bytes)
}

func TestDeviceOfACause(t *testing.T) {
	for _, test := range []struct {
		cause string
		tiers []string
		want  string
	}{
		{"serialise", []string{"cxl"}, "link"},
		{"credit", []string{"cxl"}, "link"},
		{"refresh", []string{"hbm", "cxl"}, "hbm+cxl"},
		{"queue", nil, "caches and memory"},
		{"turnaround", nil, "memory"},
	} {
		require.Equal(t, test.want, device(test.cause, test.tiers), test.cause)
	}
}

// top returns what go tool pprof -top prints, in single spaces.
func top(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("go", append([]string{"tool", "pprof", "-top"}, args...)...).CombinedOutput()
	require.NoError(t, err, string(out))
	return strings.Join(strings.Fields(string(out)), " ")
}

// save writes a profile into a file and returns its path.
func save(t *testing.T, r *workloads.Result) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "profile.pb.gz")
	require.NoError(t, os.WriteFile(path, write(t, r), 0o666))
	return path
}

func TestPprofReadsTheFile(t *testing.T) {
	path := save(t, layered(t))
	text := top(t, path)
	require.Contains(t, text, "Type: time")
	require.Contains(t, text, "Duration: 17.17ms, Total samples = 17.17ms ( 100%)")
	require.Contains(t, text, "2.14ms 12.48% exposed transfer")
	require.Contains(t, text, "93.94% layers 1 to 31")
	require.Contains(t, top(t, "-sample_index=bytes", path), "Type: bytes")
}

// One machine against another: what the one takes longer for is left.
func TestPprofComparesTwoMachines(t *testing.T) {
	slower := layered(t)
	for i := range slower.Layers {
		slower.Layers[i].ExposedNs *= 2
	}
	slower.StepNs += slower.ExposedNs
	slower.System = "another"
	text := top(t, "-diff_base="+save(t, layered(t)), save(t, slower))
	require.Contains(t, text, "2.14ms 12.48% 12.48% 2.14ms 12.48% exposed transfer")
	require.NotContains(t, text, "queue", "kernels take as long on both")
}
