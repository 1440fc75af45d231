package synthetic

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices/cpu"
)

// BenchmarkFill makes b.N accesses of each kind at its default size.
func BenchmarkFill(b *testing.B) {
	for _, kind := range Kinds() {
		b.Run(kind, func(b *testing.B) {
			s, err := New(&Config{Kind: kind}, 1)
			require.NoError(b, err)
			batch := make([]cpu.Access, 256)
			b.ReportAllocs()
			b.ResetTimer()
			for n := 0; n < b.N; n += len(batch) {
				s.Fill(batch)
			}
		})
	}
}
