//go:build unix

package store

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAStoreHasOneWriter(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	_, err := Open(dir, header())
	require.EqualError(t, err, dir+": another process writes to it")
	require.NoError(t, s.Close())
	require.NoError(t, open(t, dir).Close())
}
