package slurm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// refusal is an error that the user can mend.
type refusal struct{ error }

// UserError implements the mark of users' errors.
func (refusal) UserError() bool { return true }

func (r refusal) Unwrap() error { return r.error }

// Check reports what of Slurm's commands is missing here.
func Check() error {
	for _, name := range []string{"sbatch", "squeue", "scontrol"} {
		if _, err := exec.LookPath(name); err != nil {
			return refusal{fmt.Errorf("%s: no such program on the path: want a machine that submits to Slurm", name)}
		}
	}
	return nil
}

// job is what the queue says of a task.
type job struct {
	array  int    // its job's number
	task   int    // in the array
	state  string // as squeue has it, PENDING
	reason string // why it waits or has failed
}

// ended are the states that a job does not leave by itself.
var ended = []string{"BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "REVOKED", "TIMEOUT"}

// waiting are the states before a job runs.
var waiting = []string{"CONFIGURING", "PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT"}

const cancelled = "CANCELLED"

func (j job) active() bool { return !slices.Contains(ended, j.state) }

// submit submits tasks of a script and returns their job's number.
func submit(ctx context.Context, script string, tasks []int) (int, error) {
	out, err := run(ctx, "sbatch", "--parsable", "--array="+list(tasks), script)
	if err != nil {
		return 0, err
	}
	id, _, _ := strings.Cut(strings.TrimSpace(out), ";") // ;cluster may follow
	n, err := strconv.Atoi(id)
	if err != nil {
		return 0, fmt.Errorf("sbatch: %q is no job's number", out)
	}
	return n, nil
}

// jobs returns the last job of each task that the controller knows, one that has not
// ended before others.
func jobs(ctx context.Context, name string) (map[int]job, error) {
	out, err := run(ctx, "squeue", "--noheader", "--array", "--states=all", "--name="+name, "--format=%F|%K|%T|%r")
	if err != nil {
		return nil, err
	}
	last := map[int]job{}
	for line := range strings.Lines(out) {
		j, err := parseJob(strings.TrimSpace(line))
		if err != nil {
			return nil, err
		}
		if have, ok := last[j.task]; !ok || later(j, have) {
			last[j.task] = j
		}
	}
	return last, nil
}

func later(a, b job) bool {
	if a.active() != b.active() {
		return a.active()
	}
	return a.array > b.array
}

func parseJob(line string) (job, error) {
	f := strings.Split(line, "|")
	if len(f) != 4 {
		return job{}, fmt.Errorf("squeue: %q is no line as asked for", line)
	}
	array, errArray := strconv.Atoi(f[0])
	task, errTask := strconv.Atoi(f[1])
	if err := errors.Join(errArray, errTask); err != nil {
		return job{}, fmt.Errorf("squeue: %q is no task of an array", line)
	}
	return job{array, task, f[2], f[3]}, nil
}

// fate says how a job ended, by the controller if that remembers more than the queue.
func fate(ctx context.Context, j job) string {
	out, err := run(ctx, "scontrol", "--oneliner", "show", "job", fmt.Sprintf("%d_%d", j.array, j.task))
	if err != nil {
		return j.state
	}
	var code, signal int
	for word := range strings.FieldsSeq(out) {
		if v, ok := strings.CutPrefix(word, "ExitCode="); ok {
			fmt.Sscanf(v, "%d:%d", &code, &signal) //nolint:errcheck // zeros tell nothing
		}
	}
	switch {
	case signal > 0:
		return fmt.Sprintf("%s, signal %d", j.state, signal)
	case code > 0:
		return fmt.Sprintf("%s, exit code %d", j.state, code)
	}
	return j.state
}

// run runs a command of Slurm and returns what it prints. The error is the last line
// of what it complains of.
func run(ctx context.Context, name string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, name, args...)
	var out, complaint bytes.Buffer
	c.Stdout, c.Stderr = &out, &complaint
	err := c.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); ok && ctx.Err() == nil {
		lines := strings.Split(strings.TrimSpace(complaint.String()), "\n")
		return "", refusal{fmt.Errorf("%s: %s", name, strings.TrimPrefix(lines[len(lines)-1], name+": error: "))}
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return out.String(), nil
}

// list writes numbers in order as Slurm does: 0-3,5.
func list(tasks []int) string {
	var parts []string
	for i := 0; i < len(tasks); {
		j := i
		for j+1 < len(tasks) && tasks[j+1] == tasks[j]+1 {
			j++
		}
		part := strconv.Itoa(tasks[i])
		if j > i {
			part += "-" + strconv.Itoa(tasks[j])
		}
		parts, i = append(parts, part), j+1
	}
	return strings.Join(parts, ",")
}
