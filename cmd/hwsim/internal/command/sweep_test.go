package command

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hwsim/cmd/hwsim/internal/sweep"
	"hwsim/cmd/hwsim/internal/sweep/store"
	"hwsim/configs"
	"hwsim/workloads"
)

// ranFile names, in the environment, the file that fakePoint tells what it ran.
const ranFile = "HWSIM_TEST_RAN"

// sweptFile is a sweep of 40 points; 200 and 400 do not fit.
const sweptFile = `behave = "sweep"
pause_ms = 1
batch = 1
far = 0.0
[sweep]
objectives = ["max tokens_per_s", "min step_ns + 0 * far"]
[[sweep.axes]]
key = "batch"
values = [1, 2, 4, 8, 10, 20, 40, 100, 200, 400]
[[sweep.axes]]
key = "far"
range = [0.0, 0.75]
steps = 4
`

// fakePoint is a step whose figures follow from batch and far.
func fakePoint(d *configs.Document, r *workloads.Result) error {
	value := func(key string) float64 {
		switch v, _ := d.Get(key); v := v.(type) {
		case int64:
			return float64(v)
		case float64:
			return v
		}
		return 0
	}
	batch, far := value("batch"), value("far")
	f, err := os.OpenFile(os.Getenv(ranFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return err
	}
	fmt.Fprintf(f, "%g %g\n", batch, far)
	if err := f.Close(); err != nil {
		return err
	}
	time.Sleep(time.Duration(value("pause_ms")) * time.Millisecond)
	if batch >= 200 {
		return UserError(fmt.Errorf("kv: %g GiB do not fit", batch))
	}
	r.StepNs = 100 * (1 + batch*(1+3*far))
	r.TokensPerSecond = batch / r.StepNs * 1e9
	r.Objects = []workloads.ObjectRow{{Object: "kv", Tier: "hbm", Bytes: uint64(1000 * batch * (1 - far))}, {Object: "kv", Tier: "ddr", Bytes: uint64(1000 * batch * far)}}
	return nil
}

// swept returns a command that runs hwsim sweep in a folder with a sweep.
func swept(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "run.toml"), []byte(sweptFile), 0o666))
	c := exec.Command(os.Args[0], append([]string{"sweep"}, args...)...)
	c.Dir = dir
	c.Env = append(os.Environ(), asProgram+"=1", ranFile+"="+filepath.Join(dir, "ran"))
	return c
}

// ran returns how often each point was simulated.
func ran(t *testing.T, dir string) map[string]int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "ran"))
	if !errors.Is(err, os.ErrNotExist) {
		require.NoError(t, err)
	}
	counts := map[string]int{}
	for line := range strings.Lines(string(text)) {
		counts[strings.TrimSpace(line)]++
	}
	return counts
}

func points(t *testing.T, dir string) []store.Record {
	t.Helper()
	_, records, err := store.Read(dir)
	require.NoError(t, err)
	return records
}

func TestASweepKeepsAndComparesItsPoints(t *testing.T) {
	dir := t.TempDir()
	got := finish(t, swept(t, dir, "run.toml", "-out", "out"))
	require.Zero(t, got.code, got.err)
	require.Contains(t, got.out, "8 points are best")
	require.Contains(t, got.out, "grid: 40 points of 40 configurations, 32 of them run; 0 more break a constraint\n  8: kv: … GiB do not fit\n")
	require.Contains(t, got.err, "40 simulated, 0 shared a configuration, 0 were in the memo; 0.0 % known\n")
	require.Len(t, points(t, filepath.Join(dir, "out")), 40)
	for point, n := range ran(t, dir) {
		require.Equal(t, 1, n, point)
	}

	picture, err := os.ReadFile(filepath.Join(dir, "out", frontFile))
	require.NoError(t, err)
	require.Contains(t, string(picture), "run, sampled: 32 points, 8 of them best")

	again := finish(t, swept(t, dir, "-config", "run.toml", "-out", "out"))
	require.Equal(t, outcome{0, got.out, "no points were left to run\n"}, again)
	require.Len(t, points(t, filepath.Join(dir, "out")), 40)

	page, err := os.ReadFile(filepath.Join(dir, "out", "report.html"))
	require.NoError(t, err)
	require.Contains(t, string(page), "<h1>8 points are best")
	require.Contains(t, string(page), `"command":"hwsim -config run.toml -fidelity sampled -seed 1 -point"`)

	table := finish(t, swept(t, dir, "run.toml", "-out", "out", "-format", "csv"))
	rows, err := csv.NewReader(strings.NewReader(table.out)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 41)
	require.Equal(t, []string{"point", "config", "batch", "far"}, rows[0][:4])
	require.Contains(t, rows[0], "hbm_bytes")
	var a sweep.Analysis
	form := finish(t, swept(t, dir, "-merge", "out", "-format", "json"))
	require.NoError(t, json.Unmarshal([]byte(form.out), &a))
	require.Equal(t, 40, a.Finished)
	require.Len(t, a.Front, 8)
}

// A point that is run alone is the configuration that the sweep ran.
func TestAPointOfASweepIsRunAlone(t *testing.T) {
	dir := t.TempDir()
	require.Zero(t, finish(t, swept(t, dir, "run.toml", "-out", "out")).code)
	alone := func(args ...string) outcome {
		c := swept(t, dir)
		c.Args = append([]string{os.Args[0]}, args...)
		return finish(t, c)
	}
	for _, r := range points(t, filepath.Join(dir, "out"))[:3] {
		got := alone("run.toml", "-point", fmt.Sprint(r.Point), "-format", "json")
		require.Zero(t, got.code, got.err)
		var one workloads.Result
		require.NoError(t, json.Unmarshal([]byte(got.out), &one))
		require.Equal(t, r.Config, one.Hash)
		require.Equal(t, r.Metrics["step_ns"], one.StepNs)
	}
	require.Equal(t, outcome{2, "", "hwsim: -point 40: run.toml has the points 0 to 39\n"}, alone("run.toml", "-point", "40"))
	require.Equal(t, outcome{2, "", "hwsim: -point -1: run.toml has the points 0 to 39\n"}, alone("run.toml", "-point=-1"))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "plain.toml"), []byte("batch = 1\n"), 0o666))
	require.Equal(t, outcome{2, "", "hwsim: -point 0: plain.toml has no table [sweep]\n"}, alone("plain.toml", "-point", "0"))
}

func TestWordsAreQuotedForAShell(t *testing.T) {
	for word, want := range map[string]string{"a/b.toml": "a/b.toml", "k=1.5": "k=1.5", "k=[1, 2]": "'k=[1, 2]'", "it's": `'it'\''s'`, "": "''"} {
		require.Equal(t, want, quoted(word))
	}
}

// Killed at any instant, a sweep goes on: what was finished is not run again, and
// nothing is missing or there twice at the end.
func TestAKilledSweepGoesOn(t *testing.T) {
	whole := t.TempDir()
	want := finish(t, swept(t, whole, "run.toml", "-out", "out"))
	require.Zero(t, want.code, want.err)
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	killed := 0
	for delay := 5 * time.Millisecond; ; delay += 7 * time.Millisecond {
		require.NoError(t, os.RemoveAll(filepath.Join(dir, "ran")))
		before := map[string]bool{}
		if _, err := os.Stat(filepath.Join(out, store.FileName)); err == nil {
			if _, records, err := store.Read(out); err == nil {
				for _, r := range records {
					before[fmt.Sprintf("%g %g", r.Set["batch"], r.Set["far"])] = true
				}
			}
		}
		c := swept(t, dir, "run.toml", "-out", "out", "-j", "2", "-set", "pause_ms=1")
		var said, told bytes.Buffer
		c.Stdout, c.Stderr = &said, &told
		require.NoError(t, c.Start())
		timer := time.AfterFunc(delay, func() { c.Process.Kill() }) //nolint:errcheck // it may have ended
		err := c.Wait()
		timer.Stop()
		for point := range ran(t, dir) {
			require.False(t, before[point], "%s was finished before", point)
		}
		if err == nil {
			require.Equal(t, want.out, said.String())
			break
		}
		require.Equal(t, -1, c.ProcessState.ExitCode(), told.String())
		killed++
	}
	t.Logf("killed %d times", killed)
	require.Positive(t, killed)
	finished := points(t, out)
	require.Len(t, finished, 40)
	require.Len(t, store.Current(finished, finished[0].Version), 40)
}

func TestATornLineIsRunAgain(t *testing.T) {
	dir := t.TempDir()
	want := finish(t, swept(t, dir, "run.toml", "-out", "out"))
	path := filepath.Join(dir, "out", store.FileName)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, text[:len(text)-9], 0o644))
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "ran")))
	got := finish(t, swept(t, dir, "run.toml", "-out", "out"))
	require.Equal(t, want.out, got.out)
	require.Contains(t, got.err, "a torn line at the end of out/points.jsonl was cut off\n")
	require.Len(t, ran(t, dir), 1)
}

// Two processes that share a memo, each with its own store, end with the same
// outcomes, and a third one simulates nothing.
func TestTwoProcessesShareAMemo(t *testing.T) {
	dir := t.TempDir()
	var both [2]*exec.Cmd
	for i := range both {
		both[i] = swept(t, dir, "run.toml", "-out", fmt.Sprint("out", i), "-memo", "memo", "-j", "3")
		require.NoError(t, both[i].Start())
	}
	for _, c := range both {
		require.NoError(t, c.Wait())
	}
	merged := finish(t, swept(t, dir, "-merge", "out0", "out1"))
	require.Zero(t, merged.code, merged.err)
	for point, n := range ran(t, dir) {
		require.LessOrEqual(t, n, 2, point)
	}
	require.Len(t, ran(t, dir), 40)
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "ran")))
	third := finish(t, swept(t, dir, "run.toml", "-out", "out2", "-memo", "memo"))
	require.Equal(t, merged.out, third.out)
	require.Contains(t, third.err, "0 simulated, 0 shared a configuration, 40 were in the memo; 100.0 % known\n")
	require.Empty(t, ran(t, dir))
}

func TestTwoProcessesDoNotShareAStore(t *testing.T) {
	dir := t.TempDir()
	first := swept(t, dir, "run.toml", "-out", "out", "-j", "1", "-set", "pause_ms=100")
	require.NoError(t, first.Start())
	t.Cleanup(func() { first.Wait() })         //nolint:errcheck // it is killed
	t.Cleanup(func() { first.Process.Kill() }) //nolint:errcheck
	require.Eventually(t, func() bool { return len(ran(t, dir)) > 0 }, 10*time.Second, 5*time.Millisecond)
	second := finish(t, swept(t, dir, "run.toml", "-out", "out", "-set", "pause_ms=100"))
	require.Equal(t, outcome{2, "", "hwsim: out: another process writes to it\n"}, second)
}

func TestShardsJoinToTheWhole(t *testing.T) {
	dir := t.TempDir()
	want := finish(t, swept(t, dir, "run.toml", "-out", "whole"))
	args := []string{"-merge", "-out", "joined"}
	for i := range 3 {
		out := fmt.Sprint("out", i)
		got := finish(t, swept(t, dir, "run.toml", "-shard", fmt.Sprintf("%d/3", i), "-out", out))
		require.Zero(t, got.code, got.err)
		require.Contains(t, got.out, "of 40 points are finished\n")
		args = append(args, out)
	}
	for range 2 { // once more changes nothing
		require.Equal(t, outcome{0, want.out, ""}, finish(t, swept(t, dir, args...)))
		require.Len(t, points(t, filepath.Join(dir, "joined")), 40)
	}
	require.Equal(t, want.out, finish(t, swept(t, dir, "run.toml", "-out", "joined")).out, "joined shards are the sweep's store")
}

func TestCtrlCEndsThePointsUnderWay(t *testing.T) {
	dir := t.TempDir()
	c := swept(t, dir, "run.toml", "-out", "out", "-j", "2", "-set", "pause_ms=50")
	var out, errOut bytes.Buffer
	c.Stdout, c.Stderr = &out, &errOut
	require.NoError(t, c.Start())
	require.Eventually(t, func() bool { return len(ran(t, dir)) >= 3 }, 10*time.Second, 5*time.Millisecond)
	require.NoError(t, c.Process.Signal(os.Interrupt))
	require.Error(t, c.Wait())
	require.Equal(t, 130, c.ProcessState.ExitCode(), errOut.String())
	kept := points(t, filepath.Join(dir, "out"))
	require.Len(t, kept, len(ran(t, dir)), "what was begun is kept")
	require.Less(t, len(kept), 40)
	require.Contains(t, errOut.String(), fmt.Sprintf("hwsim: interrupted: %d of 40 points are in out; the same command goes on from there\n", len(kept)))
	require.Contains(t, out.String(), fmt.Sprintf("%d of 40 points are finished\n", len(kept)))
}

func TestMistakesOfASweepAreOneLineEach(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "plain.toml"), []byte("batch = 1\n"), 0o666))
	require.Zero(t, finish(t, swept(t, dir, "run.toml", "-out", "out", "-shard", "0/40")).code)
	for args, want := range map[string]string{
		"":                                    "no configuration given; see hwsim sweep -h",
		"run.toml":                            "-out: want a folder that keeps the outcomes; see hwsim sweep -h",
		"run.toml -out x more":                `argument "more" after configuration "run.toml": want one configuration; see hwsim sweep -h`,
		"run.toml -out x -shard 3/3":          `-shard "3/3": want i/n, i from 0 to n-1`,
		"run.toml -out x -j 0":                "-j 0: want at least 1",
		"run.toml -out run.toml":              "mkdir run.toml: not a directory",
		"plain.toml -out x":                   "plain.toml: has no table [sweep]; see hwsim sweep -h",
		"run.toml -out x -set sweep.design=x": `-set sweep.design=x: sweep.design: "x" is none of grid, random, lhs, halton, oat, sobol`,
		"-merge":                              "-merge: want the folders of a sweep's shards; see hwsim sweep -h",
		"-merge out -seed 2":                  "-seed: does not go with -merge, which simulates nothing",
		"-merge out -submit slurm":            "-submit: does not go with -merge, which simulates nothing",
		"-merge nowhere":                      "open nowhere/points.jsonl: no such file or directory",
	} {
		require.Equal(t, outcome{2, "", "hwsim: " + want + "\n"}, finish(t, swept(t, dir, strings.Fields(args)...)), args)
	}
	got := finish(t, swept(t, dir, "run.toml", "-out", "out", "-seed", "2"))
	require.Equal(t, 2, got.code)
	require.Contains(t, got.err, "hwsim: out holds another sweep (run, 40 points, seed 1, sampled, sweep ")
	got = finish(t, swept(t, dir, "run.toml", "-out", "y", "-set", `sweep.objectives=["max speed"]`))
	require.Equal(t, 2, got.code)
	require.Contains(t, got.err, `hwsim: sweep.objectives.0: "speed": speed has no value at point `)
	run := swept(t, dir)
	run.Args = append(run.Args[:1], "run.toml")
	require.Equal(t, outcome{2, "", "hwsim: run.toml: has a table [sweep]: want hwsim sweep\n"}, finish(t, run))
}

func TestSweepUsageNamesEveryFlag(t *testing.T) {
	got := finish(t, swept(t, t.TempDir(), "-h"))
	require.Zero(t, got.code)
	newSweepOptions().flags().VisitAll(func(f *flag.Flag) { require.Contains(t, got.out, "  -"+f.Name+" ") })
	for _, d := range sweep.Designs {
		require.Contains(t, got.out, d)
	}
}

func TestProgressTellsRateAndTimeLeft(t *testing.T) {
	for terminal, want := range map[bool]string{
		false: "30 of 100 points, 30.0 %, 3 a second, 23s left\n60 points in 20s, 3 a second: 60 simulated, 0 shared a configuration, 0 were in the memo; 0.0 % known\n",
		true: "\r10 of 100 points, 10.0 %, 2 a second, 45s left\x1b[K\r30 of 100 points, 30.0 %, 3 a second, 23s left\x1b[K" +
			"\r60 of 100 points, 60.0 %, 4 a second, 10s left\x1b[K\r60 points in 20s, 3 a second: 60 simulated, 0 shared a configuration, 0 were in the memo; 0.0 % known\x1b[K\n",
	} {
		var out bytes.Buffer
		now := time.Unix(0, 0)
		p := newProgress(&out, 100)
		p.terminal, p.now, p.begun, p.told = terminal, func() time.Time { return now }, now, now
		for _, step := range []struct{ seconds, points int }{{5, 10}, {5, 20}, {5, 30}} {
			now = now.Add(time.Duration(step.seconds) * time.Second)
			p.add(step.points)
		}
		now = now.Add(5 * time.Second)
		p.end(sweep.Stats{Simulated: 60}, nil)
		require.Equal(t, want, out.String())
	}
}
