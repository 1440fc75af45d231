package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// FileName is the name of the file with the points in a store's folder.
const FileName = "points.jsonl"

// Schema is the version of the lines' layout.
const Schema = 1

// Header says whose points a store has. Its first line holds it.
type Header struct {
	Schema   int    `json:"schema"`
	Sweep    string `json:"sweep"` // hash of what tells the points: axes, design and what they vary
	Name     string `json:"name"`  // of the configuration
	Seed     uint64 `json:"seed"`
	Fidelity string `json:"fidelity"`
	Points   int    `json:"points"` // of the whole sweep, in all shards
}

// Outcome is what running a configuration has come to.
type Outcome struct {
	Metrics map[string]float64 `json:"metrics,omitempty"`
	Problem string             `json:"problem,omitempty"` // why it does not run; then there are no metrics
}

// Record is one point's line.
type Record struct {
	Point   int            `json:"point"`
	Key     string         `json:"key"`     // hash of configuration, seed, fidelity and version
	Config  string         `json:"config"`  // hash of the effective configuration
	Version string         `json:"version"` // of the program
	Set     map[string]any `json:"set"`     // the axes' values by key
	Outcome
}

// UserError says what the user can mend about a folder.
type UserError struct{ message string }

func (e *UserError) Error() string { return e.message }

// UserError implements the mark of users' errors.
func (e *UserError) UserError() bool { return true }

func mistake(format string, args ...any) error {
	return &UserError{fmt.Sprintf(format, args...)}
}

// A Store is open for appending.
type Store struct {
	file    *os.File
	records []Record
	torn    bool
}

// Open opens the store in a folder, or makes it. The error is a [UserError] if it
// holds the points of another sweep, or another process has it open.
func Open(dir string, h Header) (s *Store, err error) {
	h.Schema = Schema
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, &UserError{err.Error()}
	}
	f, err := os.OpenFile(filepath.Join(dir, FileName), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return nil, &UserError{err.Error()}
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	if err := lock(f); err != nil {
		return nil, mistake("%s: another process writes to it", dir)
	}
	s = &Store{file: f}
	return s, s.recover(dir, h)
}

// recover reads what is there and cuts off what a kill has torn.
func (s *Store) recover(dir string, h Header) error {
	text, err := io.ReadAll(s.file)
	if err != nil {
		return fmt.Errorf("read %s: %w", s.file.Name(), err)
	}
	c, err := parse(s.file.Name(), text)
	if err != nil {
		return err
	}
	if c.whole < len(text) {
		s.torn = true
		if err := s.file.Truncate(int64(c.whole)); err != nil {
			return fmt.Errorf("cut a torn line: %w", err)
		}
	}
	s.records = c.records
	switch {
	case c.header == nil:
		return s.begin(dir, h)
	case *c.header != h:
		return mistake("%s holds another sweep (%s): want another folder, or the configuration, seed and fidelity that it began with", dir, c.header)
	}
	return nil
}

// begin writes the header, and makes the file's name durable too.
func (s *Store) begin(dir string, h Header) error {
	if err := s.write(h); err != nil {
		return err
	}
	return syncFolder(dir)
}

// String describes a header for messages.
func (h Header) String() string {
	return fmt.Sprintf("%s, %d points, seed %d, %s, sweep %s", h.Name, h.Points, h.Seed, h.Fidelity, h.Sweep)
}

// Records returns what was there when the store was opened.
func (s *Store) Records() []Record { return s.records }

// Torn tells whether a torn line was cut off.
func (s *Store) Torn() bool { return s.torn }

// Append adds records and returns once they are on the disk.
func (s *Store) Append(records ...Record) error {
	lines := make([]any, len(records))
	for i, r := range records {
		lines[i] = r
	}
	return s.write(lines...)
}

func (s *Store) write(lines ...any) error {
	var text bytes.Buffer
	e := json.NewEncoder(&text) // ends each with a newline
	e.SetEscapeHTML(false)
	for _, l := range lines {
		if err := e.Encode(l); err != nil {
			return fmt.Errorf("write a point: %w", err)
		}
	}
	if _, err := s.file.Write(text.Bytes()); err != nil {
		return fmt.Errorf("write a point: %w", err)
	}
	if err := s.file.Sync(); err != nil {
		return fmt.Errorf("write a point: %w", err)
	}
	return nil
}

// Close ends writing.
func (s *Store) Close() error { return s.file.Close() }

// Read returns what the store in a folder holds, whoever may be writing to it.
func Read(dir string) (Header, []Record, error) {
	name := filepath.Join(dir, FileName)
	text, err := os.ReadFile(name)
	if err != nil {
		return Header{}, nil, &UserError{err.Error()}
	}
	c, err := parse(name, text)
	if err != nil {
		return Header{}, nil, err
	}
	if c.header == nil {
		return Header{}, nil, mistake("%s holds no sweep", name)
	}
	return *c.header, c.records, nil
}

// Begun is Read of a store that another process is to write for a sweep: until that
// has begun, there are no records.
func Begun(dir string, h Header) ([]Record, error) {
	name := filepath.Join(dir, FileName)
	text, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &UserError{err.Error()}
	}
	c, err := parse(name, text)
	if err == nil && c.header != nil && *c.header != h {
		err = mistake("%s holds another sweep (%s): want another folder", dir, c.header)
	}
	return c.records, err
}

// content is what a file's text says.
type content struct {
	header  *Header
	records []Record
	whole   int // bytes of whole lines
}

// parse reads lines up to a torn one, which only the last may be.
func parse(name string, text []byte) (content, error) {
	var c content
	for n := 1; c.whole < len(text); n++ {
		line, _, ended := bytes.Cut(text[c.whole:], []byte("\n"))
		if !ended {
			return c, nil // torn
		}
		next := c.whole + len(line) + 1
		switch err := c.add(line); {
		case err != nil && next == len(text):
			return c, nil // torn as well: blocks of it never came to the disk
		case err != nil:
			return c, mistake("%s:%d: %v", name, n, err)
		}
		c.whole = next
	}
	return c, nil
}

// add reads one line, the header first. Of a line that it refuses it keeps nothing.
func (c *content) add(line []byte) error {
	if c.header == nil {
		h := &Header{}
		if err := decode(line, h); err != nil {
			return err
		}
		if h.Schema != Schema {
			return fmt.Errorf("schema %d: this program reads %d", h.Schema, Schema)
		}
		c.header = h
		return nil
	}
	var r Record
	if err := decode(line, &r); err != nil {
		return err
	}
	if r.Key == "" || r.Point < 0 || r.Point >= c.header.Points {
		return errors.New("not a point of this sweep")
	}
	c.records = append(c.records, r)
	return nil
}

func decode(line []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("not a line of a sweep: %w", err)
	}
	return nil
}

// syncFolder makes the names in a folder durable.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}
