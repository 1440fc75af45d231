package configs

import (
	"fmt"
	"maps"
	"slices"
)

// merge lays over upon under: tables merge, anything else replaces. It makes
// new nodes and leaves both as they are.
func merge(under, over *node) (*node, error) {
	t, ok := over.value.(table)
	if under == nil || !ok {
		return over, nil
	}
	switch u := under.value.(type) {
	case table:
		return mergeTables(under, u, over, t)
	case list:
		if over.path {
			return mergeElements(under, u, t)
		}
	default:
		if over.path {
			return nil, fmt.Errorf("%v: %s (%v) is not a table", over.pos, show(under), under.pos)
		}
	}
	return over, nil
}

func mergeTables(under *node, u table, over *node, o table) (*node, error) {
	merged := *over
	if over.path {
		merged = *under // its place is where somebody wrote the table
	}
	t := maps.Clone(u)
	for _, k := range o.keys() {
		child, err := merge(u[k], o[k])
		if err != nil {
			return nil, err
		}
		t[k] = child
	}
	merged.value = t
	return &merged, nil
}

// mergeElements changes the elements of an array that a -set numbers.
func mergeElements(under *node, u list, numbered table) (*node, error) {
	l := slices.Clone(u)
	for _, k := range numbered.keys() {
		i, ok := element(k, len(l))
		if !ok {
			return nil, fmt.Errorf("%v: no element %s in an array of %d (%v)",
				numbered[k].pos, quoteKey(k), len(l), under.pos)
		}
		var err error
		if l[i], err = merge(l[i], numbered[k]); err != nil {
			return nil, err
		}
	}
	merged := *under
	merged.value = l
	return &merged, nil
}

// resolve lays every table that says use, from n down, over its preset. It
// runs after all merging, so that the last use is the one that counts. The
// last part of a table's key, name, tells the folder of its presets.
func (l loader) resolve(n *node, key, name string) (*node, error) {
	switch v := n.value.(type) {
	case table:
		n, err := l.usePreset(n, key, name)
		if err != nil {
			return nil, err
		}
		return l.resolveChildren(n, key)
	case list:
		elements := make(list, len(v))
		for i, e := range v {
			var err error
			if elements[i], err = l.resolve(e, join(key, fmt.Sprint(i)), name); err != nil {
				return nil, err
			}
		}
		resolved := *n
		resolved.value = elements
		return &resolved, nil
	}
	return n, nil
}

func (l loader) resolveChildren(n *node, key string) (*node, error) {
	t := maps.Clone(n.value.(table))
	for _, k := range t.keys() {
		var err error
		if t[k], err = l.resolve(t[k], join(key, quoteKey(k)), k); err != nil {
			return nil, err
		}
	}
	resolved := *n
	resolved.value = t
	return &resolved, nil
}

// usePreset replaces use by the tree of the preset it names, again if that
// says use on top. A cycle of presets ends it with an error.
func (l loader) usePreset(n *node, key, name string) (*node, error) {
	for {
		t := n.value.(table)
		use, ok := t["use"]
		if !ok {
			return n, nil
		}
		if _, ok := use.value.(string); !ok {
			return n, nil // not ours: the decoder knows whether it is allowed
		}
		preset, err := l.include(use, join(key, "use"), presetFolders[name], use.src.id)
		if err != nil {
			return nil, err
		}
		rest := *n
		t = maps.Clone(t)
		delete(t, "use")
		rest.value = t
		if n, err = merge(preset, &rest); err != nil {
			return nil, err
		}
	}
}
