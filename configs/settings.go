package configs

import (
	"path"
	"slices"
	"strconv"
)

// A Setting is a value that a preset gives a key.
type Setting struct {
	Key     string // with the numbers and names of its elements
	Value   string // as TOML on one line
	Pos     Pos
	Comment string // beside it, "" if there is none
}

// Settings is all that the presets say.
type Settings struct {
	all []placed
}

// placed is a preset's tree, and a table that it can be.
type placed struct {
	src   *source
	table string // "" for a configuration
	root  *node
}

// ReadSettings reads all presets.
func ReadSettings() (*Settings, error) { return loader{presets: embedded}.settings() }

func (l loader) settings() (*Settings, error) {
	trees := map[string][]placed{} // by folder
	for _, folder := range append([]string{""}, l.folders()...) {
		for _, name := range l.list(folder) {
			src := l.preset(path.Join(folder, name))
			root, err := src.parse()
			if err != nil {
				return nil, err
			}
			trees[folder] = append(trees[folder], placed{src: src, root: root})
		}
	}
	s := &Settings{}
	tables := l.tables(trees)
	for _, folder := range append([]string{""}, l.folders()...) {
		for _, table := range tables[folder] {
			for _, p := range trees[folder] {
				s.all = append(s.all, placed{p.src, table, p.root})
			}
		}
	}
	return s, nil
}

// tables tells for each folder of presets which tables these are: those that use one
// of them, by the folder's name as a table's key or by what presets use; or, of
// files that are read as a whole, a table of the folder's name.
func (l loader) tables(trees map[string][]placed) map[string][]string {
	tables := map[string][]string{"": {""}}
	add := func(folder, table string) (added bool) {
		if slices.Contains(tables[folder], table) {
			return false
		}
		tables[folder] = append(tables[folder], table)
		return true
	}
	for table, folder := range presetFolders {
		add(folder, table)
	}
	for again := true; again; {
		again = false
		for folder, presets := range trees {
			for _, p := range presets {
				for _, table := range slices.Clone(tables[folder]) {
					l.eachUse(p.root, table, func(table, name string) {
						if src, err := l.find(lookup{name: name, folder: Folder(table)}); err == nil && path.Dir(src.path) != folder {
							again = add(path.Dir(src.path), table) || again
						}
					})
				}
			}
		}
	}
	for folder := range trees {
		if len(tables[folder]) == 0 {
			add(folder, folder)
		}
		slices.Sort(tables[folder])
	}
	return tables
}

// eachUse calls f with every table in n that uses a preset, and the preset's name.
func (l loader) eachUse(n *node, at string, f func(at, preset string)) {
	switch v := n.value.(type) {
	case list:
		for _, e := range v {
			l.eachUse(e, join(at, AnyElement), f)
		}
	case table:
		if use, ok := v["use"]; ok {
			if name, ok := use.value.(string); ok {
				f(at, name)
			}
		}
		for k, child := range v {
			l.eachUse(child, join(at, quoteKey(k)), f)
		}
	}
}

// Of returns where presets set a key, in order of files and lines. Parts of it may be
// AnyElement and AnyEntry.
func (s *Settings) Of(key string) (found []Setting) {
	parts, _ := splitKey(key)
	for _, p := range s.all {
		above, _ := splitKey(p.table)
		if len(above) >= len(parts) || !slices.EqualFunc(above, parts[:len(above)], samePart) {
			continue
		}
		var here []Setting
		p.root.each(p.table, parts[len(above):], func(key string, n *node) {
			here = append(here, Setting{Key: key, Value: inline(n), Pos: n.pos})
		})
		if len(here) == 0 {
			continue
		}
		text, _ := p.src.read()
		comments := commentsOf(text)
		for _, one := range here {
			one.Comment = comments[one.Pos.Line]
			found = append(found, one)
		}
	}
	return found
}

func samePart(a, b string) bool {
	return a == b || a == AnyElement && isElement(b) || b == AnyElement && isElement(a)
}

// each calls f with every node below n that parts of a key lead to, and its key.
func (n *node) each(key string, parts []string, f func(key string, n *node)) {
	if len(parts) == 0 {
		f(key, n)
		return
	}
	switch v := n.value.(type) {
	case list:
		for i, e := range v {
			if number := strconv.Itoa(i); parts[0] == AnyElement || parts[0] == number {
				e.each(join(key, number), parts[1:], f)
			}
		}
	case table:
		for _, k := range v.keys() {
			if parts[0] == AnyEntry || parts[0] == k {
				v[k].each(join(key, quoteKey(k)), parts[1:], f)
			}
		}
	}
}
