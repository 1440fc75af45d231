package explain

import (
	"errors"
	"reflect"
	"slices"
	"strings"

	"hwsim/configs"
)

// Refusal is a value that a check refuses.
type Refusal struct{ Value, Message string }

// tries are the values that are tried on a key of a type: nothing, and what few keys
// allow.
var tries = map[string][]string{
	"integer": {"0", "-1", "4611686018427387904"},
	"number":  {"0", "-1", "1e300"},
	"string":  {`""`, `"?"`},
}

// try notes what checks say of values of the key. Each thing said is noted once.
func (e *Explanation) try(k key) {
	values := tries[e.Type]
	if len(values) == 0 {
		return
	}
	on, at, ok := bestExample(k)
	if !ok {
		return
	}
	e.Tried = on.name
	for _, value := range values {
		message := k.root.refusal(on.document, at, value)
		if message != "" && !slices.ContainsFunc(e.Refused, func(r Refusal) bool { return r.Message == message }) {
			e.Refused = append(e.Refused, Refusal{value, message})
		}
	}
}

// refusal returns what the checks of the root say of a key with a value, in a document
// that they have nothing to say of otherwise.
func (r *root) refusal(d *configs.Document, key, value string) string {
	with, err := d.With([]string{key + "=" + value})
	if err != nil {
		return ""
	}
	problems, _ := errors.AsType[configs.Problems](with.Decode(reflect.New(r.holds).Interface()))
	for _, p := range problems {
		if p.Key == key || strings.HasPrefix(key, p.Key+".") {
			return strings.TrimSuffix(p.Message, ", is "+value)
		}
	}
	return ""
}

// bestExample returns the first example that has the key, else its table, and else
// the first of all; and the key with elements that the example has.
func bestExample(k key) (best example, at string, ok bool) {
	names, level := parts(k.Name), -1
	for _, x := range k.root.examples() {
		concrete, has := walk(x.document, names)
		if has > level {
			best, at, level, ok = x, concrete, has, true
		}
		if has == len(names) {
			break
		}
	}
	return best, at, ok
}

// parts are those of a key's name.
func parts(name string) []string { return strings.Split(name, ".") }

// walk goes down a document by the parts of a key's name, and returns the key of the
// first elements and entries that there are, and how many of its parts there are.
func walk(d *configs.Document, parts []string) (key string, has int) {
	for i, part := range parts {
		switch part {
		case configs.AnyElement:
			part = "0"
		case configs.AnyEntry:
			part = firstEntry(d, key)
		}
		key = join(key, part)
		if _, ok := d.Get(key); ok && has == i {
			has++
		}
	}
	return key, has
}

func firstEntry(d *configs.Document, table string) string {
	v, _ := d.Get(table)
	entries, _ := v.(map[string]any)
	first := "x"
	for name := range entries {
		if first == "x" || name < first {
			first = name
		}
	}
	return first
}
