package explain

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"hwsim/configs"
)

var textual = reflect.TypeFor[encoding.TextUnmarshaler]()

// mostNamed bounds how many keys a message names.
const mostNamed = 8

// find returns the key of a name, or the first that ends in it if all that do
// are the same to the program.
func find(name string) (key, error) {
	for _, k := range keys() {
		if k.Matches(name) {
			return k, nil
		}
	}
	var ends []key
	for _, k := range keys() {
		if endsIn(k, name) {
			ends = append(ends, k)
		}
	}
	switch {
	case len(ends) == 0:
		return key{}, unknown(name)
	case !slices.ContainsFunc(ends, func(k key) bool { return fieldName(k.Key) != fieldName(ends[0].Key) }):
		return ends[0], nil
	}
	return key{}, several(name, ends)
}

// several says which keys end in a name.
func several(name string, ends []key) error {
	return &UnknownError{fmt.Sprintf("%q could be %s", name, someOf(ends))}
}

// someOf names keys, not too many.
func someOf(all []key) string {
	var names []string
	for _, k := range all[:min(len(all), mostNamed)] {
		names = append(names, k.Name)
	}
	text := strings.Join(names, ", ")
	if more := len(all) - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// endsIn reports whether a name is the end of the key.
func endsIn(k key, name string) bool {
	for rest := k.Name; ; {
		_, after, more := strings.Cut(rest, ".")
		if !more {
			return false
		}
		end := k.Key
		if end.Name = after; end.Matches(name) {
			return true
		}
		rest = after
	}
}

// unknown says which part of a name nothing has, and what is nearest to it.
func unknown(name string) error {
	table, parts := "", strings.Split(name, ".")
	for i, part := range parts {
		at := strings.Join(parts[:i+1], ".")
		if slices.ContainsFunc(keys(), func(k key) bool { return k.Matches(at) }) {
			table = at
			continue
		}
		known := keysOf(table)
		if len(known) == 0 {
			return &UnknownError{fmt.Sprintf("%q: unknown key: %s has none in it", name, table)}
		}
		if near, ok := configs.Nearest(part, known); ok {
			return &UnknownError{fmt.Sprintf("%q: unknown key (did you mean %q?)", name, join(table, near))}
		}
		if near, ok := nearestEnd(name); ok && table == "" {
			return &UnknownError{fmt.Sprintf("%q: unknown key (did you mean %q?)", name, near)}
		}
		return &UnknownError{fmt.Sprintf("%q: unknown key (allowed%s: %s)", name, under(table), strings.Join(known, ", "))}
	}
	return &UnknownError{fmt.Sprintf("%q: unknown key", name)}
}

func under(table string) string {
	if table == "" {
		return ""
	}
	return " in " + table
}

// keysOf returns the keys of a table, "" being the top.
func keysOf(table string) (names []string) {
	if table == "" {
		for _, e := range Tables() {
			names = append(names, e.Key)
		}
		return names
	}
	for _, k := range keys() {
		if k.Matches(table) {
			for _, e := range explain(k).Keys {
				names = append(names, e.Key)
			}
			return names
		}
	}
	return nil
}

// nearestEnd returns the key whose last parts, as many as the name has, are nearest.
func nearestEnd(name string) (string, bool) {
	n := strings.Count(name, ".") + 1
	var ends []string
	whole := map[string]string{}
	for _, k := range keys() {
		parts := strings.Split(k.Name, ".")
		end := strings.Join(parts[max(0, len(parts)-n):], ".")
		if _, ok := whole[end]; !ok {
			whole[end] = k.Name
			ends = append(ends, end)
		}
	}
	near, ok := configs.Nearest(name, ends)
	return whole[near], ok
}

func join(table, key string) string {
	if table == "" {
		return key
	}
	return table + "." + key
}
