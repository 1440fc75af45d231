package configs

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed *.toml */*.toml
var embedded embed.FS

const (
	extension = ".toml"
	folderDir = "configs/" // how messages name presets: where their source is
)

// Presets lists the presets in a folder, "" being the top, without .toml.
func Presets(folder string) []string { return loader{presets: embedded}.list(folder) }

// Summary returns the first comment line of a preset, or "".
func Summary(name string) string { return loader{presets: embedded}.summary(name) }

// presetFolders names the folder that a table's presets are in.
var presetFolders = map[string]string{
	"system":   "systems",
	"model":    "models",
	"kernels":  "kernels",
	"policy":   "policies",
	"engine":   "engines",
	"workload": "workloads",
	"core":     "cores",
	"stream":   "streams",
	"drive":    "drives",
	"csd":      "csd",
	"energy":   "energy",
	"price":    "prices",
	"cost":     "costs",
}

// Folder returns the folder of presets that a table named by a dotted key uses, "" if
// it has none of its own.
func Folder(key string) string { return presetFolders[key[strings.LastIndexByte(key, '.')+1:]] }

// A lookup says what file is wanted and where it may be, in order.
type lookup struct {
	name   string
	here   bool    // in the current directory
	beside *source // beside this file, in a folder of the name below or plainly
	folder string  // in this folder of presets
	self   string  // but never the file with this id
}

func (l loader) find(want lookup) (*source, error) {
	for _, src := range l.candidates(want) {
		if src != nil && src.id != want.self {
			return src, nil
		}
	}
	var found []*source
	for _, folder := range l.folders() {
		if src := l.preset(folder + "/" + want.name); src != nil && src.id != want.self {
			found = append(found, src)
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("config %q: no such file, and no preset of that name%s",
			want.name, didYouMean(trimExtension(path.Base(want.name)), l.names()))
	case 1:
		return found[0], nil
	}
	return nil, fmt.Errorf("config %q: could be %s or %s", want.name, found[0].name, found[1].name)
}

func (l loader) candidates(want lookup) (found []*source) {
	if want.name == "" {
		return nil
	}
	if want.here {
		found = append(found, onDisk(want.name))
	}
	if want.beside != nil && want.folder != "" {
		found = append(found, l.beside(want.beside, want.folder+"/"+want.name))
	}
	if want.beside != nil {
		found = append(found, l.beside(want.beside, want.name))
	}
	if want.folder != "" {
		found = append(found, l.preset(want.folder+"/"+want.name))
	}
	return append(found, l.preset(strings.TrimPrefix(want.name, folderDir)))
}

// onDisk returns the file at path, with or without .toml, or nil.
func onDisk(path string) *source {
	for _, p := range spellings(path) {
		if info, err := os.Stat(p); err == nil && !info.IsDir() {
			return &source{name: p, id: realPath(p), path: p}
		}
	}
	return nil
}

// realPath is one spelling for all ways to reach a file, so that a cycle
// through links ends as well.
func realPath(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return path
}

// preset returns the preset at path, with or without .toml, or nil.
func (l loader) preset(path string) *source {
	for _, p := range spellings(path) {
		if info, err := fs.Stat(l.presets, p); err == nil && !info.IsDir() {
			return &source{name: folderDir + p, id: "preset " + p, fsys: l.presets, path: p}
		}
	}
	return nil
}

func (l loader) beside(s *source, name string) *source {
	switch {
	case s.fsys != nil:
		return l.preset(path.Join(path.Dir(s.path), name))
	case filepath.IsAbs(name):
		return onDisk(name)
	default:
		return onDisk(filepath.Join(filepath.Dir(s.path), name))
	}
}

func spellings(path string) []string {
	if path == "" || strings.HasSuffix(path, extension) {
		return []string{path}
	}
	return []string{path, path + extension}
}

func (l loader) folders() (names []string) {
	entries, _ := fs.ReadDir(l.presets, ".")
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names
}

func (l loader) list(folder string) (names []string) {
	entries, _ := fs.ReadDir(l.presets, path.Clean(folder))
	for _, e := range entries {
		if !e.IsDir() && strings.HasSuffix(e.Name(), extension) {
			names = append(names, trimExtension(e.Name()))
		}
	}
	return names
}

// names lists all presets by base name.
func (l loader) names() []string {
	names := l.list("")
	for _, folder := range l.folders() {
		names = append(names, l.list(folder)...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (l loader) summary(name string) string {
	src, err := l.find(lookup{name: name})
	if err != nil {
		return ""
	}
	text, _ := src.read()
	for line := range strings.Lines(text) {
		if comment, ok := strings.CutPrefix(strings.TrimSpace(line), "#"); ok {
			return strings.TrimSpace(comment)
		}
	}
	return ""
}

func trimExtension(name string) string { return strings.TrimSuffix(name, extension) }
