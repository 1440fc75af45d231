package configs

import (
	"fmt"
	"maps"
	"sync"
)

// With returns the document as if these sets had followed those that it was
// loaded with. It reads no file that has been read already, so that thousands of
// variants cost little, and all see the same files. It may be called concurrently.
func (d *Document) With(sets []string) (*Document, error) {
	return d.loader.complete(d.merged, sets)
}

// Split parts a table on top from the rest of the document. The part is empty if
// there is no such table.
func (d *Document) Split(key string) (part, rest *Document) {
	only := func(n *node) *node {
		t := table{}
		if child := n.child(key); child != nil {
			t[key] = child
		}
		return n.with(t)
	}
	without := func(n *node) *node {
		t := maps.Clone(n.value.(table))
		delete(t, key)
		return n.with(t)
	}
	part = &Document{root: only(d.root), merged: only(d.merged), loader: d.loader}
	rest = &Document{root: without(d.root), merged: without(d.merged), loader: d.loader}
	return part, rest
}

// with returns the node with another value.
func (n *node) with(value any) *node {
	other := *n
	other.value = value
	return &other
}

// Inline writes a value, of a kind that Get returns, as TOML on one line.
func Inline(v any) (string, error) {
	n, err := grower{}.grow("", v)
	if err != nil {
		return "", fmt.Errorf("configs: no toml for a %T", v)
	}
	return inline(n), nil
}

// trees remembers the trees of files, which nobody changes once they are read.
type trees struct {
	mu   sync.Mutex
	read map[reading]*node
}

// reading is a file read for another, to which its chain of sources leads.
type reading struct {
	id  string
	via *source
}

// of returns the tree of a file, read if it has not been.
func (t *trees) of(src *source, read func(*source) (*node, error)) (*node, error) {
	if t == nil {
		return read(src)
	}
	at := reading{src.id, src.via}
	t.mu.Lock()
	n, ok := t.read[at]
	t.mu.Unlock()
	if ok {
		return n, nil
	}
	n, err := read(src)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.read == nil {
		t.read = map[reading]*node{}
	}
	if first, ok := t.read[at]; ok {
		return first, nil
	}
	t.read[at] = n
	return n, nil
}
