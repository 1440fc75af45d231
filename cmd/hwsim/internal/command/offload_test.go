package command

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/configs"
	"hwsim/workloads/offload"
)

// fakeOffload behaves as [offload]'s behave says.
func fakeOffload(d *configs.Document, o offload.Options) (*offload.Result, error) {
	if behave, _ := d.Get("offload.behave"); behave == "mistake" {
		return nil, UserError(errors.New("offload: policy 1x1 does not fit: drive: needs 2 GiB, has 1"))
	}
	return &offload.Result{Schema: 1, Name: o.Name, Hash: o.Hash, Model: "tiny", Machine: "toy", System: "flexgen", TokensPerSecond: 1}, nil
}

// offloadCommand returns a command that runs hwsim in a folder with a configuration
// offload.toml.
func offloadCommand(t *testing.T, behave, args string) *exec.Cmd {
	t.Helper()
	c := hwsim(t, "panic", strings.Fields(args)...)
	require.NoError(t, os.WriteFile(filepath.Join(c.Dir, "offload.toml"), []byte("[offload]\nbehave = '"+behave+"'\n"), 0o666))
	return c
}

func TestAConfigurationWithOffloadIsGeneration(t *testing.T) {
	got := finish(t, offloadCommand(t, "", "offload.toml -format json"))
	require.Zero(t, got.code, got.err)
	require.Empty(t, got.err)
	var r offload.Result
	require.NoError(t, json.Unmarshal([]byte(got.out), &r))
	require.Equal(t, "offload", r.Name)
	require.NotEmpty(t, r.Hash)
	require.Contains(t, finish(t, offloadCommand(t, "", "offload.toml")).out, "tiny by flexgen on toy")
	require.Contains(t, finish(t, offloadCommand(t, "", "offload.toml -format csv")).out, "run,offload,machine,toy,\n")
	require.Contains(t, finish(t, offloadCommand(t, "", "offload.toml -print-config -set offload.x=1")).out, "x = 1")
	require.Equal(t, outcome{2, "", "hwsim: offload: policy 1x1 does not fit: drive: needs 2 GiB, has 1\n"}, finish(t, offloadCommand(t, "mistake", "offload.toml")))
}

func TestOnlyExactFidelityIsOfOffload(t *testing.T) {
	require.Zero(t, finish(t, offloadCommand(t, "", "offload.toml -fidelity exact")).code)
	want := "hwsim: -fidelity analytic: a configuration with [offload] is scheduled step by step: want exact\n"
	require.Equal(t, outcome{2, "", want}, finish(t, offloadCommand(t, "", "offload.toml -fidelity analytic")))
}

func TestGenerationIsSavedWithoutAProfile(t *testing.T) {
	c := offloadCommand(t, "", "offload.toml -format json -o .")
	got := finish(t, c)
	require.Zero(t, got.code, got.err)
	saved, err := os.ReadFile(filepath.Join(c.Dir, "report.json"))
	require.NoError(t, err)
	require.Equal(t, got.out, string(saved))
	require.NoFileExists(t, filepath.Join(c.Dir, "profile.pb.gz"))
}
