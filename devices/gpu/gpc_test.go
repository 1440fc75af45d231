package gpu

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// gpcs returns a GPU of so many SMs in so many GPCs.
func gpcs(sms, n int) Config {
	c := testConfig(sms)
	c.GPCs = n
	return c
}

func TestGPCsHaveWholeTPCs(t *testing.T) {
	for _, k := range []struct {
		sms, gpcs int
		want      []int
	}{{132, 8, []int{16, 16, 16, 18, 16, 16, 16, 18}}, {5, 2, []int{2, 3}}, {3, 1, []int{3}}, {5, 8, []int{2, 2, 1}}, {40, 0, []int{12, 14, 14}}} {
		c := gpcs(k.sms, k.gpcs)
		require.Equal(t, k.want, c.gpcs(), "%d SMs", k.sms)
	}
}

func TestAGridFillsTheFirstGPCThenGoesRound(t *testing.T) {
	c := gpcs(12, 3)
	c.FillFirst = 2
	g := newRig(t, c, memory{})
	var got []int
	for n := range c.SMs {
		got = append(got, g.gpu.GPC(n))
	}
	require.Equal(t, []int{0, 0, 0, 1, 2, 0, 1, 2, 1, 2, 1, 2}, got)
}

// Two SMs of one GPC wait for each other's answers at its port, two of
// different GPCs do not.
func TestSMsShareTheirGPCsPort(t *testing.T) {
	const tiles, tile = 300, 4096
	span := func(sms, n int) float64 {
		c := gpcs(sms, n)
		c.GPCBytesPerClk = 64 // 64 GB/s
		g := newRig(t, c, memory{latency: 300 * ns})
		g.run(Op{Kernel: kernel(2, 8, &streamer{tiles: tiles, bytes: tile})})
		return g.span(0).Nanoseconds()
	}
	alone := tiles * tile / 64.0
	require.InEpsilon(t, alone, span(4, 2), 0.1)
	require.InEpsilon(t, 2*alone, span(2, 1), 0.1)
}

// A GPC has no more under way than its window, whatever its SMs want; it is
// all used, and both SMs get on.
func TestTheWindowBoundsWhatIsUnderWay(t *testing.T) {
	const tiles, tile, latency, way = 40, 4096, 300, 120
	for _, sm := range []int{2048, 4096} {
		c := gpcs(2, 1)
		c.SMBytes = sm
		g := newRig(t, c, memory{latency: latency * ns})
		most := 0
		g.gpu.Front.Add(0, Op{Kernel: kernel(2, 8, &streamer{tiles: tiles, bytes: tile})})
		g.runUntil(func() bool {
			most = max(most, g.gpu.Groups[0].window.flight)
			return g.gpu.Front.Ended() == 1
		})
		require.LessOrEqual(t, most, 2*sm)
		require.Zero(t, g.gpu.Groups[0].window.flight)
		// Room is handed out turnBytes at a time.
		require.InEpsilon(t, 2*tiles*tile/float64(2*sm)*(latency+way), g.span(0).Nanoseconds(), 0.35)
	}
}
