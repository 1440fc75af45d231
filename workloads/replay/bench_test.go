package replay

import (
	"testing"

	"hwsim/devices/dram"
)

// benchmark sends b.N requests to an hbm3_6400 channel.
func benchmark(b *testing.B, pattern string, load int64) {
	cfg, _ := Device("hbm3_6400")
	c, err := dram.New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	src, err := Generate(pattern, c.Spec(), 1, uint64(b.N), 1)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	Run(c, src, Pace{Load: load})
}

func BenchmarkSequential(b *testing.B) { benchmark(b, "seq", Saturated) }
func BenchmarkRandom(b *testing.B)     { benchmark(b, "rand", Saturated) }
func BenchmarkMixed(b *testing.B)      { benchmark(b, "seqrw50", Saturated) }
func BenchmarkRandomIdle(b *testing.B) { benchmark(b, "rand", 1) }

// BenchmarkDevice runs b.N requests on the 96 channels of an H200, by as many
// workers as -cpu says: go test -bench Device -cpu 1,2.
func BenchmarkDevice(b *testing.B) {
	for _, pattern := range []string{"seq", "rand"} {
		b.Run(pattern, func(b *testing.B) {
			cfg, _ := Device("hbm3e_h200")
			a, err := NewArray(cfg, 96, 512)
			if err != nil {
				b.Fatal(err)
			}
			src, err := Generate(pattern, a.Spec(), len(a.Channels), uint64(b.N), 1)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.ResetTimer()
			a.Run(src, Pace{Load: Saturated})
		})
	}
}
