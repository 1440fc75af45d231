package trace

import (
	"errors"
	"fmt"
	"io"

	"hwsim/devices/cpu"
)

// Limits of an access.
const (
	lineBytes = 64
	addrEnd   = 1 << 57       // five levels of page table
	spaces    = cpu.MaxSpaces // address spaces
)

// Trace is a cpu.Stream read from a file. It yields the file's accesses once.
type Trace struct {
	name   string
	from   decoder
	file   io.Closer    // nil: not ours to close
	buffer []cpu.Access // what is decoded at a time
	ready  []cpu.Access // the part of it not yet taken
	some   bool         // there was an access
	err    error        // why decoding ended
}

// bufferLen holds many times the accesses of any one line or record.
const bufferLen = 1024

// A decoder reads one format.
type decoder interface {
	// decode fills out with the next accesses, up to where those of another line
	// or record might not fit, and returns how many. An error ends the stream,
	// io.EOF in good order; what was decoded before it counts.
	decode(out []cpu.Access) (int, error)
}

// Fill implements cpu.Stream. It also returns 0 after an error: see Err.
func (t *Trace) Fill(batch []cpu.Access) int {
	n := 0
	for n < len(batch) && (len(t.ready) > 0 || t.refill()) {
		taken := copy(batch[n:], t.ready)
		t.ready = t.ready[taken:]
		n += taken
	}
	return n
}

func (t *Trace) refill() bool {
	if t.err != nil {
		return false
	}
	n, err := t.from.decode(t.buffer)
	t.ready, t.err = t.buffer[:n], err
	t.some = t.some || n > 0
	if err == io.EOF && !t.some {
		t.err = fmt.Errorf("%s: no accesses", t.name)
	}
	return n > 0
}

// Err returns why the stream ended before the file did, or that the file holds
// no access; nil after a whole one. It begins with the file's name and the
// number of the line or record.
func (t *Trace) Err() error {
	if errors.Is(t.err, io.EOF) {
		return nil
	}
	return t.err
}

// Close closes the file that Open opened.
func (t *Trace) Close() error {
	if t.file == nil {
		return nil
	}
	return t.file.Close()
}
