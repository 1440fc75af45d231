package slurm

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite golden files")

func small() *Array {
	return &Array{
		Name: "hwsim-0123", Tasks: 8, Options: []string{"partition=long", "comment=it's \"50 %\" \\ $(date)", "exclusive"},
		Folder: "/shared/my sweeps", Shards: "/shared/my 100% sweeps/out/shards",
		Command: []string{"/opt/hwsim", "sweep", "run.toml", "-set", `model.use="it's $HOME"`, "-set", ""},
	}
}

func TestTheScriptIsAsItWas(t *testing.T) {
	path := filepath.Join("testdata", "array.sbatch")
	got := small().Script()
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

// A task runs the command with every word as it was given.
func TestATaskRunsTheCommandWordByWord(t *testing.T) {
	a := small()
	a.Folder = filepath.Join(t.TempDir(), `a 'b' "c" $d`)
	require.NoError(t, os.Mkdir(a.Folder, 0o777))
	words := filepath.Join(a.Folder, "words")
	show := filepath.Join(a.Folder, "show")
	require.NoError(t, os.WriteFile(show, []byte("#!/bin/bash\npwd >words; printf '<%s>\\n' \"$@\" >>words\n"), 0o777))
	a.Command[0] = show
	for _, test := range []struct {
		env  []string
		jobs int
		want string
	}{
		{[]string{"SLURM_ARRAY_TASK_ID=5", "SLURM_CPUS_ON_NODE=3"}, 0, "3"},
		{[]string{"SLURM_ARRAY_TASK_ID=5"}, 0, "1"},
		{[]string{"SLURM_ARRAY_TASK_ID=5", "SLURM_CPUS_ON_NODE=3"}, 2, "2"},
	} {
		a.Jobs = test.jobs
		c := exec.Command("bash")
		c.Env = test.env
		c.Stdin = strings.NewReader(string(a.Script()))
		out, err := c.CombinedOutput()
		require.NoError(t, err, string(out))
		require.Empty(t, string(out))
		got, err := os.ReadFile(words)
		require.NoError(t, err)
		want := []string{"sweep", "run.toml", "-set", `model.use="it's $HOME"`, "-set", "", "-j", test.want, "-shard", "5/8", "-out", a.Store(5)}
		require.Equal(t, a.Folder+"\n<"+strings.Join(want, ">\n<")+">\n", string(got))
	}
}

func TestOptionsAreOfSbatch(t *testing.T) {
	for text, want := range map[string]string{
		"partition=long":  "",
		"exclusive":       "",
		"--time=10":       "want an option of sbatch without its dashes, as partition=long",
		"time=1\necho no": "want an option",
		"":                "want an option",
		"array=0-3%2":     "hwsim sets array itself",
		"output=x":        "hwsim sets output itself",
	} {
		err := CheckOption(text)
		if want == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, want)
		}
	}
	require.NoError(t, CheckFolder(`/a b/"c"/100%`))
	require.ErrorContains(t, CheckFolder(`/a\b`), "Slurm takes no backslash in a path")
	require.Error(t, CheckFolder("/a\nb"))
}
