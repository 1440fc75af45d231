package validation

import (
	"context"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// gaps are the known deviations, as DEVIATIONS.md describes them under the
// same names: each with a cheap row that shows it, and the error in percent
// beyond which it still is there, about half of what it was when it was
// registered; below 0 where we are too fast.
var gaps = []struct {
	name      string
	file, row string
	bucket    bucket
	beyond    float64
}{
	{"A lone warp streams too slowly", "bandwidth.csv", "read_vs_sms w0of4 33554432 1 32", bySMs, 12},
	{"The edge of the L1", "latency.csv", "chase_random ca 229376 1792", chaseL1Edge, -16},
	{"Random pieces of 1 KiB and more", "gather.csv", "gather_random 1024 1073741824 528 512", chunksLarge, -11},
	{"Strided reads of HBM", "gather.csv", "strided_512B 131072 34359738368 528 512", strided, -5},
	{"Few random pieces in flight", "span.csv", "hbm_conc 128 68719476736 1 64", hbmByLoad, 14},
	{"Small copies in both directions", "links.csv", "memcpy_both 4096 262144 64 0", copyBoth, -12},
	{"Pages by one copy each", "pages.csv", "pages_dma_each 2048 8589934592 8192 0", dmaSmall, -7},
	{"Pages by one batched call", "pages.csv", "pages_dma_batch 32768 8589934592 8192 0", dmaBatch, 80},
	{"Pages by a kernel of few blocks", "pages.csv", "pages_sm_kernel 8192 8589934592 8 512", kernelSmall, -10},
	{"Kernels that all update one line", "launch.csv", "graph_node 1056 blocks", graphNodes, 100},
	{"The host's part of a launch", "launch.csv", "launch_sync nop", launches, -40},
}

// pin names a row's comparison.
func pin(file, row, bucket string) string { return file + ": " + row + ": " + bucket }

// pinned returns the errors of the rows that show the gaps, by their pins.
func pinned(t *testing.T) map[string]float64 {
	t.Helper()
	data, err := fs.Sub(embedded, "h200")
	require.NoError(t, err)
	wanted := map[string]bool{}
	for _, g := range gaps {
		wanted[pin(g.file, g.row, string(g.bucket))] = true
	}
	r, err := Run(context.Background(), Options{Config: "h200", Data: data, Rows: func(r Row) bool { return wanted[pin(r.File, r.Row, r.Bucket)] }})
	require.NoError(t, err)
	errors := map[string]float64{}
	for _, row := range r.Rows {
		errors[pin(row.File, row.Row, row.Bucket)] = row.Error
	}
	return errors
}

// A gap that has closed must leave the register.
func TestKnownGapsAreStillThere(t *testing.T) {
	errors := pinned(t)
	for _, g := range gaps {
		row := pin(g.file, g.row, string(g.bucket))
		e, ok := errors[row]
		require.True(t, ok, "%s: no row %s", g.name, row)
		t.Logf("%-40s %+.1f %%", g.name, e)
		if e/g.beyond < 1 {
			t.Errorf("the gap %q has closed: %s is off by %+.1f %%, within %+g: remove it from DEVIATIONS.md and from gaps", g.name, row, e, g.beyond)
		}
	}
}

func TestTheRegisterDescribesEachGap(t *testing.T) {
	text, err := os.ReadFile("DEVIATIONS.md")
	require.NoError(t, err)
	var described []string
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(line, "## "); ok {
			described = append(described, strings.TrimSpace(name))
		}
	}
	var known []string
	for _, g := range gaps {
		known = append(known, g.name)
	}
	require.Equal(t, known, described)
}
