package main

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/cmd/hwsim/internal/sweep/store"
	"hwsim/workloads"
)

// sweepFile varies a step, its memory and a preset.
const sweepFile = `base = ["a100_cxl"]
[sweep]
objectives = ["max tokens_per_s", "min ddr_bytes + cxl_bytes"]
[[sweep.axes]]
key = "workload.batch"
values = [16, 32]
[[sweep.axes]]
key = "kv.split.cxl"
name = "cxl"
values = [0.0, 0.5]
[[sweep.axes]]
key = "system.host.cxl"
name = "card"
presets = ["cxl_asic_x8", "cxl_asic_x16"]
when = "cxl > 0"
[[sweep.derive]]
key = "kv.split.ddr"
value = "0.6 - cxl"
`

// lines are a store's lines in order of their text, and the header.
func lines(t *testing.T, dir string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, store.FileName))
	require.NoError(t, err)
	return slices.Sorted(strings.Lines(string(text)))
}

// A point of a sweep is the run that its sets describe.
func TestAPointIsTheRunOfItsSets(t *testing.T) {
	code, out, errOut := hwsim(t, map[string]string{"run.toml": sweepFile}, "sweep", "run.toml", "-fidelity", "analytic", "-out", "out", "-format", "csv")
	require.Zero(t, code, errOut)
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 1+2*3)
	for _, row := range rows[1:] {
		cells := map[string]string{}
		for i, name := range rows[0] {
			cells[name] = row[i]
		}
		args := []string{"a100_cxl", "-fidelity", "analytic", "-format", "json"}
		for _, key := range []string{"workload.batch", "kv.split.cxl", "kv.split.ddr", "system.host.cxl.use"} {
			if cells[key] != "" {
				args = append(args, "-set", key+"="+cells[key])
			}
		}
		code, out, errOut := hwsim(t, nil, args...)
		require.Zero(t, code, errOut)
		var r workloads.Result
		require.NoError(t, json.Unmarshal([]byte(out), &r))
		number := func(name string) (v float64) {
			require.NoError(t, json.Unmarshal([]byte(cells[name]), &v), name)
			return v
		}
		require.Equal(t, r.StepNs, number("step_ns"))
		require.Equal(t, r.TokensPerSecond, number("tokens_per_s"))
		far := 0.0
		for _, o := range r.Objects {
			if o.Tier == "ddr" || o.Tier == "cxl" {
				far += float64(o.Bytes)
			}
		}
		require.Equal(t, far, number("ddr_bytes")+number("cxl_bytes"))
	}
}

// Every kind of configuration can be swept.
func TestProgramsAndGenerationAreSweptToo(t *testing.T) {
	for name, file := range map[string]string{
		"max ipc": coreFile + "[sweep]\nobjectives = ['max ipc', 'min translation.walks']\n[[sweep.axes]]\nkey = 'core.mmu.walkers'\nvalues = [1, 4]\n",
		"max tokens_per_s": "base = ['flexgen_t4']\n[sweep]\nobjectives = ['max tokens_per_s', 'min prefill_ns']\n" +
			"[[sweep.axes]]\nkey = 'offload.policy'\nvalues = ['16x8;0/50/0/0/0/100', '32x8;0/50/0/0/0/100']\n",
	} {
		code, out, errOut := hwsim(t, map[string]string{"run.toml": file}, "sweep", "run.toml", "-out", "out")
		require.Zero(t, code, errOut)
		require.Contains(t, out, name)
		require.Contains(t, out, "grid: 2 points of 2 configurations, 2 of them run; ", errOut)
	}
}

func TestMistakesInWhatIsSweptAreOneLine(t *testing.T) {
	args := []string{"sweep", "run.toml", "-fidelity", "analytic", "-out", "out"}
	run := func(old, wrong string, want ...string) {
		t.Helper()
		require.Contains(t, sweepFile, old)
		code, _, errOut := hwsim(t, map[string]string{"run.toml": strings.Replace(sweepFile, old, wrong, 1)}, args...)
		require.Equal(t, 2, code, errOut)
		lines := strings.Split(strings.TrimSpace(errOut), "\n")
		last := lines[len(lines)-1]
		require.True(t, strings.HasPrefix(last, "hwsim: "), errOut)
		require.Equal(t, 1, strings.Count(errOut, "hwsim: "), errOut)
		for _, w := range want {
			require.Contains(t, last, w)
		}
	}
	run("workload.batch", "workload.bach", "-set workload.bach=", `workload.bach: unknown key (did you mean "batch"?)`)
	run("cxl_asic_x16", "cxl_asic_x61", `sweep.axes.2: -set system.host.cxl.use="cxl_asic_x61"`, `did you mean "cxl_asic_x16"?`)
	run("cxl > 0", "cx > 0", "run.toml:15: sweep.axes.2.when: ", "cx is no axis here")
	run("max tokens_per_s", "max tokens", "sweep.objectives.0: ", "tokens has no value", "tokens_per_s")
	run("values = [16, 32]", "values = [16, 32]\nvalue = 3", "sweep.axes.0.value: unknown key", `did you mean "values"?`)
}

// What ran alone does not run as a sweep's point but for its sets.
func TestTheShippedSweepPlansItsPoints(t *testing.T) {
	c := exec.Command(binary, "sweep", "sweep_cxl", "-fidelity", "analytic", "-out", "out", "-shard", "0/300")
	c.Dir = t.TempDir()
	out, err := c.Output()
	require.NoError(t, err)
	require.Contains(t, string(out), "9 of 2425 points are finished")
}

// Figures of energy and price are axes like any other, and what a token takes of
// them objectives.
func TestEnergyAndCostAreSwept(t *testing.T) {
	file := `base = ["a100_cxl"]
[sweep]
objectives = ["min joules_per_token", "min dollars_per_mtoken"]
[[sweep.axes]]
key = "system.gpu.energy.static_w"
values = [50, 100]
[[sweep.axes]]
key = "system.host.ddr.price.usd_per_gib"
values = [2, 8]
`
	code, out, errOut := hwsim(t, map[string]string{"run.toml": file}, "sweep", "run.toml", "-fidelity", "analytic", "-out", "out", "-format", "csv")
	require.Zero(t, code, errOut)
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 1+4)
	joules, dollars := map[string]float64{}, map[string]float64{}
	for _, row := range rows[1:] {
		point := row[slices.Index(rows[0], "system.gpu.energy.static_w")] + " " + row[slices.Index(rows[0], "system.host.ddr.price.usd_per_gib")]
		for metric, values := range map[string]map[string]float64{"joules_per_token": joules, "dollars_per_mtoken": dollars} {
			values[point], err = strconv.ParseFloat(row[slices.Index(rows[0], metric)], 64)
			require.NoError(t, err)
		}
	}
	require.Equal(t, joules["50 2"], joules["50 8"], "a price is no energy")
	require.Less(t, joules["50 2"], joules["100 2"])
	require.Less(t, dollars["50 2"], dollars["50 8"])
	require.Less(t, dollars["50 2"], dollars["100 2"], "electricity costs")
}
