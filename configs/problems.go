package configs

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Pos is where a value was written.
type Pos struct {
	File string // as the user named it, or configs/... for a preset
	Line int    // from 1; 0 for the file as a whole
	Set  string // the key.path=value of a -set, instead of a file
}

// String returns file.toml:14, file.toml or -set key.path=value, on one line.
func (p Pos) String() string {
	switch {
	case p.Set != "":
		return "-set " + oneLine(p.Set)
	case p.Line > 0:
		return oneLine(p.File) + ":" + strconv.Itoa(p.Line)
	}
	return oneLine(p.File)
}

func oneLine(s string) string {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return strconv.Quote(s)
	}
	return s
}

// A Problem is one mistake in a configuration.
type Problem struct {
	Pos     Pos
	Key     string // dotted, from the top
	Value   string // as TOML, where a value was written
	Message string
	Unknown bool // no part of the program has such a key
}

// Error returns "position: key: message".
func (p Problem) Error() string {
	if p.Key == "" {
		return p.Pos.String() + ": " + p.Message
	}
	return p.Pos.String() + ": " + p.Key + ": " + p.Message
}

// Problems is all that is wrong with a configuration, in the order of files
// and lines.
type Problems []Problem

// Error returns one line for each problem.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.Error()
	}
	return strings.Join(lines, "\n")
}

// inOrder sorts the problems and drops what is said twice, as by the
// Validate of an embedded struct, which its outer struct has as well.
func (p Problems) inOrder() Problems {
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(a.Pos.File, b.Pos.File),
			cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Set, b.Pos.Set),
			cmp.Compare(a.Key, b.Key),
			cmp.Compare(a.Message, b.Message),
		)
	})
	return slices.Compact(p)
}

// A Number is a type that TOML numbers decode into.
type Number interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 |
		~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64
}

// Positive reports values of zero and below, for a Validate method.
func Positive[T Number](report func(key, message string), key string, value T) {
	if value <= 0 {
		report(key, fmt.Sprintf("must be positive, is %v", value))
	}
}

// NotNegative reports values below zero.
func NotNegative[T Number](report func(key, message string), key string, value T) {
	if value < 0 {
		report(key, fmt.Sprintf("must not be negative, is %v", value))
	}
}

// Within reports a value that is not in lo to hi.
func Within(report func(key, message string), key string, v, lo, hi int) {
	if v < lo || v > hi {
		report(key, fmt.Sprintf("must be %d to %d", lo, hi))
	}
}

// OneOf reports a value that is not among the allowed.
func OneOf[T comparable](report func(key, message string), key string, value T, allowed ...T) {
	if slices.Contains(allowed, value) {
		return
	}
	names := make([]string, len(allowed))
	for i, a := range allowed {
		names[i] = fmt.Sprint(a)
	}
	shown, hint := fmt.Sprint(value), ""
	if reflect.TypeFor[T]().Kind() == reflect.String {
		hint = didYouMean(shown, names)
		shown = quote(shown)
	}
	report(key, fmt.Sprintf("%s is none of %s%s", shown, strings.Join(names, ", "), hint))
}

// didYouMean returns a hint at the known name nearest to name, or "".
func didYouMean(name string, known []string) string {
	if near, ok := nearest(name, known); ok {
		return fmt.Sprintf(" (did you mean %q?)", near)
	}
	return ""
}

// nearest returns the first of the known names with the fewest slips from
// name, if these are few for its length. A name that the other begins with
// is near as well: h200 for h200_sxm.
func nearest(name string, known []string) (near string, ok bool) {
	limit := min(3, (utf8.RuneCountInString(name)+1)/3)
	for _, k := range known {
		if d := slips(name, k); d <= limit {
			near, ok, limit = k, true, d-1
		}
	}
	for _, k := range known {
		if !ok && len(name) > 2 && (strings.HasPrefix(k, name) || len(k) > 2 && strings.HasPrefix(name, k)) {
			return k, true
		}
	}
	return near, ok
}

// slips counts the letters to insert, drop, change or swap with the next one
// to turn a into b.
func slips(a, b string) int {
	s, t := []rune(a), []rune(b)
	var before []int
	last := make([]int, len(t)+1)
	for j := range last {
		last[j] = j
	}
	for i := range s {
		row := make([]int, len(t)+1)
		row[0] = i + 1
		for j := range t {
			change := last[j]
			if s[i] != t[j] {
				change++
			}
			row[j+1] = min(change, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && s[i] == t[j-1] && s[i-1] == t[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(t)]
}
