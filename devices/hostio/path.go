package hostio

import (
	"fmt"
	"slices"

	"hwsim/sim"
)

// Path is a way between a drive and a tensor.
type Path struct {
	Threads int   `toml:"threads"` // transfers under way at once, at most
	Legs    []Leg `toml:"leg"`
}

// Leg is a part of a path that ends before the next begins.
type Leg struct {
	Uses         []string `toml:"stages"`        // of the host, by name, in their order
	CallUs       float64  `toml:"call_us"`       // fixed time of a transfer, before its first request
	RequestBytes int64    `toml:"request_bytes"` // 0: a transfer is one request
	Overlapped   bool     `toml:"overlapped"`    // requests follow each other through the stages
	Stages       []Stage  // those of Uses
}

// Stage is one step of a request.
type Stage struct {
	Resource    string  `toml:"resource"`     // shared by all threads; "": each thread's own
	RequestUs   float64 `toml:"request_us"`   // fixed time of a request
	GBps        float64 `toml:"gbps"`         // GB/s of its bytes; 0: they take no time
	CachedGBps  float64 `toml:"cached_gbps"`  // of what the last-level cache keeps; 0: as GBps
	CachedBytes int64   `toml:"cached_bytes"` // transfers up to this size are kept whole, from twice this size on not at all
	From        int64   `toml:"from_bytes"`   // smaller transfers skip the stage
	OfDrive     bool    `toml:"of_drive"`     // what the page cache holds skips the stage
}

// Validate reports what a path cannot be.
func (p *Path) Validate(report func(key, message string)) {
	if p.Threads < 1 {
		report("threads", fmt.Sprintf("must be positive, is %d", p.Threads))
	}
	if len(p.Legs) == 0 {
		report("leg", "is missing: a path has at least one")
	}
}

// Validate reports what a leg cannot be.
func (l *Leg) Validate(report func(key, message string)) {
	atLeastZero(report, "call_us", l.CallUs)
	atLeastZero(report, "request_bytes", float64(l.RequestBytes))
	if len(l.Uses) == 0 {
		report("stages", "is missing: a leg has at least one")
	}
}

// Validate reports what a stage cannot be.
func (s *Stage) Validate(report func(key, message string)) {
	atLeastZero(report, "request_us", s.RequestUs)
	atLeastZero(report, "gbps", s.GBps)
	atLeastZero(report, "cached_gbps", s.CachedGBps)
	atLeastZero(report, "cached_bytes", float64(s.CachedBytes))
	atLeastZero(report, "from_bytes", float64(s.From))
	if (s.CachedGBps > 0) != (s.CachedBytes > 0) {
		report("cached_bytes", "goes with cached_gbps: both or neither")
	}
	if s.CachedGBps > 0 && s.GBps == 0 {
		report("gbps", "is missing beside cached_gbps")
	}
}

// longest is what times and sizes must not exceed, µs or bytes: further, sums
// of picoseconds could overflow.
const longest = 1e12

func atLeastZero(report func(key, message string), key string, v float64) {
	if !(v >= 0 && v <= longest) {
		report(key, fmt.Sprintf("must be 0 to %g, is %g", longest, v))
	}
}

// psPerByte returns the time of a byte of a transfer of size bytes.
func (s *Stage) psPerByte(size int64) float64 {
	if s.GBps == 0 {
		return 0
	}
	if s.CachedBytes == 0 {
		return 1000 / s.GBps
	}
	kept := min(1, max(0, 2-float64(size)/float64(s.CachedBytes)))
	return kept*1000/s.CachedGBps + (1-kept)*1000/s.GBps
}

// request returns the stage's time for a request of n bytes of a transfer of
// size bytes.
func (s *Stage) request(n, size int64) sim.Time {
	if size < s.From {
		return 0
	}
	return sim.FromNanoseconds(s.RequestUs*1000 + float64(n)*s.psPerByte(size)/1000)
}

// requests returns how a leg cuts a transfer: full requests of n bytes and a
// last one of rest bytes, 0 if none.
func (l *Leg) requests(size int64) (full, n, rest int64) {
	if l.RequestBytes == 0 || l.RequestBytes >= size {
		return 1, size, 0
	}
	return size / l.RequestBytes, l.RequestBytes, size % l.RequestBytes
}

// call returns the leg's fixed time.
func (l *Leg) call() sim.Time { return sim.FromNanoseconds(l.CallUs * 1000) }

// alone returns the leg's time for a transfer that meets no other.
func (l *Leg) alone(size int64) sim.Time {
	full, n, rest := l.requests(size)
	if !l.Overlapped {
		var each, last sim.Time
		for i := range l.Stages {
			each += l.Stages[i].request(n, size)
			if rest > 0 {
				last += l.Stages[i].request(rest, size)
			}
		}
		return l.call() + sim.Time(full)*each + last
	}
	return l.call() + l.pipelined(full, n, rest, size)
}

// pipelined returns when the last request leaves the last stage if each stage
// holds one request: the longest way through the grid of requests and stages.
func (l *Leg) pipelined(full, n, rest, size int64) sim.Time {
	var sum, slowest, end sim.Time
	for i := range l.Stages {
		t := l.Stages[i].request(n, size)
		sum, slowest = sum+t, max(slowest, t)
		last := sum + sim.Time(full-1)*slowest // the last full request leaves stage i
		if rest == 0 {
			end = last
			continue
		}
		end = max(end, last) + l.Stages[i].request(rest, size)
	}
	return end
}

// contended returns the leg's time for transfers that enter it together, by the
// shared stage that they wait for most: it serves all their requests, one after
// the other, after a request's way to it and before one's way on.
func (l *Leg) contended(size int64, transfers int) sim.Time {
	_, n, rest := l.requests(size)
	if rest == 0 {
		rest = n
	}
	var most sim.Time
	for i := range l.Stages {
		if l.Stages[i].Resource == "" {
			continue
		}
		t := sim.Time(transfers) * l.busy(l.Stages[i].Resource, size)
		for k := range l.Stages[:i] {
			t += l.Stages[k].request(n, size)
		}
		for k := range l.Stages[i+1:] {
			t += l.Stages[i+1+k].request(rest, size)
		}
		most = max(most, t)
	}
	return most
}

// busy returns how long a transfer keeps a resource busy in the leg.
func (l *Leg) busy(resource string, size int64) sim.Time {
	full, n, rest := l.requests(size)
	var t sim.Time
	for i := range l.Stages {
		s := &l.Stages[i]
		if s.Resource != resource {
			continue
		}
		t += sim.Time(full) * s.request(n, size)
		if rest > 0 {
			t += s.request(rest, size)
		}
	}
	return t
}

// Held returns the path of what the page cache holds: without the drive's
// stages.
func (p *Path) Held() *Path {
	held := &Path{Threads: p.Threads, Legs: slices.Clone(p.Legs)}
	for i := range held.Legs {
		l := &held.Legs[i]
		l.Stages = slices.DeleteFunc(slices.Clone(l.Stages), func(s Stage) bool { return s.OfDrive })
	}
	return held
}

// Busy returns how long a transfer of size bytes keeps a shared resource busy.
func (p *Path) Busy(resource string, size int64) sim.Time {
	var t sim.Time
	for i := range p.Legs {
		t += p.Legs[i].busy(resource, size)
	}
	return t
}

// Elapsed returns the time of several equal transfers of size bytes each that
// are asked for at once: threads take them, and enter each leg together.
func (p *Path) Elapsed(size int64, transfers int) sim.Time {
	var t sim.Time
	for transfers > 0 {
		together := min(transfers, p.Threads)
		transfers -= together
		for i := range p.Legs {
			l := &p.Legs[i]
			t += max(l.alone(size), l.call()+l.contended(size, together))
		}
	}
	return t
}
