package trace

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math"
	"strconv"
)

// lines reads the lines of a text.
type lines struct {
	from   *bufio.Reader
	name   string
	number int
}

// next returns the next line that is neither blank nor a comment, without the
// blanks around it. It is good until the next call.
func (l *lines) next() ([]byte, error) {
	for {
		line, err := l.from.ReadSlice('\n')
		if len(line) == 0 && err == io.EOF {
			return nil, io.EOF
		}
		l.number++
		if err == bufio.ErrBufferFull {
			return nil, l.errorf("line of more than %d bytes", readBytes)
		}
		if err != nil && err != io.EOF {
			return nil, l.errorf("%w", err)
		}
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			return line, nil
		}
	}
}

func (l *lines) errorf(format string, args ...any) error {
	return fmt.Errorf("%s:%d: %w", l.name, l.number, fmt.Errorf(format, args...))
}

// number reads the number that text begins with, hex after 0x, otherwise
// decimal, and returns how many bytes it takes; 0: there is none. It ends before
// a digit that would make it too large.
func number(text []byte) (value uint64, n int) {
	if len(text) > 2 && text[0] == '0' && text[1]|' ' == 'x' {
		if value, n = hex(text[2:]); n > 0 {
			return value, n + 2
		}
	}
	return decimal(text)
}

// decimal is number for digits without a prefix. The last few numbers below 2^64
// are too large for it.
func decimal(text []byte) (value uint64, n int) {
	for n < len(text) {
		d := text[n] - '0'
		if d > 9 || value > math.MaxUint64/10-1 {
			break
		}
		value = value*10 + uint64(d)
		n++
	}
	return value, n
}

// hex is number for hex digits without a prefix.
func hex(text []byte) (value uint64, n int) {
	for n < len(text) {
		d := hexDigit[text[n]]
		if d > 15 || value>>60 != 0 {
			break
		}
		value = value<<4 | uint64(d)
		n++
	}
	return value, n
}

// hexDigit is the value of a character as a digit; above 15: it is none.
var hexDigit = func() (table [256]uint8) {
	for c := range table {
		table[c] = math.MaxUint8
	}
	for d, c := range "0123456789abcdef" {
		table[c] = uint8(d)
	}
	for d, c := range "ABCDEF" {
		table[c] = uint8(10 + d)
	}
	return table
}()

// quote quotes the beginning of what a file says, for an error.
func quote(text []byte) string {
	const most = 40
	if len(text) > most {
		return strconv.Quote(string(text[:most]) + "...")
	}
	return strconv.Quote(string(text))
}
