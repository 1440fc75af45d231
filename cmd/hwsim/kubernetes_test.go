package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// manifest is what the test of one reads.
type manifest struct {
	Metadata struct{ Name string }
	Data     map[string]string
	Spec     struct {
		Completions int
		Template    struct {
			Spec struct {
				Containers []struct{ Args []string }
			}
		}
	}
}

// What the pods of a manifest do, each with its index, joins to what a run on this
// machine has.
func TestPodsOfAManifestJoinToTheWhole(t *testing.T) {
	dir := t.TempDir()
	sweep := func(args ...string) string {
		t.Helper()
		c := exec.Command(binary, append([]string{"sweep"}, args...)...)
		c.Dir = dir
		var errOut bytes.Buffer
		c.Stderr = &errOut
		out, err := c.Output()
		require.NoError(t, err, errOut.String())
		return string(out)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "base.toml"), []byte(sweepFile), 0o666))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "run.toml"), []byte("base = ['base.toml']\n[workload]\ncontext = 4096\n"), 0o666))
	asked := []string{"run.toml", "-fidelity", "analytic", "-seed", "2", "-set", "system.host.cxl.expanders=4"}
	said := sweep(append(asked, "-manifest", "kubernetes", "-image", "hwsim:1", "-tasks", "3", "-out", "k8s")...)
	require.Contains(t, said, "k8s/job.yaml: 6 points in 3 pods, which write to ")

	text, err := os.ReadFile(filepath.Join(dir, "k8s", "job.yaml"))
	require.NoError(t, err)
	var config, job manifest
	d := yaml.NewDecoder(bytes.NewReader(text))
	require.NoError(t, d.Decode(&config))
	require.NoError(t, d.Decode(&job))
	require.Equal(t, 3, job.Spec.Completions)
	pods := filepath.Join(dir, "pods") // with all that a pod has
	require.NoError(t, os.Mkdir(pods, 0o777))
	for name, content := range config.Data {
		require.NoError(t, os.WriteFile(filepath.Join(pods, name), []byte(content), 0o666))
	}
	for index := range job.Spec.Completions {
		var args []string
		for _, a := range job.Spec.Template.Spec.Containers[0].Args {
			a = strings.ReplaceAll(a, "$(JOB_COMPLETION_INDEX)", strconv.Itoa(index))
			a = strings.Replace(a, "/config/", pods+"/", 1)
			args = append(args, strings.Replace(a, "/out/", pods+"/", 1))
		}
		require.Equal(t, "sweep", args[0])
		sweep(args[1:]...)
	}
	shards, err := filepath.Glob(filepath.Join(pods, job.Metadata.Name, "*"))
	require.NoError(t, err)
	merged := sweep(append([]string{"-merge", "-out", "k8s"}, shards...)...)
	require.Equal(t, sweep(append(asked, "-out", "local")...), merged)
	require.Equal(t, lines(t, filepath.Join(dir, "local")), lines(t, filepath.Join(dir, "k8s")))

	code, _, errOut := hwsim(t, map[string]string{"run.toml": sweepFile + "[system.host.ddr]\nuse = 'card.toml'\n", "card.toml": "channels = 4\n"},
		"sweep", "run.toml", "-manifest", "kubernetes", "-image", "hwsim:1", "-tasks", "3", "-out", "k8s")
	require.Equal(t, 2, code)
	require.Contains(t, errOut, "hwsim: -manifest: run.toml uses files, which pods do not have: want presets in their place: ")
	require.Equal(t, 1, strings.Count(errOut, "\n"))
}
