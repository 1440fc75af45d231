package command

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/pprof/profile"
	"github.com/stretchr/testify/require"
)

func TestOutputsAreWrittenBesideTheReport(t *testing.T) {
	c := hwsim(t, "", "run.toml", "-format", "json", "-o", "a/b")
	got := finish(t, c)
	require.Zero(t, got.code, got.err)
	text, err := os.ReadFile(filepath.Join(c.Dir, "a/b/report.json"))
	require.NoError(t, err)
	require.Equal(t, got.out, string(text))
	packed, err := os.ReadFile(filepath.Join(c.Dir, "a/b/profile.pb.gz"))
	require.NoError(t, err)
	p, err := profile.ParseData(packed)
	require.NoError(t, err)
	require.EqualValues(t, 1000, p.DurationNanos)
	trace, err := os.ReadFile(filepath.Join(c.Dir, "a/b/trace.json"))
	require.NoError(t, err)
	require.Contains(t, string(trace), `"traceEvents":[`)
}

func TestAnalyticRunsHaveNoTimeline(t *testing.T) {
	c := hwsim(t, "", "run.toml", "-fidelity", "analytic", "-o", "out")
	got := finish(t, c)
	require.Zero(t, got.code, got.err)
	require.FileExists(t, filepath.Join(c.Dir, "out/profile.pb.gz"))
	require.NoFileExists(t, filepath.Join(c.Dir, "out/trace.json"))
}

func TestOnlyForceOverwrites(t *testing.T) {
	args := []string{"run.toml", "-o", "."}
	c := hwsim(t, "", args...)
	file := filepath.Join(c.Dir, "profile.pb.gz")
	require.NoError(t, os.WriteFile(file, []byte("mine"), 0o666))
	require.Equal(t, outcome{2, "", "hwsim: profile.pb.gz exists; -force overwrites it\n"}, finish(t, c))
	require.NoFileExists(t, filepath.Join(c.Dir, "report.json"))
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "mine", string(content))

	again := hwsim(t, "", append(args, "-force")...)
	again.Dir = c.Dir
	require.Zero(t, finish(t, again).code)
	content, err = os.ReadFile(file)
	require.NoError(t, err)
	require.NotEqual(t, "mine", string(content))
}

func TestUnwritableOutputIsTheUsersError(t *testing.T) {
	c := hwsim(t, "", "run.toml", "-o", "run.toml/sub")
	got := finish(t, c)
	require.Equal(t, 2, got.code)
	require.Equal(t, "hwsim: mkdir run.toml: not a directory\n", got.err)
}

func TestCPUProfileIsWritten(t *testing.T) {
	c := hwsim(t, "", "run.toml", "-cpuprofile", "cpu.prof")
	require.Zero(t, finish(t, c).code)
	require.FileExists(t, filepath.Join(c.Dir, "cpu.prof"))
}
