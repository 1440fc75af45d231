package validation

import (
	"context"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"hwsim/configs"
	"hwsim/workloads"
)

// everyRetrieval runs all rows; the slow tests set it.
var everyRetrieval = false

// A layer of retrieval as it was measured, under the policy that says the same:
// without the kernel that stores the new token, which was not measured.
func TestMeasuredRetrievalAsAPolicy(t *testing.T) {
	f, err := os.Open("h200/retrieve.csv")
	require.NoError(t, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	at := map[string]int{}
	for i, name := range rows[0] {
		at[name] = i
	}
	sum, n, worst := 0.0, 0, 0.0
	for i, r := range rows[1:] {
		if !everyRetrieval && i%8 != 1 {
			continue
		}
		get := func(name string) string { return r[at[name]] }
		chunk, top := number(t, get("chunk_tokens")), number(t, get("top_chunks"))
		tier := map[string]string{"host": "ddr", "hbm": "hbm"}
		ns := attends(t, "model.q_heads="+get("q_heads"), "model.kv_heads="+get("kv_heads"), "workload.batch="+get("batch"), "workload.context="+get("context"),
			"policy.use=new_retrieve", fmt.Sprint("policy.select.attend.chunk=", chunk), fmt.Sprint("policy.select.attend.tokens=", chunk*top),
			fmt.Sprint("policy.object.landmarks.tokens=", chunk), fmt.Sprint("policy.object.scores.tokens=", chunk),
			"policy.place.keys="+tier[get("k_place")], "policy.place.values="+tier[get("v_place")])
		measured, err := strconv.ParseFloat(get("layer_us_graph"), 64)
		require.NoError(t, err)
		off := ns/1e3/measured - 1
		t.Logf("batch %s, %s tokens, %d chunks of %d, keys in %s, values in %s: measured %.1f µs, ours %.1f (%+.1f %%)",
			get("batch"), get("context"), top, chunk, get("k_place"), get("v_place"), measured, ns/1e3, 100*off)
		sum, n, worst = sum+math.Abs(off), n+1, max(worst, math.Abs(off))
	}
	t.Logf("%d rows: mean %.1f %%, worst %.1f %%", n, 100*sum/float64(n), 100*worst)
	assert.Less(t, worst, 0.12)
}

func number(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	require.NoError(t, err)
	return n
}

// attends returns the time of a layer's attention on the H200, in ns.
func attends(t *testing.T, sets ...string) float64 {
	t.Helper()
	const layers = 4
	d, err := configs.Load("h200", append([]string{"model.layers=4", "model.params_published=0", "sampling.tolerance=0.02"}, sets...))
	require.NoError(t, err)
	var c workloads.Config
	require.NoError(t, d.Decode(&c))
	r, err := workloads.RunAttention(context.Background(), &c, workloads.Options{Seed: 1, Fidelity: "sampled"})
	require.NoError(t, err)
	ns := r.StepNs
	for _, k := range r.Kernels {
		if k.Class == "rope" {
			ns -= k.Ns + float64(k.Calls)*r.GapNs/calls(r)
		}
	}
	return ns / layers
}

// calls counts kernels.
func calls(r *workloads.Result) float64 {
	n := 0
	for _, k := range r.Kernels {
		n += k.Calls
	}
	return float64(n)
}
