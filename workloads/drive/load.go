package drive

import (
	"errors"
	"fmt"

	"hwsim/devices/nvme"
	"hwsim/sim"
)

// Limits of a load.
const (
	sectorBytes     = 512       // a request is of whole ones
	maxRequestBytes = 1 << 30   // chosen: far above what hosts send
	maxDepth        = 1<<16 - 1 // commands in a full queue of NVMe's greatest size
	maxOutstanding  = 1 << 36   // bytes; chosen: their commands fit in memory
	maxWarm         = 100       // drive writes; chosen
)

// Load is a closed loop of requests.
type Load struct {
	Pattern  string `toml:"pattern"`   // of addresses: rand or seq
	Requests uint64 `toml:"requests"`  // in all
	Bytes    uint64 `toml:"bytes"`     // of a request
	Depth    int    `toml:"depth"`     // requests outstanding
	WritePct int    `toml:"write_pct"` // writes in 100 requests; the others read
	Seed     uint64 `toml:"seed"`

	Fill bool    `toml:"fill"` // the drive starts with all of its pages written in order, else erased
	Warm float64 `toml:"warm"` // drive's sizes of writes of the same pattern and size before the load
}

// Validate reports values that no load on any drive has.
func (l *Load) Validate(report func(key, message string)) {
	if l.Pattern != "rand" && l.Pattern != "seq" {
		report("pattern", "must be rand or seq")
	}
	if l.Requests < 1 {
		report("requests", "must be at least 1")
	}
	if l.Bytes < sectorBytes || l.Bytes > maxRequestBytes || l.Bytes%sectorBytes != 0 {
		report("bytes", fmt.Sprintf("must be a multiple of %d up to %d", sectorBytes, maxRequestBytes))
	}
	if most := min(maxDepth, maxOutstanding/max(l.Bytes, 1)); l.Depth < 1 || uint64(l.Depth) > most {
		report("depth", fmt.Sprintf("must be 1 to %d with requests of %d bytes", most, l.Bytes))
	}
	if l.WritePct < 0 || l.WritePct > 100 {
		report("write_pct", "must be 0 to 100")
	}
	if !(l.Warm >= 0 && l.Warm <= maxWarm) {
		report("warm", fmt.Sprintf("must be 0 to %d", maxWarm))
	}
}

// validated returns all of Validate's reports as one error.
func (l *Load) validated() error {
	var errs []error
	l.Validate(func(key, message string) { errs = append(errs, fmt.Errorf("drive load: %s %s", key, message)) })
	return errors.Join(errs...)
}

// loop is the state of a run.
type loop struct {
	*Load
	drive  *nvme.Drive
	rand   sim.Rand
	places uint64 // of requests on the drive
	warm   uint64 // requests before the load
	sent   uint64 // with those
	start  sim.Time
	before counters // at the start
	result *Result
}

// Run runs the load on a new drive of a configuration. It fails when the load
// or the drive cannot be as it is, or when the drive stops for want of room.
func (l Load) Run(c nvme.Config) (*Result, error) {
	if err := l.validated(); err != nil {
		return nil, err
	}
	d, err := nvme.New(c)
	if err != nil {
		return nil, err
	}
	if l.Bytes > d.Bytes() {
		return nil, fmt.Errorf("requests of %d bytes: the drive has %d", l.Bytes, d.Bytes())
	}
	if l.Fill {
		d.Fill()
	}
	r := &loop{Load: &l, drive: d, rand: sim.NewRand(l.Seed), places: d.Bytes() / l.Bytes, result: &Result{}}
	r.warm = uint64(l.Warm * float64(r.places))
	r.run()
	if done := r.result.Requests(); done < l.Requests {
		return nil, fmt.Errorf("drive stopped after %d of %d requests: no page is free for a write", done, l.Requests)
	}
	r.result.count(d, &c, r.before)
	return r.result, nil
}

// run sends all requests and works until the drive is idle.
func (r *loop) run() {
	for range r.Depth {
		r.submit(0)
	}
	for at := r.drive.Next(); at != sim.Never; at = r.drive.Next() {
		r.drive.Advance(at + 1)
		r.result.Idle = at - r.start
		for _, c := range r.drive.Completions() {
			if c.Tag == measured {
				r.result.add(&c, r.start)
			}
			r.submit(c.At)
		}
		r.drive.Drop()
	}
}

// Tags of requests.
const (
	warming uint32 = iota
	measured
)

// submit sends the next request, if there is one.
func (r *loop) submit(at sim.Time) {
	if r.sent == r.warm+r.Requests {
		return
	}
	if r.sent == r.warm {
		r.start, r.before = at, count(r.drive)
	}
	place := r.sent % r.places
	if r.Pattern == "rand" {
		place = uint64(r.rand.IntN(int(r.places)))
	}
	q := nvme.Request{Addr: place * r.Bytes, Bytes: uint32(r.Bytes), Tag: measured}
	q.Write = r.rand.IntN(100) >= 100-r.WritePct
	if r.sent < r.warm {
		q.Tag, q.Write = warming, true
	}
	r.drive.Submit(at, q)
	r.sent++
}
