package command

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/configs"
	"hwsim/workloads"
)

// fakeCompare gives each policy a row, and behaves as the configuration's behave
// says.
func fakeCompare(ctx context.Context, policies []Policy, o workloads.Options) (*workloads.Comparison, error) {
	c := &workloads.Comparison{Schema: 1, Name: o.Name, Seed: o.Seed, Fidelity: o.Fidelity, Model: "tiny", System: "toy", Batch: 2, Context: 512, Complete: true}
	behave, _ := policies[0].Document.Get("behave")
	switch behave {
	case "wait", "nothing":
		os.Stderr.WriteString("ready\n")
		<-ctx.Done()
		c.Complete = false
	case "mistake":
		return nil, UserError(errors.New("kv: wrong"))
	}
	if behave == "nothing" {
		return c, errors.New("interrupted before anything was known")
	}
	for i, p := range policies {
		row := workloads.ComparisonRow{Policy: p.Name, StepNs: float64(1000 * (i + 1)), TokensPerSecond: 1e9 / float64(i+1), MaxBatch: 10 * (i + 1)}
		if tolerance, _ := p.Document.Get("sampling.tolerance"); tolerance != nil {
			row.Bound = tolerance.(float64)
		}
		if p.Name == "03_xquant" {
			row = workloads.ComparisonRow{Policy: p.Name, Problem: "kv x: 2.08 GiB do not fit into hbm"}
		}
		c.Rows = append(c.Rows, row)
	}
	return c, nil
}

// compareCommand returns a command that compares policies under run.toml, in
// whose folder there is a policy mine.toml.
func compareCommand(t *testing.T, behave, args string) *exec.Cmd {
	t.Helper()
	c := hwsim(t, behave, strings.Fields("compare "+args)...)
	require.NoError(t, os.WriteFile(filepath.Join(c.Dir, "mine.toml"), []byte("name = 'mine'\n"), 0o666))
	return c
}

func TestCompareErrorsAreOneLine(t *testing.T) {
	for _, test := range []struct{ behave, args, err string }{
		{"", "", "no configuration given; see hwsim compare -h"},
		{"", "run.toml", "-policies: want names of policies, with commas between them; hwsim list policies shows them"},
		{"", "run.toml more.toml -policies base", `argument "more.toml" after configuration "run.toml": want one configuration; see hwsim compare -h`},
		{"", "none.toml -policies base", `config "none.toml": no such file, and no preset of that name`},
		{"", "run.toml -policies base,,mine.toml", `-policies "base,,mine.toml": want names of policies, with commas between them; hwsim list policies shows them`},
		{"", "run.toml -policies 48_snapk", `-policies: no policy "48_snapk", neither a file nor a preset; hwsim list policies shows them`},
		{"", "run.toml -policies base,48_snapkv,base", `-policies: "base" is there twice`},
		{"", "run.toml -policies base -fidelity fast", `invalid value "fast" for flag -fidelity: want exact, sampled or analytic; see hwsim -h`},
		{"", "run.toml -policies base -format yaml", `invalid value "yaml" for flag -format: want text, json or csv; see hwsim -h`},
		{"", "run.toml -policies base -set batch", "-set batch: want key.path=value"},
		{"", "run.toml -policies base -o run.toml", "run.toml is not a folder"},
		{"mistake", "run.toml -policies base", "kv: wrong"},
	} {
		t.Run(test.args, func(t *testing.T) {
			require.Equal(t, outcome{2, "", "hwsim: " + test.err + "\n"}, finish(t, compareCommand(t, test.behave, test.args)))
		})
	}
}

func TestCompareUsageNamesEveryFlag(t *testing.T) {
	got := finish(t, compareCommand(t, "", "-h"))
	require.Zero(t, got.code)
	(&compareOptions{options: *newOptions()}).flags().VisitAll(func(f *flag.Flag) { require.Contains(t, got.out, "  -"+f.Name+" ") })
	require.Contains(t, got.out, "base is")
}

// Only a coarser sampling is compare's own; -set overrides it. Files are policies
// as presets are.
func TestComparePassesOnPoliciesAndValues(t *testing.T) {
	for args, bound := range map[string]float64{"": 0.03, " -set sampling.tolerance=0.01": 0.01} {
		got := finish(t, compareCommand(t, "", "run.toml -format json -seed 5 -fidelity exact -policies base,48_snapkv,mine.toml"+args))
		require.Zero(t, got.code, got.err)
		var c workloads.Comparison
		require.NoError(t, json.Unmarshal([]byte(got.out), &c))
		require.Equal(t, "run", c.Name)
		require.EqualValues(t, 5, c.Seed)
		require.Equal(t, "exact", c.Fidelity)
		require.Len(t, c.Rows, 3)
		for i, name := range []string{"base", "48_snapkv", "mine.toml"} {
			require.Equal(t, name, c.Rows[i].Policy)
			require.Equal(t, bound, c.Rows[i].Bound)
		}
	}
}

func TestWhatDoesNotFitIsToldInItsRow(t *testing.T) {
	got := finish(t, compareCommand(t, "", "run.toml -policies base,03_xquant"))
	require.Zero(t, got.code, got.err)
	require.Contains(t, got.out, "\n03_xquant: kv x: 2.08 GiB do not fit into hbm\n")
	rows, err := csv.NewReader(strings.NewReader(finish(t, compareCommand(t, "", "run.toml -format csv -policies base,03_xquant")).out)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 3)
	require.Equal(t, []string{"03_xquant", "kv x: 2.08 GiB do not fit into hbm"}, rows[2][:2])
}

func TestCompareWritesItsFilesOnce(t *testing.T) {
	c := compareCommand(t, "", "run.toml -format json -policies base,48_snapkv -o out")
	got := finish(t, c)
	require.Zero(t, got.code, got.err)
	read := func(name string) []byte {
		content, err := os.ReadFile(filepath.Join(c.Dir, "out", name))
		require.NoError(t, err)
		return content
	}
	require.Equal(t, got.out, string(read(compareJSON)))
	svg := read(compareSVG)
	requireXML(t, svg)
	for _, force := range []string{"", " -force"} {
		again := compareCommand(t, "", "run.toml -format json -policies base,48_snapkv -o out"+force)
		again.Dir = c.Dir
		got = finish(t, again)
		if force != "" {
			require.Zero(t, got.code, got.err)
			continue
		}
		require.Equal(t, 2, got.code)
		require.Equal(t, "hwsim: out/compare.json exists; -force overwrites it\nhwsim: out/compare.csv exists; -force overwrites it\nhwsim: out/compare.svg exists; -force overwrites it\n", got.err)
		require.Equal(t, svg, read(compareSVG))
	}
	require.Equal(t, svg, read(compareSVG), "the same bytes twice")
}

func requireXML(t *testing.T, text []byte) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(text))
	for n := 0; ; n++ {
		_, err := d.Token()
		if err == io.EOF {
			require.Greater(t, n, 10)
			return
		}
		require.NoError(t, err)
	}
}

func TestAnInterruptedComparisonTellsWhatItKnows(t *testing.T) {
	c := compareCommand(t, "wait", "run.toml -policies base -o out")
	got := interrupt(t, c)
	require.Equal(t, 130, got.code)
	require.Equal(t, "hwsim: interrupted\n", got.err)
	require.True(t, strings.HasPrefix(got.out, "INTERRUPTED\n"), got.out)
	require.FileExists(t, filepath.Join(c.Dir, "out", compareJSON))
	require.Equal(t, outcome{130, "", "hwsim: interrupted\n"}, interrupt(t, compareCommand(t, "nothing", "run.toml -policies base")))
}

func TestPoliciesAreListed(t *testing.T) {
	got := finish(t, hwsim(t, "", "list", "policies"))
	for _, name := range configs.Presets("policies") {
		require.Contains(t, got.out, name)
	}
}
