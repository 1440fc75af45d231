package configs

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Print writes the configuration as one TOML file that needs no other and
// loads to the same tree, with the origin of each value as a comment.
func (d *Document) Print(w io.Writer) error {
	_, err := w.Write(d.text(true))
	return err
}

// PrintUses is Print before tables are filled with what they use: a file to vary as
// this configuration is, since the presets that it names are still looked up last.
func (d *Document) PrintUses(w io.Writer) error {
	p := printer{origins: true}
	p.table("", d.merged.value.(table))
	_, err := w.Write(bytes.TrimLeft(p.out.Bytes(), "\n"))
	return err
}

// Hash identifies what the configuration says, wherever it says it.
func (d *Document) Hash() string {
	sum := sha256.Sum256(d.text(false))
	return hex.EncodeToString(sum[:])[:16]
}

func (d *Document) text(origins bool) []byte {
	p := printer{origins: origins}
	p.table("", d.root.value.(table))
	return bytes.TrimLeft(p.out.Bytes(), "\n")
}

type printer struct {
	out     bytes.Buffer
	origins bool
}

// table writes the values of t, then the tables in it under their headers.
func (p *printer) table(key string, t table) {
	for _, k := range t.keys() {
		if n := t[k]; !hasHeader(n) {
			p.leaf(quoteKey(k)+" = "+inline(n), n)
		}
	}
	for _, k := range t.keys() {
		if n := t[k]; hasHeader(n) {
			p.headed(join(key, quoteKey(k)), n)
		}
	}
}

func (p *printer) headed(key string, n *node) {
	if t, ok := n.value.(table); ok {
		if !impliedByTables(t) {
			fmt.Fprintf(&p.out, "\n[%s]\n", key)
		}
		p.table(key, t)
		return
	}
	for _, e := range n.value.(list) {
		fmt.Fprintf(&p.out, "\n[[%s]]\n", key)
		p.table(key, e.value.(table))
	}
}

// hasHeader tells tables and arrays of only tables from plain values.
func hasHeader(n *node) bool {
	switch v := n.value.(type) {
	case table:
		return true
	case list:
		for _, e := range v {
			if _, ok := e.value.(table); !ok {
				return false
			}
		}
		return len(v) > 0
	}
	return false
}

// impliedByTables tells whether the headers of the tables in t make t exist.
func impliedByTables(t table) bool {
	for _, n := range t {
		if !hasHeader(n) {
			return false
		}
	}
	return len(t) > 0
}

func (p *printer) leaf(text string, n *node) {
	if p.origins {
		text = fmt.Sprintf("%-32s  # %s", text, strings.Join(origins(n), ", "))
	}
	p.out.WriteString(text + "\n")
}

// origins names where n was written and each -set that changed a part of it.
func origins(n *node) []string {
	names := []string{n.pos.String()}
	var add func(n *node)
	add = func(n *node) {
		if name := n.pos.String(); n.pos.Set != "" && name != names[len(names)-1] {
			names = append(names, name)
		}
		for _, child := range children(n) {
			add(child)
		}
	}
	add(n)
	return names
}

func children(n *node) (nodes []*node) {
	switch v := n.value.(type) {
	case table:
		for _, k := range v.keys() {
			nodes = append(nodes, v[k])
		}
	case list:
		nodes = v
	}
	return nodes
}

// inline writes a value as TOML on one line.
func inline(n *node) string {
	switch v := n.value.(type) {
	case string:
		return quote(v)
	case float64:
		return formatFloat(v)
	case list:
		elements := make([]string, len(v))
		for i, e := range v {
			elements[i] = inline(e)
		}
		return "[" + strings.Join(elements, ", ") + "]"
	case table:
		pairs := make([]string, 0, len(v))
		for _, k := range v.keys() {
			pairs = append(pairs, quoteKey(k)+" = "+inline(v[k]))
		}
		return "{" + strings.Join(pairs, ", ") + "}"
	default:
		return fmt.Sprint(v)
	}
}

// show is inline for messages: short.
func show(n *node) string {
	switch v := n.value.(type) {
	case list:
		return "an array"
	case table:
		return "a table"
	case string:
		if runes := []rune(v); len(runes) > 60 {
			return quote(string(runes[:57]) + "...")
		}
	}
	return inline(n)
}

// formatFloat keeps a point or exponent, without which TOML reads an integer.
func formatFloat(f float64) string {
	s := strings.TrimPrefix(strconv.FormatFloat(f, 'g', -1, 64), "+")
	if !strings.ContainsAny(s, ".eI") {
		s += ".0"
	}
	return strings.ToLower(s)
}

// quote writes a string as TOML wants it.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x20 || r >= 0x7f && r < 0xa0:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
