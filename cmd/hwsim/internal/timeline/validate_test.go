package timeline

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/sim"
)

// parsed is a trace event with what is there told from what is not.
type parsed struct {
	Phase    string         `json:"ph"`
	Name     string         `json:"name"`
	Category string         `json:"cat"`
	At       *json.Number   `json:"ts"`
	Length   *json.Number   `json:"dur"`
	Process  *int           `json:"pid"`
	Thread   *int           `json:"tid"`
	ID       *int           `json:"id"`
	Bind     string         `json:"bp"`
	Args     map[string]any `json:"args"`
}

type track struct{ process, thread int }

func (p *parsed) track() track { return track{*p.Process, *p.Thread} }

// ps reads a decimal number of µs.
func ps(t testing.TB, n *json.Number) sim.Time {
	t.Helper()
	require.NotNil(t, n)
	whole, part, _ := strings.Cut(n.String(), ".")
	require.LessOrEqual(t, len(part), 6)
	v, err := json.Number(whole + part + strings.Repeat("0", 6-len(part))).Int64()
	require.NoError(t, err)
	return sim.Time(v)
}

func (p *parsed) start(t testing.TB) sim.Time { return ps(t, p.At) }
func (p *parsed) end(t testing.TB) sim.Time   { return ps(t, p.At) + ps(t, p.Length) }

// file is a trace file whose events have been checked one by one.
type file struct {
	names  map[track]string // of threads; of processes with thread -1
	slices map[track][]parsed
	values map[string][]parsed // counters
	flows  map[int][2]*parsed  // both ends
}

// validate checks text against the trace-event format, and that nothing lies
// outside of the run.
func validate(t testing.TB, text []byte, end sim.Time) *file {
	t.Helper()
	var whole struct {
		Events []parsed       `json:"traceEvents"`
		Unit   string         `json:"displayTimeUnit"`
		Other  map[string]any `json:"otherData"`
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	d.UseNumber()
	require.NoError(t, d.Decode(&whole))
	require.Contains(t, []string{"ms", "ns"}, whole.Unit)
	f := &file{map[track]string{}, map[track][]parsed{}, map[string][]parsed{}, map[int][2]*parsed{}}
	for i := range whole.Events {
		f.take(t, &whole.Events[i], end)
	}
	f.checkTracks(t)
	f.checkFlows(t)
	return f
}

// take checks an event by its phase.
func (f *file) take(t testing.TB, e *parsed, end sim.Time) {
	require.NotEmpty(t, e.Name)
	require.NotNil(t, e.Process, e.Name)
	require.NotNil(t, e.Thread, e.Name)
	require.Equal(t, e.Phase == "X", e.Length != nil, "only complete events have a length")
	require.Equal(t, e.Phase == "s" || e.Phase == "f", e.ID != nil, "only flows have an id")
	require.Equal(t, e.Phase == "M", e.At == nil, "only metadata have no time")
	if e.At != nil {
		require.GreaterOrEqual(t, e.start(t), sim.Time(0))
		require.LessOrEqual(t, e.start(t), end)
	}
	switch e.Phase {
	case "M":
		f.takeMetadata(t, e)
	case "X":
		require.LessOrEqual(t, e.end(t), end, e.Name)
		f.slices[e.track()] = append(f.slices[e.track()], *e)
	case "C":
		require.Len(t, e.Args, 1)
		f.values[e.Name] = append(f.values[e.Name], *e)
	case "s", "f":
		require.NotEmpty(t, e.Category)
		side := strings.Index("sf", e.Phase)
		ends := f.flows[*e.ID]
		require.Nil(t, ends[side], "flow %d has two of the same end", *e.ID)
		ends[side] = e
		f.flows[*e.ID] = ends
	default:
		require.Fail(t, "phase "+e.Phase)
	}
}

func (f *file) takeMetadata(t testing.TB, e *parsed) {
	at := e.track()
	switch e.Name {
	case "process_name":
		at.thread = -1
		fallthrough
	case "thread_name":
		require.Empty(t, f.names[at], "named twice")
		f.names[at] = e.Args["name"].(string)
		require.NotEmpty(t, f.names[at])
	case "process_sort_index", "thread_sort_index":
		require.IsType(t, json.Number(""), e.Args["sort_index"])
	default:
		require.Fail(t, "metadata "+e.Name)
	}
}

// checkTracks checks that what is drawn has a name, that slices of a track
// neither overlap nor go back, and that counters are sound.
func (f *file) checkTracks(t testing.TB) {
	for at, events := range f.slices {
		require.NotEmpty(t, f.names[at])
		require.NotEmpty(t, f.names[track{at.process, -1}])
		slices.SortStableFunc(events, func(a, b parsed) int { return int(a.start(t) - b.start(t)) })
		for i := range events[1:] {
			require.LessOrEqual(t, events[i].end(t), events[i+1].start(t), "%s and %s", events[i].Name, events[i+1].Name)
		}
	}
	for name, events := range f.values {
		for i, e := range events {
			require.NotEmpty(t, f.names[track{*e.Process, -1}])
			if i > 0 {
				require.Greater(t, e.start(t), events[i-1].start(t), name)
			}
			for unit, v := range e.Args {
				n, err := v.(json.Number).Float64()
				require.NoError(t, err)
				require.GreaterOrEqual(t, n, 0.0, name)
				if unit == "%" {
					require.LessOrEqual(t, n, 100.5, "%s at %s: a burst counts when it begins", name, e.start(t))
				}
			}
		}
	}
}

// checkFlows checks that flows have both ends, in order, each within a slice.
func (f *file) checkFlows(t testing.TB) {
	for id, ends := range f.flows {
		require.NotNil(t, ends[0], "flow %d begins nowhere", id)
		require.NotNil(t, ends[1], "flow %d ends nowhere", id)
		require.LessOrEqual(t, ends[0].start(t), ends[1].start(t))
		require.Equal(t, ends[0].Name, ends[1].Name)
		require.Equal(t, ends[0].Category, ends[1].Category)
		require.Equal(t, "e", ends[1].Bind)
		for _, e := range ends {
			require.True(t, slices.ContainsFunc(f.slices[e.track()], func(s parsed) bool {
				return s.start(t) <= e.start(t) && e.start(t) < s.end(t)
			}), "flow %d: no slice around its end", id)
		}
	}
}
