package trace

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"

	"hwsim/devices/cpu"
)

// A column is what a cell of the own format means.
type column uint8

const (
	gapColumn column = iota
	addrColumn
	opColumn
	spaceColumn
	afterColumn
)

var columnNames = [...]string{"gap", "addr", "op", "space", "after"}

// fixedColumns begin every header, in this order.
const fixedColumns = 3

const wantHeader = "want gap,addr,op and after these space and after, or one, or none"

// csv reads the own format.
type csv struct {
	lines
	columns []column
	seen    uint64 // accesses so far
}

// newCSV reads the header.
func newCSV(text lines) (*csv, error) {
	c := &csv{lines: text}
	header, err := c.next()
	if err == io.EOF {
		return nil, fmt.Errorf("%s: no header; %s", c.name, wantHeader)
	} else if err != nil {
		return nil, err
	}
	if c.columns = parseHeader(string(header)); c.columns == nil {
		return nil, c.errorf("header %s: %s", quote(header), wantHeader)
	}
	return c, nil
}

// parseHeader returns the columns; nil: it is no header.
func parseHeader(header string) []column {
	var columns []column
	var known [len(columnNames)]bool
	for i, name := range strings.Split(header, ",") {
		col := columnOf(strings.TrimSpace(name))
		if int(col) == len(columnNames) || known[col] || i < fixedColumns && int(col) != i {
			return nil
		}
		known[col] = true
		columns = append(columns, col)
	}
	if len(columns) < fixedColumns {
		return nil
	}
	return columns
}

// columnOf returns the column of a name, or that after the last.
func columnOf(name string) column {
	col := 0
	for col < len(columnNames) && columnNames[col] != name {
		col++
	}
	return column(col)
}

func (c *csv) decode(out []cpu.Access) (int, error) {
	for n := range out {
		line, err := c.next()
		if err != nil {
			return n, err
		}
		out[n] = cpu.Access{}
		if err := c.row(&out[n], line); err != nil {
			return n, err
		}
		c.seen++
	}
	return len(out), nil
}

func (c *csv) row(a *cpu.Access, line []byte) error {
	rest := line
	for i, col := range c.columns {
		rest = rest[blanks(rest):]
		value, n := cell(col, rest)
		if n == 0 || value > c.most(col) {
			return c.cellError(col, rest)
		}
		set(a, col, value)
		n += blanks(rest[n:])
		if n < len(rest) && rest[n] != ',' {
			return c.cellError(col, rest)
		}
		if last := i == len(c.columns)-1; last != (n == len(rest)) {
			return c.errorf("%d cells; want %d", 1+bytes.Count(line, []byte(",")), len(c.columns))
		}
		rest = rest[min(n+1, len(rest)):]
	}
	return nil
}

// blanks counts those that text begins with.
func blanks(text []byte) int {
	n := 0
	for n < len(text) && (text[n] == ' ' || text[n] == '\t') {
		n++
	}
	return n
}

// cell reads the cell that text begins with and returns how many bytes it takes;
// 0: it is none of this column. An operation has the value 1 for a write.
func cell(col column, text []byte) (value uint64, n int) {
	if col != opColumn {
		return number(text)
	}
	if len(text) == 0 || text[0] != 'R' && text[0] != 'W' {
		return 0, 0
	}
	if text[0] == 'W' {
		value = 1
	}
	return value, 1
}

func set(a *cpu.Access, col column, value uint64) {
	switch col {
	case gapColumn:
		a.Gap = uint32(value)
	case addrColumn:
		a.Addr = value
	case opColumn:
		a.Write = value == 1
	case spaceColumn:
		a.Space = uint16(value)
	case afterColumn:
		a.After = uint32(value)
	}
}

// cellError returns the error of the cell that text begins with.
func (c *csv) cellError(col column, text []byte) error {
	cell, _, _ := bytes.Cut(text, []byte(","))
	cell = bytes.TrimSpace(cell)
	if col == opColumn {
		return c.errorf("op %s: want R or W", quote(cell))
	}
	return c.errorf("%s %s: want 0 to %d, or in hex after 0x", columnNames[col], quote(cell), c.most(col))
}

// most returns the largest number that a column may hold.
func (c *csv) most(col column) uint64 {
	switch col {
	case addrColumn:
		return addrEnd - 1
	case spaceColumn:
		return spaces - 1
	case afterColumn:
		return min(c.seen, math.MaxUint32)
	}
	return math.MaxUint32
}
