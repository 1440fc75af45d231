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
	{"The last tenth of the bandwidth", "bandwidth.csv", "read_vs_sms w0of4 8589934592 88 1024", bySMs, -5},
	{"One or two warps on many SMs", "bandwidth.csv", "read_vs_sms w0of4 8589934592 132 64", bySMs, 4.5},
	{"A lone warp streams too slowly", "bandwidth.csv", "read_vs_sms w0of4 33554432 1 32", bySMs, 11},
	{"Reading again a little more than the L2 holds", "bandwidth.csv", "read_vs_range synced 58720256 264 512", rereadEdge, -7},
	{"Many warps of random 128 B pieces", "span.csv", "hbm_conc 128 68719476736 64 512", hbmByLoad, -13},
	{"Copies of 128 KiB in both directions", "links.csv", "memcpy_both 131072 8388608 64 0", copyBoth, -11},
	{"Copies from a peer of 128 KiB to 4 MiB", "links.csv", "memcpy_peer 524288 33554432 64 0", peerLarge, -6},
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
