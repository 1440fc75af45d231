package link

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWindowRefusesBeyondItsLimit(t *testing.T) {
	w := NewWindow(4)
	require.True(t, w.Take(3))
	require.False(t, w.Take(2))
	require.True(t, w.Take(1))
	require.False(t, w.Take(1))
	w.Give(3)
	require.True(t, w.Take(2))
	require.Equal(t, 3, w.Used())
	require.Equal(t, 4, w.Peak())
	require.Equal(t, uint64(2), w.Waits())
}

func TestWindowWithoutLimitNeverRefuses(t *testing.T) {
	var w Window
	for range 1000 {
		require.True(t, w.Take(1<<20))
	}
	require.Zero(t, w.Waits())
}

func TestIdleWindowAdmitsAnOversizedMessage(t *testing.T) {
	w := NewWindow(64)
	require.True(t, w.Take(256))
	require.False(t, w.Take(1))
	w.Give(256)
	require.True(t, w.Take(1))
}

func TestGivingUntakenCreditsPanics(t *testing.T) {
	w := NewWindow(4)
	require.True(t, w.Take(1))
	require.Panics(t, func() { w.Give(2) })
}
