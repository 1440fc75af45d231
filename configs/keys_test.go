package configs

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
)

type inner struct {
	Bytes uint64 `toml:"page_bytes"`
}

type keyed struct {
	inner
	Hidden int
	Plain  int              `toml:"plain"`
	Maybe  *inner           `toml:"maybe"`
	List   []inner          `toml:"list"`
	Named  map[string]inner `toml:"named"`
	Words  []string         `toml:"words"`
	Self   []keyed          `toml:"self"`
}

func namesOf(t reflect.Type) (names []string) {
	for _, k := range Keys(t) {
		names = append(names, k.Name)
	}
	return names
}

func TestKeysAreAllThatDecodeFills(t *testing.T) {
	require.Equal(t, []string{"page_bytes", "plain", "maybe", "maybe.page_bytes", "list", "list.N.page_bytes",
		"named", "named.NAME.page_bytes", "words", "self"}, namesOf(reflect.TypeFor[keyed]()))
}

func TestAKeyMatchesItsElements(t *testing.T) {
	named := func(name string) Key {
		for _, k := range Keys(reflect.TypeFor[keyed]()) {
			if k.Name == name {
				return k
			}
		}
		require.FailNow(t, name)
		return Key{}
	}
	for _, test := range []struct {
		key, name string
		want      bool
	}{
		{"plain", "plain", true},
		{"plain.0", "plain", false},
		{"words.3", "words", true},
		{"list.0", "list", true},
		{"list.0.page_bytes", "list.N.page_bytes", true},
		{"list.N.page_bytes", "list.N.page_bytes", true},
		{"list.page_bytes", "list.N.page_bytes", true},
		{"list.x.page_bytes", "list.N.page_bytes", false},
		{"named.x", "named", true},
		{"named.x.page_bytes", "named.NAME.page_bytes", true},
		{`named."x y".page_bytes`, "named.NAME.page_bytes", true},
		{"named.page_bytes", "named.NAME.page_bytes", false},
		{"plain = 3", "plain", false},
		{"", "plain", false},
	} {
		require.Equal(t, test.want, named(test.name).Matches(test.key), test.key)
	}
}

func TestUnitsAreInTheLastWord(t *testing.T) {
	for key, want := range map[string]string{"a.path_ns": "ns", "a.bytes": "bytes", "page_bytes": "bytes", "x.kilobytes": "", "raw_gbps": "GB/s", "bytes.name": "", "layers": ""} {
		require.Equal(t, want, Unit(key), key)
	}
}
