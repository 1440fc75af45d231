package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// binary is the program under test.
var binary string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "hwsim")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "hwsim")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", binary, ".")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// hwsim runs the program in a folder with the files.
func hwsim(t *testing.T, files map[string]string, args ...string) (code int, out, errOut string) {
	t.Helper()
	c := exec.Command(binary, args...)
	c.Dir = t.TempDir()
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(c.Dir, name), []byte(text), 0o666))
	}
	var o, e bytes.Buffer
	c.Stdout, c.Stderr = &o, &e
	if err := c.Run(); err != nil {
		require.IsType(t, &exec.ExitError{}, err)
	}
	return c.ProcessState.ExitCode(), o.String(), e.String()
}

func TestProgram(t *testing.T) {
	files := map[string]string{
		"report.json": "mine",
		"bad.toml":    "[model]\nuse = 'llama3-8b'\nlayer = 32\n[workload]\nbatch = 'many'\n",
	}
	for _, test := range []struct {
		name, args string
		code       int
		out, err   string // what they contain; nothing at all if empty
		lines      int    // of stderr
	}{
		{"wrong flag", "-bogus", 2, "", "-bogus", 1},
		{"no configuration", "", 2, "", "no configuration given", 1},
		{"missing configuration", "-config none.toml", 2, "", `config "none.toml": no such file`, 1},
		{"unknown command", "lits", 2, "", "hwsim help", 1},
		{"unknown format", "bad.toml -format yaml", 2, "", "want text, json or csv", 1},
		{"existing output", "bad.toml -o .", 2, "", "report.json exists; -force", 1},
		{"help", "-h", 0, "-print-config", "", 0},
		{"version", "version", 0, "hwsim", "", 0},
		{"list", "list models", 0, "llama3-8b", "", 0},
		{"print", "bad.toml -print-config", 0, "layer = 32                        # bad.toml:3", "", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, out, errOut := hwsim(t, files, strings.Fields(test.args)...)
			require.Equal(t, test.code, code)
			require.Equal(t, test.lines, strings.Count(errOut, "\n"), errOut)
			require.Contains(t, errOut, test.err)
			require.Contains(t, out, test.out)
			require.Equal(t, test.out == "", out == "", out)
		})
	}
}

func TestEveryMistakeOfAConfigurationIsALine(t *testing.T) {
	files := map[string]string{"bad.toml": "[model]\nlayer = 32\n[workload]\nbatch = 'many'\n"}
	code, out, errOut := hwsim(t, files, "bad.toml")
	require.Equal(t, 2, code)
	require.Empty(t, out)
	require.Contains(t, errOut, "hwsim: bad.toml:2: model.layer: unknown key")
	require.Contains(t, errOut, "hwsim: bad.toml:4: workload.batch: ")
}
