package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/cmd/hwsim/internal/sweep"
	"hwsim/cmd/hwsim/internal/sweep/store"
)

// aSweep is one with all that a report can have.
func aSweep() *sweep.Analysis {
	records := []store.Record{
		{Point: 0, Key: "a", Config: "c0", Set: map[string]any{"batch": 8.0}, Outcome: store.Outcome{Metrics: map[string]float64{"step_ns": 1.5}}},
		{Point: 2, Key: "b", Config: "c2", Set: map[string]any{"batch": 16.0, "host.cxl.use": "x8", "kv.split": map[string]any{"hbm": 0.5, "ddr": 0.5}},
			Outcome: store.Outcome{Metrics: map[string]float64{"step_ns": 3e9, "energy_pj": 7}}},
		{Point: 3, Key: "c", Config: "c3", Set: map[string]any{"batch": 32.0}, Outcome: store.Outcome{Problem: "kv: 5 GiB, \"too many\""}},
	}
	a := &sweep.Analysis{
		Schema: 1, Name: "run", Design: "grid", Seed: 7, Fidelity: "analytic", Points: 9, Dropped: 4, Finished: 3, Distinct: 3, Run: 2,
		Objectives: []string{"max tokens_per_s", "min hbm_bytes"}, Best: []float64{1289.4, 17161183232}, Reference: []float64{-2e6, 76497330176}, Hypervolume: 0.1234,
		Axes: []string{"batch", "split", "card"}, Whole: 12, Records: records,
		Front: []sweep.Row{
			{Point: 2, Values: []any{int64(16), map[string]any{"hbm": 0.5, "ddr": 0.5}, "x8"}, Objectives: []float64{1289.4, 50574434304}},
			{Point: 4, Values: []any{int64(16), map[string]any{"hbm": 0.5, "ddr": 0.5}, "x16"}, Objectives: []float64{1289.4, 50574434304}},
			{Point: 0, Values: []any{131072.0, 0.123456, nil}, Objectives: []float64{-3.25, 0}},
		},
		Effects:  []sweep.Effect{{Axis: "batch", Objective: "max tokens_per_s", Centre: 100, Least: 50, LeastAt: int64(8), Most: 175, MostAt: int64(32)}},
		Indices:  []sweep.Index{{Axis: "batch", Objective: "max tokens_per_s", First: 0.25, Total: 0.5}},
		Problems: []sweep.Problem{{Text: "kv: … GiB", Points: 3}, {Text: "b", Points: 2}, {Text: "c", Points: 1}, {Text: "d", Points: 1}, {Text: "e", Points: 1}},
	}
	for i := range maxFront { // more than fit
		a.Front = append(a.Front, sweep.Row{Point: 10 + i, Values: []any{int64(i), nil, "x8"}, Objectives: []float64{-4, float64(-i)}})
	}
	return a
}

func TestSweepFormats(t *testing.T) {
	for _, f := range Formats() {
		var out bytes.Buffer
		require.NoError(t, WriteSweep(&out, f, aSweep()))
		golden(t, "sweep."+strings.Replace(f, "text", "txt", 1), out.String())
	}
	require.ErrorContains(t, WriteSweep(&bytes.Buffer{}, "yaml", aSweep()), "none of text, json, csv")
}

func TestASweepOfNothingIsWhole(t *testing.T) {
	none := &sweep.Analysis{Design: "grid", Points: 3}
	var out bytes.Buffer
	require.NoError(t, SweepText(&out, none))
	require.Contains(t, out.String(), "0 of 3 points are finished\n")
	out.Reset()
	require.NoError(t, SweepJSON(&out, none))
	require.NotContains(t, out.String(), "null")
	require.True(t, json.Valid(out.Bytes()))
	out.Reset()
	require.NoError(t, SweepCSV(&out, none))
	rows, err := csv.NewReader(&out).ReadAll()
	require.NoError(t, err)
	require.Equal(t, [][]string{{"point", "config", "problem"}}, rows)
}
