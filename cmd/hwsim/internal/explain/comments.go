package explain

import (
	_ "embed"
	"reflect"
	"strings"
	"sync"

	"hwsim/configs"
)

//go:generate go test -run TestCommentsAreThoseOfTheSources -update

//go:embed comments.txt
var commentsFile string

// comments are the comments of the sources, by the names of what they are on.
var comments = sync.OnceValue(func() map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(commentsFile) {
		name, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		all[name] = text
	}
	return all
})

// typeName names a type in comments.txt; one without a name has none.
func typeName(t reflect.Type) string {
	if t.Name() == "" {
		return ""
	}
	return t.PkgPath() + "." + t.Name()
}

func fieldName(k configs.Key) string { return typeName(k.Owner) + "." + k.Field.Name }

// wordsOf names the constants of a type in comments.txt, less their values.
func wordsOf(t reflect.Type) string { return typeName(t) + "=" }

// element returns what a type has in the end many of.
func element(t reflect.Type) reflect.Type {
	for {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
			t = t.Elem()
		default:
			return t
		}
	}
}
