package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hwsim/configs"
	"hwsim/workloads"
	"hwsim/workloads/graph"
)

// asProgram, set in its environment, makes the test binary a hwsim with a
// fake simulation.
const asProgram = "HWSIM_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		app := App{Out: os.Stdout, Err: os.Stderr, Simulate: fake, Program: fakeProgram, Compare: fakeCompare, Offload: fakeOffload}
		os.Exit(app.Main(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// fake behaves as the configuration's behave says.
func fake(ctx context.Context, d *configs.Document, o workloads.Options) (*workloads.Result, error) {
	r := &workloads.Result{
		Schema: 1, Name: o.Name, Hash: o.Hash, Seed: o.Seed, Fidelity: o.Fidelity,
		Model: "tiny", System: "toy", StepNs: 1000, KernelNs: 1000, Complete: true,
	}
	if o.Detail {
		r.Timeline = &graph.Timeline{}
	}
	behave, _ := d.Get("behave")
	switch behave {
	case "mistake":
		return nil, UserError(errors.New("kv: needs 3 GiB, has 2 GiB\nweights: too large"))
	case "fail":
		return nil, errors.New("simulate: lost a message")
	case "panic":
		panic("tRCD violated")
	case "sweep":
		return r, fakePoint(d, r)
	case "wait", "forget", "nothing", "ignore":
		os.Stderr.WriteString("ready\n")
		<-ctx.Done()
	}
	switch behave {
	case "wait":
		r.Complete = false
	case "forget":
		return nil, ctx.Err()
	case "nothing":
		return nil, errors.New("interrupted before anything was known")
	case "ignore":
		for { // the second signal may come too early to kill
			os.Stderr.WriteString("ready\n")
			time.Sleep(10 * time.Millisecond)
		}
	}
	return r, nil
}

// hwsim returns a command that runs hwsim in an empty folder with a
// configuration run.toml.
func hwsim(t *testing.T, behave string, args ...string) *exec.Cmd {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "run.toml"), []byte("behave = '"+behave+"'\nbatch = 8\n"), 0o666))
	c := exec.Command(os.Args[0], args...)
	c.Dir = dir
	c.Env = append(os.Environ(), asProgram+"=1")
	return c
}

type outcome struct {
	code     int
	out, err string
}

func finish(t *testing.T, c *exec.Cmd) outcome {
	t.Helper()
	var out, errOut bytes.Buffer
	c.Stdout, c.Stderr = &out, &errOut
	if err := c.Run(); err != nil {
		require.IsType(t, &exec.ExitError{}, err)
	}
	return outcome{c.ProcessState.ExitCode(), out.String(), errOut.String()}
}

func TestErrorsAreOneLineAProblem(t *testing.T) {
	for _, test := range []struct {
		behave, args string
		code         int
		err          string
	}{
		{"", "", 2, "no configuration given; see hwsim -h"},
		{"", "-bogus run.toml", 2, "flag provided but not defined: -bogus; see hwsim -h"},
		{"", "run.toml -bogus", 2, "flag provided but not defined: -bogus; see hwsim -h"},
		{"", "rum", 2, `config "rum": no such file, and no preset of that name; hwsim help lists commands, hwsim list presets`},
		{"", "none.toml", 2, `config "none.toml": no such file, and no preset of that name`},
		{"", "run.toml more.toml", 2, `argument "more.toml" after configuration "run.toml": want one configuration; see hwsim -h`},
		{"", "-config run.toml -format yaml", 2, `invalid value "yaml" for flag -format: want text, json or csv; see hwsim -h`},
		{"", "-config run.toml -fidelity fast", 2, `invalid value "fast" for flag -fidelity: want exact, sampled or analytic; see hwsim -h`},
		{"", "-config run.toml -seed -1", 2, `invalid value "-1" for flag -seed: parse error; see hwsim -h`},
		{"", "run.toml -set batch", 2, "-set batch: want key.path=value"},
		{"", "run.toml -o run.toml", 2, "run.toml is not a folder"},
		{"", "run.toml -cpuprofile no/where", 2, "open no/where: no such file or directory"},
		{"", "list nowhere", 2, `list "nowhere": want configurations, systems, models, kernels, policies, engines, workloads, cores, streams, drives, csd, flexgen, energy, prices, costs`},
		{"", "version 2", 2, `version "2": wants no arguments; see hwsim -h`},
		{"mistake", "run.toml", 2, "kv: needs 3 GiB, has 2 GiB\nweights: too large"},
		{"fail", "run.toml", 1, "simulate: lost a message"},
	} {
		t.Run(test.behave+" "+test.args, func(t *testing.T) {
			got := finish(t, hwsim(t, test.behave, strings.Fields(test.args)...))
			require.Equal(t, test.code, got.code)
			require.Equal(t, "hwsim: "+strings.ReplaceAll(test.err, "\n", "\nhwsim: ")+"\n", got.err)
			require.Empty(t, got.out)
		})
	}
}

func TestPanicsAreInternalErrors(t *testing.T) {
	got := finish(t, hwsim(t, "panic", "run.toml"))
	require.Equal(t, 1, got.code)
	require.True(t, strings.HasPrefix(got.err, "hwsim: internal error: tRCD violated\n"))
}

func TestConfigurationNeedsNoFlag(t *testing.T) {
	want := finish(t, hwsim(t, "", "-config", "run.toml", "-format", "json"))
	require.Zero(t, want.code)
	require.Equal(t, want, finish(t, hwsim(t, "", "run.toml", "-format", "json")))
	require.Equal(t, want, finish(t, hwsim(t, "", "run", "-format", "json", "run")))
}

func TestOptionsReachTheSimulation(t *testing.T) {
	got := finish(t, hwsim(t, "", "run.toml", "-format=json", "-seed=7", "-fidelity=exact", "-set", "batch=9", "-set", "batch=10"))
	require.Zero(t, got.code, got.err)
	require.Empty(t, got.err)
	var r workloads.Result
	require.NoError(t, json.Unmarshal([]byte(got.out), &r))
	require.Equal(t, "run", r.Name)
	require.EqualValues(t, 7, r.Seed)
	require.Equal(t, "exact", r.Fidelity)
	other := finish(t, hwsim(t, "", "run.toml", "-format=json", "-seed=7", "-fidelity=exact", "-set", "batch=10"))
	require.Equal(t, other.out, got.out)
}

func TestPrintConfigDoesNotSimulate(t *testing.T) {
	got := finish(t, hwsim(t, "panic", "run.toml", "-print-config", "-set", "batch=9"))
	require.Equal(t, outcome{0, "batch = 9                         # -set batch=9\n" +
		"behave = \"panic\"                  # run.toml:1\n", ""}, got)
}

func TestUsageNamesEveryFlagAndCommand(t *testing.T) {
	got := finish(t, hwsim(t, "", "-h"))
	require.Zero(t, got.code)
	require.Empty(t, got.err)
	require.LessOrEqual(t, strings.Count(got.out, "\n"), 40)
	newOptions().flags().VisitAll(func(f *flag.Flag) { require.Contains(t, got.out, "  -"+f.Name+" ") })
	for _, c := range commands() {
		require.Contains(t, got.out, "\n  "+c.name+" ")
	}
	for _, args := range []string{"help", "run -h", "list -h", "version -help"} {
		require.Equal(t, got, finish(t, hwsim(t, "", strings.Fields(args)...)), args)
	}
}

func TestVersionIsOneLine(t *testing.T) {
	got := finish(t, hwsim(t, "", "version"))
	require.Zero(t, got.code)
	require.Regexp(t, `^hwsim .* go1\.\d+.*\n$`, got.out)
}

func TestListSummarisesPresets(t *testing.T) {
	got := finish(t, hwsim(t, "", "list"))
	require.Zero(t, got.code)
	for _, m := range configs.Presets("models") {
		require.Contains(t, got.out, "  "+m+" ")
		require.Contains(t, got.out, configs.Summary("models/"+m))
	}
	one := finish(t, hwsim(t, "", "list", "models"))
	require.Contains(t, got.out, strings.Fields(one.out)[0])
	require.NotContains(t, one.out, "systems")
}
