package command

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// onSlurm returns swept with a Slurm that takes two tasks and says, once it has, what
// the file "queue" has.
func onSlurm(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	c := swept(t, dir, append([]string{"run.toml", "-out", "out", "-submit", "slurm", "-tasks", "2"}, args...)...)
	for name, text := range map[string]string{
		"sbatch":   "echo $* >>" + dir + "/submitted; echo 7",
		"squeue":   "[ ! -e " + dir + "/submitted ] || { echo ready >&2; cat " + dir + "/queue; }",
		"scontrol": "exit 1",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o777))
	}
	c.Env = append(c.Env, "PATH="+dir+":"+os.Getenv("PATH"))
	return c
}

func setQueue(t *testing.T, dir, state string) {
	t.Helper()
	text := strings.ReplaceAll("7|0|STATE|None\n7|1|STATE|None\n", "STATE", state)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "queue"), []byte(text), 0o666))
}

// runShard does what a task of two does.
func runShard(t *testing.T, dir string, task int) {
	t.Helper()
	got := finish(t, swept(t, dir, "run.toml", "-shard", fmt.Sprintf("%d/2", task), "-out", fmt.Sprintf("out/shards/%d_of_2", task)))
	require.Zero(t, got.code, got.err)
}

// Ctrl-C leaves the array alone, and the same command joins what it has done.
func TestASubmittedSweepIsFollowedAgain(t *testing.T) {
	dir := t.TempDir()
	setQueue(t, dir, "RUNNING")
	c := onSlurm(t, dir)
	told := &strings.Builder{}
	c.Stderr = told
	require.NoError(t, c.Start())
	require.Eventually(t, func() bool { _, err := os.Stat(filepath.Join(dir, "submitted")); return err == nil }, 10*time.Second, 5*time.Millisecond)
	runShard(t, dir, 1)
	require.NoError(t, c.Process.Signal(os.Interrupt))
	require.Error(t, c.Wait())
	require.Equal(t, 130, c.ProcessState.ExitCode(), told.String())
	require.Contains(t, told.String(), "job 7: submitted tasks 0-1\n")
	require.Regexp(t, `hwsim: left alone: 20 of 40 points are done, tasks go on; the same command follows them, scancel --name=hwsim-[0-9a-f]{12} ends them\n`, told.String())

	runShard(t, dir, 0)
	setQueue(t, dir, "COMPLETED")
	want := finish(t, swept(t, dir, "run.toml", "-out", "local"))
	got := finish(t, onSlurm(t, dir))
	require.Equal(t, outcome{0, want.out, ""}, got)
	require.Len(t, points(t, filepath.Join(dir, "out")), 40)
	submitted, err := os.ReadFile(filepath.Join(dir, "submitted"))
	require.NoError(t, err)
	require.Equal(t, "--parsable --array=0-1 out/array.sbatch\n", string(submitted))
	require.Equal(t, outcome{0, want.out, "no points were left to run\n"}, finish(t, onSlurm(t, dir)))
}

func TestTasksGivenUpAreAnErrorBesideWhatIsDone(t *testing.T) {
	dir := t.TempDir()
	runShard(t, dir, 1)
	setQueue(t, dir, "CANCELLED")
	got := finish(t, onSlurm(t, dir))
	require.Equal(t, 1, got.code, got.err)
	require.Contains(t, got.err, "hwsim: task 0 is given up: CANCELLED\n")
	require.Contains(t, got.out, "20 of 40 points are finished\n")
	require.Len(t, points(t, filepath.Join(dir, "out")), 20)
	runShard(t, dir, 0)
	require.Zero(t, finish(t, onSlurm(t, dir)).code)
}

func TestTheScriptOfAnotherSubmissionStays(t *testing.T) {
	dir := t.TempDir()
	for task := range 2 {
		runShard(t, dir, task)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "out", "array.sbatch"), []byte("mine\n"), 0o666))
	require.Equal(t, outcome{2, "", "hwsim: out/array.sbatch is another than this command writes; -force overwrites it\n"}, finish(t, onSlurm(t, dir)))
	require.Zero(t, finish(t, onSlurm(t, dir, "-force")).code)
}

func TestMistakesOfASubmissionAreOneLineEach(t *testing.T) {
	dir := t.TempDir()
	for args, want := range map[string]string{
		"-submit slurm -tasks 0":                      "-tasks 0: want 1 to the sweep's 40 points",
		"-submit slurm -tasks 41":                     "-tasks 41: want 1 to the sweep's 40 points",
		"-submit pbs":                                 `invalid value "pbs" for flag -submit: want slurm; see hwsim -h`,
		"-submit slurm -shard 0/2":                    "-shard: does not go with -submit and -manifest, which run no points here",
		"-submit slurm -slurm array=1":                `-slurm "array=1": hwsim sets array itself`,
		"-submit slurm -manifest kubernetes":          "-submit and -manifest: want one of them",
		"-tasks 2":                                    "-tasks: belongs to -submit and -manifest; see hwsim sweep -h",
		"-slurm time=1":                               "-slurm: belongs to -submit; see hwsim sweep -h",
		"-claim c":                                    "-claim: belongs to -manifest; see hwsim sweep -h",
		"-manifest kubernetes":                        "-manifest: wants -image, a container image with hwsim in it",
		"-manifest kubernetes -image i -memo m":       "-memo: does not go with -manifest, whose tasks have no folder but the claim's",
		"-manifest kubernetes -image i\"":             `image "i\"": want a container image, as registry/hwsim:1`,
		"-manifest kubernetes -image i -claim A":      `claim "A": want the name of a PersistentVolumeClaim`,
		"-manifest kubernetes -image i -tasks 4096":   "-tasks 4096: want 1 to the sweep's 40 points",
		"-manifest kubernetes -image i -out run.toml": "mkdir run.toml: not a directory",
	} {
		c := onSlurm(t, dir)
		c.Args = append(c.Args[:2], append([]string{"run.toml", "-out", "out"}, strings.Fields(args)...)...)
		require.Equal(t, outcome{2, "", "hwsim: " + want + "\n"}, finish(t, c), args)
	}
	c := onSlurm(t, dir)
	c.Env = append(c.Env, "PATH="+t.TempDir())
	require.Equal(t, outcome{2, "", "hwsim: sbatch: no such program on the path: want a machine that submits to Slurm\n"}, finish(t, c))
}
