package gpu

import "testing"

// The cost of a request in real time: grids that stream through four SMs.
func BenchmarkGrid(b *testing.B) {
	g := newRig(b, testConfig(4), memory{latency: 400 * ns})
	b.ReportAllocs()
	for b.Loop() {
		g.run(Op{Kernel: kernel(16, 4, &streamer{tiles: 64, bytes: 1024})})
	}
	b.ReportMetric(float64(g.l2.bytes)/granule/b.Elapsed().Seconds(), "requests/s")
}
