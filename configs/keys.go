package configs

import (
	"encoding"
	"reflect"
	"slices"
	"strings"
)

// The parts of a key's name that stand for any element of an array and any entry of a
// map.
const (
	AnyElement = "N"
	AnyEntry   = "NAME"
)

// A Key is one that Decode understands.
type Key struct {
	Name  string              // dotted, from the top, such as sweep.axes.N.key
	Owner reflect.Type        // the struct that has it
	Field reflect.StructField // of Owner
	Type  reflect.Type        // the field's, without pointers
}

// Keys returns the keys that Decode would fill in a struct and in all within it, each
// after the table that it is in. Of a type within itself it returns the outer one's.
func Keys(t reflect.Type) []Key {
	w := keyWalk{around: map[reflect.Type]bool{}}
	w.value("", t)
	return w.keys
}

type keyWalk struct {
	keys   []Key
	around map[reflect.Type]bool // the structs that it is in
}

var textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()

func (w *keyWalk) value(name string, t reflect.Type) {
	t = withoutPointer(t)
	if reflect.PointerTo(t).Implements(textUnmarshaler) {
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		w.table(name, t)
	case reflect.Map:
		w.value(join(name, AnyEntry), t.Elem())
	case reflect.Slice, reflect.Array:
		w.value(join(name, AnyElement), t.Elem())
	}
}

func (w *keyWalk) table(name string, t reflect.Type) {
	if w.around[t] {
		return
	}
	w.around[t] = true
	defer delete(w.around, t)
	known := fields(t)
	for _, f := range reflect.VisibleFields(t) {
		key := tag(f)
		if index, ok := known[key]; !ok || !slices.Equal(index, f.Index) {
			continue
		}
		owner := t
		if len(f.Index) > 1 {
			owner = t.FieldByIndex(f.Index[:len(f.Index)-1]).Type
		}
		k := Key{Name: join(name, quoteKey(key)), Owner: owner, Field: f, Type: withoutPointer(f.Type)}
		w.keys = append(w.keys, k)
		w.value(k.Name, k.Type)
	}
}

func withoutPointer(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// Matches reports whether a dotted key, as a configuration has it, is this key or an
// element of it. The numbers of elements may be left out.
func (k Key) Matches(key string) bool {
	parts, rest := splitKey(key)
	of, _ := splitKey(k.Name)
	if rest != "" || len(parts) == 0 {
		return false
	}
	switch k.Type.Kind() {
	case reflect.Slice, reflect.Array:
		of = append(of, AnyElement)
	case reflect.Map:
		if matchKey(parts, append(of[:len(of):len(of)], AnyEntry)) {
			return true
		}
	}
	return matchKey(parts, of)
}

// matchKey matches the parts of a key with those of a name.
func matchKey(parts, name []string) bool {
	if len(name) == 0 {
		return len(parts) == 0
	}
	switch name[0] {
	case AnyElement:
		if matchKey(parts, name[1:]) {
			return true
		}
		return len(parts) > 0 && isElement(parts[0]) && matchKey(parts[1:], name[1:])
	case AnyEntry:
		return len(parts) > 0 && matchKey(parts[1:], name[1:])
	}
	return len(parts) > 0 && parts[0] == name[0] && matchKey(parts[1:], name[1:])
}

func isElement(part string) bool {
	return part == AnyElement || part != "" && strings.Trim(part, "0123456789") == ""
}

// Unit returns what a key's last word says that its value is counted in, "" if it
// says nothing.
func Unit(key string) string {
	if u, ok := unitOf(key); ok {
		return u.name
	}
	for _, c := range counted {
		last := key[strings.LastIndexByte(key, '.')+1:]
		if last == c.word || strings.HasSuffix(last, "_"+c.word) {
			return c.name
		}
	}
	return ""
}

// counted are the words of keys that are counts, of which any may make sense.
var counted = []struct{ word, name string }{
	{"bytes", "bytes"}, {"us", "µs"}, {"ms", "ms"}, {"cycles", "cycles"}, {"tokens", "tokens"}, {"bits", "bits"},
	{"pj", "pJ"}, {"pj_per_bit", "pJ a bit"}, {"w", "W"}, {"mw_per_gib", "mW a GiB"}, {"usd", "$"}, {"usd_per_gib", "$ a GiB"}, {"usd_per_kwh", "$ a kWh"},
	{"gflops", "GFLOP/s"}, {"pct", "percent"}, {"years", "years"}, {"mpki", "misses per 1000 instructions"},
}

// Nearest returns the known name that is nearest to a name, if one is near.
func Nearest(name string, known []string) (near string, ok bool) { return nearest(name, known) }
