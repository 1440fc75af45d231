package kubernetes

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "rewrite golden files")

func small() *Job {
	j := &Job{
		Name: "hwsim-0123", Tasks: 8, Image: "registry.example:5000/hwsim@sha256:ab", Claim: "results",
		Config: "batch = 8                         # run.toml:1\n\n[kv]\nuse = \"it's: {a}\"\n", File: "run.toml",
	}
	j.Arguments = []string{"sweep", j.ConfigPath(), "-seed", "1", "-j", "$(nproc) \"\n"}
	return j
}

func TestTheManifestIsAsItWas(t *testing.T) {
	path := filepath.Join("testdata", "job.yaml")
	got, err := small().Manifest()
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

// What a parser of YAML makes of the manifest is what the job says.
func TestTheManifestSaysWhatTheJobDoes(t *testing.T) {
	j := small()
	text, err := j.Manifest()
	require.NoError(t, err)
	var documents []map[string]any
	d := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var one map[string]any
		err := d.Decode(&one)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		documents = append(documents, one)
	}
	require.Len(t, documents, 2)
	require.Equal(t, map[string]any{"run.toml": j.Config}, documents[0]["data"])
	spec := documents[1]["spec"].(map[string]any)
	require.Equal(t, []any{"Indexed", 8, 8, 3}, []any{spec["completionMode"], spec["completions"], spec["parallelism"], spec["backoffLimitPerIndex"]})
	pod := spec["template"].(map[string]any)["spec"].(map[string]any)
	container := pod["containers"].([]any)[0].(map[string]any)
	require.Equal(t, j.Image, container["image"])
	require.Equal(t, []any{"sweep", "/config/run.toml", "-seed", "1", "-j", "$$(nproc) \"\n", "-shard", "$(JOB_COMPLETION_INDEX)/8",
		"-out", "/out/hwsim-0123/$(JOB_COMPLETION_INDEX)_of_8"}, container["args"])
	require.Equal(t, []any{
		map[string]any{"name": "config", "configMap": map[string]any{"name": "hwsim-0123"}},
		map[string]any{"name": "out", "persistentVolumeClaim": map[string]any{"claimName": "results"}},
	}, pod["volumes"])
}

func TestWhatKubernetesWouldRefuseIsAnError(t *testing.T) {
	for want, spoil := range map[string]func(*Job){
		`image "a b": want a container image, as registry/hwsim:1`:                                  func(j *Job) { j.Image = "a b" },
		`claim "A": want the name of a PersistentVolumeClaim`:                                       func(j *Job) { j.Claim = "A" },
		`configuration "my run.toml": want a name of letters, digits, dots, dashes and underscores`: func(j *Job) { j.File = "my run.toml" },
	} {
		j := small()
		spoil(j)
		_, err := j.Manifest()
		require.EqualError(t, err, want)
	}
}
