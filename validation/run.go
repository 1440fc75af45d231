package validation

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
)

//go:embed h100/*.csv h200/*.csv
var embedded embed.FS

// ErrNoTables says that Options.Data has nothing to compare with.
var ErrNoTables = errors.New("no CSV files in it")

// Options of a validation.
type Options struct {
	Config   string                // a configuration or a system, by file or preset
	Sets     []string              // values of the system that differ, as l2.hit_ns=26
	Data     fs.FS                 // tables, anywhere in it; nil: those that ship for the system, or h200's
	Rows     func(Row) bool        // which rows to compare, by what was measured; nil: all
	Quick    bool                  // a small sample of the rows
	All      bool                  // all rows, which takes hours; else a sample where one takes long
	Progress func(done, total int) // called after each simulation; nil: never
}

// Run compares tables of measurements with predictions. When ctx is cancelled
// the report covers what was simulated until then, and says so. An error with
// a method UserError is of the options or the tables.
func Run(ctx context.Context, o Options) (*Report, error) {
	m, err := newMachine(o.Config, o.Sets...)
	if err != nil {
		return nil, err
	}
	if o.Data == nil {
		o.Data, err = fs.Sub(embedded, folderOf(m.system.Name))
	}
	if err != nil {
		return nil, err
	}
	tables, err := readAll(o.Data)
	if err != nil {
		return nil, err
	}
	r := newReport(o)
	var rows []*comparison
	for _, t := range tables {
		rows = append(rows, m.plausible(t, r)...)
	}
	rows = slices.DeleteFunc(rows, func(c *comparison) bool { return o.Rows != nil && !o.Rows(c.measurement()) })
	chosen := rows
	if !o.All {
		chosen = sample(rows, o.Quick)
	}
	r.Complete = m.simulate(ctx, chosen, o.Progress)
	r.fill(tables, rows, chosen)
	return r, nil
}

// Measurements returns what the tables in a folder tell and could be compared,
// without predictions.
func Measurements(data fs.FS) (rows []Row, err error) {
	tables, err := readAll(data)
	if err != nil {
		return nil, err
	}
	for _, t := range tables {
		for _, c := range t.comparisons {
			rows = append(rows, c.measurement())
		}
	}
	return rows, nil
}

// readAll reads every CSV file in a folder, in the order of their paths.
func readAll(data fs.FS) (tables []*table, err error) {
	var problems []error
	err = fs.WalkDir(data, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.EqualFold(path.Ext(file), ".csv") {
			return err
		}
		t, err := readFile(data, file)
		problems = append(problems, err)
		tables = append(tables, t)
		return nil
	})
	switch {
	case err != nil:
		return nil, inputError{err}
	case len(tables) == 0:
		return nil, inputError{ErrNoTables}
	}
	return tables, errors.Join(problems...)
}

func readFile(data fs.FS, file string) (*table, error) {
	f, err := data.Open(file)
	if err != nil {
		return nil, inputError{err}
	}
	defer f.Close()
	return readTable(file, f)
}

// plausible returns the table's comparisons that the machine can have shown.
// The others are reported.
func (m *machine) plausible(t *table, r *Report) (rows []*comparison) {
	for _, c := range t.comparisons {
		most, bound := m.most(c.route)
		if bound != "" && c.gbps() > most {
			r.AbovePeak = append(r.AbovePeak, Refusal{File: t.file, Line: c.line, Row: c.name(), GBps: c.gbps(), Most: most, Bound: bound})
			continue
		}
		rows = append(rows, c)
	}
	return rows
}

// job is a task with all that it predicts.
type job struct {
	task
	rows []*comparison
}

// jobs returns the tasks of comparisons, long ones first, so that none of
// them is left for the end.
func jobs(rows []*comparison) []*job {
	var first, rest []*job
	of := map[task]*job{}
	for _, c := range rows {
		j := of[c.task]
		if j == nil {
			j = &job{task: c.task}
			of[c.task] = j
			if kindOf(c.task) != "" {
				first = append(first, j)
			} else {
				rest = append(rest, j)
			}
		}
		j.rows = append(j.rows, c)
	}
	return append(first, rest...)
}

// errPending marks a comparison whose task has not been simulated.
var errPending = errors.New("not reached")

// simulate predicts all comparisons, on as many goroutines as there are
// processors, and tells whether it got through.
func (m *machine) simulate(ctx context.Context, rows []*comparison, progress func(done, total int)) (complete bool) {
	for _, c := range rows {
		c.err = errPending
	}
	all := jobs(rows)
	queue := make(chan *job, len(all))
	for _, j := range all {
		queue <- j
	}
	close(queue)
	w := &work{m: m, total: len(all), progress: progress}
	var workers sync.WaitGroup
	for range min(len(all), runtime.GOMAXPROCS(0)) {
		workers.Go(func() { w.through(ctx, queue) })
	}
	workers.Wait()
	if w.crash != nil {
		panic(w.crash) // on the goroutine of the caller, who may recover
	}
	return w.done == w.total
}

// work is the state of jobs under way.
type work struct {
	m        *machine
	total    int
	progress func(done, total int)

	lock  sync.Mutex // of what follows, and of the comparisons
	done  int
	crash error
}

// through simulates the queue's jobs until it is empty or ctx is cancelled.
func (w *work) through(ctx context.Context, queue <-chan *job) {
	for j := range queue {
		if ctx.Err() != nil {
			return
		}
		o, err, panicked := j.run(ctx, w.m)
		if ctx.Err() == nil {
			w.finish(j, o, err, panicked)
		}
	}
}

func (w *work) finish(j *job, o outcome, err, panicked error) {
	w.lock.Lock()
	defer w.lock.Unlock()
	w.done++
	w.crash = errors.Join(w.crash, panicked)
	for _, c := range j.rows {
		c.predict(o, err)
	}
	if w.progress != nil {
		w.progress(w.done, w.total)
	}
}

// run simulates the task. A panic is returned.
func (j *job) run(ctx context.Context, m *machine) (o outcome, err, panicked error) {
	defer func() {
		if v := recover(); v != nil {
			panicked = fmt.Errorf("%s:%d: %v\n%s", j.rows[0].t.file, j.rows[0].line, v, debug.Stack())
		}
	}()
	o, err = j.task.simulate(ctx, m)
	return o, err, nil
}
