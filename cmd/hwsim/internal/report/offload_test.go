package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"hwsim/workloads/offload"
)

// sampleOffload is the result that testdata/offload.json holds, of FlexGen.
func sampleOffload(t *testing.T) *offload.Result {
	t.Helper()
	return savedOffload(t, "offload")
}

// savedOffload is the result that a file of testdata holds.
func savedOffload(t *testing.T, name string) *offload.Result {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name + ".json")
	require.NoError(t, err)
	var r offload.Result
	require.NoError(t, json.Unmarshal(text, &r))
	return &r
}

func writeOffload(t *testing.T, format string, r *offload.Result) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, WriteOffload(&out, format, r))
	return out.String()
}

func TestOffloadFormatsMatchGoldenFiles(t *testing.T) {
	for _, name := range []string{"offload", "instorage"} {
		r := savedOffload(t, name)
		golden(t, name+".json", writeOffload(t, "json", r))
		golden(t, name+".csv", writeOffload(t, "csv", r))
		golden(t, name+".txt", writeOffload(t, "text", r))
	}
}

func TestInStorageSaysWhatIsOfFlashOnlyOfFlash(t *testing.T) {
	r := savedOffload(t, "instorage")
	require.Contains(t, writeOffload(t, "text", r), "\nSparF 0.125 on 1 x instinfer\n")
	r.InStorage.EnduranceTokens, r.InStorage.Sparse, r.InStorage.GPUs, r.InStorage.StepsError = 0, 0, 2, -0.004
	text := writeOffload(t, "text", r)
	require.Contains(t, text, "\ndense attention on 1 x instinfer; layers on 2 GPUs\n")
	require.Contains(t, text, "sampled: ± 0.4 % by steps, ")
	require.NotContains(t, text, "endurance")
	require.NotContains(t, text, "DRAM")
	require.NotContains(t, text, "busy")
}

func TestOffloadSaysWhatRivalsDo(t *testing.T) {
	r := sampleOffload(t)
	r.Policy, r.SwappedIn, r.Recomputed = "", 3<<30, 12.7
	text := writeOffload(t, "text", r)
	require.NotContains(t, text, "policy")
	require.Contains(t, text, "3.00 GiB of KV are swapped in\n")
	require.Contains(t, text, "a step computes 12.7 sequences anew, mean\n")
	r.Policy, r.Found = "1x1;0/0/0/0/0/0", true
	require.Contains(t, writeOffload(t, "text", r), "policy found 1x1;0/0/0/0/0/0\n")
}

func TestOffloadCSVHasAllThatJSONHas(t *testing.T) {
	for name, want := range map[string]string{
		"offload":   `(?m)^memory,KV in drive,bytes,[\d.]+,B$`,
		"instorage": `(?m)^in storage,instinfer,decode_read_bytes,[\d.]+,B$`,
	} {
		text := writeOffload(t, "csv", savedOffload(t, name))
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		require.NoError(t, err)
		var tree any
		require.NoError(t, json.Unmarshal([]byte(writeOffload(t, "json", savedOffload(t, name))), &tree))
		require.Len(t, rows[1:], leaves(tree))
		require.Regexp(t, want, text)
	}
}

func TestOffloadJSONHasNoNullLists(t *testing.T) {
	require.NotContains(t, writeOffload(t, "json", &offload.Result{Memories: []offload.MemoryRow{{Memory: "drive"}}}), "null")
	require.Error(t, OffloadJSON(&bytes.Buffer{}, &offload.Result{TimeNs: math.NaN()}))
	require.Error(t, WriteOffload(&bytes.Buffer{}, "yaml", &offload.Result{}))
}

func TestOffloadTextIsNoWiderThanAPage(t *testing.T) {
	r := sampleOffload(t)
	long := strings.Repeat("µ", 150)
	r.Model, r.Name, r.Policy = long, long, long
	lines := strings.Split(strings.TrimSuffix(writeOffload(t, "text", r), "\n"), "\n")
	require.Less(t, len(lines), 50)
	for _, line := range lines {
		require.LessOrEqual(t, utf8.RuneCountInString(line), 100, line)
	}
}
