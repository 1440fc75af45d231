package slurm

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// A Follower sees to it that an array's shards get whole.
type Follower struct {
	Array  Array
	Script string // the file with the array's script

	// Left returns how many points of a task's shard are still to be run.
	Left func(task int) (int, error)

	Told func(Status)              // is called whenever the queue was asked
	Note func(lines string)        // is called with what happens to tasks
	Wait func(time.Duration) error // nil: by the clock, until the context ends

	tasks []task
}

// The bounds of following. Between questions to the queue it waits twice as long each
// time, from the first again whenever a task has ended: Slurm's controller is not to be
// asked all the time.
const (
	maxTries  = 3 // of a task that gets no further
	firstWait = time.Second
	lastWait  = 30 * time.Second
	maxErrors = 20 // of asking the queue, one after the other: 9 minutes
	tailLines = 3  // of a lost task's log
)

// Status is how an array is.
type Status struct {
	Left                         int // points that no task has run yet
	Done, Running, Waiting, Lost int // tasks; lost ones are given up
	Reasons                      []string
}

// String tells of the tasks.
func (s Status) String() string {
	text := fmt.Sprintf("tasks: %d done, %d running, %d waiting", s.Done, s.Running, s.Waiting)
	if len(s.Reasons) > 0 {
		text += " (" + strings.Join(s.Reasons, ", ") + ")"
	}
	if s.Lost > 0 {
		text += fmt.Sprintf(", %d given up", s.Lost)
	}
	return text
}

// task is what is known of one.
type task struct {
	left    int
	tries   int    // submissions since it got any further
	problem string // why it is given up
}

// Run submits tasks and follows them until all shards are whole, those of tasks apart
// that it gives up: the error then is a [GivenUp]. When ctx ends it returns the cause
// and leaves tasks as they are.
func (f *Follower) Run(ctx context.Context) error {
	if f.Wait == nil {
		f.Wait = func(d time.Duration) error { return sleep(ctx, d) }
	}
	f.tasks = make([]task, f.Array.Tasks)
	lost, err := f.look(ctx)
	if err != nil {
		return err
	}
	tasks := slices.Sorted(maps.Keys(lost)) // by this command none was submitted
	wait := firstWait
	for f.unsettled() {
		if len(tasks) > 0 {
			if err := f.submit(ctx, tasks); err != nil {
				return err
			}
			wait = firstWait
		}
		if err := f.Wait(wait); err != nil {
			return err
		}
		wait = min(2*wait, lastWait)
		if lost, err = f.look(ctx); err != nil {
			return err
		}
		tasks = f.judge(ctx, lost)
	}
	return f.verdict()
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// look asks queue and stores, in this order: what a job does before it leaves the queue
// is in the store afterwards. It returns the tasks that are neither done nor under way,
// with their last jobs.
func (f *Follower) look(ctx context.Context) (map[int]job, error) {
	all, err := f.ask(ctx)
	if err != nil {
		return nil, err
	}
	var s Status
	lost := map[int]job{}
	for i := range f.tasks {
		t := &f.tasks[i]
		if err := f.read(i); err != nil {
			return nil, err
		}
		s.Left += t.left
		switch j, known := all[i]; {
		case t.left == 0:
			s.Done++
		case t.problem != "":
			s.Lost++
		case !known || !j.active():
			lost[i] = j
			s.Waiting++
		case slices.Contains(waiting, j.state):
			s.Waiting++
			s.add(j.reason)
		default:
			s.Running++
		}
	}
	f.Told(s)
	return lost, nil
}

func (s *Status) add(reason string) {
	if reason != "None" && !slices.Contains(s.Reasons, reason) {
		s.Reasons = append(s.Reasons, reason)
	}
}

// ask asks the queue, again if the controller has no time.
func (f *Follower) ask(ctx context.Context) (map[int]job, error) {
	wait := firstWait
	for n := 1; ; n++ {
		all, err := jobs(ctx, f.Array.Name)
		if err == nil || ctx.Err() != nil || n == maxErrors {
			return all, err
		}
		f.Note(err.Error())
		if err := f.Wait(wait); err != nil {
			return nil, err
		}
		wait = min(2*wait, lastWait)
	}
}

// read reads how far a task is.
func (f *Follower) read(i int) error {
	left, err := f.Left(i)
	t := &f.tasks[i]
	if left < t.left {
		t.tries = 0
	}
	t.left = left
	return err
}

func (f *Follower) submit(ctx context.Context, tasks []int) error {
	id, err := submit(ctx, f.Script, tasks)
	if err != nil {
		return err
	}
	for _, i := range tasks {
		f.tasks[i].tries++
	}
	f.Note(fmt.Sprintf("job %d: submitted tasks %s", id, list(tasks)))
	return nil
}

// judge tells of tasks that were lost and returns those to submit again.
func (f *Follower) judge(ctx context.Context, lost map[int]job) (again []int) {
	for _, i := range slices.Sorted(maps.Keys(lost)) {
		j, t := lost[i], &f.tasks[i]
		how := "left the queue"
		if j.state != "" {
			how = fate(ctx, j)
		}
		switch {
		case j.state == cancelled:
			t.problem = how
		case t.tries >= maxTries:
			t.problem = fmt.Sprintf("%s, %d times without getting any further", how, t.tries)
		default:
			again = append(again, i)
		}
		f.Note(fmt.Sprintf("task %d: %s with %d points left%s", i, how, t.left, tail(f.Array.Log(i))))
	}
	return again
}

// unsettled tells whether any task is neither done nor given up.
func (f *Follower) unsettled() bool {
	return slices.ContainsFunc(f.tasks, func(t task) bool { return t.left > 0 && t.problem == "" })
}

// GivenUp is the error of tasks that were given up, a line each.
type GivenUp struct{ lines []string }

func (e *GivenUp) Error() string { return strings.Join(e.lines, "\n") }

// verdict returns a [GivenUp] unless all is done.
func (f *Follower) verdict() error {
	var lines []string
	for i, t := range f.tasks {
		if t.left > 0 {
			lines = append(lines, fmt.Sprintf("task %d is given up: %s", i, t.problem))
		}
	}
	if len(lines) > 0 {
		return &GivenUp{lines}
	}
	return nil
}

// tail returns the last lines of a log, each after a line's end.
func tail(path string) (text string) {
	all, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(all)), "\n")
	for _, l := range lines[max(0, len(lines)-tailLines):] {
		if l != "" {
			text += "\n  " + l
		}
	}
	return text
}
