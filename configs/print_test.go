package configs

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// samples seed the fuzz targets.
var samples = []string{
	"a = 1\nb = 'x'\nc = 1.5\nd = true\ne = []\nf = {}\n[g]\n[[h]]\n[[h]]\ni = 1\n[h.j]\nk = [{}, 2, [{l = 1}]]",
	"a.b.c = 1\na.d = \"\\u00e9\\n\"\n\"x y\".'z.w' = '''\n'''\nf = -0.0\ng = inf\nh = 1e-300",
	"[[a]]\n[[a.b]]\nc = {d.e = 1, f = [\n{g = 1}, # x\n]}\n[[a]]\n[a.b]",
	"m = \"\"\"a\\\n  b\"\"\"\"\"\nn = 0x1F\no = 1_000\n",
	"base = []\n[system]\nuse = 'f'\n",
	"\"\" = 1\n\"\\u0000\" = {\"\" = 2}",
	"a = 1979-05-27 07:32:00\nb = nan",
}

// reload loads what d prints.
func reload(t *testing.T, d *Document) *Document {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, d.Print(&out))
	again, err := library(map[string]string{"again.toml": out.String()}).load("again", nil)
	require.NoError(t, err, out.String())
	return again
}

func TestPrint(t *testing.T) {
	l := library(map[string]string{
		"run.toml": "batch = 8\nrates = [1.0, 2e9, inf]\nempty = []\nnone = {}\nname = \"a\\\"\\n\\u0001b\"\n" +
			"mixed = [1, {a = 1}]\n[system]\nuse = 'h200'\n[system.\"odd key\"]\nx = true\n",
		"systems/h200.toml": "[deep.er]\nx = -1\n[[links]]\nlanes = 8\n[links.phy]\nns = 2.5\n[[links]]\n",
	})
	d, err := l.load("run", []string{"system.links.1.lanes=4", "rates.0=3", "c=a\nb"})
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, d.Print(&out))
	golden(t, "print.golden", out.String())
	again := reload(t, d)
	require.Equal(t, d.root.plain(), again.root.plain())
	require.Equal(t, d.Hash(), again.Hash())
}

// What PrintUses prints varies as what it was printed from: a preset that a set names
// takes the place of the one used.
func TestPrintUsesKeepsUses(t *testing.T) {
	files := map[string]string{
		"run.toml": "base = ['base.toml']\n[system]\nuse = 'one'\n", "base.toml": "[system]\nown = 1\n",
		"systems/one.toml": "size = 1\nown = 2\n", "systems/another.toml": "size = 3\nspeed = 4\n",
	}
	d, err := library(files).load("run", []string{"batch=9"})
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, d.PrintUses(&out))
	again, err := library(map[string]string{
		"again.toml": out.String(), "systems/one.toml": files["systems/one.toml"], "systems/another.toml": files["systems/another.toml"],
	}).load("again", nil)
	require.NoError(t, err)
	require.Equal(t, d.Hash(), again.Hash())
	for _, set := range []string{"system.use=another", "system.size=5"} {
		want, err := d.With([]string{set})
		require.NoError(t, err)
		got, err := again.With([]string{set})
		require.NoError(t, err)
		require.Equal(t, want.Hash(), got.Hash())
		require.NotEqual(t, d.Hash(), got.Hash())
	}
}

func TestHash(t *testing.T) {
	hash := load(t, "a = 1\nb = 2").Hash()
	require.Len(t, hash, 16)
	require.Equal(t, hash, load(t, "# moved\nb = 2\n\na = 3", "a=1").Hash())
	require.NotEqual(t, hash, load(t, "a = 1\nb = 2.0").Hash())
}

func FuzzLoad(f *testing.F) {
	for _, text := range samples {
		f.Add(text, "a.b=1")
	}
	f.Fuzz(func(t *testing.T, text, set string) {
		l := library(map[string]string{"f.toml": text})
		for _, sets := range [][]string{nil, {set}} {
			d, err := l.load("f", sets)
			if err != nil {
				require.NotContains(t, err.Error(), "\n")
				continue
			}
			again := reload(t, d)
			require.Equal(t, d.root.plain(), again.root.plain())
			require.Equal(t, d.Hash(), again.Hash())
			var v anything
			if err := d.Decode(&v); err != nil {
				require.NotEmpty(t, err.Error())
			}
		}
	})
}
