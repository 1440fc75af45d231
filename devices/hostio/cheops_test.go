package hostio_test

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"strconv"
	"testing"

	"hwsim/configs"
	"hwsim/devices/hostio"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func preset(t *testing.T, name string) *hostio.Host {
	t.Helper()
	doc, err := configs.Load("hostio/"+name, nil)
	require.NoError(t, err)
	h := &hostio.Host{}
	require.NoError(t, doc.Decode(h))
	return h
}

func path(t *testing.T, h *hostio.Host, name string) *hostio.Path {
	t.Helper()
	p, err := h.Path(name)
	require.NoError(t, err)
	return p
}

// rows returns the rows of a table of ../shared/reference/ssd, which does not
// ship with the project, by column.
func rows(t *testing.T, file string) []map[string]string {
	t.Helper()
	f, err := os.Open("../../../shared/reference/ssd/" + file)
	if err != nil {
		t.Skip("no reference data")
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	var out []map[string]string
	for _, cells := range all[1:] {
		row := map[string]string{}
		for i, v := range cells {
			row[all[0][i]] = v
		}
		out = append(out, row)
	}
	return out
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	require.NoError(t, err)
	return v
}

// pathOf names the path of a tensor I/O row.
func pathOf(r map[string]string) string {
	name := fmt.Sprintf("%s_%s_%s", r["engine"], r["operation"], r["tensor_location"])
	if r["engine"] == "py" && r["operation"] == "store" {
		name += "_" + r["filesystem"]
	}
	return name
}

func TestTensorsTakeTheTimesOfCHEOPS25(t *testing.T) {
	h := preset(t, "cheops25")
	sum, within, n, big, bigN := map[string]float64{}, map[string]int{}, map[string]int{}, 0.0, 0
	for _, r := range rows(t, "cheops25_deepnvme.csv") {
		name := pathOf(r)
		mib := number(t, r["size_MiB"])
		got := path(t, h, name).Elapsed(int64(mib)<<20, 1).Seconds()
		e := got/number(t, r["mean_time_s_5_loops"]) - 1
		t.Logf("%s %s %4.0f MiB: %+.1f %%", name, r["filesystem"], mib, 100*e)
		sum[name] += math.Abs(e)
		n[name]++
		if math.Abs(e) <= 0.10 {
			within[name]++
		}
		if mib >= 32 {
			big, bigN = max(big, math.Abs(e)), bigN+1
		}
	}
	inside, all := 0, 0
	for name := range n {
		t.Logf("%-20s MAPE %4.1f %%, within 10 %%: %d of %d", name, 100*sum[name]/float64(n[name]), within[name], n[name])
		assert.LessOrEqual(t, sum[name]/float64(n[name]), 0.10, name)
		inside, all = inside+within[name], all+n[name]
	}
	t.Logf("within 10 %%: %d of %d; from 32 MiB: %d rows, worst %.1f %%", inside, all, bigN, 100*big)
}

// Figures of other machines, copies in series or hidden by threads; rates of
// the drives and of links are theirs. Sources: DeepSpeed's DeepNVMe report
// (H100, two drives of 13 GB/s, a tensor of 1 GB), NVIDIA's gdsio example (one
// drive, 1 MiB, four threads).
func TestOtherMachinesCopiesInSeries(t *testing.T) {
	deepNVMe := hostio.Path{Threads: 1, Legs: []hostio.Leg{leg(0, false, stage("drive", 0, 12.3)), leg(0, false, stage("link", 0, 55))}}
	got := 1 / deepNVMe.Elapsed(1e9, 1).Seconds()
	t.Logf("DeepNVMe on an H100, aio to the GPU: %.2f GB/s, published 9.9", got)
	assert.InEpsilon(t, 9.9, got, 0.10)

	const transfers = 400
	gib := func(v float64) float64 { return v * (1 << 30) / 1e9 }
	gdsio := hostio.Path{Threads: 4, Legs: []hostio.Leg{leg(0, false, stage("drive", 0, gib(3.23))), leg(0, false, stage("link", 0, 12.2))}}
	got = transfers * mib / gdsio.Simulate(mib, transfers).Seconds() / (1 << 30)
	t.Logf("gdsio through the host to the GPU: %.2f GiB/s, published 3.135", got)
	assert.InEpsilon(t, 3.135, got, 0.10)
}
