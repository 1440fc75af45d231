package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// columns is the width of a page; what is longer is cut.
const columns = 100

// Block is a part of a text report: lines that belong together, or a table, whose
// first row is its header.
type Block struct {
	Lines []string
	Table [][]string
}

// page collects the lines of a report, and its blocks.
type page struct {
	out    bytes.Buffer
	blocks []Block
	open   bool // the next line belongs to the last block
}

// line writes a line; an empty one ends a block.
func (p *page) line(format string, args ...any) {
	text := strings.TrimRight(fmt.Sprintf(format, args...), " ")
	p.put(text)
	if text == "" {
		p.open = false
		return
	}
	if !p.open {
		p.blocks, p.open = append(p.blocks, Block{}), true
	}
	last := &p.blocks[len(p.blocks)-1]
	last.Lines = append(last.Lines, text)
}

func (p *page) put(text string) { p.out.WriteString(clip(text, columns) + "\n") }

// write writes the page as text.
func (p *page) write(w io.Writer) error {
	if _, err := w.Write(p.out.Bytes()); err != nil {
		return fmt.Errorf("write text: %w", err)
	}
	return nil
}

// wrapped writes text in as many lines as it needs, broken between words.
func (p *page) wrapped(text string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && utf8.RuneCountInString(line+" "+word) > columns {
			p.line("%s", line)
			line = ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	p.line("%s", line)
}

// table writes rows, the first being the header, in columns as wide as they
// need: the first to the left, the others to the right.
func (p *page) table(rows [][]string) {
	p.blocks, p.open = append(p.blocks, Block{Table: rows}), false
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			if i == 0 {
				fmt.Fprintf(&b, "%-*s", widths[i], cell)
			} else {
				fmt.Fprintf(&b, "  %*s", widths[i], cell)
			}
		}
		p.put(strings.TrimRight(b.String(), " "))
	}
}

// clip shortens s to n runes.
func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
