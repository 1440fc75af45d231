package sim

import (
	"cmp"
	"slices"
)

// Recorder keeps what happened when, for timelines. A nil *Recorder is off:
// every method may be called and costs a comparison.
//
// Tracks are made before the run. During it each is written by one domain
// only, so recording needs no lock and its order depends on no thread.
type Recorder struct {
	tracks []*track
}

type track struct {
	name    string
	spans   []Span
	samples []Sample
}

// Span is something that took from Start to End, in ps.
type Span struct {
	Track      int
	Name       string
	Start, End Time
}

// Sample is the value that a counter took at a time, in ps.
type Sample struct {
	Track int
	At    Time
	Value int64
}

// NewRecorder returns a recorder without tracks.
func NewRecorder() *Recorder { return &Recorder{} }

// Track adds a track and returns its number, counting from 0. Equal names
// make distinct tracks.
func (r *Recorder) Track(name string) int {
	if r == nil {
		return 0
	}
	r.tracks = append(r.tracks, &track{name: name})
	return len(r.tracks) - 1
}

// Span records that name took from start to end, in ps, on a track.
func (r *Recorder) Span(track int, name string, start, end Time) {
	if r != nil {
		t := r.tracks[track]
		t.spans = append(t.spans, Span{track, name, start, end})
	}
}

// Counter records that a track's value is value from at, in ps, on.
func (r *Recorder) Counter(track int, at Time, value int64) {
	if r != nil {
		t := r.tracks[track]
		t.samples = append(t.samples, Sample{track, at, value})
	}
}

// Tracks returns the names of all tracks by number.
func (r *Recorder) Tracks() []string {
	if r == nil {
		return nil
	}
	names := make([]string, len(r.tracks))
	for i, t := range r.tracks {
		names[i] = t.name
	}
	return names
}

// Spans returns all spans by start, those of equal start by track, and in the
// order of recording within it.
func (r *Recorder) Spans() []Span {
	return gather(r, func(t *track) []Span { return t.spans }, func(s Span) Time { return s.Start })
}

// Samples returns all samples by time, then track, then order of recording.
func (r *Recorder) Samples() []Sample {
	return gather(r, func(t *track) []Sample { return t.samples }, func(s Sample) Time { return s.At })
}

func gather[T any](r *Recorder, of func(*track) []T, at func(T) Time) []T {
	if r == nil {
		return nil
	}
	var all []T
	for _, t := range r.tracks {
		all = append(all, of(t)...)
	}
	slices.SortStableFunc(all, func(a, b T) int { return cmp.Compare(at(a), at(b)) })
	return all
}
