package configs

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
)

type validator interface {
	Validate(report func(key, message string))
}

// validate asks what is inside v, then v itself.
func (c *decoder) validate(key string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			c.validate(key, v.Elem())
		}
		return
	case reflect.Struct:
		c.validateFields(key, v)
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			c.validate(join(key, strconv.Itoa(i)), v.Index(i))
		}
	case reflect.Map:
		c.validateEntries(key, v)
	}
	if v.CanAddr() {
		v = v.Addr()
	}
	if !v.CanInterface() {
		return
	}
	if w, ok := v.Interface().(validator); ok {
		w.Validate(func(k, message string) { c.report(join(key, k), message) })
	}
}

func (c *decoder) validateFields(key string, v reflect.Value) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if name := tag(f); name != "" {
			c.validate(join(key, quoteKey(name)), v.Field(i))
		} else if isEmbedded(f) {
			c.validate(key, v.Field(i))
		}
	}
}

// validateEntries validates copies, since only these have an address for
// methods of the pointer.
func (c *decoder) validateEntries(key string, v reflect.Value) {
	if v.Type().Key().Kind() != reflect.String {
		return
	}
	names := v.MapKeys()
	slices.SortFunc(names, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	for _, name := range names {
		entry := reflect.New(v.Type().Elem()).Elem()
		entry.Set(v.MapIndex(name))
		c.validate(join(key, quoteKey(name.String())), entry)
	}
}

// report turns what a Validate says of a key into a problem, placed where the
// key was written or else at the table around it.
func (c *decoder) report(key, message string) {
	if c.wrongAt(key) {
		return
	}
	if table, absent := c.absentTable(key); absent {
		c.wrong[table] = true
		c.problems = append(c.problems, Problem{Pos: c.root.pos, Key: table, Message: missingTable(table)})
		return
	}
	n, written := c.root.find(key)
	p := Problem{Pos: n.pos, Key: key, Message: message}
	if written {
		p.Value = show(n)
	}
	c.problems = append(c.problems, p)
}

// wrongAt tells whether key or a table around it failed to decode.
func (c *decoder) wrongAt(key string) bool {
	if c.wrong[""] {
		return true
	}
	at := ""
	parts, _ := splitKey(key)
	for _, part := range parts {
		at = join(at, quoteKey(part))
		if c.wrong[at] {
			return true
		}
	}
	return c.wrong[key]
}

// absentTable returns the table on top that key is in, and whether all of it
// is missing though there are presets of it: one line says so, not one for
// each of its keys.
func (c *decoder) absentTable(key string) (table string, absent bool) {
	parts, _ := splitKey(key)
	if len(parts) < 2 || presetFolders[parts[0]] == "" {
		return "", false
	}
	_, written := c.root.find(quoteKey(parts[0]))
	return quoteKey(parts[0]), !written
}

func missingTable(table string) string {
	names := Presets(presetFolders[table])
	if len(names) == 0 {
		return "missing; want [" + table + "] with its keys"
	}
	return "missing; want [" + table + "] with use = one of " + strings.Join(names, ", ") + ", or its own keys"
}
