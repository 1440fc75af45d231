package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/validation"
)

var updateValidation = flag.Bool("update-validation", false, "rewrite testdata/validate.*")

// validateProgram returns a command that runs hwsim validate beside a folder
// with the tables, by file name.
func validateProgram(t *testing.T, tables map[string]string, args string) *exec.Cmd {
	t.Helper()
	c := hwsim(t, "", append([]string{"validate"}, strings.Fields(args)...)...)
	for name, text := range tables {
		path := filepath.Join(c.Dir, "tables", name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o777))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o666))
	}
	return c
}

const (
	chaseColumns = "test,cache_op,range_bytes,nodes,ns_per_access\n"
	rivalsTable  = "system,OPT-6.7B_tok_s,OPT-30B_tok_s\nX,1,2\nY,3,4\n"
)

func TestValidateErrorsAreOneLineAProblem(t *testing.T) {
	tables := map[string]string{"good.csv": rivalsTable, "h100.json": `{"schema":1,"complete":true,"config":"h100"}`,
		"quick.json": `{"schema":1,"complete":true,"config":"h200","quick":true}`, "half.json": `{"schema":1,"config":"h200"}`,
		"bad/x.csv": chaseColumns + "chase_randm,cg,4096,32,1\n", "bad/y.csv": chaseColumns + "chase_random,cg,4096\n"}
	for _, test := range []struct{ args, err string }{
		{"tables", `validate "tables": wants flags only; see hwsim validate -h`},
		{"-published -quick", "validate: -published goes with -all alone"},
		{"-data none", `-data "none": want a folder of CSV files`},
		{"-data=", `-data "": want a folder of CSV files`},
		{"-data run.toml", `-data "run.toml": want a folder of CSV files`},
		{"-format csv", `invalid value "csv" for flag -format: want text or json; see hwsim -h`},
		{"-config h2000 -data tables", `config "h2000": no such file, and no preset of that name (did you mean "h200"?)`},
		{"-config run.toml -data tables", "run.toml:1: behave: unknown key\nrun.toml:2: batch: unknown key"},
		{"-data tables -against none.json", "-against: open none.json: no such file or directory"},
		{"-data tables -against run.toml", `-against "run.toml": want a report of validate in JSON, schema 1`},
		{"-data tables -against=", "-against: open : no such file or directory"},
		{"-data tables -against tables/h100.json", `-against "tables/h100.json": that run was of -config h100, this is of h200`},
		{"-data tables -against tables/quick.json", `-against "tables/quick.json": of that run and this, one is -quick`},
		{"-data tables -against tables/half.json", `-against "tables/half.json": that run was interrupted`},
		{"-data tables/none", `-data "tables/none": want a folder of CSV files`},
		{"-data tables", `bad/x.csv:2: test: "chase_randm" is none of chase_random, chase_host, chase_peer, chase_pages_<n>KiB (did you mean "chase_random"?)` + "\n" +
			"bad/y.csv:2: wrong number of fields"},
	} {
		got := finish(t, validateProgram(t, tables, test.args))
		require.Equal(t, 2, got.code, test.args)
		require.Empty(t, got.out)
		if !strings.HasPrefix(test.args, "-config run.toml") { // what it says is configs' business
			require.Equal(t, "hwsim: "+strings.ReplaceAll(test.err, "\n", "\nhwsim: ")+"\n", got.err)
		}
	}
	c := validateProgram(t, nil, "-data .")
	require.Equal(t, outcome{2, "", "hwsim: -data \".\": no CSV files in it\n"}, finish(t, c))
}

func TestValidatePrintsFiguresOfPapers(t *testing.T) {
	got := finish(t, hwsim(t, "", "validate", "-published"))
	require.Zero(t, got.code)
	require.Regexp(t, `(?m)^V15 .* ok `, got.out)
	require.Regexp(t, `(?m)^\d+ of \d+ within their tolerance$`, got.out)
}

func TestValidateNamesWhatItDoesNotSimulate(t *testing.T) {
	tables := map[string]string{"rivals.csv": rivalsTable, "odd.csv": "x,y\n1,2\n", "near.csv": "test,cache_op,range_bytes,ns_per_access\n",
		"fast.csv": "page_kib,n_descriptors,throughput_gb_s\n4,10000,640\n"}
	got := finish(t, validateProgram(t, tables, "-data tables"))
	require.Equal(t, outcome{0, `predictions for h200, errors of times in %

without a prediction:
  rivals.csv  2 rows  throughput of baselines  recognised, not simulated yet

faster than the machine can be, left out:
  fast.csv:2  4 10000: 640.0 GB/s, above the 63.0 of its link

not recognised:
  near.csv: columns test, cache_op, range_bytes, ns_per_access; nearest is pointer chases, which has nodes
  odd.csv: columns x, y
`, ""}, got)
}

// A chase that is measured a hundred times too slow must be above its bound,
// whatever the model says.
func TestValidateExitsWithOneAboveABound(t *testing.T) {
	tables := map[string]string{"latency.csv": chaseColumns + "chase_random,cg,262144,2048,14600\n"}
	got := finish(t, validateProgram(t, tables, "-data tables"))
	require.Equal(t, 1, got.code)
	require.Regexp(t, `^hwsim: latency.csv: L2 near: MAPE 9\d\.\d\d % is above the bound of 5 %\n$`, got.err)
	require.Contains(t, got.out, "above\n")

	got = finish(t, validateProgram(t, tables, "-data tables -format json -quick"))
	require.Equal(t, 1, got.code)
	var r validation.Report
	require.NoError(t, json.Unmarshal([]byte(got.out), &r))
	require.True(t, r.Quick)
	require.Equal(t, []string{"all", "L2 near"}, []string{r.Tables[0].Bucket, r.Tables[1].Bucket})
	require.Nil(t, r.Tables[0].BaselineMAPE)
	require.Equal(t, 5.0, *r.Tables[1].Bound)
}

func TestValidateWritesItsReportAndPlots(t *testing.T) {
	tables := map[string]string{"latency.csv": chaseColumns + "chase_random,cg,262144,2048,146\nchase_random,cg,524288,4096,146\n"}
	c := validateProgram(t, tables, "-data tables -o a/b")
	got := finish(t, c)
	require.Zero(t, got.code, got.err)
	require.True(t, strings.HasSuffix(got.out, "\nreport.html, report.json and 2 plots are in a/b\n"), got.out)
	for _, name := range []string{"latency-scatter.svg", "latency-latency.svg"} {
		require.FileExists(t, filepath.Join(c.Dir, "a/b", name))
	}
	saved, err := os.ReadFile(filepath.Join(c.Dir, "a/b/report.json"))
	require.NoError(t, err)

	again := validateProgram(t, tables, "-data tables -o a/b -format json")
	again.Dir = c.Dir
	require.Equal(t, outcome{2, "", "hwsim: a/b/report.json exists; -force overwrites it\nhwsim: a/b/report.html exists; -force overwrites it\n" +
		"hwsim: a/b/latency-latency.svg exists; -force overwrites it\nhwsim: a/b/latency-scatter.svg exists; -force overwrites it\n"}, finish(t, again))

	forced := validateProgram(t, tables, "-data tables -o a/b -format json -force")
	forced.Dir = c.Dir
	require.Equal(t, outcome{0, string(saved), ""}, finish(t, forced))
}

func TestValidateOutputMustBeAFolder(t *testing.T) {
	tables := map[string]string{"rivals.csv": rivalsTable}
	require.Equal(t, outcome{2, "", "hwsim: run.toml is not a folder\n"}, finish(t, validateProgram(t, tables, "-data tables -o run.toml")))
}

func TestVerdictOfAReport(t *testing.T) {
	r := sampleValidation()
	require.Equal(t, exitInternal, exitCode(verdict(r, nil)))
	require.EqualError(t, verdict(r, nil), "links.csv: copies: MAPE 6.50 % is above the bound of 6 %")
	r.Tables[2].MAPE = 6
	require.NoError(t, verdict(r, nil))
	earlier := sampleValidation()
	earlier.Rows[0].Error = 0
	r.Rows[0].Error = 1.5
	require.EqualError(t, verdict(r, earlier), r.Rows[0].File+": "+r.Rows[0].Row+": error +1.50 %, was +0.00 %")
	r.Rows[0].Error = 1
	require.NoError(t, verdict(r, earlier))
	r.Complete = false
	require.True(t, errors.Is(verdict(r, nil), errInterrupted))
	require.Equal(t, exitInterrupted, exitCode(verdict(r, nil)))
}

func of(v float64) *float64 { return &v }

func sampleValidation() *validation.Report {
	return &validation.Report{
		Schema: 1, Config: "h200", Complete: true, Quick: true,
		Tables: []validation.Score{
			{File: "latency.csv", Layout: "pointer chases", Bucket: "all", N: 2, Of: 104, MAPE: 1.5, Median: 1.5, P90: 1.9, Bias: -0.5, TimeWeighted: 1.25},
			{File: "links.csv", Layout: "transfers", Bucket: "all", N: 4, Of: 108, MAPE: 6.5, Median: 6, P90: 9, Bias: 2, TimeWeighted: 4,
				BaselineMAPE: of(65.25), RepeatMAPE: of(0.5)},
			{File: "links.csv", Layout: "transfers", Bucket: "copies", N: 4, Of: 26, MAPE: 6.5, Median: 6, P90: 9, Bias: 2, TimeWeighted: 4,
				BaselineMAPE: of(1.5), RepeatMAPE: of(0.5), Bound: of(6)},
		},
		NotSimulated: []validation.Omission{
			{File: "linear.csv", Layout: "linear layers", Rows: 144, Reason: "recognised, not simulated yet"},
			{File: "latency.csv", Layout: "pointer chases", Bucket: "peer", Rows: 5, Reason: "no tier\npeer"},
		},
		AbovePeak:    []validation.Refusal{{File: "links.csv", Line: 9, Row: "memcpy_h2d 4096", GBps: 70, Most: 63, Bound: "link"}},
		Unrecognised: []validation.Unknown{{File: "x.csv", Columns: []string{"a", "b"}}},
		Rows:         []validation.Row{{File: "latency.csv", Line: 2, Row: "chase_random ca", Bucket: "L1", Measured: 20, Ours: 20.5, Error: 2.5}},
	}
}

func TestValidationReportsMatchGoldenFiles(t *testing.T) {
	interrupted := sampleValidation()
	interrupted.Complete = false
	for name, write := range map[string]func(*bytes.Buffer) error{
		"validate.json": func(b *bytes.Buffer) error { return writeValidationJSON(b, sampleValidation()) },
		"validate.txt": func(b *bytes.Buffer) error {
			return writeValidation(b, sampleValidation(), "\nreport.html, report.json and 2 plots are in out\n")
		},
	} {
		var got bytes.Buffer
		require.NoError(t, write(&got))
		path := filepath.Join("testdata", name)
		if *updateValidation {
			require.NoError(t, os.WriteFile(path, got.Bytes(), 0o666))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(want), got.String())
	}
	var got bytes.Buffer
	require.NoError(t, writeValidation(&got, interrupted, ""))
	require.True(t, strings.HasPrefix(got.String(), "INTERRUPTED  "))
}

func TestValidateHelpNamesEveryFlag(t *testing.T) {
	got := finish(t, validateProgram(t, nil, "-h"))
	require.Zero(t, got.code)
	require.LessOrEqual(t, strings.Count(got.out, "\n"), 40)
	(&validateOptions{}).flags().VisitAll(func(f *flag.Flag) { require.Contains(t, got.out, "  -"+f.Name+" ") })
}
