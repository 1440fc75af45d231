package command

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// interrupt sends Ctrl-C each time the program says that it is ready, until
// it ends.
func interrupt(t *testing.T, c *exec.Cmd) outcome {
	t.Helper()
	var out bytes.Buffer
	c.Stdout = &out
	pipe, err := c.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	lines := bufio.NewReader(pipe)
	rest := ""
	for {
		line, err := lines.ReadString('\n')
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		if line == "ready\n" {
			require.NoError(t, c.Process.Signal(os.Interrupt))
		} else {
			rest += line
		}
	}
	if err := c.Wait(); err != nil {
		require.IsType(t, &exec.ExitError{}, err)
	}
	return outcome{c.ProcessState.ExitCode(), out.String(), rest}
}

func TestInterruptPrintsWhatIsKnown(t *testing.T) {
	c := hwsim(t, "wait", "run.toml", "-o", "out")
	got := interrupt(t, c)
	require.Equal(t, 130, got.code)
	require.Equal(t, "hwsim: interrupted\n", got.err)
	require.Contains(t, got.out, "INTERRUPTED  step 1.00 µs")
	text, err := os.ReadFile(filepath.Join(c.Dir, "out", "report.json"))
	require.NoError(t, err)
	require.Contains(t, string(text), `"complete": false`)
}

func TestInterruptWithNothingKnownPrintsNothing(t *testing.T) {
	require.Equal(t, outcome{130, "", "hwsim: interrupted\n"}, interrupt(t, hwsim(t, "forget", "run.toml")))
	require.Equal(t, outcome{130, "", "hwsim: interrupted before anything was known\n"}, interrupt(t, hwsim(t, "nothing", "run.toml")))
}

func TestSecondInterruptKills(t *testing.T) {
	c := hwsim(t, "ignore", "run.toml")
	interrupt(t, c)
	status := c.ProcessState.Sys().(syscall.WaitStatus)
	require.True(t, status.Signaled())
	require.Equal(t, syscall.SIGINT, status.Signal())
}
