package slurm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The commands of a Slurm that says what files have: squeue the next of queue.1,
// queue.2 and so on, sbatch the next number, which it keeps with what was asked of it.
var fakes = map[string]string{
	"squeue": `cd "$FAKE" || exit
n=$(($(cat asked 2>/dev/null || echo 0) + 1)); echo $n >asked
[ "$*" = "--noheader --array --states=all --name=hwsim-0123 --format=%F|%K|%T|%r" ] || { echo "$*" >&2; exit 9; }
if grep -q error queue.$n; then cat queue.$n >&2; exit 1; fi
cat queue.$n`,
	"sbatch": `cd "$FAKE" || exit
[ ! -e refusal ] || { cat refusal >&2; exit 1; }
echo "$*" >>submitted; n=$(wc -l <submitted); echo "$n;cluster"`,
	"scontrol": `cd "$FAKE" || exit
[ "$1 $2 $3" = "--oneliner show job" ] && cat "job.$4" 2>/dev/null || { echo "slurm_load_jobs error: Invalid job id specified" >&2; exit 1; }`,
}

// fake is a Slurm of fakes, and a follower that asks it.
type fake struct {
	*testing.T
	dir   string
	left  [][]int // points left by task, for each question to the queue
	notes []string
	told  []Status
	waits []time.Duration
}

func newFake(t *testing.T) *fake {
	f := &fake{T: t, dir: t.TempDir()}
	for name, text := range fakes {
		require.NoError(t, os.WriteFile(filepath.Join(f.dir, name), []byte("#!/bin/bash\n"+text+"\n"), 0o777))
	}
	t.Setenv("PATH", f.dir+":"+os.Getenv("PATH"))
	t.Setenv("FAKE", f.dir)
	return f
}

func (f *fake) write(name, text string) {
	require.NoError(f, os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o666))
}

// step adds an answer of the queue, its lines after spaces, and what is left then.
func (f *fake) step(queue string, left ...int) {
	f.left = append(f.left, left)
	f.write(fmt.Sprintf("queue.%d", len(f.left)), strings.ReplaceAll(queue, " ", "\n")+"\n")
	if queue == "" {
		f.write(fmt.Sprintf("queue.%d", len(f.left)), "")
	}
}

func (f *fake) run(ctx context.Context) error {
	asked := func() int {
		var n int
		text, err := os.ReadFile(filepath.Join(f.dir, "asked"))
		require.NoError(f, err)
		_, err = fmt.Sscan(string(text), &n)
		require.NoError(f, err)
		return n
	}
	follower := &Follower{
		Array: Array{Name: "hwsim-0123", Tasks: len(f.left[0]), Shards: f.dir}, Script: "array.sbatch",
		Left: func(task int) (int, error) { return f.left[asked()-1][task], nil },
		Told: func(s Status) { f.told = append(f.told, s) },
		Note: func(text string) { f.notes = append(f.notes, text) },
		Wait: func(d time.Duration) error { f.waits = append(f.waits, d); return ctx.Err() },
	}
	return follower.Run(ctx)
}

// submitted returns the tasks that sbatch was given, a text each time.
func (f *fake) submitted() (all []string) {
	text, err := os.ReadFile(filepath.Join(f.dir, "submitted"))
	if !errors.Is(err, os.ErrNotExist) {
		require.NoError(f, err)
	}
	for line := range strings.Lines(string(text)) {
		tasks, ok := strings.CutPrefix(strings.TrimSpace(line), "--parsable --array=")
		require.True(f, ok, line)
		tasks, ok = strings.CutSuffix(tasks, " array.sbatch")
		require.True(f, ok, line)
		all = append(all, tasks)
	}
	return all
}

func TestAllIsSubmittedAndWaitedFor(t *testing.T) {
	f := newFake(t)
	f.step("", 5, 5, 5)
	f.step("1|0|RUNNING|None 1|1|PENDING|Resources 1|2|PENDING|Resources", 4, 5, 5)
	f.step("1|0|COMPLETED|None 1|1|RUNNING|None 1|2|COMPLETING|None", 0, 2, 0)
	f.step("1|0|COMPLETED|None 1|1|COMPLETED|None", 0, 0, 0)
	require.NoError(t, f.run(context.Background()))
	require.Equal(t, []string{"0-2"}, f.submitted())
	require.Equal(t, []string{"job 1: submitted tasks 0-2"}, f.notes)
	require.Equal(t, []time.Duration{1e9, 2e9, 4e9}, f.waits)
	require.Equal(t, Status{Left: 14, Running: 1, Waiting: 2, Reasons: []string{"Resources"}}, f.told[1])
	require.Equal(t, "tasks: 0 done, 1 running, 2 waiting (Resources)", f.told[1].String())
	require.Equal(t, Status{Left: 2, Done: 2, Running: 1}, f.told[2])
}

func TestWhatIsDoneOrUnderWayIsNotSubmitted(t *testing.T) {
	f := newFake(t)
	f.step("1|0|COMPLETED|None 1|1|RUNNING|None 1|2|FAILED|NonZeroExitCode 2|3|CANCELLED|None 3|3|PENDING|BeginTime", 0, 3, 3, 3, 3)
	f.step("", 0, 0, 0, 0, 0)
	require.NoError(t, f.run(context.Background()))
	require.Equal(t, []string{"2,4"}, f.submitted())
	f = newFake(t)
	f.step("", 0, 0)
	require.NoError(t, f.run(context.Background()))
	require.Empty(t, f.submitted())
	require.Empty(t, f.waits)
}

func TestALostTaskIsSubmittedAgain(t *testing.T) {
	f := newFake(t)
	f.write("job.1_1", "JobId=3 ArrayJobId=1 ArrayTaskId=1 JobState=FAILED Reason=NonZeroExitCode ExitCode=0:9 RunTime=00:00:02\n")
	f.write("1_of_3.log", "first\nsecond\nthird\nfourth\n")
	f.step("", 5, 5, 5)
	f.step("1|0|RUNNING|None 1|1|FAILED|NonZeroExitCode 1|2|TIMEOUT|TimeLimit", 3, 4, 1)
	f.step("1|0|RUNNING|None 1|1|FAILED|NonZeroExitCode 2|1|RUNNING|None 2|2|RUNNING|None", 3, 4, 1)
	f.step("1|0|COMPLETED|None", 0, 0, 0)
	require.NoError(t, f.run(context.Background()))
	require.Equal(t, []string{"0-2", "1-2"}, f.submitted())
	require.Equal(t, []string{
		"job 1: submitted tasks 0-2",
		"task 1: FAILED, signal 9 with 4 points left\n  second\n  third\n  fourth",
		"task 2: TIMEOUT with 1 points left",
		"job 2: submitted tasks 1-2",
	}, f.notes)
	require.Equal(t, []time.Duration{1e9, 1e9, 2e9}, f.waits, "again often after a task was lost")
}

func TestATaskThatGetsNoFurtherIsGivenUp(t *testing.T) {
	f := newFake(t)
	f.write("job.6_0", "ExitCode=2:0\n")
	f.step("", 5, 0)
	f.step("1|0|FAILED|None", 5, 0)
	f.step("2|0|FAILED|None", 5, 0)
	f.step("3|0|FAILED|None", 4, 0) // a point: three times more
	f.step("4|0|FAILED|None", 4, 0)
	f.step("5|0|FAILED|None", 4, 0)
	f.step("6|0|FAILED|None", 4, 0)
	require.EqualError(t, f.run(context.Background()), "task 0 is given up: FAILED, exit code 2, 3 times without getting any further")
	require.Equal(t, []string{"0", "0", "0", "0", "0", "0"}, f.submitted())
}

// What the user cancels is not submitted again behind his back; others go on.
func TestACancelledTaskStaysCancelled(t *testing.T) {
	f := newFake(t)
	f.step("", 5, 5)
	f.step("1|0|CANCELLED|None 1|1|RUNNING|None", 5, 4)
	f.step("1|0|CANCELLED|None 1|1|RUNNING|None", 5, 3)
	f.step("1|0|CANCELLED|None 1|1|COMPLETED|None", 5, 0)
	require.EqualError(t, f.run(context.Background()), "task 0 is given up: CANCELLED")
	require.Equal(t, []string{"0-1"}, f.submitted())
	require.Equal(t, Status{Left: 5, Done: 1, Lost: 1}, f.told[3])
	require.Equal(t, "tasks: 1 done, 0 running, 0 waiting, 1 given up", f.told[3].String())
}

func TestATaskThatLeftTheQueueUnseenIsSubmittedAgain(t *testing.T) {
	f := newFake(t)
	f.step("", 5)
	f.step("", 5)
	f.step("", 0)
	require.NoError(t, f.run(context.Background()))
	require.Equal(t, []string{"0", "0"}, f.submitted())
	require.Contains(t, f.notes, "task 0: left the queue with 5 points left")
}

func TestAQueueThatDoesNotAnswerIsAskedAgain(t *testing.T) {
	f := newFake(t)
	f.step("", 5)
	f.step("slurm_load_jobs_error:_Unable_to_contact_slurm_controller", 5)
	f.step("1|0|COMPLETED|None", 0)
	require.NoError(t, f.run(context.Background()))
	require.Equal(t, []string{"0"}, f.submitted())
	require.Contains(t, f.notes, "squeue: slurm_load_jobs_error:_Unable_to_contact_slurm_controller")

	f = newFake(t)
	for range maxErrors {
		f.step("error", 5)
	}
	require.EqualError(t, f.run(context.Background()), "squeue: error")
	require.Len(t, f.waits, maxErrors-1)
	require.Equal(t, lastWait, f.waits[maxErrors-2])
}

func TestWhatSbatchRefusesIsTheUsersError(t *testing.T) {
	f := newFake(t)
	f.write("refusal", "sbatch: error: invalid partition specified: foo\nsbatch: error: Batch job submission failed: Invalid partition name specified\n")
	f.step("", 5)
	err := f.run(context.Background())
	require.EqualError(t, err, "sbatch: Batch job submission failed: Invalid partition name specified")
	var mark interface{ UserError() bool }
	require.ErrorAs(t, err, &mark)
}

func TestFollowingEndsWithItsContext(t *testing.T) {
	f := newFake(t)
	ctx, stop := context.WithCancel(context.Background())
	f.step("1|0|RUNNING|None", 5)
	f.step("1|0|RUNNING|None", 5)
	follower := &Follower{
		Array: Array{Name: "hwsim-0123", Tasks: 1, Shards: f.dir},
		Left:  func(int) (int, error) { return 5, nil },
		Told:  func(Status) { stop() },
	}
	require.ErrorIs(t, follower.Run(ctx), context.Canceled)
	require.Empty(t, f.submitted())
}

func TestWhatSlurmDoesNotSayIsAnError(t *testing.T) {
	for line, want := range map[string]string{
		"1|0|RUNNING":      `squeue: "1|0|RUNNING" is no line as asked for`,
		"1|N/A|RUNNING|No": `squeue: "1|N/A|RUNNING|No" is no task of an array`,
	} {
		_, err := parseJob(line)
		require.EqualError(t, err, want)
	}
	t.Setenv("PATH", t.TempDir())
	require.EqualError(t, Check(), "sbatch: no such program on the path: want a machine that submits to Slurm")
}

func TestNumbersAreWrittenAsSlurmDoes(t *testing.T) {
	for want, tasks := range map[string][]int{"": nil, "3": {3}, "0-7": {0, 1, 2, 3, 4, 5, 6, 7}, "1,3-4,9": {1, 3, 4, 9}} {
		require.Equal(t, want, list(tasks))
	}
}
