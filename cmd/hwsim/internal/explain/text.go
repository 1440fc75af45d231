package explain

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// mostShown and widest bound what is shown of the presets, and of a value.
const (
	mostShown = 12
	widest    = 40
)

// Write writes the explanation for people.
func (e *Explanation) Write(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "%s\t%s%s\n", e.Key, e.Type, e.unitText())
	line(t, "meaning", e.Comment)
	line(t, "its table", e.Table)
	if len(e.Keys) == 0 {
		line(t, "if absent", e.Default)
	}
	for i, one := range e.Words {
		line(t, first(i, "words"), strings.TrimSuffix(one.Word+": "+one.Comment, ": "))
	}
	for i, r := range e.Refused {
		line(t, first(i, "refused"), r.Value+": "+r.Message)
	}
	if len(e.Refused) > 0 {
		line(t, "", "(tried on "+e.Tried+")")
	}
	line(t, "source", e.Field)
	line(t, "the same", e.Like)
	if err := t.Flush(); err != nil {
		return err
	}
	if err := writeEntries(w, e.Keys); err != nil {
		return err
	}
	return e.writeSet(w)
}

func (e *Explanation) unitText() string {
	if e.Unit == "" {
		return ""
	}
	return ", " + e.Unit
}

func line(w io.Writer, title, text string) {
	if text != "" {
		fmt.Fprintf(w, "  %s\t%s\n", title, text)
	}
}

// cells writes a line of three cells, of which the last may be empty.
func cells(w io.Writer, a, b, last string) {
	fmt.Fprintln(w, "  "+strings.TrimSuffix(a+"\t"+b+"\t"+last, "\t"))
}

// first is the title of the first of several lines.
func first(i int, title string) string {
	if i == 0 {
		return title
	}
	return ""
}

// writeEntries lists keys below an empty line.
func writeEntries(w io.Writer, entries []Entry) error {
	if len(entries) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	return WriteEntries(w, entries)
}

// WriteEntries lists keys with their types and comments.
func WriteEntries(w io.Writer, entries []Entry) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, one := range entries {
		cells(t, one.Key, one.Type, one.Comment)
	}
	return t.Flush()
}

// WriteNames writes the names of all keys, a line each.
func WriteNames(w io.Writer) error {
	for _, k := range keys() {
		if _, err := fmt.Fprintln(w, k.Name); err != nil {
			return err
		}
	}
	return nil
}

// writeSet lists the presets that set the key.
func (e *Explanation) writeSet(w io.Writer) error {
	if len(e.Set) == 0 {
		return nil
	}
	fmt.Fprintf(w, "\nset by\n")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i, s := range e.Set {
		if i == mostShown && len(e.Set) > mostShown+1 {
			fmt.Fprintf(t, "  and %d more\n", len(e.Set)-mostShown)
			break
		}
		cells(t, s.Pos.String(), short(s.Value), s.Comment)
	}
	return t.Flush()
}

func short(value string) string {
	if runes := []rune(value); len(runes) > widest {
		return string(runes[:widest-1]) + "…"
	}
	return value
}
