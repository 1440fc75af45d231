package sweep

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/configs"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// document loads a configuration's text.
func document(t *testing.T, text string) *configs.Document {
	t.Helper()
	path := filepath.Join(t.TempDir(), "run.toml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	d, err := configs.Load(path, nil)
	require.NoError(t, err)
	return d
}

// table decodes a [sweep] table's text.
func table(t *testing.T, text string) (Config, error) {
	t.Helper()
	var c struct {
		Sweep Config `toml:"sweep"`
	}
	err := document(t, "[sweep]\n"+text).Decode(&c)
	return c.Sweep, err
}

func design(t *testing.T, seed uint64, text string) *Design {
	t.Helper()
	c, err := table(t, text)
	require.NoError(t, err)
	d, err := NewDesign(c, seed)
	require.NoError(t, err)
	return d
}

// list writes a design's points, a line each.
func list(d *Design) string {
	var b strings.Builder
	for _, p := range d.Points {
		fmt.Fprintln(&b, p.Values...)
	}
	return b.String()
}

const conditional = `
constraints = ["a + 0.1 != 0.3"]
[[sweep.axes]]
key = "kv.split.cxl"
name = "a"
range = [0.0, 0.4]
steps = 5
[[sweep.axes]]
key = "host.cxl"
name = "card"
presets = ["x8", "x16"]
when = "a > 0"
[[sweep.axes]]
key = "host.cards"
name = "cards"
log = [1, 4]
steps = 3
when = "a > 0"
otherwise = 1
[[sweep.derive]]
key = "kv.split.hbm"
value = "1 - a"
`

func TestAGridHasEveryCombinationOfTheAxesThatCount(t *testing.T) {
	d := design(t, 1, conditional)
	golden(t, "grid.golden", list(d))
	require.Len(t, d.Points, 1+3*2*3, "one without cxl, of the others those that keep the constraint")
	require.Equal(t, 2*3, d.Dropped)
}

func TestAPointSetsItsAxesAndWhatFollowsFromThem(t *testing.T) {
	d := design(t, 1, conditional)
	set, err := d.Set(d.Points[0])
	require.NoError(t, err)
	require.Equal(t, map[string]any{"kv.split.cxl": 0.0, "host.cards": int64(1), "kv.split.hbm": int64(1)}, set)
	last := d.Points[len(d.Points)-1]
	set, err = d.Set(last)
	require.NoError(t, err)
	require.Equal(t, map[string]any{"kv.split.cxl": 0.4, "host.cxl.use": "x16", "host.cards": int64(4), "kv.split.hbm": 0.6}, set)
	sets, err := d.sets(set)
	require.NoError(t, err)
	require.Equal(t, []string{"kv.split.cxl=0.4", `host.cxl.use="x16"`, "host.cards=4", "kv.split.hbm=0.6"}, sets)
}

func TestRangesHaveTheirEnds(t *testing.T) {
	for text, want := range map[string]string{
		"range = [0, 10]\nsteps = 3":       "[0 5 10]",
		"range = [0, 3]\nsteps = 10":       "[0 1 2 3]", // integers, each once
		"range = [0, 1.0]\nsteps = 3":      "[0 0.5 1]",
		"range = [0.0, 0.3]\nsteps = 4":    "[0 0.1 0.2 0.3]",
		"log = [1024, 131072]\nsteps = 8":  "[1024 2048 4096 8192 16384 32768 65536 131072]",
		"log = [0.01, 100.0]\nsteps = 5":   "[0.01 0.1 1 10 100]",
		"values = ['a', 1, {x = 1}, true]": "[a 1 map[x:1] true]",
		"presets = ['p', 'q']":             "[p q]",
	} {
		d := design(t, 1, "[[sweep.axes]]\nkey = 'k'\n"+text)
		require.Equal(t, want, fmt.Sprint(d.Config.Axes[0].levels()), text)
	}
}

const sampledAxes = `points = 64
[[sweep.axes]]
key = "share"
range = [0.0, 2.0]
[[sweep.axes]]
key = "count"
range = [1, 4]
[[sweep.axes]]
key = "size"
log = [1.0, 1024.0]
[[sweep.axes]]
key = "word"
values = ["a", "b"]
`

// Of n Latin hypercube samples, every n-th part of every axis has one; a Halton
// sample's parts differ by a few.
func TestSamplesCoverTheirAxes(t *testing.T) {
	for name, most := range map[string]int{LHS: 4, Halton: 8, Random: 16} {
		d := design(t, 7, "design = '"+name+"'\n"+sampledAxes)
		require.Len(t, d.Points, 64)
		share, size, count := map[int]int{}, map[int]int{}, map[any]int{}
		for _, p := range d.Points {
			share[int(p.Values[0].(float64)*8)]++ // sixteenths
			size[int(math.Log2(p.Values[2].(float64))*1.6)]++
			count[p.Values[1]]++
		}
		for part := range 16 {
			require.LessOrEqual(t, share[part], most, name)
			require.LessOrEqual(t, size[part], most, name)
			if name == LHS {
				require.Equal(t, 4, share[part])
				require.Equal(t, 4, size[part])
			}
		}
		for n := range 4 {
			require.NotZero(t, count[int64(n+1)], name)
		}
		require.Len(t, count, 4)
	}
}

func TestSamplesDependOnTheSeedAlone(t *testing.T) {
	for _, name := range samplers {
		text := "design = '" + name + "'\n" + sampledAxes
		one, same, other := design(t, 1, text), design(t, 1, text), design(t, 2, text)
		require.Equal(t, one.Points, same.Points)
		require.NotEqual(t, one.Points, other.Points, name)
	}
}

func TestOneAtATimeVariesOneAxisFromTheCentre(t *testing.T) {
	d := design(t, 1, `design = "oat"
[[sweep.axes]]
key = "batch"
values = [8, 16, 32]
[[sweep.axes]]
key = "cxl"
range = [0.0, 1.0]
steps = 3
centre = 0.0
[[sweep.axes]]
key = "cards"
values = [1, 2]
when = "cxl > 0"
`)
	require.Equal(t, "16 0 <nil>\n8 0 <nil>\n16 0 <nil>\n32 0 <nil>\n16 0 <nil>\n16 0.5 1\n16 1 1\n", list(d), "cards do not count at the centre")
	require.Equal(t, -1, d.Points[0].Varied)
	require.Equal(t, 0, d.Points[1].Varied)
	require.Equal(t, 1, d.Points[6].Varied)
}

func TestSobolRowsMixTwoSamples(t *testing.T) {
	d := design(t, 1, "design = 'sobol'\n"+sampledAxes)
	const width = 4 + 2
	require.Len(t, d.Points, 64*width)
	for first := 0; first < len(d.Points); first += width {
		a, b := d.Points[first].Values, d.Points[first+1].Values
		for i := range a {
			mixed := d.Points[first+2+i].Values
			for k := range mixed {
				if k == i {
					require.Equal(t, b[k], mixed[k])
				} else {
					require.Equal(t, a[k], mixed[k])
				}
			}
		}
	}
}

func TestMistakesInATableAreNamed(t *testing.T) {
	axis := "[[sweep.axes]]\nkey = 'a'\nvalues = [1]\n"
	for text, want := range map[string]string{
		"":                                                               "sweep.axes: must be 1 to 32, are 0",
		"design = 'gird'\n" + axis:                                       `sweep.design: "gird" is none of grid, random, lhs, halton, oat, sobol (did you mean "grid"?)`,
		"design = 'lhs'\n" + axis:                                        "sweep.points: must be 1 to 1048576",
		"points = 3\n" + axis:                                            "sweep.points: belongs to designs that sample: random, lhs, halton, sobol",
		"[[sweep.axes]]\nvalues = [1]":                                   "sweep.axes.0.key: want the key",
		"[[sweep.axes]]\nkey = 'a'":                                      "sweep.axes.0.values: want one of values, range, log and presets",
		axis + "range = [1, 2]":                                          "sweep.axes.0.values: want one of",
		axis + "steps = 2":                                               "sweep.axes.0.steps: belongs to range and log",
		axis + axis:                                                      "sweep.axes.1.key: a is an axis already",
		axis + "when = 'a > 0'":                                          `sweep.axes.0.when: "a > 0": a is no axis here`,
		axis + "when = 'a >'":                                            `sweep.axes.0.when: "a >" is not an expression`,
		axis + "otherwise = 3":                                           "sweep.axes.0.otherwise: needs when",
		axis + "centre = 3":                                              "sweep.axes.0.centre: belongs to design oat",
		axis + "kind = 3":                                                "sweep.axes.0.kind: unknown key",
		"constraints = ['b > 1']\n" + axis:                               `sweep.constraints.0: "b > 1": b is no axis here`,
		"objectives = ['step_ns']\n" + axis:                              `sweep.objectives.0: "step_ns": want max or min, and an expression`,
		"objectives = ['max f(x)']\n" + axis:                             `sweep.objectives.0: "f(x)": only names`,
		"reference = [1.0]\n" + axis:                                     "sweep.reference: must be a value for each of the 0 objectives, are 1",
		axis + "[[sweep.derive]]\nkey = 'a'\nvalue = 'a'":                "sweep.derive.0.key: want a key that is no axis",
		"[[sweep.axes]]\nkey = 'a'\nrange = [1, 2]":                      "sweep.axes.0.steps: must say how many values of the range, in design grid",
		"[[sweep.axes]]\nkey = 'a'\nrange = [2, 1]\nsteps = 2":           "sweep.axes.0.range: must be [least, most]",
		"[[sweep.axes]]\nkey = 'a'\nrange = ['x', 1]\nsteps = 2":         "sweep.axes.0.range: must be [least, most]",
		"[[sweep.axes]]\nkey = 'a'\nlog = [0, 1]\nsteps = 2":             "sweep.axes.0.log: must begin above 0",
		"[[sweep.axes]]\nkey = 'a'\nlog = [1, 2]\nsteps = 1":             "sweep.axes.0.steps: must be 2 to",
		"design = 'sobol'\npoints = 2\nconstraints = ['a > 0']\n" + axis: "sweep.constraints: do not go with sobol",
	} {
		_, err := table(t, text)
		require.ErrorContains(t, err, want, text)
		require.NotContains(t, err.Error(), "\n", text)
	}
}

func TestDesignsThatHaveNoPointsOrTooManyAreMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"constraints = ['a > 9']\n[[sweep.axes]]\nkey = 'a'\nvalues = [1]":                                                          "sweep: no point fulfils the constraints",
		"[[sweep.axes]]\nkey = 'a'\nrange = [0.0, 1.0]\nsteps = 4096\n[[sweep.axes]]\nkey = 'b'\nrange = [0.0, 1.0]\nsteps = 4096":  "sweep: more than 1048576 points",
		"constraints = ['b > 1']\n[[sweep.axes]]\nkey = 'a'\nvalues = [1]\n[[sweep.axes]]\nkey = 'b'\nvalues = [1]\nwhen = 'a > 1'": `"b > 1": b has no value; an axis under a condition has one with otherwise`,
		"[[sweep.axes]]\nkey = 'a'\nvalues = ['x']\n[[sweep.axes]]\nkey = 'b'\nvalues = [1]\nwhen = 'a > 1'":                        `sweep.axes.1.when: "a > 1": x > 1`,
		"design = 'sobol'\npoints = 1048576\n[[sweep.axes]]\nkey = 'a'\nvalues = [1]":                                               "rows of 3 points are more than",
	} {
		c, err := table(t, text)
		require.NoError(t, err)
		_, err = NewDesign(c, 1)
		require.ErrorContains(t, err, want)
	}
}

func TestShardsPartThePoints(t *testing.T) {
	for n := 1; n < 6; n++ {
		for point := range 20 {
			of := 0
			for i := range n {
				s, err := ParseShard(fmt.Sprintf("%d/%d", i, n))
				require.NoError(t, err)
				if s.Has(point) {
					of++
				}
			}
			require.Equal(t, 1, of)
		}
	}
	for _, text := range []string{"", "1", "1/1", "-1/2", "a/b", "0/0", "1/2/3"} {
		_, err := ParseShard(text)
		require.ErrorContains(t, err, "want i/n, i from 0 to n-1", text)
	}
}

// What tells the points is in the identity; what compares them is not.
func TestTheIdentityIsThatOfThePoints(t *testing.T) {
	base := document(t, "batch = 1\ncontext = 2\n")
	axis := "[[sweep.axes]]\nkey = 'batch'\nvalues = [1, 2]\n"
	id := func(base *configs.Document, seed uint64, text string) string {
		t.Helper()
		s, err := design(t, seed, text).Identity(base, seed)
		require.NoError(t, err)
		return s
	}
	first := id(base, 1, axis)
	require.Equal(t, first, id(base, 1, "objectives = ['max x']\n"+axis))
	other := map[string]string{
		"seed":       id(base, 2, axis),
		"base":       id(document(t, "batch = 1\ncontext = 3\n"), 1, axis),
		"values":     id(base, 1, "[[sweep.axes]]\nkey = 'batch'\nvalues = [1, 3]\n"),
		"constraint": id(base, 1, "constraints = ['batch < 2']\n"+axis),
		"derived":    id(base, 1, axis+"[[sweep.derive]]\nkey = 'context'\nvalue = 'batch * 2'\n"),
	}
	ends := "design = 'random'\npoints = 2\n[[sweep.axes]]\nkey = 'batch'\n"
	require.NotEqual(t, id(base, 1, ends+"range = [1, 8]\n"), id(base, 1, ends+"log = [1, 8]\n"))
	for what, hash := range other {
		require.NotEqual(t, first, hash, what)
	}
	_, err := design(t, 1, "[[sweep.axes]]\nkey = 'system'\npresets = ['h210_sxm']\n").Identity(base, 1)
	require.ErrorContains(t, err, `sweep.axes.0: -set system.use="h210_sxm": system.use: config "h210_sxm": no such file`)
}

func FuzzTable(f *testing.F) {
	f.Add("design = 'lhs'\npoints = 3\n[[sweep.axes]]\nkey = 'a'\nrange = [0, 5]\n")
	f.Add(conditional)
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "run.toml")
		require.NoError(t, os.WriteFile(path, []byte("[sweep]\n"+text), 0o644))
		d, err := configs.Load(path, nil)
		if err != nil {
			return
		}
		var c struct {
			Sweep Config `toml:"sweep"`
		}
		if d.Decode(&c) != nil || c.Sweep.Points > 1000 {
			return
		}
		for _, a := range c.Sweep.Axes {
			if a.Steps > 10 || len(c.Sweep.Axes) > 3 {
				return
			}
		}
		made, err := NewDesign(c.Sweep, 1)
		if err != nil {
			return
		}
		for _, p := range made.Points {
			require.Len(t, p.Values, len(c.Sweep.Axes))
		}
	})
}
