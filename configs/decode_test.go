package configs

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// nanoseconds is a unit as devices may define it.
type nanoseconds float64

func (n *nanoseconds) UnmarshalText(text []byte) error {
	_, err := fmt.Sscanf(string(text), "%fns", (*float64)(n))
	if err != nil {
		return fmt.Errorf("%q is not a time like 12.5ns", text)
	}
	return nil
}

type named struct {
	Name string `toml:"name"`
}

type link struct {
	Lanes uint8 `toml:"lanes"`
}

// Validate has a value receiver, bank's a pointer: both must be found.
func (l link) Validate(report func(key, message string)) {
	OneOf(report, "lanes", l.Lanes, 1, 4, 8, 16)
}

type bank struct {
	Channels int         `toml:"channels"`
	Latency  nanoseconds `toml:"latency"`
}

func (b *bank) Validate(report func(key, message string)) {
	Positive(report, "channels", b.Channels)
	NotNegative(report, "latency", b.Latency)
}

type anything struct {
	named
	On     bool             `toml:"on"`
	Small  int8             `toml:"small"`
	Count  uint32           `toml:"count,omitempty"`
	Big    uint64           `toml:"big"`
	Ratio  float64          `toml:"ratio"`
	Single float32          `toml:"single"`
	Pair   [2]int           `toml:"pair"`
	Words  []string         `toml:"words"`
	Free   any              `toml:"free"`
	HBM    *bank            `toml:"hbm"`
	Links  []link           `toml:"links"`
	Banks  map[string]bank  `toml:"banks"`
	Ptrs   map[string]*bank `toml:"ptrs"`
	Chan   chan int         `toml:"chan"`
	ByInt  map[int]int      `toml:"by_int"`
	Err    error            `toml:"err"`
	Skip   int              `toml:"-"`
	Own    int
	hidden int `toml:"hidden"` //lint:ignore U1000 the decoder must leave it alone
}

func load(t *testing.T, text string, sets ...string) *Document {
	t.Helper()
	d, err := library(map[string]string{"run.toml": text}).load("run", sets)
	require.NoError(t, err)
	return d
}

func TestDecode(t *testing.T) {
	d := load(t, `
name = "n"
on = true
small = -128
count = 4294967295
big = 9223372036854775807
ratio = 2
single = 0.5
pair = [1, 2]
words = ["a", "b"]
free = {x = [1]}
links = [{lanes = 4}, {lanes = 8}]
[hbm]
channels = 5
latency = "2.5ns"
[banks."odd key"]
channels = 1
[ptrs.p]
channels = 2
`)
	v := anything{Own: 3, Words: []string{"default"}, Banks: map[string]bank{
		"odd key": {Channels: 9, Latency: 7}, "other": {Channels: 1},
	}}
	require.NoError(t, d.Decode(&v))
	require.Equal(t, anything{
		named: named{"n"}, On: true, Small: -128, Count: 4294967295, Big: 1<<63 - 1, Ratio: 2, Single: 0.5,
		Pair: [2]int{1, 2}, Words: []string{"a", "b"}, Free: map[string]any{"x": []any{int64(1)}},
		HBM: &bank{5, 2.5}, Links: []link{{4}, {8}}, Ptrs: map[string]*bank{"p": {Channels: 2}},
		Banks: map[string]bank{"odd key": {1, 7}, "other": {Channels: 1}},
		Own:   3,
	}, v)

	var m map[string]any
	require.NoError(t, d.Decode(&m))
	require.Len(t, m, 14)
	require.ErrorContains(t, d.Decode(v), "want a pointer to a struct")
	require.ErrorContains(t, d.Decode(nil), "want a pointer to a struct")
	require.ErrorContains(t, d.Decode((*anything)(nil)), "want a pointer to a struct")
	var i int
	require.ErrorContains(t, d.Decode(&i), "configs/run.toml: a table is not an integer")
}

// All problems of one broken file, as the user sees them.
func TestProblems(t *testing.T) {
	d := load(t, `name = 3
on = "yes"
small = 128
count = -1
big = 1.5
ratio = "fast"
single = 1e300
pair = [1, 2, 3]
words = [
  "a",
  5,
]
chan = 1
err = "x"
Skip = 1
Own = 2
hidden = 3
links = [{lanes = 4}, {lanes = 300}, {lanes = 2}, {}]
banks.fast = {channels = 0}
banks.slow = {chanels = 4}
"odd key" = "one\ntwo"
ptrs.none = {}
by_int = {}

[hbm]
channels = []
latency = "soon"
colour = "red"
`, "hbm.bank.groups=4", "ptrs.p.channels=-2", "ptrs.p.latency=many")
	err := d.Decode(&anything{})
	var problems Problems
	require.True(t, errors.As(err, &problems))
	golden(t, "problems.golden", err.Error()+"\n")
	require.Contains(t, problems, Problem{
		Pos: Pos{File: "configs/run.toml", Line: 3}, Key: "small", Value: "128", Message: "128 is out of range: -128 to 127",
	})
	for range 20 {
		require.Equal(t, err, d.Decode(&anything{}), "the order must not depend on maps")
	}
}

// A validator's words land where the key is, or at the table that lacks it.
func TestValidatePositions(t *testing.T) {
	type system struct {
		HBM   bank   `toml:"hbm"`
		Spare bank   `toml:"spare"`
		Links []link `toml:"links"`
	}
	var v struct {
		System system `toml:"system"`
	}
	d := load(t, "\n[system]\n[system.hbm]\nlatency = '-1ns'\n[[system.links]]\nlanes = 3\n")
	err := d.Decode(&v)
	require.Equal(t, strings.Join([]string{
		`configs/run.toml:2: system.spare.channels: must be positive, is 0`,
		`configs/run.toml:3: system.hbm.channels: must be positive, is 0`,
		`configs/run.toml:4: system.hbm.latency: must not be negative, is -1`,
		`configs/run.toml:6: system.links.0.lanes: 3 is none of 1, 4, 8, 16`,
	}, "\n"), err.Error())
	var bare struct {
		HBM bank `toml:"hbm"`
	}
	require.EqualError(t, load(t, "").Decode(&bare), "configs/run.toml: hbm.channels: must be positive, is 0")
}

// sized is embedded, so its Validate is that of the outer struct as well.
type sized struct {
	Bytes int `toml:"bytes"`
}

func (s sized) Validate(report func(key, message string)) { Positive(report, "bytes", s.Bytes) }

func TestValidateEmbedded(t *testing.T) {
	type Outer struct {
		sized
		Ranks int `toml:"ranks"`
	}
	var v struct {
		Cache Outer            `toml:"cache"`
		Many  map[string]Outer `toml:"many"`
		None  *Outer           `toml:"none"`
	}
	require.EqualError(t, load(t, "[cache]\nranks = 2\n[many]\nb.bytes = -1\na = {}").Decode(&v), strings.Join([]string{
		"configs/run.toml:1: cache.bytes: must be positive, is 0",
		"configs/run.toml:4: many.b.bytes: must be positive, is -1",
		"configs/run.toml:5: many.a.bytes: must be positive, is 0",
	}, "\n"))
}

func TestValidateSkipsWhatIsWrong(t *testing.T) {
	var v struct {
		HBM bank `toml:"hbm"`
	}
	require.EqualError(t, load(t, "[hbm]\nchanels = 4").Decode(&v),
		`configs/run.toml:2: hbm.chanels: unknown key (did you mean "channels"?)`)
	require.EqualError(t, load(t, "hbm = 4").Decode(&v), `configs/run.toml:1: hbm: 4 is not a table`)
	require.EqualError(t, load(t, "hbm.channels = 'x'").Decode(&v), `configs/run.toml:1: hbm.channels: "x" is not an integer`)
}

func TestMismatches(t *testing.T) {
	for text, want := range map[string]string{
		"words = {}":                             "words: a table is not an array",
		"banks = []":                             "banks: an array is not a table",
		"pair = [1, 'x']":                        `pair.1: "x" is not an integer`,
		"hbm = {channels = 1, latency = [1]}":    "hbm.latency: an array is not a single value",
		"hbm = {channels = 1, latency = true}":   `hbm.latency: "true" is not a time like 12.5ns`,
		"count = 4294967296":                     "count: 4294967296 is out of range: 0 to 4294967295",
		"on = '" + strings.Repeat("é", 61) + "'": `on: "` + strings.Repeat("é", 57) + `..." is not true or false`,
	} {
		require.EqualError(t, load(t, text).Decode(&anything{}), "configs/run.toml:1: "+want)
	}
}

func TestHelpers(t *testing.T) {
	var got []string
	report := func(key, message string) { got = append(got, key+" "+message) }
	type policy string
	Positive(report, "a", 1)
	Positive(report, "b", 0.0)
	NotNegative(report, "c", 0)
	NotNegative(report, "d", -2.5)
	OneOf(report, "e", policy("lru"), "lru", "srrip")
	OneOf(report, "f", policy("rlu"), "lru", "srrip")
	OneOf(report, "g", 3, 4, 8)
	require.Equal(t, []string{
		"b must be positive, is 0",
		"d must not be negative, is -2.5",
		`f "rlu" is none of lru, srrip (did you mean "lru"?)`,
		"g 3 is none of 4, 8",
	}, got)
}

func TestNearest(t *testing.T) {
	known := []string{"bandwidth_gbps", "channels", "latency_ns", "ranks"}
	for name, want := range map[string]string{
		"chanels":   "channels",
		"channel":   "channels",
		"cahnnels":  "channels",
		"Ranks":     "ranks",
		"rank":      "ranks",
		"latency":   "latency_ns",
		"bandwidth": "bandwidth_gbps",
		"colour":    "",
		"r":         "",
		"":          "",
	} {
		got, _ := nearest(name, known)
		require.Equal(t, want, got, name)
	}
}
