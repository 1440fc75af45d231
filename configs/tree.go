package configs

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A node is one value of the tree and where it was written.
type node struct {
	value any // string, int64, float64, bool, list or table
	pos   Pos
	src   *source // the file that a preset named here is looked up beside

	// path marks a table that only the key path of a -set implies. Laid over
	// an array it picks elements by number instead of replacing the array.
	path bool
}

type (
	table map[string]*node
	list  []*node
)

// keys returns the table's keys in order: nothing may depend on map order.
func (t table) keys() []string { return slices.Sorted(maps.Keys(t)) }

// A grower turns what the TOML library decoded into nodes.
type grower struct {
	src   *source
	lines map[string]int // by key; nil if pos is to be used for all
	pos   Pos
}

// grow makes the node of v. Keys that the line index does not know stand
// where their parent does.
func (g grower) grow(key string, v any) (*node, error) {
	if line, ok := g.lines[key]; ok {
		g.pos.Line = line
	}
	n := &node{pos: g.pos, src: g.src, value: v}
	switch v := v.(type) {
	case string, int64, bool:
		return n, nil
	case float64:
		if !math.IsNaN(v) {
			return n, nil
		}
	case map[string]any:
		t := make(table, len(v))
		for _, k := range slices.Sorted(maps.Keys(v)) {
			child, err := g.grow(join(key, quoteKey(k)), v[k])
			if err != nil {
				return nil, err
			}
			t[k] = child
		}
		n.value = t
		return n, nil
	case []map[string]any:
		return growList(g, n, key, v)
	case []any:
		return growList(g, n, key, v)
	}
	return nil, Problem{Pos: g.pos, Key: key, Value: fmt.Sprint(v), Message: "dates and nan are not supported"}
}

func growList[T any](g grower, n *node, key string, elements []T) (*node, error) {
	l := make(list, len(elements))
	for i, e := range elements {
		child, err := g.grow(join(key, strconv.Itoa(i)), e)
		if err != nil {
			return nil, err
		}
		l[i] = child
	}
	n.value = l
	return n, nil
}

// plain returns the value without positions: map[string]any, []any, scalars.
func (n *node) plain() any {
	switch v := n.value.(type) {
	case table:
		m := make(map[string]any, len(v))
		for k, child := range v {
			m[k] = child.plain()
		}
		return m
	case list:
		l := make([]any, len(v))
		for i, child := range v {
			l[i] = child.plain()
		}
		return l
	default:
		return v
	}
}

// find walks down to key and returns the node there, or the deepest on the
// way and false.
func (n *node) find(key string) (*node, bool) {
	if key == "" {
		return n, true
	}
	parts, rest := splitKey(key)
	if len(parts) == 0 {
		return n, false
	}
	for _, part := range parts {
		child := n.child(part)
		if child == nil {
			return n, false
		}
		n = child
	}
	return n, rest == ""
}

func (n *node) child(part string) *node {
	switch v := n.value.(type) {
	case table:
		return v[part]
	case list:
		if i, ok := element(part, len(v)); ok {
			return v[i]
		}
	}
	return nil
}

// element reads part as the number of one of n elements.
func element(part string, n int) (int, bool) {
	i, err := strconv.ParseUint(part, 10, 31)
	return int(i), err == nil && int(i) < n
}

// join appends to a key one part, quoted already where it needs to be.
func join(key, part string) string {
	switch {
	case key == "":
		return part
	case part == "":
		return key
	}
	return key + "." + part
}

// quoteKey returns one part of a key as TOML wants it written.
func quoteKey(part string) string {
	if part != "" && strings.IndexFunc(part, notBare) < 0 {
		return part
	}
	return quote(part)
}

func notBare(r rune) bool { return r >= 0x80 || !isBare(byte(r)) }

func isBare(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}
