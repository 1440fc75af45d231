//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hwsim/cmd/hwsim/internal/sweep/store"
)

// The array of the test: of its points a task has enough to be caught at work.
const (
	arrayTasks  = 8
	arrayPoints = 1600
)

const arrayFile = `base = ["a100_cxl"]
[sweep]
design = "halton"
points = 1600
objectives = ["max tokens_per_s", "max context"]
[[sweep.axes]]
key = "workload.batch"
range = [1, 64]
[[sweep.axes]]
key = "workload.context"
name = "context"
log = [2048, 131072]
[[sweep.axes]]
key = "kv.split.cxl"
name = "cxl"
range = [0.0, 0.6]
[[sweep.derive]]
key = "kv.split.hbm"
value = "0.7 - cxl"
`

// needSlurm skips a test where no Slurm answers. .ci/slurm, which starts one, says that
// one must.
func needSlurm(t *testing.T) {
	t.Helper()
	out, err := exec.Command("sinfo", "--noheader").CombinedOutput()
	if os.Getenv("HWSIM_SLURM") != "" {
		require.NoError(t, err, "no Slurm answers: %s", out)
	} else if err != nil {
		t.Skip("no Slurm answers; .ci/slurm starts one")
	}
}

// array is a sweep under way on Slurm.
type array struct {
	*testing.T
	dir       string
	out, told bytes.Buffer
}

// command is hwsim sweep of the array's file.
func (a *array) command(args ...string) *exec.Cmd {
	c := exec.Command(binary, append([]string{"sweep", "run.toml", "-fidelity", "analytic", "-j", "1"}, args...)...)
	c.Dir = a.dir
	return c
}

func (a *array) store(task int) string {
	return filepath.Join(a.dir, "out", "shards", fmt.Sprintf("%d_of_%d", task, arrayTasks))
}

// processOf returns the process that runs a task, or nil.
func (a *array) processOf(task int) *os.Process {
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(a, err)
	for _, path := range all {
		line, err := os.ReadFile(path) // of a process that may have ended meanwhile
		words := strings.Split(string(line), "\x00")
		if err != nil || !slices.Contains(words, fmt.Sprintf("%d/%d", task, arrayTasks)) || !slices.Contains(words, a.store(task)) {
			continue
		}
		var id int
		_, err = fmt.Sscanf(path, "/proc/%d/", &id)
		require.NoError(a, err)
		p, err := os.FindProcess(id)
		require.NoError(a, err)
		return p
	}
	return nil
}

// catch stops the process of a task that has some of its points but not all, and
// returns both. It never catches the same task twice.
func (a *array) catch(not ...int) (task int, p *os.Process) {
	require.Eventually(a, func() bool {
		for task = range arrayTasks {
			if slices.Contains(not, task) {
				continue
			}
			if p = a.processOf(task); p == nil || p.Signal(syscall.SIGSTOP) != nil {
				continue
			}
			_, records, err := store.Read(a.store(task))
			if err == nil && len(records) > 0 && len(records) < arrayPoints/arrayTasks {
				return true
			}
			p.Signal(syscall.SIGCONT) //nolint:errcheck // it may have ended
		}
		return false
	}, 3*time.Minute, 5*time.Millisecond)
	return task, p
}

// job returns the number of the array's job and the name of all its jobs.
func (a *array) job() (number, name string) {
	script, err := os.ReadFile(filepath.Join(a.dir, "out", "array.sbatch"))
	require.NoError(a, err)
	name = regexp.MustCompile(`--job-name=(\S+)`).FindStringSubmatch(string(script))[1]
	out, err := exec.Command("squeue", "--noheader", "--states=all", "--name="+name, "--format=%F").Output()
	require.NoError(a, err)
	return strings.Fields(string(out))[0], name
}

// One task is killed, another one queued again by Slurm itself; in the end every point
// is there once and as a run on this machine has it.
func TestSlurmRunsAnArrayThatLosesTasks(t *testing.T) {
	needSlurm(t)
	a := &array{T: t, dir: filepath.Join(t.TempDir(), `it's "all" 100% $HOME`)}
	require.NoError(t, os.Mkdir(a.dir, 0o777))
	require.NoError(t, os.WriteFile(filepath.Join(a.dir, "run.toml"), []byte(arrayFile), 0o666))
	submit := []string{"-submit", "slurm", "-tasks", fmt.Sprint(arrayTasks), "-slurm", "time=10", "-slurm", "comment=a \"b\" $c", "-out", "out"}
	c := a.command(submit...)
	c.Stdout, c.Stderr = &a.out, &a.told
	require.NoError(t, c.Start())
	t.Cleanup(func() { c.Process.Kill() }) //nolint:errcheck // it has ended

	killed, p := a.catch()
	number, name := a.job()
	t.Cleanup(func() { exec.Command("scancel", "--name="+name).Run() }) //nolint:errcheck // none are left
	require.NoError(t, p.Kill())
	requeued, _ := a.catch(killed)
	out, err := exec.Command("scontrol", "requeue", fmt.Sprintf("%s_%d", number, requeued)).CombinedOutput()
	require.NoError(t, err, string(out))
	require.NoError(t, c.Wait(), a.told.String())
	t.Log(a.told.String())

	told := a.told.String()
	require.Contains(t, told, "job "+number+": submitted tasks 0-7\n")
	require.Regexp(t, fmt.Sprintf(`task %d: FAILED, signal 9 with \d+ points left\n`, killed), told)
	require.Regexp(t, fmt.Sprintf(`job \d+: submitted tasks %d\n`, killed), told)
	require.Equal(t, 2, strings.Count(told, ": submitted tasks "), "only the killed task is submitted again by hwsim")
	log, err := os.ReadFile(a.store(requeued) + ".log")
	require.NoError(t, err)
	require.Contains(t, string(log), "DUE TO JOB REQUEUE")

	seen := map[int]int{}
	for task := range arrayTasks {
		_, records, err := store.Read(a.store(task))
		require.NoError(t, err)
		for _, r := range records {
			require.Equal(t, task, r.Point%arrayTasks)
			seen[r.Point]++
		}
	}
	require.Len(t, seen, arrayPoints)
	for point, n := range seen {
		require.Equal(t, 1, n, "point %d", point)
	}

	local := a.command("-out", "local")
	want, err := local.Output()
	require.NoError(t, err)
	require.Equal(t, string(want), a.out.String())
	require.Equal(t, lines(t, filepath.Join(a.dir, "local")), lines(t, filepath.Join(a.dir, "out")))

	again, err := a.command(submit...).Output()
	require.NoError(t, err)
	require.Equal(t, string(want), string(again))
	last, _ := a.job()
	out, err = exec.Command("squeue", "--noheader", "--states=all", "--name="+name, "--format=%F").Output()
	require.NoError(t, err)
	require.Equal(t, last, strings.Fields(string(out))[0], "nothing is submitted again: %s", out)
}

// go run's program is gone before its tasks begin.
func TestAProgramOfGoRunIsNotSubmitted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "go-build1", "b001", "exe")
	require.NoError(t, os.MkdirAll(dir, 0o777))
	program := filepath.Join(dir, "hwsim")
	require.NoError(t, os.Link(binary, program))
	for _, name := range []string{"sbatch", "squeue", "scontrol"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\nexit 1\n"), 0o777))
	}
	c := exec.Command(program, "sweep", "sweep_cxl", "-submit", "slurm", "-out", "out")
	c.Dir = dir
	c.Env = append(os.Environ(), "PATH="+dir)
	out, err := c.CombinedOutput()
	require.Error(t, err)
	require.Equal(t, 2, c.ProcessState.ExitCode())
	require.Equal(t, "hwsim: -submit: go run deletes its program, which tasks need: want one that go build has built, where nodes have it too\n", string(out))
	require.NoDirExists(t, filepath.Join(dir, "out"))
}
