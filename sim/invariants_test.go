//go:build invariants

package sim

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMessageWithinTheWindowIsCaught(t *testing.T) {
	e := NewEngine[note](lookahead)
	d := attach(e, "hasty", func(d *funcDomain, now Time, n note) {
		d.Send(0, now+lookahead-1, Deliver, &n)
	})
	d.Push(0, Deliver, note{})
	defer func() {
		require.ErrorContains(t, recover().(error), "hasty sends to hasty for 20 ns, within the window up to 20 ns")
	}()
	_ = e.Run(nil)
	require.Fail(t, "no panic")
}
