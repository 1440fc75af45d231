package command

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// /dev/full is Linux's.
func TestFullDiskIsNotSuccess(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	require.NoError(t, err)
	defer full.Close()
	c := hwsim(t, "", "run.toml")
	c.Stdout = full
	require.Error(t, c.Run())
	require.Equal(t, 1, c.ProcessState.ExitCode())
}
