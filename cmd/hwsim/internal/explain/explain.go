package explain

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"

	"hwsim/configs"
)

// Explanation is what there is to say of a key.
type Explanation struct {
	Key     string // N stands for the number of an element, NAME for the name of an entry
	Type    string
	Unit    string // "" if the key does not tell
	Comment string // of the field, or of its type
	Table   string // what the comment of the struct around says
	Default string // what it is if it is not written
	Words   []Word // that it can be, if the program names them
	Refused []Refusal
	Tried   string // the preset that refused
	Field   string // in the sources
	Like    string // keys elsewhere that are the same field
	Keys    []Entry
	Set     []configs.Setting // by presets
}

// Word is a value that the program names.
type Word struct{ Word, Comment string }

// Entry is a key of a table.
type Entry struct{ Key, Type, Comment string }

// UnknownError says that no configuration has a key.
type UnknownError struct{ message string }

// Error returns a line.
func (e *UnknownError) Error() string { return e.message }

// UserError marks it as one that the user can mend.
func (e *UnknownError) UserError() bool { return true }

// Tables returns the tables on top, and the keys beside them.
func Tables() (tables []Entry) {
	for _, k := range keys() {
		if !strings.Contains(k.Name, ".") {
			tables = append(tables, Entry{k.Name, typeText(k.Type), comment(k)})
		}
	}
	return tables
}

// Key explains a dotted key, whole or, where it is the only one, its end.
func Key(name string) (*Explanation, error) {
	settings, err := presets()
	if err != nil {
		return nil, err
	}
	if e, ok := loadersKey(name); ok {
		e.Set = settings.Of(e.Key)
		return e, nil
	}
	k, err := find(name)
	if err != nil {
		return nil, err
	}
	e := explain(k)
	if isTable(k.Type) {
		return e, nil
	}
	e.try(k)
	e.Default = e.absent(k)
	e.Set = settings.Of(k.Name)
	return e, nil
}

var presets = sync.OnceValues(configs.ReadSettings)

// explain says what needs no trying.
func explain(k key) *Explanation {
	return &Explanation{
		Key: k.Name, Type: typeText(k.Type), Unit: configs.Unit(k.Name), Comment: comment(k), Table: comments()[typeName(k.Owner)],
		Words: words(element(k.Type)), Field: fieldName(k.Key), Like: like(k), Keys: entries(k),
	}
}

// words returns the constants of a type.
func words(t reflect.Type) (all []Word) {
	if typeName(t) == "" {
		return nil
	}
	for name, text := range comments() {
		if word, ok := strings.CutPrefix(name, wordsOf(t)); ok {
			all = append(all, Word{word, text})
		}
	}
	slices.SortFunc(all, func(a, b Word) int { return strings.Compare(a.Word, b.Word) })
	return all
}

// like names the other keys that are the same field.
func like(k key) string {
	var same []key
	for _, other := range keys() {
		if fieldName(other.Key) == fieldName(k.Key) && other.Name != k.Name {
			same = append(same, other)
		}
	}
	return someOf(same)
}

// entries returns the keys of a table, or of each of several.
func entries(table key) (all []Entry) {
	if !isTable(table.Type) {
		return nil
	}
	for _, k := range keys() {
		if within, ok := inside(k.Name, table); ok && !strings.Contains(within, ".") {
			all = append(all, Entry{within, typeText(k.Type), comment(k)})
		}
	}
	return all
}

// inside returns the rest of a key's name that is in a table, or in each of several.
func inside(name string, table key) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(name, table.Name+".")
	for t := table.Type; ok && t.Kind() != reflect.Struct; t = t.Elem() {
		switch t.Kind() {
		case reflect.Slice, reflect.Array, reflect.Map:
			_, rest, ok = strings.Cut(rest, ".")
		case reflect.Pointer:
		default:
			return "", false
		}
	}
	return rest, ok
}

// comment returns a field's comment, of a table behind its struct's, and of a field
// without one its type's.
func comment(k key) string {
	own, of := comments()[fieldName(k.Key)], comments()[typeName(element(k.Type))]
	switch {
	case own == "":
		return of
	case of != "" && isTable(k.Type):
		return strings.TrimSuffix(of, ".") + "; " + own
	}
	return own
}

// isTable reports whether a key has keys of its own.
func isTable(t reflect.Type) bool { return typeText(element(t)) == "table" }

// typeText names a type as a configuration writes it.
func typeText(t reflect.Type) string {
	if reflect.PointerTo(t).Implements(textual) {
		return "string"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return typeText(t.Elem())
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "integer"
	case reflect.Float32, reflect.Float64:
		return "number"
	case reflect.String:
		return "string"
	case reflect.Slice:
		return "array, each: " + typeText(t.Elem())
	case reflect.Array:
		return fmt.Sprintf("array of %d, each: %s", t.Len(), typeText(t.Elem()))
	case reflect.Map:
		return "table of any names, each: " + typeText(t.Elem())
	case reflect.Struct:
		return "table"
	}
	return "any value"
}

// zeroMeans finds what a comment says of a value that is not written.
var zeroMeans = regexp.MustCompile(`(?:^|[;,.] )(0|nil|absent|none|nothing|empty|"")(?: means |: | is )([^;]+)`)

// absent says what the key is where it is not written.
func (e *Explanation) absent(k key) string {
	zero := map[string]string{"integer": "0", "number": "0", "string": `""`, "true or false": "false"}[e.Type]
	if k.Field.Type.Kind() == reflect.Pointer || zero == "" {
		zero = "none"
	}
	if means := zeroMeans.FindStringSubmatch(e.Comment); means != nil {
		return zero + ": " + strings.TrimSuffix(means[2], ".")
	}
	for _, r := range e.Refused {
		if r.Value == zero {
			return "none: " + zero + " is refused"
		}
	}
	return zero
}
