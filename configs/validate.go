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
