package replay

import (
	"bufio"
	"io"
	"strconv"

	"hwsim/devices/dram"
	"hwsim/sim"
)

// Recorder writes the requests that reach a channel as a trace that Read takes,
// with times from the beginning of its window. It keeps nothing of them.
type Recorder struct {
	From, To sim.Time // the window: requests that arrive from From on, before To
	Most     int64    // requests written at most; 0: any number

	out   *bufio.Writer
	line  []byte
	count int64
	bytes uint64
	err   error
}

// NewRecorder begins a trace of all requests.
func NewRecorder(w io.Writer) *Recorder {
	r := &Recorder{To: sim.Never, out: bufio.NewWriterSize(w, 1<<16)}
	_, r.err = r.out.WriteString(csvHeader + "\n")
	return r
}

// Arrived writes a request that reaches the channel at a time. It is for the
// channel's Arrived.
func (r *Recorder) Arrived(at sim.Time, q dram.Request) {
	if at < r.From || at >= r.To || r.Most > 0 && r.count >= r.Most || r.err != nil {
		return
	}
	r.count++
	r.bytes += uint64(q.Bytes)
	b := appendNs(r.line[:0], at-r.From)
	b = append(b, ",0x"...)
	b = strconv.AppendUint(b, q.Addr, 16)
	b = append(b, ',')
	b = strconv.AppendUint(b, uint64(q.Bytes), 10)
	if q.Write {
		b = append(b, ",W\n"...)
	} else {
		b = append(b, ",R\n"...)
	}
	r.line = b
	_, r.err = r.out.Write(b)
}

// appendNs appends a time in ns, to the ps.
func appendNs(b []byte, t sim.Time) []byte {
	ps := uint64(t % sim.Nanosecond)
	b = strconv.AppendUint(b, uint64(t/sim.Nanosecond), 10)
	return append(b, '.', '0'+byte(ps/100), '0'+byte(ps/10%10), '0'+byte(ps%10))
}

// Count returns how many requests have been written, and the bytes that they ask
// for.
func (r *Recorder) Count() (requests int64, bytes uint64) { return r.count, r.bytes }

// Close ends the trace and returns the first error there was.
func (r *Recorder) Close() error {
	if r.err != nil {
		return r.err
	}
	return r.out.Flush()
}
