package report

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// columns is the width of a page; what is longer is cut.
const columns = 100

// page collects the lines of a report.
type page struct{ out bytes.Buffer }

func (p *page) line(format string, args ...any) {
	text := strings.TrimRight(fmt.Sprintf(format, args...), " ")
	p.out.WriteString(clip(text, columns) + "\n")
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
		p.line("%s", b.String())
	}
}

// clip shortens s to n runes.
func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
