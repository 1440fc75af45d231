package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"hwsim/workloads/program"
)

// sampleProgram is the result that testdata/program.json holds: Victima under a
// virtual machine.
func sampleProgram(t *testing.T) *program.Result {
	t.Helper()
	text, err := os.ReadFile("testdata/program.json")
	require.NoError(t, err)
	var r program.Result
	require.NoError(t, json.Unmarshal(text, &r))
	return &r
}

func writeProgram(t *testing.T, format string, r *program.Result) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, WriteProgram(&out, format, r))
	return out.String()
}

// rivalsOfVictima makes the sample's core one with a third TLB and a POM-TLB.
func rivalsOfVictima(r *program.Result) {
	m := &r.Translation
	m.L3Hits, m.Misses = m.L2Misses/4, m.L2Misses-m.L2Misses/4
	m.POMReads, m.POMHits = m.Misses, m.Misses/3
	m.HostWalks, m.NestedHits, m.NestedMisses, m.BlockHits, m.Lines = 0, 0, 0, 0, 0
	m.WalkCaches = nil
}

func TestProgramFormatsMatchGoldenFiles(t *testing.T) {
	rivals, interrupted := sampleProgram(t), sampleProgram(t)
	rivalsOfVictima(rivals)
	interrupted.Complete = false
	golden(t, "program.json", writeProgram(t, "json", sampleProgram(t)))
	golden(t, "program.csv", writeProgram(t, "csv", sampleProgram(t)))
	golden(t, "program.txt", writeProgram(t, "text", sampleProgram(t)))
	golden(t, "program_rivals.txt", writeProgram(t, "text", rivals))
	golden(t, "program_interrupted.txt", writeProgram(t, "text", interrupted))
}

func TestProgramInterruptedInItsWarmUpHasNoFigures(t *testing.T) {
	got := writeProgram(t, "text", &program.Result{Name: "n", Hash: "h", Core: "core", Stream: "stream", Seed: 1})
	require.Equal(t, "INTERRUPTED  before anything was counted\nstream on core\n\nexact: all accesses simulated; seed 1; config h (n)\n", got)
}

func TestUnknownFormatOfAProgramIsAnError(t *testing.T) {
	err := WriteProgram(&bytes.Buffer{}, "yaml", sampleProgram(t))
	require.EqualError(t, err, `format "yaml" is none of text, json, csv`)
}

func TestProgramJSONHasNoNullLists(t *testing.T) {
	require.NotContains(t, writeProgram(t, "json", &program.Result{Caches: []program.CacheRow{{Level: "L1"}}}), "null")
}

func TestProgramJSONRefusesWhatItCannotSay(t *testing.T) {
	require.Error(t, ProgramJSON(&bytes.Buffer{}, &program.Result{IPC: math.NaN()}))
}

// Every number of the JSON is in the CSV.
func TestProgramCSVHasAllThatJSONHas(t *testing.T) {
	text := writeProgram(t, "csv", sampleProgram(t))
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	require.NoError(t, err)
	var tree any
	require.NoError(t, json.Unmarshal([]byte(writeProgram(t, "json", sampleProgram(t))), &tree))
	require.Len(t, rows[1:], leaves(tree))
	seen := map[string]bool{}
	for _, row := range rows {
		key := fmt.Sprint(row[:3])
		require.False(t, seen[key], "twice: %s", key)
		seen[key] = true
	}
	require.Regexp(t, `(?m)^run,victima_virt,translation\.walk_cycles\.p99,\d+,cycles$`, text)
	require.Regexp(t, `(?m)^run,victima_virt,translation\.reach_bytes,[\d.]+,B$`, text)
}

func TestProgramTextIsNoWiderThanAPage(t *testing.T) {
	r := sampleProgram(t)
	long := strings.Repeat("µ", 150)
	r.Core, r.Stream, r.Name = long, long, long
	m := &r.Translation
	for _, n := range []*uint64{&m.Lookups, &m.L1Hits, &m.Merged, &m.L2Hits, &m.L2Misses, &m.Walks, &m.BlockHits, &m.Retagged, &m.Rejected, &m.Background, &m.POMReads} {
		*n = 999_400_000_000
	}
	m.WalkCycles = program.Quantiles{Mean: 123456, P50: 123456, P90: 123456, P99: 123456, Max: 123456}
	lines := strings.Split(strings.TrimSuffix(writeProgram(t, "text", r), "\n"), "\n")
	require.Less(t, len(lines), 50)
	for _, line := range lines {
		require.LessOrEqual(t, utf8.RuneCountInString(line), 100, line)
	}
	require.Equal(t, 2, strings.Count(writeProgram(t, "text", r), "…"), "only names are cut")
}

func TestCountsKeepThreeDigits(t *testing.T) {
	for want, got := range map[string]string{"0": count(0), "9999": count(9999), "10.0 k": count(10_000), "999 k": count(999_499), "1.00 M": count(999_500), "21.5 G": count(21_500_000_000)} {
		require.Equal(t, want, got)
	}
}
