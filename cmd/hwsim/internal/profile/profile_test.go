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
	ns, bytes := totals(read(t, r), "llama3-8b", "step")
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
	ns, bytes := totals(p, "llama3-8b", "step", k.Class)
	require.InDelta(t, k.Ns, ns, 1)
	require.EqualValues(t, k.Bytes, bytes)
	ns, _ = totals(p, "llama3-8b", "step", k.Class, "queue")
	require.InDelta(t, k.Ns*k.Causes["queue"], ns, 1)
}

func TestWaitsAreLeavesOfTheStep(t *testing.T) {
	r := result(t)
	p := read(t, r)
	gaps, _ := totals(p, "llama3-8b", "step", "launch gaps")
	require.InDelta(t, r.GapNs, gaps, 1)
	exposed, _ := totals(p, "llama3-8b", "step", "exposed transfer")
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
	ns, _ := totals(read(t, r), "llama3-8b", "step", "kernels")
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

func TestPprofReadsTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "profile.pb.gz")
	require.NoError(t, os.WriteFile(path, write(t, result(t)), 0o666))
	top := func(args ...string) string {
		out, err := exec.Command("go", append(append([]string{"tool", "pprof", "-top"}, args...), path)...).CombinedOutput()
		require.NoError(t, err, string(out))
		return strings.Join(strings.Fields(string(out)), " ")
	}
	text := top()
	require.Contains(t, text, "Type: time")
	require.Contains(t, text, "Duration: 17.17ms, Total samples = 17.17ms ( 100%)")
	require.Contains(t, text, "2.14ms 12.48% exposed transfer")
	require.Contains(t, top("-sample_index=bytes"), "Type: bytes")
}
