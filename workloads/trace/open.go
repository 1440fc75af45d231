package trace

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/ulikunitz/xz"

	"hwsim/devices/cpu"
)

// Formats are the names of the formats.
var Formats = []string{"csv", "champsim", "lackey"}

// readBytes is what is read at a time, and the longest line.
const readBytes = 1 << 16

// Open opens a trace of a format; "" tells it from the content.
func Open(path, format string) (*Trace, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	t, err := New(path, file, format)
	if err != nil {
		file.Close()
		return nil, err
	}
	t.file = file
	return t, nil
}

// New reads a trace from r, compressed or not. Errors call it name; format is as
// in Open.
func New(name string, r io.Reader, format string) (*Trace, error) {
	from, err := decompress(bufio.NewReaderSize(r, readBytes))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if format == "" {
		if format, err = detect(from); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	t := &Trace{name: name, buffer: make([]cpu.Access, bufferLen)}
	text := lines{from: from, name: name}
	switch format {
	case "csv":
		t.from, err = newCSV(text)
	case "champsim":
		t.from = &champsim{from: from, name: name}
	case "lackey":
		t.from = &lackey{lines: text}
	default:
		err = fmt.Errorf("%s: format %s: want %s", name, quote([]byte(format)), strings.Join(Formats, ", "))
	}
	if err != nil {
		return nil, err
	}
	return t, nil
}

// First bytes of compressed files: RFC 1952 with its one method, and the .xz
// format 1.2.
var (
	gzipMagic = []byte{0x1f, 0x8b, 8}
	xzMagic   = []byte{0xfd, '7', 'z', 'X', 'Z', 0}
)

func decompress(from *bufio.Reader) (*bufio.Reader, error) {
	head, _ := from.Peek(len(xzMagic)) // a read error comes again
	var plain io.Reader
	var err error
	switch {
	case bytes.HasPrefix(head, gzipMagic):
		plain, err = gzip.NewReader(from)
	case bytes.HasPrefix(head, xzMagic):
		plain, err = xz.NewReader(from)
	default:
		return from, nil
	}
	if err != nil {
		return nil, err
	}
	return bufio.NewReaderSize(plain, readBytes), nil
}

// detect tells the format from what is about to be read.
func detect(from *bufio.Reader) (string, error) {
	head, err := from.Peek(readBytes)
	if err != nil && err != io.EOF {
		return "", err
	}
	if isRecord(head) {
		return "champsim", nil
	}
	line := firstLine(head)
	switch {
	case bytes.HasPrefix(line, []byte("gap")):
		return "csv", nil
	case isLackey(line):
		return "lackey", nil
	case len(line) == 0:
		return "", fmt.Errorf("nothing but comments in the first %d bytes; want %s", len(head), allFormats)
	}
	return "", fmt.Errorf("%s begins no trace; want %s", quote(line), allFormats)
}

const allFormats = `the csv header gap,addr,op, ChampSim records of 64 bytes, or lackey lines like " L 1ffeffe7e0,8"; plain, gzip or xz`

// firstLine returns the first line of text that is neither blank nor a comment.
func firstLine(text []byte) []byte {
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			return line
		}
	}
	return nil
}
