package validation

import (
	"context"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

const messColumns = "read_pct,bw_gbps,lat_ns,lat_cycles\n"

func readAs(t *testing.T, file, text string) *table {
	t.Helper()
	tab, err := readTable(file, strings.NewReader(text))
	require.NoError(t, err)
	return tab
}

func TestCurvesOfHostsAreComparedAtThreePointsOfTwoMixes(t *testing.T) {
	tab := readAs(t, "mess/graviton3-ddr5-4800x8.csv", messColumns+
		"100,-0.5,120,\n100,140,140,\n100,220,170,\n100,280,240,\n100,140,400,\n"+ // the last folds back
		"50,130,150,\n50,260,300,\n"+
		"76,200,150,\n")
	var lines []int
	var buckets []bucket
	var loads []float64
	for _, c := range tab.comparisons {
		lines, buckets, loads = append(lines, c.line), append(buckets, c.bucket), append(loads, c.load.measured)
		require.Equal(t, "graviton3", c.task.(hostCurve).preset)
	}
	require.Equal(t, []int{5, 3, 4, 8, 7, 8}, lines)
	require.Equal(t, []bucket{hostReads, hostHalf, hostMost, hostMixed, hostHalf, hostMost}, buckets)
	require.Equal(t, []float64{0, 140, 220, 0, 130, 260}, loads)
}

func TestCurvesOfOtherMachinesAreListed(t *testing.T) {
	data := fstest.MapFS{"kunpeng.csv": {Data: []byte(messColumns + "0,10,100,\n100,10,100,\n")}}
	r, err := Run(context.Background(), Options{Config: "h200", Data: data})
	require.NoError(t, err)
	require.Equal(t, []Omission{{"kunpeng.csv", "bandwidth-latency curves", "", 2, noHost}}, r.NotSimulated)
}

func TestBadCellsOfCurvesAreReported(t *testing.T) {
	for _, test := range []struct{ row, err string }{
		{"101,1,1,", `read_pct: "101": want a whole number from 0 to 100`},
		{"100,x,1,", `bw_gbps: "x": want a number`},
		{"100,NaN,1,", `bw_gbps: "NaN": want a number`},
		{"100,1,0,", `lat_ns: "0": want a number above 0`},
		{"100,-1,5,", `bw_gbps: want a number above 0 at some row`},
	} {
		_, err := readTable("a64fx-hbm2x4.csv", strings.NewReader(messColumns+test.row+"\n"))
		require.ErrorContains(t, err, "a64fx-hbm2x4.csv:2: "+test.err)
	}
}

// Bounds of the third step, over all curves that ship with the references.
func TestHostsAndExpanderKeepTheirBounds(t *testing.T) {
	data := os.DirFS("../../shared/reference/mess")
	if _, err := fs.Stat(data, "."); err != nil {
		t.Skip(err)
	}
	r, err := Run(context.Background(), Options{Config: "h200", Data: data})
	require.NoError(t, err)
	require.Empty(t, r.Exceeded())
	files := map[string]int{}
	for _, row := range r.Rows {
		files[row.File]++
	}
	require.Equal(t, map[string]int{"spr8480-ddr5-4800x8.csv": 6, "graviton3-ddr5-4800x8.csv": 6, "a64fx-hbm2x4.csv": 6, "cxl-expander-micron-model.csv": 50}, files)
}
