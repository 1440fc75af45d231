package configs

import (
	"encoding"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Decode fills the struct that v points to, by its toml tags, and validates
// it. Keys without a field are errors; fields without a key keep their value.
// It understands strings, booleans, integers, floats, slices, arrays, maps
// with string keys, structs, embedded structs, pointers to all of these, any,
// and every type that unmarshals text; it does not look into embedded
// pointers. The error is of type [Problems] unless v is no pointer.
//
// If v or anything in it has the method
//
//	Validate(report func(key, message string))
//
// that is called, inner values first, with keys relative to the value. What
// it reports on a key that is wrong already is dropped.
func (d *Document) Decode(v any) error {
	target := reflect.ValueOf(v)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		return fmt.Errorf("configs: cannot decode into a %T: want a pointer to a struct", v)
	}
	c := &decoder{root: d.root, wrong: map[string]bool{}}
	c.decode(d.root, "", target.Elem())
	c.validate("", target.Elem())
	if len(c.problems) > 0 {
		return c.problems.inOrder()
	}
	return nil
}

type decoder struct {
	root     *node
	problems Problems
	wrong    map[string]bool // the keys of problems so far
}

func (c *decoder) problem(n *node, key, message string) {
	c.wrong[key] = true
	c.problems = append(c.problems, Problem{Pos: n.pos, Key: key, Value: show(n), Message: message})
}

// mismatch reports that n is not what the program wants there.
func (c *decoder) mismatch(n *node, key, want string) {
	c.problem(n, key, show(n)+" is not "+want)
}

func (c *decoder) decode(n *node, key string, v reflect.Value) {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		c.decode(n, key, v.Elem())
		return
	}
	if v.CanAddr() {
		if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
			c.unmarshalText(n, key, u)
			return
		}
	}
	switch v.Kind() {
	case reflect.Struct:
		c.decodeStruct(n, key, v)
	case reflect.Map:
		c.decodeMap(n, key, v)
	case reflect.Slice, reflect.Array:
		c.decodeList(n, key, v)
	case reflect.Interface:
		if v.NumMethod() > 0 {
			c.unsupported(n, key, v)
			return
		}
		v.Set(reflect.ValueOf(n.plain()))
	default:
		c.decodeScalar(n, key, v)
	}
}

func (c *decoder) decodeScalar(n *node, key string, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if s, ok := n.value.(string); ok {
			v.SetString(s)
			return
		}
		c.mismatch(n, key, "a string")
	case reflect.Bool:
		if b, ok := n.value.(bool); ok {
			v.SetBool(b)
			return
		}
		c.mismatch(n, key, "true or false")
	case reflect.Float32, reflect.Float64:
		c.decodeFloat(n, key, v)
	default:
		switch {
		case v.CanInt():
			c.decodeInt(n, key, v)
		case v.CanUint() && v.Kind() != reflect.Uintptr:
			c.decodeUint(n, key, v)
		default:
			c.unsupported(n, key, v)
		}
	}
}

func (c *decoder) decodeInt(n *node, key string, v reflect.Value) {
	i, ok := n.value.(int64)
	switch {
	case !ok:
		c.mismatch(n, key, "an integer")
	case v.OverflowInt(i):
		high := int64(1)<<(v.Type().Bits()-1) - 1
		c.problem(n, key, fmt.Sprintf("%d is out of range: %d to %d", i, -high-1, high))
	default:
		v.SetInt(i)
	}
}

func (c *decoder) decodeUint(n *node, key string, v reflect.Value) {
	i, ok := n.value.(int64)
	switch {
	case !ok:
		c.mismatch(n, key, "an integer")
	case i < 0:
		c.problem(n, key, fmt.Sprintf("%d is negative", i))
	case v.OverflowUint(uint64(i)):
		c.problem(n, key, fmt.Sprintf("%d is out of range: 0 to %d", i, uint64(1)<<v.Type().Bits()-1))
	default:
		v.SetUint(uint64(i))
	}
}

func (c *decoder) decodeFloat(n *node, key string, v reflect.Value) {
	var f float64
	switch value := n.value.(type) {
	case int64:
		f = float64(value)
	case float64:
		f = value
	default:
		c.mismatch(n, key, "a number")
		return
	}
	if v.OverflowFloat(f) || math.IsInf(f, 0) {
		c.problem(n, key, show(n)+" is out of range")
		return
	}
	if u, ok := unitOf(key); ok && f != 0 && (f < u.least || f > u.most) {
		c.problem(n, key, fmt.Sprintf("%s is out of range: 0, or %g to %g", show(n), u.least, u.most))
		return
	}
	v.SetFloat(f)
}

// unit is what a key's last word says that its value is counted in, with the
// range in which any such value makes sense.
type unit struct {
	suffix, name string
	least, most  float64
}

var units = []unit{
	{"_ns", "ns", 1e-6, 1e9}, {"_gbps", "GB/s", 1e-3, 1e6}, {"_gib", "GiB", 1e-6, 16384}, {"_mhz", "MHz", 1, 1e5},
	{"_tflops", "TFLOP/s", 1e-3, 1e6}, {"_per_clock", "per clock", 1e-3, 1e6},
}

func unitOf(key string) (unit, bool) {
	for _, u := range units {
		if strings.HasSuffix(key, u.suffix) {
			return u, true
		}
	}
	return unit{}, false
}

func (c *decoder) unmarshalText(n *node, key string, u encoding.TextUnmarshaler) {
	var text string
	switch v := n.value.(type) {
	case string:
		text = v
	case list, table:
		c.mismatch(n, key, "a single value")
		return
	default:
		text = show(n)
	}
	if err := u.UnmarshalText([]byte(text)); err != nil {
		c.problem(n, key, err.Error())
	}
}

func (c *decoder) decodeList(n *node, key string, v reflect.Value) {
	l, ok := n.value.(list)
	if !ok {
		c.mismatch(n, key, "an array")
		return
	}
	if v.Kind() == reflect.Slice {
		v.Set(reflect.MakeSlice(v.Type(), len(l), len(l)))
	} else if v.Len() != len(l) {
		c.problem(n, key, fmt.Sprintf("has %d elements, not %d", len(l), v.Len()))
		return
	}
	for i, e := range l {
		c.decode(e, join(key, strconv.Itoa(i)), v.Index(i))
	}
}

// decodeMap starts from the entries that are there: they are defaults.
func (c *decoder) decodeMap(n *node, key string, v reflect.Value) {
	t, ok := n.value.(table)
	switch {
	case v.Type().Key().Kind() != reflect.String:
		c.unsupported(n, key, v)
		return
	case !ok:
		c.mismatch(n, key, "a table")
		return
	case v.IsNil():
		v.Set(reflect.MakeMap(v.Type()))
	}
	for _, k := range t.keys() {
		name := reflect.ValueOf(k).Convert(v.Type().Key())
		value := reflect.New(v.Type().Elem()).Elem()
		if old := v.MapIndex(name); old.IsValid() {
			value.Set(old)
		}
		c.decode(t[k], join(key, quoteKey(k)), value)
		v.SetMapIndex(name, value)
	}
}

func (c *decoder) decodeStruct(n *node, key string, v reflect.Value) {
	t, ok := n.value.(table)
	if !ok {
		c.mismatch(n, key, "a table")
		return
	}
	known := fields(v.Type())
	for _, k := range t.keys() {
		child := join(key, quoteKey(k))
		if index, ok := known[k]; ok {
			c.decode(t[k], child, v.FieldByIndex(index))
			continue
		}
		names := slices.Sorted(maps.Keys(known))
		hint := didYouMean(k, names)
		if near, ok := nearest(k, names); ok {
			c.wrong[join(key, quoteKey(near))] = true // as good as written
		} else if len(names) > 0 {
			hint = " (allowed: " + strings.Join(names, ", ") + ")"
		}
		c.problem(t[k], child, "unknown key"+hint)
		c.problems[len(c.problems)-1].Unknown = true
	}
}

func (c *decoder) unsupported(n *node, key string, v reflect.Value) {
	c.problem(n, key, fmt.Sprintf("the program has no way to decode into %v", v.Type()))
}

// fields maps the keys of a struct to its fields. Those without a toml tag
// are the program's own. The fields of an embedded struct without a tag are
// keys of the struct around it, unless that has a key of the same name.
func fields(t reflect.Type) map[string][]int {
	known := map[string][]int{}
	for i := range t.NumField() {
		if name := tag(t.Field(i)); name != "" {
			known[name] = []int{i}
		}
	}
	for i := range t.NumField() {
		if !isEmbedded(t.Field(i)) {
			continue
		}
		for name, index := range fields(t.Field(i).Type) {
			if _, ok := known[name]; !ok {
				known[name] = append([]int{i}, index...)
			}
		}
	}
	return known
}

// tag returns the key of a field, or "".
func tag(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("toml"), ",")
	if name == "-" || !f.IsExported() {
		return ""
	}
	return name
}

func isEmbedded(f reflect.StructField) bool {
	return f.Anonymous && f.Type.Kind() == reflect.Struct && f.Tag.Get("toml") == ""
}
