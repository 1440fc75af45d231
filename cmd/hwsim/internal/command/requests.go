package command

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"hwsim/hierarchy"
	"hwsim/sim"
	"hwsim/workloads"
	"hwsim/workloads/replay"
)

const (
	requestsFile = "requests.csv"
	mostRequests = 1_000_000 // without a window
)

// requestsFlag is the value of -requests: TIER.CHANNEL, and a window of simulated
// time behind @.
type requestsFlag struct {
	text     string
	tier     hierarchy.TierID
	channel  int
	from, to sim.Time
	window   bool
}

// String implements flag.Value.
func (f *requestsFlag) String() string { return f.text }

// Set implements flag.Value.
func (f *requestsFlag) Set(text string) error {
	const want = "want TIER.CHANNEL or TIER.CHANNEL@FROM..TO, such as hbm.0@10us..20us"
	place, window, windowed := strings.Cut(text, "@")
	tier, channel, ok := strings.Cut(place, ".")
	n, err := strconv.ParseUint(channel, 10, 16)
	if !ok || err != nil {
		return errors.New(want)
	}
	f.text, f.channel, f.to, f.window = text, int(n), sim.Never, windowed
	if f.tier, err = hierarchy.ParseTier(tier); err != nil {
		return fmt.Errorf("%w; %s", err, want)
	}
	if !windowed {
		return nil
	}
	from, to, ok := strings.Cut(window, "..")
	if !ok {
		return errors.New(want)
	}
	if f.from, err = parseTime(from); err != nil {
		return fmt.Errorf("%w; %s", err, want)
	}
	if f.to, err = parseTime(to); err != nil {
		return fmt.Errorf("%w; %s", err, want)
	}
	if f.to <= f.from {
		return fmt.Errorf("the window ends at %s, before it begins; %s", to, want)
	}
	return nil
}

// parseTime reads a time such as 12.5us.
func parseTime(text string) (sim.Time, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d > time.Hour {
		return 0, fmt.Errorf("%q is no time up to an hour", text)
	}
	return sim.Time(d.Nanoseconds()) * sim.Nanosecond, nil
}

// requestLog is the file of a run's requests; nil: none was asked for.
type requestLog struct {
	of       requestsFlag
	path     string
	file     *os.File
	recorder *replay.Recorder
}

// createRequestLog makes the file that -requests asks for, in the folder of -o.
func createRequestLog(o *options) (*requestLog, error) {
	if o.requests.text == "" {
		return nil, nil
	}
	if err := os.MkdirAll(o.dir, 0o777); err != nil {
		return nil, userError{err}
	}
	l := &requestLog{of: o.requests, path: filepath.Join(o.dir, requestsFile)}
	var err error
	if l.file, err = createFile(l.path, o.force); err != nil {
		return nil, err
	}
	l.recorder = replay.NewRecorder(l.file)
	l.recorder.From, l.recorder.To = l.of.from, l.of.to
	if !l.of.window {
		l.recorder.Most = mostRequests
	}
	return l, nil
}

// requests returns what a run records, nil if nothing.
func (l *requestLog) requests() *workloads.Requests {
	if l == nil {
		return nil
	}
	return &workloads.Requests{Tier: l.of.tier, Channel: l.of.channel, Recorder: l.recorder}
}

// close ends the file after a run that ended with err. What is not whole, or
// empty, is removed.
func (l *requestLog) close(err error) error {
	if l == nil {
		return err
	}
	closed := errors.Join(l.recorder.Close(), l.file.Close())
	count, _ := l.recorder.Count()
	switch {
	case err != nil:
		os.Remove(l.path)
		return err
	case closed != nil:
		os.Remove(l.path)
		return userError{closed}
	case count == 0:
		os.Remove(l.path)
		return userErrorf("-requests %s: none arrived there, or in that time", l.of.text)
	}
	return nil
}
