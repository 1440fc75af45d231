package timeline

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"

	"hwsim/sim"
	"hwsim/workloads"
)

// event is one trace event. Metadata has no time, and only X has a length.
type event struct {
	Phase    string         `json:"ph"`
	Name     string         `json:"name"`
	Category string         `json:"cat,omitempty"`
	At       json.Number    `json:"ts,omitempty"`
	Length   json.Number    `json:"dur,omitempty"`
	Process  int            `json:"pid"`
	Thread   int            `json:"tid"`
	ID       int            `json:"id,omitempty"`
	Bind     string         `json:"bp,omitempty"`
	Args     map[string]any `json:"args,omitempty"`
}

// micros is a time in µs, to the picosecond.
func micros(t sim.Time) json.Number {
	return json.Number(fmt.Sprintf("%d.%06d", t/sim.Microsecond, t%sim.Microsecond))
}

// encoder writes events as they come, one a line. The first error stays.
type encoder struct {
	out   *bufio.Writer
	comma string
	err   error
}

// newEncoder opens the file with what is known of the run.
func newEncoder(w io.Writer, r *workloads.Result) *encoder {
	e := &encoder{out: bufio.NewWriter(w)}
	e.text(`{"displayTimeUnit":"ns","otherData":`)
	e.json(map[string]any{
		"workload": fmt.Sprintf("%s, batch %d, context %d", r.Model, r.Batch, r.Context),
		"system":   r.System, "config": r.Name, "hash": r.Hash, "seed": r.Seed, "fidelity": r.Fidelity, "complete": r.Complete, "step_ns": r.StepNs,
	})
	e.text(`,"traceEvents":[`)
	return e
}

// close ends the file and returns the first error.
func (e *encoder) close() error {
	e.text("\n]}\n")
	if e.err != nil {
		return e.err
	}
	return e.out.Flush()
}

func (e *encoder) put(v *event) {
	e.text(e.comma + "\n")
	e.comma = ","
	e.json(v)
}

func (e *encoder) json(v any) {
	text, err := json.Marshal(v)
	if err != nil && e.err == nil {
		e.err = err
	}
	e.text(string(text))
}

func (e *encoder) text(s string) {
	if _, err := e.out.WriteString(s); err != nil && e.err == nil {
		e.err = err
	}
}

// process names a process and puts it in the order of their numbers.
func (e *encoder) process(id int, name string) {
	e.put(&event{Phase: "M", Name: "process_name", Process: id, Args: map[string]any{"name": name}})
	e.put(&event{Phase: "M", Name: "process_sort_index", Process: id, Args: map[string]any{"sort_index": id}})
}

// thread names a thread and puts it in the order of their numbers.
func (e *encoder) thread(process, id int, name string) {
	e.put(&event{Phase: "M", Name: "thread_name", Process: process, Thread: id, Args: map[string]any{"name": name}})
	e.put(&event{Phase: "M", Name: "thread_sort_index", Process: process, Thread: id, Args: map[string]any{"sort_index": id}})
}

// slice writes what the GPU did for a while.
func (e *encoder) slice(thread int, category, name string, start, end sim.Time, args map[string]any) {
	e.put(&event{Phase: "X", Name: name, Category: category, At: micros(start), Length: micros(end - start), Process: gpuProcess, Thread: thread, Args: args})
}
