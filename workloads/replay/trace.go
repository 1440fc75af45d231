package replay

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"hwsim/devices/dram"
	"hwsim/sim"
)

// Limits of what a trace may ask for.
const (
	maxAddr  = 1 << 62
	maxBytes = 1 << 20
	maxNs    = 1e12 // 1000 s
	maxLine  = 1 << 16
)

// Trace is a recorded stream, itself a Source that yields it once.
type Trace struct {
	Requests []Request
	Timed    bool // the file says when requests are due
	next     int
}

// Next implements Source.
func (t *Trace) Next(r *Request) bool {
	if t.next == len(t.Requests) {
		return false
	}
	*r = t.Requests[t.next]
	t.next++
	return true
}

// Copy implements Source.
func (t *Trace) Copy() Source {
	c := *t
	return &c
}

// format is one of the text forms.
type format struct {
	timed  bool
	header bool // the first line is no request
	parse  func(line string, s *dram.Spec) (Request, error)
}

var (
	ownCSV     = format{timed: true, header: true, parse: parseCSV}
	opFirst    = format{parse: parseOpFirst}
	addrFirst  = format{parse: parseAddrFirst}
	dramsim3   = format{timed: true, parse: parseDRAMsim3}
	csvHeader  = "ns,addr,bytes,op"
	allFormats = `the header ` + csvHeader + `, or a line like "R 0x40", "LD 0x40", "0x40 R" or "0x40 READ 120"`
)

// Read reads a trace for a channel of standard s. Errors begin with name, the
// file's, and the number of the line.
func Read(name string, from io.Reader, s *dram.Spec) (*Trace, error) {
	t := &Trace{}
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, maxLine)
	var f *format
	number := 0
	for lines.Scan() {
		number++
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		if f == nil {
			found, err := detect(line)
			if err != nil {
				return nil, fmt.Errorf("%s:%d: %w", name, number, err)
			}
			f = &found
			if f.header {
				continue
			}
		}
		r, err := f.parse(line, s)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, number, err)
		}
		t.Requests = append(t.Requests, r)
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return nil, fmt.Errorf("%s:%d: line of more than %d bytes; want %s", name, number+1, maxLine, allFormats)
	} else if err != nil {
		return nil, err
	}
	if f == nil || len(t.Requests) == 0 {
		return nil, fmt.Errorf("%s:%d: no requests; want %s", name, max(number, 1), allFormats)
	}
	t.Timed = f.timed
	return t, nil
}

// detect tells the format by the first line.
func detect(line string) (format, error) {
	if strings.ReplaceAll(line, " ", "") == csvHeader {
		return ownCSV, nil
	}
	words := strings.Fields(line)
	switch {
	case len(words) == 2 && isOp(words[0]) && strings.Contains(words[1], ","):
		return format{}, fmt.Errorf("%s: address vectors are not supported; want byte addresses, as in %q", quote(line), "R 0x40")
	case len(words) == 2 && isOp(words[0]):
		return opFirst, nil
	case len(words) == 2:
		return addrFirst, nil
	case len(words) == 3:
		return dramsim3, nil
	}
	return format{}, fmt.Errorf("%s is no trace; want %s", quote(line), allFormats)
}

func isOp(word string) bool {
	_, err := parseOp(word, "R", "W", "LD", "ST")
	return err == nil
}

// parseOp reads a direction: names alternate between read and write.
func parseOp(word string, names ...string) (write bool, err error) {
	for i, n := range names {
		if word == n {
			return i%2 == 1, nil
		}
	}
	return false, fmt.Errorf("operation %s: want %s", quote(word), strings.Join(names, " or "))
}

// parseAddr reads a byte address, decimal unless it begins with 0x.
func parseAddr(word string) (uint64, error) {
	base, digits := 10, word
	if hex, ok := strings.CutPrefix(strings.ToLower(word), "0x"); ok {
		base, digits = 16, hex
	}
	a, err := strconv.ParseUint(digits, base, 64)
	if err != nil || a >= maxAddr {
		return 0, fmt.Errorf("address %s: want a number below 2^62, in hex after 0x", quote(word))
	}
	return a, nil
}

func parseCSV(line string, s *dram.Spec) (r Request, err error) {
	cells := strings.Split(line, ",")
	if len(cells) != 4 {
		return r, fmt.Errorf("%d cells; want %s", len(cells), csvHeader)
	}
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	ns, err := strconv.ParseFloat(cells[0], 64)
	if err != nil || !(ns >= 0 && ns <= maxNs) {
		return r, fmt.Errorf("ns %s: want a time from 0 to 1e12", quote(cells[0]))
	}
	r.Due = s.Tick.At(sim.FromNanoseconds(ns))
	if r.Addr, err = parseAddr(cells[1]); err != nil {
		return r, err
	}
	bytes, err := strconv.ParseUint(cells[2], 10, 32)
	if err != nil || bytes < 1 || bytes > maxBytes {
		return r, fmt.Errorf("bytes %s: want 1 to %d", quote(cells[2]), maxBytes)
	}
	r.Bytes = uint32(bytes)
	r.Write, err = parseOp(cells[3], "R", "W")
	return r, err
}

func parseOpFirst(line string, _ *dram.Spec) (r Request, err error) {
	words := strings.Fields(line)
	if len(words) != 2 {
		return r, fmt.Errorf(`%s: want an operation and an address, as in "R 0x40"`, quote(line))
	}
	if r.Write, err = parseOp(words[0], "R", "W", "LD", "ST"); err != nil {
		return r, err
	}
	r.Addr, err = parseAddr(words[1])
	return r, err
}

func parseAddrFirst(line string, _ *dram.Spec) (r Request, err error) {
	words := strings.Fields(line)
	if len(words) != 2 {
		return r, fmt.Errorf(`%s: want an address and an operation, as in "0x40 R"`, quote(line))
	}
	if r.Addr, err = parseAddr(words[0]); err != nil {
		return r, err
	}
	r.Write, err = parseOp(words[1], "R", "W")
	return r, err
}

func parseDRAMsim3(line string, s *dram.Spec) (r Request, err error) {
	words := strings.Fields(line)
	if len(words) != 3 {
		return r, fmt.Errorf(`%s: want address, operation and cycle, as in "0x40 READ 120"`, quote(line))
	}
	hex := words[0]
	if !strings.HasPrefix(strings.ToLower(hex), "0x") {
		hex = "0x" + hex
	}
	if r.Addr, err = parseAddr(hex); err != nil {
		return r, err
	}
	if r.Write, err = parseOp(words[1], "READ", "WRITE"); err != nil {
		return r, err
	}
	cycle, err := strconv.ParseUint(words[2], 10, 64)
	if err != nil || cycle > math.MaxInt32*1000 {
		return r, fmt.Errorf("cycle %s: want 0 to %d", quote(words[2]), math.MaxInt32*1000)
	}
	r.Due = int64(cycle) * s.TicksPerCK
	return r, nil
}

// quote quotes the beginning of what a file says, for an error.
func quote(s string) string {
	const most = 40
	if len(s) > most {
		s = s[:most] + "..."
	}
	return strconv.Quote(s)
}
