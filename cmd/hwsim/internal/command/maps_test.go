package command

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMapsErrorsAreOneLine(t *testing.T) {
	for _, test := range []struct{ args, err string }{
		{"", "no -device given; see hwsim maps -h"},
		{"-device hbm3_6400", "no requests: want -gen or a trace; see hwsim maps -h"},
		{"-device hbm3_640 -gen seq", `-device: dram: no standard "hbm3_640"; nearest is "hbm3_6400"`},
		{"-device hbm3_6400 -gen seq -map a", "flag provided but not defined: -map; see hwsim -h"},
		{"-device hbm3_6400 -gen sequ", `-gen: no pattern "sequ"; want seq, rand, stride, blk<n> (n from 1), seqrw50 or randrw50`},
		{"-device hbm3_6400 -gen seq -channels 2000", "-channels 2000: want 1 to 1024"},
		{"-device hbm3_6400 bad.csv", `bad.csv:3: operation "X": want R or W`},
		{"-device hbm3_6400 good.csv bad.csv", `argument "bad.csv" after trace "good.csv": want one trace; see hwsim maps -h`},
	} {
		t.Run(test.args, func(t *testing.T) {
			require.Equal(t, outcome{2, "", "hwsim: " + test.err + "\n"}, finish(t, streamProgram(t, "maps "+test.args)))
		})
	}
}

func TestMapsPrintsATable(t *testing.T) {
	got := finish(t, streamProgram(t, "maps -device ddr5_4800bn good.csv"))
	require.Empty(t, got.err)
	require.Equal(t, `ddr5_4800bn, 3 requests of good.csv, at the trace's times

  map  hash  granule  GB/s  % of peak  bursts per ACT  balance  mean latency
    a   off        -  0.88       4.57            3.00    1.000       23.8 ns
    a    on        -  0.88       4.57            3.00    1.000       23.8 ns
    b   off        -  0.88       4.57            3.00    1.000       23.8 ns
    b    on        -  0.88       4.57            3.00    1.000       23.8 ns
`, got.out)
	got = finish(t, streamProgram(t, "maps -device hbm3_6400 -channels 2 -gen stride -n 1000"))
	require.Empty(t, got.err)
	lines := strings.Split(got.out, "\n")
	require.Equal(t, "hbm3_6400, 2 channels, 1000 requests of stride, saturated", lines[0])
	require.Len(t, lines, 3+3*2*4+1)
	require.Regexp(t, regexp.MustCompile(`^ +a +on +\d+ `), lines[3])
}

func TestMapsPrintsJSON(t *testing.T) {
	type report struct {
		Device   string
		Channels int
		Gen      string
		N        int
		Qd       int
		Maps     []mapReport
	}
	for args, want := range map[string]report{
		"":             {"hbm3_6400", 1, "rand", 500, 4, make([]mapReport, 6)},
		" -channels 3": {"hbm3_6400", 3, "rand", 500, 4, make([]mapReport, 24)},
	} {
		got := finish(t, streamProgram(t, "maps -device hbm3_6400 -gen rand -n 500 -qd 4 -format json"+args))
		require.Empty(t, got.err)
		var r report
		require.NoError(t, json.Unmarshal([]byte(got.out), &r))
		require.Equal(t, len(want.Maps), len(r.Maps))
		for i, m := range r.Maps {
			require.Positive(t, m.LatencyNs)
			require.Equal(t, want.Channels == 1, m.Granule == 0)
			require.True(t, i == 0 || m.GBps <= r.Maps[i-1].GBps)
		}
		r.Maps = want.Maps
		require.Equal(t, want, r)
	}
}
