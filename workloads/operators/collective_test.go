package operators

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/configs"
	"hwsim/hierarchy"
	"hwsim/workloads/kernels"
)

// pair returns one of two H200s and its library.
func pair(t *testing.T) (*hierarchy.Config, *kernels.Profiles) {
	t.Helper()
	var c hierarchy.Config
	var p kernels.Profiles
	for name, v := range map[string]any{"h200_sxm": &c, "kernels/hopper_triton": &p} {
		d, err := configs.Load(name, nil)
		require.NoError(t, err)
		require.NoError(t, d.Decode(v))
	}
	return &c, &p
}

func microseconds(t *testing.T, c *hierarchy.Config, p *kernels.Profiles, o CollectiveOptions) float64 {
	t.Helper()
	r, err := Collective(context.Background(), c, p, o)
	require.NoError(t, err)
	return r.Ns / 1e3
}

func TestAStepMoreTakesAHopMore(t *testing.T) {
	c, p := pair(t)
	two := microseconds(t, c, p, CollectiveOptions{Gather: true, GPUs: 2, Bytes: 1024})
	three := microseconds(t, c, p, CollectiveOptions{Gather: true, GPUs: 3, Bytes: 1024})
	r := ring(c, CollectiveOptions{})
	require.Greater(t, three-two, r.Hop.Nanoseconds()/1e3)
	require.Less(t, three-two, r.Hop.Nanoseconds()/1e3+1, "with a trip's loads")
}

func TestACollectiveIsNoFasterThanItsLink(t *testing.T) {
	c, p := pair(t)
	us := microseconds(t, c, p, CollectiveOptions{GPUs: 2, Bytes: 64 << 20})
	require.Less(t, (64<<20)/us/1e3, c.Peer.Link.RawGBps)
	require.Greater(t, (64<<20)/us/1e3, c.Peer.Link.RawGBps/2)
}

func TestCollectivesNeedAPeerAndARing(t *testing.T) {
	c, p := pair(t)
	p.Ring.Channels = 0
	_, err := Collective(context.Background(), c, p, CollectiveOptions{GPUs: 2, Bytes: 1})
	require.EqualError(t, err, "the kernels hopper_triton have no ring")
	c.Peer = nil
	_, err = Collective(context.Background(), c, p, CollectiveOptions{GPUs: 2, Bytes: 1})
	require.ErrorIs(t, err, errNoPeer)
	_, err = OneShot(context.Background(), c, p, CollectiveOptions{GPUs: 2, Bytes: 1})
	require.ErrorIs(t, err, errNoPeer)
}
