package configs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// library is a folder of presets for tests.
func library(files map[string]string) loader {
	presets := fstest.MapFS{}
	for name, text := range files {
		presets[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return loader{presets: presets}
}

// flat returns the tree of name with every value on a line, as -print-config
// has it but without origins.
func flat(t *testing.T, l loader, name string, sets ...string) string {
	t.Helper()
	d, err := l.load(name, sets)
	require.NoError(t, err)
	return string(d.text(false))
}

func failure(t *testing.T, l loader, name string, sets ...string) string {
	t.Helper()
	_, err := l.load(name, sets)
	require.Error(t, err)
	return err.Error()
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

func TestEveryPresetLoads(t *testing.T) {
	l := loader{presets: embedded}
	for _, folder := range append(l.folders(), "") {
		for _, name := range Presets(folder) {
			_, err := Load(strings.TrimPrefix(folder+"/"+name, "/"), nil)
			require.NoError(t, err)
		}
	}
}

func TestATableAloneIsReadAsItsConfiguration(t *testing.T) {
	t.Chdir(t.TempDir()) // away from the real presets
	l := library(map[string]string{
		"cores/big.toml":    "use = 'base'\nwidth = 8\n[mmu]\nwalkers = 4",
		"cores/base.toml":   "width = 4\nrob = 224",
		"systems/base.toml": "rob = 'not of a core'",
	})
	write(t, ".", "mine.toml", "use = 'big'\nrob = 512")
	for name, want := range map[string]map[string]any{
		"big":       {"core.width": int64(8), "core.rob": int64(224), "core.mmu.walkers": int64(4)},
		"base":      {"core.width": int64(4), "core.rob": int64(224)},
		"mine.toml": {"core.width": int64(8), "core.rob": int64(512), "core.mmu.walkers": int64(4)},
	} {
		d, err := l.loadTable("core", name, nil)
		require.NoError(t, err, name)
		for key, value := range want {
			got, _ := d.Get(key)
			require.Equal(t, value, got, "%s: %s", name, key)
		}
		_, beside := d.Get("use")
		require.False(t, beside)
	}
	d, err := l.loadTable("core", "big", []string{"core.mmu.walkers=9", "core.use=none"})
	require.ErrorContains(t, err, `-set core.use=none: core.use: config "none": no such file`)
	require.Nil(t, d)
	d, err = l.loadTable("core", "big", []string{"core.mmu.walkers=9"})
	require.NoError(t, err)
	require.Equal(t, "-set core.mmu.walkers=9", d.Pos("core.mmu.walkers").String())
	_, err = l.loadTable("core", "bog", nil)
	require.ErrorContains(t, err, `config "bog": no such file, and no preset of that name (did you mean "big"?)`)
}

func TestNames(t *testing.T) {
	t.Chdir(t.TempDir()) // away from the real presets
	l := library(map[string]string{
		"a100.toml":             "at = 'top'",
		"systems/a100.toml":     "at = 'systems'",
		"systems/h200_sxm.toml": "# An H200.\nat = 'h200'",
		"models/opt-6.7b.toml":  "at = 'opt'",
		"models/twice.toml":     "",
		"kernels/twice.toml":    "",
	})
	for name, at := range map[string]string{
		"a100":                          "top",
		"a100.toml":                     "top",
		"systems/a100":                  "systems",
		"systems/a100.toml":             "systems",
		"configs/systems/h200_sxm.toml": "h200",
		"h200_sxm":                      "h200",
		"h200_sxm.toml":                 "h200",
		"opt-6.7b":                      "opt",
	} {
		require.Equal(t, `at = "`+at+"\"\n", flat(t, l, name), name)
	}
	require.Equal(t, `config "h200_smx": no such file, and no preset of that name (did you mean "h200_sxm"?)`,
		failure(t, l, "h200_smx"))
	require.Equal(t, `config "h200": no such file, and no preset of that name (did you mean "h200_sxm"?)`,
		failure(t, l, "h200"))
	require.Equal(t, `config "zebra": no such file, and no preset of that name`, failure(t, l, "zebra"))
	require.Equal(t, `config "": no such file, and no preset of that name`, failure(t, l, ""))
	require.Equal(t, `config "twice": could be configs/kernels/twice.toml or configs/models/twice.toml`,
		failure(t, l, "twice"))

	t.Chdir(t.TempDir())
	write(t, ".", "a100.toml", "at = 'disk'")
	require.NoError(t, os.Mkdir("h200_sxm", 0o755))
	require.Equal(t, "at = \"disk\"\n", flat(t, l, "a100"))
	require.Equal(t, "at = \"h200\"\n", flat(t, l, "h200_sxm"), "a folder is no configuration")
}

func TestPresetLists(t *testing.T) {
	l := library(map[string]string{
		"run.toml": "x = 1", "systems/b.toml": "\n  #  Two words.  \nx = 1", "systems/a.toml": "", "systems/notes.md": "",
	})
	require.Equal(t, []string{"run"}, l.list(""))
	require.Equal(t, []string{"a", "b"}, l.list("systems"))
	require.Empty(t, l.list("nowhere"))
	require.Equal(t, "Two words.", l.summary("systems/b"))
	require.Empty(t, l.summary("a"))
	require.Empty(t, l.summary("none"))
}

func TestSyntaxErrors(t *testing.T) {
	t.Chdir(t.TempDir()) // away from the real presets
	l := library(map[string]string{
		"a.toml":    "x = 1\ny = \n",
		"b.toml":    "x = 1\nx = 2",
		"nan.toml":  "[a]\nb = [1,\n nan]",
		"date.toml": "\nd = 2026-11-01",
		"big.toml":  strings.Repeat("#", maxSize+1),
		"base.toml": "\nbase = 'a.toml'",
		"ints.toml": "base = [\n3]",
	})
	require.Equal(t, `configs/a.toml:2: expected value but found '\n' instead`, failure(t, l, "a"))
	require.Equal(t, `configs/b.toml:2: Key 'x' has already been defined.`, failure(t, l, "b"))
	require.Equal(t, `configs/nan.toml:3: a.b.1: dates and nan are not supported`, failure(t, l, "nan"))
	require.Equal(t, `configs/date.toml:2: d: dates and nan are not supported`, failure(t, l, "date"))
	require.Equal(t, `config "configs/big.toml": 1048577 bytes are too many for a configuration`, failure(t, l, "big"))
	require.Equal(t, `configs/base.toml:2: base: "a.toml" is not an array of file names`, failure(t, l, "base"))
	require.Equal(t, `configs/ints.toml:2: base: 3 is not a file name`, failure(t, l, "ints"))
}

// Each of these would take the TOML library or the index far too long.
func TestDeepNesting(t *testing.T) {
	const n = maxSize/2 - 8
	for _, text := range []string{
		"a = " + strings.Repeat("[", n),
		"a = " + strings.Repeat("[", n) + strings.Repeat("]", n),
		"a = " + strings.Repeat("{a=", n/4) + "1" + strings.Repeat("}", n/4),
		strings.Repeat("a.", n) + "a = 1",
		"[" + strings.Repeat("a.", n) + "a]",
		"[a.a.a]\n" + strings.Repeat("a.", maxDepth-3) + "a = 1",
	} {
		l := library(map[string]string{"a.toml": text})
		require.Equal(t, "configs/a.toml: nested deeper than 64 levels", failure(t, l, "a"))
	}
	l := library(map[string]string{"a.toml": "[a.a.a]\n" + strings.Repeat("a.", maxDepth-4) + "a = 1"})
	require.Contains(t, flat(t, l, "a"), "a = 1")
	require.Contains(t, failure(t, l, "a", "b="+strings.Repeat("[", 1e5)), "is not a toml value")
	require.Contains(t, failure(t, l, "a", strings.Repeat("b.", 1e5)+"b=1"), "want key.path=value")
}

func TestBase(t *testing.T) {
	t.Chdir(t.TempDir()) // away from the real presets
	l := library(map[string]string{
		"one.toml":    "x = 1\nl = [1, 2]\nt = {a = 1, b = 1}\ns = {deep = 1}",
		"two.toml":    "x = 2\nt = {b = 2, c = 2}",
		"run.toml":    "base = ['one', 'two.toml']\nl = [3]\ns = 5\n[t]\nc = 3",
		"cycle.toml":  "base = ['round']",
		"round.toml":  "base = ['cycle']",
		"self.toml":   "base = ['self']",
		"orphan.toml": "x = 1\nbase = ['tow']",
		"fork.toml":   "base = ['two', 'two']",
	})
	require.Equal(t, "l = [3]\ns = 5\nx = 2\n\n[t]\na = 1\nb = 2\nc = 3\n", flat(t, l, "run"))
	require.Contains(t, flat(t, l, "fork"), "x = 2", "a diamond is no cycle")
	require.Equal(t, "configs/round.toml:1: base: cycle: configs/cycle.toml -> configs/round.toml -> configs/cycle.toml",
		failure(t, l, "cycle"))
	require.Equal(t, "configs/self.toml:1: base: cycle: configs/self.toml -> configs/self.toml", failure(t, l, "self"))
	require.Equal(t, `configs/orphan.toml:2: base: config "tow": no such file, and no preset of that name (did you mean "two"?)`,
		failure(t, l, "orphan"))

	dir := t.TempDir()
	write(t, dir, "one.toml", "x = 'beside'")
	path := write(t, dir, "sub/run.toml", "base = ['two', '../one']")
	require.Equal(t, "x = \"beside\"\n\n[t]\nb = 2\nc = 2\n", flat(t, l, path))
	absolute := write(t, dir, "sub/absolute.toml", "base = ['"+path+"']")
	require.Equal(t, flat(t, l, path), flat(t, l, absolute))
	link := filepath.Join(dir, "link.toml")
	require.NoError(t, os.Symlink(path, link))
	write(t, dir, "one.toml", "base = ['link.toml']")
	require.Contains(t, failure(t, l, path), "cycle: ")
}

func TestUse(t *testing.T) {
	t.Chdir(t.TempDir()) // away from the real presets
	l := library(map[string]string{
		"run.toml":           "[system]\nuse = 'h200'\n[system.hbm]\nchannels = 3\n[model]\nuse = 'llama'\nlayers = 4",
		"outer.toml":         "base = ['run']\nmodel.use = 'opt'",
		"systems/h200.toml":  "base = ['gpu']\nname = 'h200'\n[hbm]\nuse = 'hbm3e'\nspeed = 6",
		"systems/gpu.toml":   "name = 'gpu'\nsms = 132",
		"systems/hbm3e.toml": "channels = 1\nspeed = 1\nbanks = 16",
		"systems/hbm2.toml":  "channels = 2\nrows = 2",
		"models/llama.toml":  "layers = 1\nheads = 8",
		"models/opt.toml":    "layers = 2\nbias = true",
		"llama.toml":         "[model]\nuse = 'llama'",
		"list.toml":          "[[links]]\nuse = 'opt'\nlayers = 9\n[[links]]\nlayers = 1",
		"loop.toml":          "[a]\nuse = 'loopa'",
		"loopa.toml":         "[b]\nuse = 'loop'",
		"chain.toml":         "[model]\nuse = 'chained'",
		"chained.toml":       "use = 'opt'\nlayers = 7",
		"plain.toml":         "[a]\nuse = 3",
		"missing.toml":       "[model]\n\nuse = 'lama'",
	})
	const hbm = "\n[system.hbm]\nbanks = 16\nchannels = 3\nspeed = 6\n"
	const system = "\n[system]\nname = \"h200\"\nsms = 132\n" + hbm
	require.Equal(t, "[model]\nheads = 8\nlayers = 4\n"+system, flat(t, l, "run"))
	require.Equal(t, "[model]\nbias = true\nlayers = 4\n"+system, flat(t, l, "outer"), "the outer use wins, explicit keys stay")
	require.Equal(t, flat(t, l, "outer"), flat(t, l, "run", "model.use=opt"))
	require.Equal(t, "[model]\nheads = 8\nlayers = 4\n\n[system]\nname = \"h200\"\nsms = 132\n"+
		"\n[system.hbm]\nchannels = 3\nrows = 2\nspeed = 6\n", flat(t, l, "run", "system.hbm.use=hbm2"))
	require.Equal(t, "[model]\nheads = 8\nlayers = 1\n", flat(t, l, "llama"), "a file never uses itself")
	require.Equal(t, "[[links]]\nbias = true\nlayers = 9\n\n[[links]]\nlayers = 1\n", flat(t, l, "list"))
	require.Equal(t, "[model]\nbias = true\nlayers = 7\n", flat(t, l, "chain"))
	require.Equal(t, "[a]\nuse = 3\n", flat(t, l, "plain"))
	require.Equal(t, "configs/loopa.toml:2: a.b.use: cycle: configs/loop.toml -> configs/loopa.toml -> configs/loop.toml",
		failure(t, l, "loop"))
	require.Equal(t, `configs/missing.toml:3: model.use: config "lama": no such file, and no preset of that name (did you mean "llama"?)`,
		failure(t, l, "missing"))

	dir := t.TempDir()
	write(t, dir, "mine.toml", "layers = 'mine'")
	path := write(t, dir, "run.toml", "[model]\nuse = 'mine'")
	require.Equal(t, "[model]\nlayers = \"mine\"\n", flat(t, l, path))
	write(t, dir, "models/folder.toml", "layers = 'folder'")
	write(t, dir, "folder.toml", "layers = 'a run'")
	require.Equal(t, "[model]\nlayers = \"folder\"\n", flat(t, l, path, "model.use=folder"))
	require.Equal(t, "[model]\nlayers = \"mine\"\n", flat(t, l, "llama", "model.use="+filepath.Join(dir, "mine")))
	t.Chdir(t.TempDir())
	write(t, ".", "here.toml", "layers = 'here'")
	require.Equal(t, "[model]\nlayers = \"here\"\n", flat(t, l, path, "model.use=here"), "-set starts from the current directory")
	require.Equal(t, "[model]\nlayers = \"mine\"\n", flat(t, l, path, "model.use=mine"), "and then looks beside the file")
}

func TestSets(t *testing.T) {
	t.Chdir(t.TempDir()) // away from the real presets
	l := library(map[string]string{
		"run.toml":   "x = 1\nl = [1, 2]\n[t]\na = 1\n[[links]]\nlanes = 8\n[[links]]\nlanes = 8",
		"empty.toml": "",
		"used.toml":  "[s]\nuse = 'run'",
	})
	for _, c := range []struct{ set, key, want string }{
		{"x=2", "x", "2"},
		{"x = 2 # two", "x", "2"},
		{"x=1e3", "x", "1000.0"},
		{"x=true", "x", "true"},
		{"x=llama", "x", `"llama"`},
		{"x=a=b", "x", `"a=b"`},
		{"x=", "x", `""`},
		{`x="a b"`, "x", `"a b"`},
		{"x=2026-11-01", "x", `"2026-11-01"`},
		{"x=nan", "x", `"nan"`},
		{"x=1\ny=2", "x", `"1\ny=2"`},
		{"x=[1, 'a']", "x", `[1, "a"]`},
		{"t.b=2", "t", `{a = 1, b = 2}`},
		{"t={b=2}", "t", `{a = 1, b = 2}`},
		{`"t".'c d' = 3`, "t", `{a = 1, "c d" = 3}`},
		{"new.table.here=1", "new", `{table = {here = 1}}`},
		{"l.1=5", "l", `[1, 5]`},
		{"links.0.lanes=16", "links", `[{lanes = 16}, {lanes = 8}]`},
		{"links.1.speed.up=16", "links", `[{lanes = 8}, {lanes = 8, speed = {up = 16}}]`},
		{"links=[]", "links", `[]`},
	} {
		d, err := l.load("run", []string{c.set})
		require.NoError(t, err, c.set)
		n, ok := d.root.find(c.key)
		require.True(t, ok, c.set)
		require.Equal(t, c.want, inline(n), c.set)

		d, err = l.load("used", []string{"s." + c.set})
		require.NoError(t, err, c.set)
		n, _ = d.root.find("s." + c.key)
		require.Equal(t, c.want, inline(n), "under a preset: %s", c.set)
	}
	require.Equal(t, "x = 3\n", flat(t, l, "empty", "x=2", "x=3"))
	require.Equal(t, "[a]\nb = 2\n", flat(t, l, "empty", "a.b=1", "a.b=2"))
	require.Equal(t, "[a]\nb = 2\n", flat(t, l, "empty", "a=5", "a={b=2}"))

	for set, want := range map[string]string{
		"x":                "-set x: want key.path=value",
		"=1":               "-set =1: want key.path=value",
		"a.=1":             "-set a.=1: want key.path=value",
		".a=1":             "-set .a=1: want key.path=value",
		"a b=1":            "-set a b=1: want key.path=value",
		"a\n=1":            `-set "a\n=1": want key.path=value`,
		"x=\xff":           `-set "x=\xff": want key.path=value`,
		"base=['a']":       "-set base=['a']: base belongs in a file",
		"x=[1,":            "-set x=[1,: [1, is not a toml value",
		"x=[nan]":          "-set x=[nan]: x.0: dates and nan are not supported",
		"x.y=1":            "-set x.y=1: 1 (configs/run.toml:1) is not a table",
		"links.2.lanes=1":  "-set links.2.lanes=1: no element 2 in an array of 2 (configs/run.toml:5)",
		"links.-1.lanes=1": "-set links.-1.lanes=1: no element -1 in an array of 2 (configs/run.toml:5)",
		"links.lanes=1":    "-set links.lanes=1: no element lanes in an array of 2 (configs/run.toml:5)",
	} {
		require.Equal(t, want, failure(t, l, "run", set), "%q", set)
	}
}

func TestOrigins(t *testing.T) {
	t.Chdir(t.TempDir()) // away from the real presets
	l := library(map[string]string{
		"run.toml":          "base = ['old']\n\n[system]\nuse = 'h200'\nsms = 3\n",
		"old.toml":          "x = 1\n\ny.z = 1\n",
		"systems/h200.toml": "sms = 1\nlinks = [\n  {lanes = 1},\n  {lanes = 2},\n]\n",
	})
	d, err := l.load("run", []string{"y.w=4", "system.links.1.lanes=9"})
	require.NoError(t, err)
	for key, want := range map[string]string{
		"x":                    "configs/old.toml:1",
		"y":                    "configs/old.toml:3",
		"y.z":                  "configs/old.toml:3",
		"y.w":                  "-set y.w=4",
		"system":               "configs/run.toml:3",
		"system.sms":           "configs/run.toml:5",
		"system.links":         "configs/systems/h200.toml:2",
		"system.links.0":       "configs/systems/h200.toml:3",
		"system.links.1":       "configs/systems/h200.toml:4",
		"system.links.1.lanes": "-set system.links.1.lanes=9",
		"system.links.7.lanes": "configs/systems/h200.toml:2",
		"system.none":          "configs/run.toml:3",
		"none":                 "configs/run.toml",
		"":                     "configs/run.toml",
	} {
		require.Equal(t, want, d.Pos(key).String(), key)
	}
	v, ok := d.Get("system.links")
	require.True(t, ok)
	require.Equal(t, []any{map[string]any{"lanes": int64(1)}, map[string]any{"lanes": int64(9)}}, v)
	v, ok = d.Get("system.links.1.lanes")
	require.True(t, ok)
	require.Equal(t, int64(9), v)
	for _, key := range []string{"none", "system.links.2", "x.y", "system.", "system..sms", "system sms"} {
		_, ok = d.Get(key)
		require.False(t, ok, key)
	}
}
