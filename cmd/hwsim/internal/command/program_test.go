package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/cmd/hwsim/internal/report"
	"hwsim/configs"
	"hwsim/workloads/program"
	"hwsim/workloads/trace"
)

// fakeProgram behaves as the core's behave says.
func fakeProgram(ctx context.Context, d *configs.Document, o program.Options) (*program.Result, error) {
	r := &program.Result{Schema: 1, Name: o.Name, Hash: o.Hash, Seed: o.Seed, Core: "toy", Stream: "tiny", Accesses: 1, TimeNs: 1000, Complete: true}
	behave, _ := d.Get("core.behave")
	switch behave {
	case "mistake":
		return nil, UserError(errors.New("stream: kind: none"))
	case "wait":
		os.Stderr.WriteString("ready\n")
		<-ctx.Done()
		r.Complete = false
	}
	return r, nil
}

// coreRun returns a command that runs hwsim in a folder with a configuration
// core.toml.
func coreRun(t *testing.T, behave, args string) *exec.Cmd {
	t.Helper()
	c := hwsim(t, "panic", strings.Fields(args)...)
	require.NoError(t, os.WriteFile(filepath.Join(c.Dir, "core.toml"), []byte("[core]\nbehave = '"+behave+"'\n"), 0o666))
	return c
}

func TestAConfigurationWithACoreIsAProgram(t *testing.T) {
	got := finish(t, coreRun(t, "", "core.toml -seed 7 -format json"))
	require.Zero(t, got.code, got.err)
	require.Empty(t, got.err)
	var r program.Result
	require.NoError(t, json.Unmarshal([]byte(got.out), &r))
	require.Equal(t, "core", r.Name)
	require.EqualValues(t, 7, r.Seed)
	require.NotEmpty(t, r.Hash)
	require.Contains(t, finish(t, coreRun(t, "", "core.toml")).out, "tiny on toy")
	require.Contains(t, finish(t, coreRun(t, "", "core.toml -format csv")).out, "run,core,core,toy,\n")
	require.Contains(t, finish(t, coreRun(t, "", "core.toml -print-config -set core.x=1")).out, "x = 1")
	require.Equal(t, outcome{2, "", "hwsim: stream: kind: none\n"}, finish(t, coreRun(t, "mistake", "core.toml")))
}

func TestOnlyExactFidelityIsOfCores(t *testing.T) {
	require.Zero(t, finish(t, coreRun(t, "", "core.toml -fidelity exact")).code)
	for _, f := range []string{"sampled", "analytic"} {
		want := "hwsim: -fidelity " + f + ": a configuration with [core] is simulated access by access: want exact\n"
		require.Equal(t, outcome{2, "", want}, finish(t, coreRun(t, "", "core.toml -fidelity "+f)))
	}
}

func TestAProgramIsSavedWithoutAProfile(t *testing.T) {
	c := coreRun(t, "", "core.toml -format json -o .")
	got := finish(t, c)
	require.Zero(t, got.code, got.err)
	saved, err := os.ReadFile(filepath.Join(c.Dir, "report.json"))
	require.NoError(t, err)
	require.Equal(t, got.out, string(saved))
	require.NoFileExists(t, filepath.Join(c.Dir, "profile.pb.gz"))

	again := coreRun(t, "", "core.toml -o .")
	again.Dir = c.Dir
	require.Equal(t, outcome{2, "", "hwsim: report.json exists; -force overwrites it\nhwsim: report.html exists; -force overwrites it\n"}, finish(t, again))
	page, err := os.ReadFile(filepath.Join(c.Dir, "report.html"))
	require.NoError(t, err)
	require.Contains(t, string(page), "<h1>time 1.00 µs")
	forced := coreRun(t, "", "core.toml -o . -force -seed 2")
	forced.Dir = c.Dir
	require.Zero(t, finish(t, forced).code)
	changed, err := os.ReadFile(filepath.Join(c.Dir, "report.json"))
	require.NoError(t, err)
	require.NotEqual(t, saved, changed)
}

func TestAnInterruptedProgramIsPrinted(t *testing.T) {
	c := coreRun(t, "wait", "core.toml -o out")
	got := interrupt(t, c)
	require.Equal(t, 130, got.code)
	require.Equal(t, "hwsim: interrupted\n", got.err)
	require.Contains(t, got.out, "INTERRUPTED  time 1.00 µs")
	require.FileExists(t, filepath.Join(c.Dir, "out", "report.json"))
}

// traceFiles are traces and configurations beside the program.
var traceFiles = map[string]string{
	"good.csv":   "gap,addr,op\n3,0x7f001040,R\n3,0x7f101040,W\n3,0x7f201040,R\n3,0x7f301040,R\n",
	"good.trace": "I  0401ab70,5\nI  0401ab71,5\nI  0401ab72,5\nI  0401ab73,5\n L 7f001040,8\n",
	"bad.csv":    "gap,addr,op\n3,0x7f001040,R\n3,there,R\n",
	"far.csv":    "gap,addr,op\n0,0x40,R\n0,0x1000000000000,R\n",
	"spaces.csv": "gap,addr,op,space\n0,0x40,R,2048\n",
	"header.csv": "gap,addr,op\n",
	"empty.csv":  "",
	"my.toml":    "use = 'victima_baseline'\nname = 'mine'\n",
	"whole.toml": "[core]\nuse = 'my'\n[stream]\nkind = 'of no interest'\n",
}

// traceReplay returns a command that replays on a core beside traceFiles.
func traceReplay(t *testing.T, args string) *exec.Cmd {
	t.Helper()
	c := hwsim(t, "", append([]string{"replay"}, strings.Fields(args)...)...)
	for name, text := range traceFiles {
		require.NoError(t, os.WriteFile(filepath.Join(c.Dir, name), []byte(text), 0o666))
	}
	return c
}

func TestReplayOnACoreErrorsAreOneLine(t *testing.T) {
	for _, test := range []struct{ args, err string }{
		{"-config radix", "no trace given: -config radix runs one, hwsim run the streams of configurations; see hwsim replay -h"},
		{"-config radix good.csv more.csv", `argument "more.csv" after trace "good.csv": want one trace; see hwsim replay -h`},
		{"-config radix none.csv", "open none.csv: no such file or directory"},
		{"-config radix .", ".: read .: is a directory"},
		{"-config radix header.csv", "header.csv: no accesses"},
		{"-config radix bad.csv", `bad.csv:3: addr "there": want 0 to 144115188075855871, or in hex after 0x`},
		{"-config radix spaces.csv", `spaces.csv:2: space "2048": want 0 to 2047, or in hex after 0x`},
		{"-config radix far.csv", "far.csv: access 2: address 0x1000000000000 is not below 2^48, all that mmu.levels = 4 translate"},
		{"-config radix -trace-format vcd good.csv", `invalid value "vcd" for flag -trace-format: want csv, champsim or lackey; see hwsim -h`},
		{"-config radix -format yaml good.csv", `invalid value "yaml" for flag -format: want text, json or csv; see hwsim -h`},
		{"-config radix -device hbm3_6400 good.csv", "-device drives DRAM channels, -config a core: want either; see hwsim replay -h"},
		{"-device hbm3_6400 -config=radix good.csv", "-device drives DRAM channels, -config a core: want either; see hwsim replay -h"},
		{"--config radix -gen seq", "-gen drives DRAM channels, -config a core: want either; see hwsim replay -h"},
		{"-config radix -hash good.csv", "-hash drives DRAM channels, -config a core: want either; see hwsim replay -h"},
		{"-config radix -n 0 good.csv", "-n 0: want at least 1"},
		{"-config radix -n -1 good.csv", `invalid value "-1" for flag -n: parse error; see hwsim -h`},
		{"-config radix -warm 4 good.csv", "-warm 4: good.csv has no more accesses than that"},
		{"-config rdix good.csv", `config "rdix": no such file, and no preset of that name (did you mean "radix"?)`},
		{"-config a100 good.csv", `-config "a100": has no core; want a configuration with [core], or one of hwsim list cores`},
		{"-config h200_sxm good.csv", `-config "h200_sxm": has no core; want a configuration with [core], or one of hwsim list cores`},
		{"-config radix -set core.mmu.walker=8 good.csv", `-set core.mmu.walker=8: core.mmu.walker: unknown key (did you mean "walkers"?)`},
		{"-config tlb128k -set core.mmu.walkers=0 good.csv", "-set core.mmu.walkers=0: core.mmu.walkers: must be 1 to 256"},
		{"-config my.toml -set core.rob=0 good.csv", "-set core.rob=0: core.rob: must be 1 to 65536"},
		{"-config radix -set core.mmu.walk_level=3 good.csv", "core: mmu.walk_level: 3: want 0 to 2, the last cache"},
	} {
		t.Run(test.args, func(t *testing.T) {
			require.Equal(t, outcome{2, "", "hwsim: " + test.err + "\n"}, finish(t, traceReplay(t, test.args)))
		})
	}
	got := finish(t, traceReplay(t, "-config radix empty.csv"))
	require.Equal(t, 2, got.code)
	require.Regexp(t, `^hwsim: empty\.csv: .*\n$`, got.err)
}

// A core is found in a configuration, among the presets, and in a file of its own,
// and its keys begin with core each time.
func TestReplayFindsCores(t *testing.T) {
	for config, core := range map[string]string{
		"radix": "Victima's core", "victima_baseline": "Victima's core", "cores/victima_paper": "Victima", "my.toml": "mine", "whole.toml": "mine",
	} {
		c := traceReplay(t, "-config "+config+" -set core.clock_mhz=1000 -format json good.csv")
		got := finish(t, c)
		require.Zero(t, got.code, "%s: %s", config, got.err)
		var r program.Result
		require.NoError(t, json.Unmarshal([]byte(got.out), &r))
		require.Equal(t, core, r.Core)
		require.Equal(t, "good.csv", r.Stream)
		require.EqualValues(t, r.Cycles, r.TimeNs, "1 GHz")
		require.EqualValues(t, 4, r.Accesses)
		require.EqualValues(t, 16, r.Instructions)
	}
}

func TestReplayOnACoreCountsWhatItIsAskedFor(t *testing.T) {
	accesses := func(args string) uint64 {
		got := finish(t, traceReplay(t, "-config radix -format json "+args))
		require.Zero(t, got.code, got.err)
		var r program.Result
		require.NoError(t, json.Unmarshal([]byte(got.out), &r))
		return r.Accesses
	}
	require.EqualValues(t, 3, accesses("-warm 1 good.csv"))
	require.EqualValues(t, 2, accesses("-warm 1 -n 2 good.csv"))
	require.EqualValues(t, 4, accesses("-n 9 -trace-format csv good.csv"))
	require.EqualValues(t, 1, accesses("-trace-format lackey good.trace"))
}

func TestReplayOnACorePrintsEachFormat(t *testing.T) {
	c := traceReplay(t, "-config radix good.csv")
	d, err := loadCore("radix", nil)
	require.NoError(t, err)
	var want program.Config
	require.NoError(t, d.Decode(&want))
	tr, err := trace.New("good.csv", strings.NewReader(traceFiles["good.csv"]), "")
	require.NoError(t, err)
	r, err := program.Replay(context.Background(), &want.Core, tr, "good.csv", 0, 0, program.Options{Seed: 1, Name: "radix", Hash: d.Hash()})
	require.NoError(t, err)
	for _, format := range report.Formats() {
		var text bytes.Buffer
		require.NoError(t, report.WriteProgram(&text, format, r))
		again := traceReplay(t, "-config radix -format "+format+" good.csv")
		require.Equal(t, outcome{0, text.String(), ""}, finish(t, again))
	}
	require.Contains(t, finish(t, c).out, "good.csv on Victima's core, 16 instructions, 4 accesses\n")
}

// A trace without an end is run until Ctrl-C, and what was counted is printed.
func TestReplayOnACoreStopsAtCtrlC(t *testing.T) {
	c := traceReplay(t, "-config radix /dev/stdin")
	var out, errOut bytes.Buffer
	c.Stdout, c.Stderr = &out, &errOut
	in, err := c.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	text, lines := "gap,addr,op\n", strings.Repeat("3,0x7f001040,R\n", 1<<16)
	for i := range 1000 {
		if _, err := io.WriteString(in, text); err != nil {
			break // it has stopped reading
		}
		text = lines
		if i == 2 { // more than any buffer holds: it runs
			require.NoError(t, c.Process.Signal(os.Interrupt))
		}
	}
	require.Error(t, c.Wait())
	require.Equal(t, 130, c.ProcessState.ExitCode())
	require.Equal(t, "hwsim: interrupted\n", errOut.String())
	require.Contains(t, out.String(), "INTERRUPTED  time ")
}
