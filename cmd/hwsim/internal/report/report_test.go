package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"hwsim/workloads"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// sample is the result that testdata/sample.json holds.
func sample(t *testing.T) *workloads.Result {
	t.Helper()
	text, err := os.ReadFile("testdata/sample.json")
	require.NoError(t, err)
	var r workloads.Result
	require.NoError(t, json.Unmarshal(text, &r))
	return &r
}

func write(t *testing.T, format string, r *workloads.Result) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, Write(&out, format, r))
	return out.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o666))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func TestFormatsMatchGoldenFiles(t *testing.T) {
	interrupted, analytic := sample(t), sample(t)
	interrupted.Complete = false
	analytic.Fidelity = "analytic"
	analytic.Kernels, analytic.Tiers, analytic.Links = nil, nil, nil
	golden(t, "sample.json", write(t, "json", sample(t)))
	golden(t, "sample.csv", write(t, "csv", sample(t)))
	golden(t, "sample.txt", write(t, "text", sample(t)))
	golden(t, "interrupted.txt", write(t, "text", interrupted))
	golden(t, "analytic.txt", write(t, "text", analytic))
}

func TestUnknownFormatIsAnError(t *testing.T) {
	err := Write(&bytes.Buffer{}, "yaml", sample(t))
	require.EqualError(t, err, `format "yaml" is none of text, json, csv`)
}

func TestJSONHasNoNullLists(t *testing.T) {
	require.NotContains(t, write(t, "json", &workloads.Result{}), "null")
}

func TestJSONRefusesWhatItCannotSay(t *testing.T) {
	require.Error(t, JSON(&bytes.Buffer{}, &workloads.Result{StepNs: math.NaN()}))
}

// Every number of the JSON is in the CSV, under the same name.
func TestCSVHasAllThatJSONHas(t *testing.T) {
	rows, err := csv.NewReader(strings.NewReader(write(t, "csv", sample(t)))).ReadAll()
	require.NoError(t, err)
	var tree any
	require.NoError(t, json.Unmarshal([]byte(write(t, "json", sample(t))), &tree))
	require.Len(t, rows[1:], leaves(tree))
	seen := map[string]bool{}
	for _, row := range rows {
		key := fmt.Sprint(row[:3])
		require.False(t, seen[key], "twice: %s", key)
		seen[key] = true
	}
}

func leaves(v any) (n int) {
	switch v := v.(type) {
	case map[string]any:
		for _, e := range v {
			n += leaves(e)
		}
	case []any:
		for _, e := range v {
			n += leaves(e)
		}
	default:
		return 1
	}
	return n
}

func TestTextFitsOneScreen(t *testing.T) {
	r := sample(t)
	long := strings.Repeat("µ", 150)
	r.Model, r.System, r.BoundBy = long, long, long
	for i := range 50 {
		name := fmt.Sprintf("%d %s", i, long)
		r.Kernels = append(r.Kernels, workloads.KernelRow{Class: name, Calls: 1e6, Ns: 1e12, GBps: 12345, Causes: map[string]float64{"turnaround": 1}})
		r.Tiers = append(r.Tiers, workloads.TierRow{Tier: name, Capacity: 1023 << 30, Used: 1023 << 20, GBps: 4800, PeakGBps: 4800})
		r.Links = append(r.Links, workloads.LinkRow{Link: name, Bytes: 1023 << 30, Busy: 1})
	}
	lines := strings.Split(strings.TrimSuffix(write(t, "text", r), "\n"), "\n")
	require.Len(t, lines, 40)
	for _, line := range lines {
		require.LessOrEqual(t, utf8.RuneCountInString(line), 100, line)
	}
}

func TestNumbersKeepThreeDigits(t *testing.T) {
	for want, got := range map[string]string{
		"-":        duration(0),
		"0.40 ns":  duration(0.4),
		"146 ns":   duration(146),
		"999 ns":   duration(999.4),
		"1.00 µs":  duration(999.5),
		"41.2 ms":  duration(41.23e6),
		"1500 s":   duration(1.5e12),
		"1023 B":   size(1023),
		"1.00 KiB": size(1024),
		"80.0 GiB": size(80 << 30),
		"2039":     rate(2039),
		"100":      number(99.96),
		"10.0":     number(9.996),
		"<0.1 %":   percent(0.0001),
		"62.5 %":   percent(0.625),
		"0.0 %":    percent(0),
	} {
		require.Equal(t, want, got)
	}
}

func TestEqualCausesAreNamedInOrder(t *testing.T) {
	for range 20 {
		require.Equal(t, "cache 50.0 %", MainCause(map[string]float64{"queue": 0.5, "cache": 0.5}))
	}
	require.Equal(t, "-", MainCause(nil))
}

// A virtually contiguous cache has a line of text and a section of CSV.
func TestMappingIsReported(t *testing.T) {
	r := sample(t)
	r.Mapping = &workloads.MappingRow{GroupBytes: 65536, GroupTokens: 64, Mapped: 3 << 30, Unused: 32 << 20, CallsPerStep: 16, StallNs: workloads.Quantiles{Mean: 1.5e3, Max: 2.56e6}}
	require.Contains(t, write(t, "text", r), "mapping, beside     1.50 µs            most 2.56 ms; 16.0 calls; 3.00 GiB mapped, 32.0 MiB unused\n")
	require.Contains(t, write(t, "csv", r), "mapping,kv,mapped_bytes,3221225472,B\n")
	require.Contains(t, write(t, "json", r), `"calls_per_step": 16`)
}
