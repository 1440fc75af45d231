package configs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/BurntSushi/toml"
)

// A Document is a whole configuration, with the origin of every value.
type Document struct {
	root   *node
	merged *node  // before what it uses was laid under it
	loader loader // what it was read with
}

// Load reads the configuration called name, a file's path or the name of a
// preset, with or without .toml; a file on disk wins. The sets, each
// key.path=value, override what the files say.
func Load(name string, sets []string) (*Document, error) {
	return loader{presets: embedded, trees: &trees{}}.load(name, sets)
}

// LoadTable reads a file that is one table of a configuration, such as the preset
// of a system, as a configuration of that table alone: keys, of sets too, begin
// with the table's.
func LoadTable(key, name string, sets []string) (*Document, error) {
	return loader{presets: embedded, trees: &trees{}}.loadTable(key, name, sets)
}

// Get returns the value of a dotted key: a string, int64, float64, bool,
// []any or map[string]any. Elements of arrays go by number: links.0.lanes.
func (d *Document) Get(key string) (any, bool) {
	n, ok := d.root.find(key)
	if !ok {
		return nil, false
	}
	return n.plain(), true
}

// Pos returns where key was written, or else where the innermost table
// around it was.
func (d *Document) Pos(key string) Pos {
	n, _ := d.root.find(key)
	return n.pos
}

type loader struct {
	presets fs.FS
	trees   *trees // what it has read already; nil: that is forgotten
}

func (l loader) load(name string, sets []string) (*Document, error) {
	src, err := l.find(lookup{name: name, here: true})
	if err != nil {
		return nil, err
	}
	root, err := l.read(src)
	if err != nil {
		return nil, err
	}
	return l.complete(root, sets)
}

func (l loader) loadTable(key, name string, sets []string) (*Document, error) {
	src, err := l.find(lookup{name: name, here: true, folder: presetFolders[key]})
	if err != nil {
		return nil, err
	}
	inner, err := l.read(src)
	if err != nil {
		return nil, err
	}
	return l.complete(&node{value: table{key: inner}, pos: inner.pos, src: inner.src}, sets)
}

// complete lays the sets over what the files say, and then all under it that is
// used.
func (l loader) complete(root *node, sets []string) (*Document, error) {
	var err error
	for _, set := range sets {
		if root, err = applySet(root, set); err != nil {
			return nil, err
		}
	}
	merged := root
	if root, err = l.resolveChildren(root, ""); err != nil {
		return nil, err
	}
	return &Document{root: root, merged: merged, loader: l}, nil
}

// read parses a file and lays it over its bases.
func (l loader) read(src *source) (*node, error) {
	root, err := src.parse()
	if err != nil {
		return nil, err
	}
	base, ok := root.value.(table)["base"]
	if !ok {
		return root, nil
	}
	delete(root.value.(table), "base")
	names, ok := base.value.(list)
	if !ok {
		return nil, Problem{Pos: base.pos, Key: "base", Message: show(base) + " is not an array of file names"}
	}
	var under *node
	for _, name := range names {
		b, err := l.include(name, "base", "", "")
		if err != nil {
			return nil, err
		}
		if under, err = merge(under, b); err != nil {
			return nil, err
		}
	}
	return merge(under, root)
}

// include reads the file that ref, the value of key, names. It looks in a
// folder of presets too, and never finds the file with the id self.
func (l loader) include(ref *node, key, folder, self string) (*node, error) {
	name, ok := ref.value.(string)
	if !ok {
		return nil, Problem{Pos: ref.pos, Key: key, Message: show(ref) + " is not a file name"}
	}
	src, err := l.find(lookup{name: name, here: ref.pos.Set != "", beside: ref.src, folder: folder, self: self})
	if err != nil {
		return nil, fmt.Errorf("%v: %s: %w", ref.pos, key, err)
	}
	src.via = ref.src
	if chain, ok := src.cycle(); ok {
		return nil, Problem{Pos: ref.pos, Key: key, Message: "cycle: " + chain}
	}
	return l.trees.of(src, l.read)
}

// A source is one file, on disk or embedded.
type source struct {
	name string  // as messages say it
	id   string  // the same for every way to name the file
	fsys fs.FS   // nil for the disk
	path string  // in fsys, or on disk
	via  *source // the file that named this one
}

// cycle tells whether a file leads back to itself, and by which chain.
func (s *source) cycle() (chain string, ok bool) {
	chain = s.name
	for up := s.via; up != nil; up = up.via {
		chain = up.name + " -> " + chain
		if up.id == s.id {
			return chain, true
		}
	}
	return "", false
}

// parse reads the file's own tree.
func (s *source) parse() (*node, error) {
	text, err := s.read()
	if err != nil {
		return nil, fmt.Errorf("config %q: %w", s.name, err)
	}
	tree, lines, err := parseTOML(text)
	if err != nil {
		return nil, s.syntaxError(err)
	}
	return grower{src: s, lines: lines, pos: Pos{File: s.name}}.grow("", tree)
}

// maxSize bounds a file: a larger one is no configuration.
const maxSize = 1 << 20

func (s *source) read() (string, error) {
	read := os.ReadFile
	if s.fsys != nil {
		read = func(path string) ([]byte, error) { return fs.ReadFile(s.fsys, path) }
	}
	text, err := read(s.path)
	if err == nil && len(text) > maxSize {
		err = fmt.Errorf("%d bytes are too many for a configuration", len(text))
	}
	return string(text), err
}

func (s *source) syntaxError(err error) error {
	pos := Pos{File: s.name}
	message := err.Error()
	if parse, ok := errors.AsType[toml.ParseError](err); ok {
		pos.Line = max(1, parse.Position.Line)
		message = parse.Message
	}
	message, _, _ = strings.Cut(message, "\n")
	return fmt.Errorf("%v: %s", pos, message)
}

// parseTOML reads a TOML text and tells the line of each key.
func parseTOML(text string) (tree map[string]any, lines map[string]int, err error) {
	lines, ok := indexLines(text)
	if !ok {
		return nil, nil, fmt.Errorf("nested deeper than %d levels", maxDepth)
	}
	tree, err = decodeTOML(text)
	return tree, lines, err
}

// decodeTOML is the library's decoder, less its panics on input it did not
// foresee.
func decodeTOML(text string) (tree map[string]any, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("not readable as toml: %v", r)
		}
	}()
	tree = map[string]any{}
	_, err = toml.Decode(text, &tree)
	return tree, err
}
