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
	src, err := Generate(pattern, c.Spec(), uint64(b.N), 1)
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
