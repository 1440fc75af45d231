package sim

import (
	"errors"
	"fmt"
	"strings"
)

// Errors of Engine.Run, wrapped with the time and the state of every domain.
var (
	ErrLivelock = errors.New("sim: livelock")
	ErrDeadlock = errors.New("sim: deadlock")
)

type watchdog struct {
	perInstant uint64
	pending    func() string

	windows  uint64 // between two looks at progress
	progress func() uint64
	seen     uint64 // progress at the last look
	due      uint64 // window of the next look
}

// SetWatchdog sets how many events a domain may execute in one instant before
// Run calls it a livelock; 0 means any number. Without it that is 1<<20.
func (e *Engine[M]) SetWatchdog(eventsPerInstant uint64) { e.watch.perInstant = eventsPerInstant }

// SetProgress makes Run return a livelock when time passes but nothing gets
// done: when progress, a count of finished work, stays the same over this many
// windows, or up to twice as many.
func (e *Engine[M]) SetProgress(windows uint64, progress func() uint64) {
	e.watch.windows, e.watch.progress = windows, progress
	e.watch.seen, e.watch.due = progress(), e.windows+windows
}

// SetPending makes Run return a deadlock when all domains are idle while
// pending describes outstanding work; it returns "" when there is none.
func (e *Engine[M]) SetPending(pending func() string) { e.watch.pending = pending }

// idle ends a run in which no domain can act.
func (e *Engine[M]) idle() error {
	if e.watch.pending == nil {
		return nil
	}
	if what := e.watch.pending(); what != "" {
		return e.hang(ErrDeadlock, e.horizon, what)
	}
	return nil
}

// progress checks, before a window from start, that the last one was of use.
func (e *Engine[M]) progress(start Time) error {
	if start < e.horizon {
		return e.hang(ErrLivelock, start, fmt.Sprintf("work remains before %v, where the last window ended", e.horizon))
	}
	w := &e.watch
	if w.progress == nil || e.windows < w.due {
		return nil
	}
	now := w.progress()
	if now == w.seen {
		return e.hang(ErrLivelock, start, fmt.Sprintf("no progress beyond %d in %d windows", now, w.windows))
	}
	w.seen, w.due = now, e.windows+w.windows
	return nil
}

// hang describes a simulation that cannot go on.
func (e *Engine[M]) hang(kind error, at Time, why string) error {
	var b strings.Builder
	for _, p := range e.ports {
		fmt.Fprintf(&b, "\n  %s: next %v, %d queued", p.name, p.domain.Next(), p.Len())
		if w, ok := p.domain.(interface{ Waiting() string }); ok {
			fmt.Fprintf(&b, ", %s", w.Waiting())
		}
	}
	return fmt.Errorf("%w at %v: %s%s", kind, at, why, b.String())
}
