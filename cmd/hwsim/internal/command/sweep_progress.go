package command

import (
	"fmt"
	"io"
	"time"

	"hwsim/cmd/hwsim/internal/sweep"
	"hwsim/workloads"
)

// progress tells how far a sweep is: on a terminal in one line that changes, else in
// lines now and then.
type progress struct {
	w        io.Writer
	terminal bool
	now      func() time.Time
	total    int
	done     int
	begun    time.Time
	told     time.Time
}

// How often progress is told.
const (
	terminalPeriod = 200 * time.Millisecond
	plainPeriod    = 10 * time.Second
)

func newProgress(w io.Writer, total int) *progress {
	p := &progress{w: w, terminal: isTerminal(w), now: time.Now, total: total}
	p.begun = p.now()
	p.told = p.begun
	return p
}

// add counts points, and tells if it is time.
func (p *progress) add(n int) { p.at(p.done+n, "") }

// at has so many points done and tells if it is time, with more at the end.
func (p *progress) at(done int, more string) {
	p.done = done
	period := plainPeriod
	if p.terminal {
		period = terminalPeriod
	}
	if now := p.now(); now.Sub(p.told) >= period {
		p.told = now
		p.line(p.state() + more)
	}
}

// state says rate and time left, by the points since it began.
func (p *progress) state() string {
	text := fmt.Sprintf("%d of %d points, %.1f %%", p.done, p.total, 100*float64(p.done)/float64(p.total))
	if p.done == 0 {
		return text
	}
	rate := float64(p.done) / p.now().Sub(p.begun).Seconds()
	left := time.Duration(float64(p.total-p.done) / rate * float64(time.Second)).Round(time.Second)
	return fmt.Sprintf("%s, %.3g a second, %v left", text, rate, left)
}

func (p *progress) line(text string) {
	if p.terminal {
		fmt.Fprintf(p.w, "\r%s\x1b[K", text)
	} else {
		fmt.Fprintln(p.w, text)
	}
}

// note tells something once.
func (p *progress) note(format string, args ...any) {
	p.line(fmt.Sprintf(format, args...))
	if p.terminal {
		fmt.Fprintln(p.w)
	}
}

// end tells what was done, and where outcomes and the windows of steps came from.
func (p *progress) end(s sweep.Stats, windows *workloads.Windows) {
	if s.Points() == 0 {
		p.note("no points were left to run")
		return
	}
	known := s.Shared + s.Memoised
	took := p.now().Sub(p.begun)
	p.note("%d points in %v, %.3g a second: %d simulated, %d shared a configuration, %d were in the memo; %.1f %% known", s.Points(),
		took.Round(100*time.Millisecond), float64(s.Points())/took.Seconds(), s.Simulated, s.Shared, s.Memoised, 100*float64(known)/float64(s.Points()))
	if windows == nil {
		return
	}
	w := windows.Stats()
	known = w.Shared + w.Memoised
	if all := known + w.Simulated; all > 0 {
		p.note("%d windows: %d simulated, %d shared with another point, %d were in the memo; %.1f %% known", all,
			w.Simulated, w.Shared, w.Memoised, 100*float64(known)/float64(all))
	}
}
