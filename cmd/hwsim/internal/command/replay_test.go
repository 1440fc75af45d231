package command

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices/dram"
)

const badTrace = "ns,addr,bytes,op\n0,0x40,32,R\n1,0x40,32,X\n"

// replayProgram returns a command that runs hwsim replay in a folder with the
// traces bad.csv and good.csv.
func replayProgram(t *testing.T, args string) *exec.Cmd {
	t.Helper()
	return streamProgram(t, "replay "+args)
}

// streamProgram is the same for any command.
func streamProgram(t *testing.T, args string) *exec.Cmd {
	t.Helper()
	c := hwsim(t, "", strings.Fields(args)...)
	good := "ns,addr,bytes,op\n0,0,32,R\n100,32,32,R\n200,0,64,R\n"
	for name, text := range map[string]string{"bad.csv": badTrace, "good.csv": good} {
		require.NoError(t, os.WriteFile(filepath.Join(c.Dir, name), []byte(text), 0o666))
	}
	return c
}

func TestReplayErrorsAreOneLine(t *testing.T) {
	for _, test := range []struct{ args, err string }{
		{"", "no -device given; see hwsim replay -h"},
		{"-device hbm3_6400", "no requests: want -gen or a trace; see hwsim replay -h"},
		{"-device hbm3_640 -gen seq", `-device: dram: no standard "hbm3_640"; nearest is "hbm3_6400"`},
		{"-device hbm3_6400 -gen sequ", `-gen: no pattern "sequ"; want seq, rand, stride, blk<n> (n from 1), seqrw50 or randrw50`},
		{"-device hbm3_6400 -gen blk0", `-gen: pattern "blk0": want blk<n>, n from 1 to 33554432 bursts`},
		{"-device hbm3_6400 -gen seq -n 0", "-n 0: want at least 1"},
		{"-device hbm3_6400 -gen seq -n -1", `invalid value "-1" for flag -n: parse error; see hwsim -h`},
		{"-device hbm3_6400 -gen seq -load 10 -qd 2", "-load and -qd: want either"},
		{"-device hbm3_6400 -gen seq -load 0", "-load 0: want 1 to 1000 percent of peak"},
		{"-device hbm3_6400 -gen seq -qd 0", "-qd 0: want 1 to 1048576 outstanding reads"},
		{"-device hbm3_6400 -gen seq -channels 0", "-channels 0: want 1 to 1024"},
		{"-device hbm3_6400 -gen seq -channels 1025", "-channels 1025: want 1 to 1024"},
		{"-device hbm3_6400 -gen seq -granule 512", "-granule spreads addresses over channels: want -channels above 1"},
		{"-device hbm3_6400 -gen seq -channels 2 -granule 16", "-granule 16: want a power of two from 32, a burst, to 1048576 bytes"},
		{"-device hbm3_6400 -gen seq -channels 2 -granule 768", "-granule 768: want a power of two from 32, a burst, to 1048576 bytes"},
		{"-device ddr5_4800bn -gen seq -channels 2 -granule 2097152", "-granule 2097152: want a power of two from 64, a burst, to 1048576 bytes"},
		{"-device hbm3_6400 -gen seq -channels 2 -commands out.csv", "-commands writes those of one channel: want it without -channels 2"},
		{"-device hbm3_6400 -gen seq -channels 1024 -qd 1025", "-qd 1025: want 1 to 1024 outstanding reads a channel"},
		{"-device hbm3_6400 -gen seq -map gp", `dram: address map "gp": no field "gp"; nearest is "pc"`},
		{"-device hbm3_6400 -gen seq -map c", `dram: address map "C": no field "C"; nearest is "pc"`},
		{"-device hbm3_6400 -gen seq -format csv", `invalid value "csv" for flag -format: want text or json; see hwsim -h`},
		{"-device hbm3_6400 -gen seq bad.csv", `-gen, -n and -seed make requests, trace "bad.csv" has its own: want either`},
		{"-device hbm3_6400 bad.csv more.csv", `argument "more.csv" after trace "bad.csv": want one trace; see hwsim replay -h`},
		{"-device hbm3_6400 none.csv", "open none.csv: no such file or directory"},
		{"-device hbm3_6400 bad.csv", `bad.csv:3: operation "X": want R or W`},
		{"-device hbm3_6400 .", "read .: is a directory"},
		{"-device hbm3_6400 -gen seq -commands bad.csv", "bad.csv exists; -commands does not overwrite it"},
		{"-device hbm3_6400 -gen seq -commands no/where", "open no/where: no such file or directory"},
	} {
		t.Run(test.args, func(t *testing.T) {
			c := replayProgram(t, test.args)
			require.Equal(t, outcome{2, "", "hwsim: " + test.err + "\n"}, finish(t, c))
			content, err := os.ReadFile(filepath.Join(c.Dir, "bad.csv"))
			require.NoError(t, err)
			require.Equal(t, badTrace, string(content))
		})
	}
}

// rate is the only figure that differs between runs.
var rate = regexp.MustCompile(`"requests_per_cpu_s": [0-9.e+]+|[0-9.e+]+ requests per CPU second`)

func TestReplayPrintsText(t *testing.T) {
	got := finish(t, replayProgram(t, "-device hbm2_2000 good.csv"))
	require.Empty(t, got.err)
	require.Equal(t, `hbm2_2000, map b, 3 requests of good.csv, at the trace's times

bandwidth     0.59 GB/s     1.84 % of peak
read latency  mean 26.3 ns  p50 31.0  p99 31.0  max 31.0
commands      ACT 2         PRE 0     RD 4      WR 0
refreshes     REFab 0       REFpb 0
rows          hits 2        misses 2  conflicts 0   2.00 bursts per ACT
energy        5.24 pJ/bit   ACT 34 %  columns 66 %  other 0 %
time          217.0 ns      N
`, rate.ReplaceAllString(got.out, "N"))
}

func TestReplayPrintsChannels(t *testing.T) {
	got := finish(t, replayProgram(t, "-device hbm2_2000 -channels 3 -granule 32 -hash -qd 1 good.csv"))
	require.Empty(t, got.err)
	require.Equal(t, `hbm2_2000, map b hashed, 3 requests of good.csv, at most 1 reads a channel outstanding

bandwidth     2.67 GB/s           2.78 % of peak
channels      3 of 32 B granules  balance 0.667
read latency  mean 23.5 ns        p50 31.0  p99 31.0  max 31.0
commands      ACT 2               PRE 0     RD 4      WR 0
refreshes     REFab 0             REFpb 0
rows          hits 2              misses 2  conflicts 0   2.00 bursts per ACT
energy        5.24 pJ/bit         ACT 34 %  columns 66 %  other 0 %
time          48.0 ns             N
`, rate.ReplaceAllString(got.out, "N"))
}

func TestGPUMapIsItsFieldOrderHashed(t *testing.T) {
	figures := func(args string) string {
		c := replayProgram(t, "")
		c.Args = append(c.Args, "-device", "hbm3_6400", "-gen", "blk4", "-n", "1000", "-map")
		c.Args = append(c.Args, strings.Split(args, ",")...)
		got := finish(t, c)
		require.Empty(t, got.err)
		_, body, _ := strings.Cut(rate.ReplaceAllString(got.out, "N"), "\n")
		return body
	}
	require.Equal(t, figures(dram.MapGPU+",-hash"), figures("gpu"))
	require.Equal(t, figures(dram.MapGPU), figures("gpu,-hash=false"))
	require.NotEqual(t, figures("gpu"), figures("gpu,-hash=false"))
}

const replayJSON = `{
  "device": "hbm2_2000",
  "map": "a",
  "gen": "seqrw50",
  "n": 1000,
  "seed": 1,
  "load": 50,
  "gbps": 15.786877158362111,
  "pct_peak": 49.333991119881595,
  "read_latency_ns": {
    "mean": 52.30566801619433,
    "p50": 40,
    "p99": 120,
    "max": 126
  },
  "commands": {
    "ACT": 32,
    "PRE": 0,
    "RD": 494,
    "WR": 474,
    "REFab": 0,
    "REFpb": 0
  },
  "rows": {
    "hits": 936,
    "misses": 32,
    "conflicts": 0,
    "bursts_per_act": 30.25
  },
  "energy_pj": {
    "activate": 28835.84,
    "read": 402155.52,
    "write": 385873.92000000004,
    "io": 74342.4,
    "refresh": 0,
    "background": 0,
    "total": 891207.68,
    "per_bit": 3.5963636363636367,
    "source": "scale-snu/attacc_simulator@c600051, pJ a bit, after O'Connor et al., MICRO 2017: activate 0.11 of the row, cell 0.44, to bank group 1.01, to global I/O 1.23, TSV 0.5, interposer 0.3"
  },
  "time_ns": 2027,
  N
}
`

func TestReplayPrintsJSON(t *testing.T) {
	got := finish(t, replayProgram(t, "-format json -device hbm2_2000 -gen seqrw50 -n 1000 -load 50 -map a"))
	require.Empty(t, got.err)
	require.Equal(t, replayJSON, rate.ReplaceAllString(got.out, "N"))
	again := finish(t, replayProgram(t, "-format json -device hbm2_2000 -gen seqrw50 -n 1000 -load 50 -map A"))
	require.Equal(t, strings.Replace(replayJSON, `"a"`, `"A"`, 1), rate.ReplaceAllString(again.out, "N"))
}

func TestReplaySaysHowItRan(t *testing.T) {
	for args, want := range map[string]map[string]any{
		"-gen rand -n 10":               {"gen": "rand", "n": 10.0, "seed": 1.0, "load": 1000.0},
		"-gen rand -n 10 -qd 3 -seed 0": {"gen": "rand", "n": 10.0, "seed": 0.0, "qd": 3.0},
		"good.csv":                      {"trace": "good.csv", "n": 3.0},
		"good.csv -load 20":             {"trace": "good.csv", "n": 3.0, "load": 20.0},
		"good.csv -qd 1":                {"trace": "good.csv", "n": 3.0, "qd": 1.0},
		"good.csv -hash":                {"trace": "good.csv", "n": 3.0, "hash": true},
		"good.csv -map gpu":             {"trace": "good.csv", "n": 3.0, "hash": true},
		"good.csv -map gpu -hash=false": {"trace": "good.csv", "n": 3.0},
		"good.csv -channels 1":          {"trace": "good.csv", "n": 3.0},
		"good.csv -channels 2":          {"trace": "good.csv", "n": 3.0, "channels": map[string]any{"count": 2.0, "granule": 512.0, "balance": 0.5}},
	} {
		got := finish(t, replayProgram(t, "-format json -device hbm2_2000 "+args))
		require.Empty(t, got.err, args)
		var all, said map[string]any
		require.NoError(t, json.Unmarshal([]byte(got.out), &all))
		said = map[string]any{}
		for _, key := range []string{"hash", "gen", "trace", "n", "seed", "load", "qd", "channels"} {
			if v, ok := all[key]; ok {
				said[key] = v
			}
		}
		require.Equal(t, want, said, args)
	}
}

func TestReplayWritesCommands(t *testing.T) {
	c := replayProgram(t, "-device hbm3_6400 -gen seq -n 40000 -commands out.csv")
	require.Empty(t, finish(t, c).err)
	content, err := os.ReadFile(filepath.Join(c.Dir, "out.csv"))
	require.NoError(t, err)
	text := string(content)
	require.True(t, strings.HasPrefix(text, "tick,cmd,pc,rank_or_sid,bg,bank,row,col_burst\n0,ACT,0,0,0,0,0,0\n"), text[:100])
	require.Regexp(t, `\n\d+,PREpb,0,0,0,0,-1,-1\n`, text)
	require.Regexp(t, `\n\d+,REFab,1,-1,-1,-1,-1,-1\n`, text)
	require.Regexp(t, `\n\d+,RD,1,0,3,1,0,31\n`, text)
}

func TestHelpNamesEveryFlag(t *testing.T) {
	for _, test := range []struct {
		args  string
		flags *flag.FlagSet
	}{
		{"replay -h", newReplayOptions().flags()}, {"replay -config x -h", newProgramOptions().flags()},
		{"replay -drive x -h", (&driveOptions{}).flags()}, {"maps -h", (&streamOptions{}).flags()},
	} {
		got := finish(t, streamProgram(t, test.args))
		require.Zero(t, got.code)
		require.Empty(t, got.err)
		test.flags.VisitAll(func(f *flag.Flag) { require.Contains(t, got.out, "  -"+f.Name+" ") })
		require.Contains(t, got.out, "hbm3_6400")
		for line := range strings.Lines(got.out) {
			require.LessOrEqual(t, len(line), 81)
		}
	}
}
