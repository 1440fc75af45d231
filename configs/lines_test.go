package configs

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLineIndex(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       map[string]int
	}{
		{"empty", "", map[string]int{}},
		{"comments", "# a = 1\n\n  # b\nc = 1 # d = 2", map[string]int{"c": 4}},
		{"tables", "[a]\nx = 1\n[b.c]\ny = 1\n[b]\nz = 1",
			map[string]int{"a": 1, "a.x": 2, "b": 5, "b.c": 3, "b.c.y": 4, "b.z": 6}},
		{"dotted", "a.b = 1\na.c = 2\n'd e'.\"f.g\" . h = 3",
			map[string]int{"a": 1, "a.b": 1, "a.c": 2, `"d e"`: 3, `"d e"."f.g"`: 3, `"d e"."f.g".h`: 3}},
		{"escaped key", `"a\u0062\t" = 1`, map[string]int{`"ab\t"`: 1}},
		{"arrays of tables", "[[a]]\nx = 1\n[[a.b]]\n[[a.b]]\ny = 1\n[[a]]\n[[a.b]]\n[a.c]\nz = 1",
			map[string]int{"a": 1, "a.0": 1, "a.0.x": 2, "a.0.b": 3, "a.0.b.0": 3, "a.0.b.1": 4, "a.0.b.1.y": 5,
				"a.1": 6, "a.1.b": 7, "a.1.b.0": 7, "a.1.c": 8, "a.1.c.z": 9}},
		{"array", "a = [\n 1, # ]\n [2,\n 3],\n]\nb = 1",
			map[string]int{"a": 1, "a.0": 2, "a.1": 3, "a.1.0": 3, "a.1.1": 4, "b": 6}},
		{"inline table", "a = {x = 1, y.z = [{w = 1}],\n # }\n v = 2}\nb = 1",
			map[string]int{"a": 1, "a.x": 1, "a.y": 1, "a.y.z": 1, "a.y.z.0": 1, "a.y.z.0.w": 1, "a.v": 3, "b": 4}},
		{"strings", "a = \"# \\\" [x]\"\nb = 'c:\\'\nc = \"\"\nd = ''\ne = 1",
			map[string]int{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}},
		{"multi-line strings", "a = \"\"\"\nx = 1\n\\\"\"\" \"\"\"\"\"\nb = '''\n[c]\n\\'''\nd = 1",
			map[string]int{"a": 1, "b": 4, "d": 7}},
		{"windows", "\ufeffa = 1\r\n[b]\r\nc = [1,\r\n2]\r\n",
			map[string]int{"a": 1, "b": 2, "b.c": 3, "b.c.0": 3, "b.c.1": 4}},
		{"dates", "a = 1979-05-27 07:32:00 # x\nb = 1", map[string]int{"a": 1, "b": 2}},
	} {
		got, ok := indexLines(c.text)
		require.True(t, ok, c.name)
		require.Equal(t, c.want, got, c.name)
		tree, err := decodeTOML(c.text)
		require.NoError(t, err, c.name)
		require.Equal(t, keysOf(tree), slices.Sorted(maps.Keys(got)), c.name)
	}
}

// keysOf lists every key of a tree that the library decoded, as the index has
// them.
func keysOf(tree any) []string {
	var keys []string
	var walk func(key string, v any)
	walk = func(key string, v any) {
		if key != "" {
			keys = append(keys, key)
		}
		switch v := v.(type) {
		case map[string]any:
			for k, child := range v {
				walk(join(key, quoteKey(k)), child)
			}
		case []map[string]any:
			for i, child := range v {
				walk(join(key, strconv.Itoa(i)), child)
			}
		case []any:
			for i, child := range v {
				walk(join(key, fmt.Sprint(i)), child)
			}
		}
	}
	walk("", tree)
	slices.Sort(keys)
	return keys
}

// Every embedded preset is a sample as well.
func TestLineIndexOfPresets(t *testing.T) {
	l := loader{presets: embedded}
	for _, folder := range append(l.folders(), "") {
		for _, name := range l.list(folder) {
			src, err := l.find(lookup{name: path.Join(folder, name)})
			require.NoError(t, err)
			text, err := src.read()
			require.NoError(t, err)
			tree, lines, err := parseTOML(text)
			require.NoError(t, err, name)
			require.Equal(t, keysOf(tree), slices.Sorted(maps.Keys(lines)), name)
		}
	}
}

func FuzzLineIndex(f *testing.F) {
	for _, text := range samples {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tree, lines, err := parseTOML(text)
		if err == nil {
			require.Equal(t, keysOf(tree), slices.Sorted(maps.Keys(lines)))
		}
	})
}
