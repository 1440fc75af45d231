package trace

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"hwsim/devices/cpu"
	"hwsim/sim"
)

// endless reads a head once and then a body over and over.
type endless struct {
	head, body []byte
	left       []byte
}

func (e *endless) Read(p []byte) (int, error) {
	if len(e.head) > 0 {
		n := copy(p, e.head)
		e.head = e.head[n:]
		return n, nil
	}
	if len(e.left) == 0 {
		e.left = e.body
	}
	n := copy(p, e.left)
	e.left = e.left[n:]
	return n, nil
}

// long are traces without end of each format: 2 instructions in 3 touch no
// memory, 1 access in 4 writes.
func long() map[string]io.Reader {
	var csv, champsim, lackey bytes.Buffer
	r := sim.NewRand(3)
	for i := range uint64(10_000) {
		addr := 0x7f00_0000_0000 + r.Uint64()%(1<<30)&^7
		op, access := "R", load(addr, rax, rax, rdi)
		if i%4 == 3 {
			op, access = "W", store(addr, rdi, rax)
		}
		fmt.Fprintf(&csv, "2,%#x,%s,0,0\n", addr, op)
		champsim.WriteString(file(alu(rbx, rax, rsi), alu(rdi, rdi), access))
		fmt.Fprintf(&lackey, "I  %08x,3\nI  %08x,4\nI  %08x,3\n %s %x,8\n", i, i+3, i+7, map[string]string{"R": "L", "W": "S"}[op], addr)
	}
	return map[string]io.Reader{
		"csv":      &endless{head: []byte("gap,addr,op,space,after\n"), body: csv.Bytes()},
		"champsim": &endless{body: champsim.Bytes()},
		"lackey":   &endless{body: lackey.Bytes()},
	}
}

func TestFillDoesNotAllocate(t *testing.T) {
	batch := make([]cpu.Access, 5000)
	for format, from := range long() {
		trace, err := New(format, from, "")
		require.NoError(t, err)
		filled := 0
		assert.Zero(t, testing.AllocsPerRun(20, func() { filled += trace.Fill(batch) }), format)
		require.Equal(t, 21*len(batch), filled, "%v", trace.Err())
	}
}

// BenchmarkFill reads an access a loop, of 3 instructions.
func BenchmarkFill(b *testing.B) {
	batch := make([]cpu.Access, 512)
	for _, format := range Formats {
		b.Run(format, func(b *testing.B) {
			trace, err := New(format, long()[format], "")
			require.NoError(b, err)
			b.ReportAllocs()
			b.ResetTimer()
			for left := b.N; left > 0; {
				left -= trace.Fill(batch[:min(left, len(batch))])
			}
			b.ReportMetric(float64(b.N)/1e6/b.Elapsed().Seconds(), "Maccesses/s")
		})
	}
}

// BenchmarkDecompress reads the accesses of a compressed ChampSim trace.
func BenchmarkDecompress(b *testing.B) {
	content, err := io.ReadAll(io.LimitReader(long()["champsim"], 3<<18*recordBytes))
	require.NoError(b, err)
	for packing, packed := range packings(b, string(content)) {
		b.Run(packing, func(b *testing.B) {
			b.SetBytes(int64(len(content)))
			for range b.N {
				all, err := read(packed, "")
				require.NoError(b, err)
				require.Len(b, all, 1<<18)
			}
		})
	}
}
