package replay

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices/dram"
	"hwsim/sim"
)

func TestRecordsAreTracesOfTheirWindow(t *testing.T) {
	var out bytes.Buffer
	r := NewRecorder(&out)
	r.From, r.To, r.Most = 1000, 5_000_000, 3
	r.Arrived(999, dram.Request{Addr: 1, Bytes: 64})
	r.Arrived(1000, dram.Request{Addr: 0xabc0, Bytes: 64})
	r.Arrived(1001, dram.Request{Addr: 64, Bytes: 32, Write: true})
	r.Arrived(4_999_999, dram.Request{Addr: 1 << 40, Bytes: 128})
	r.Arrived(4_999_999, dram.Request{Addr: 0, Bytes: 128}) // one too many
	r.Arrived(5_000_000, dram.Request{Addr: 0, Bytes: 128})
	require.NoError(t, r.Close())
	require.Equal(t, "ns,addr,bytes,op\n0.000,0xabc0,64,R\n0.001,0x40,32,W\n4998.999,0x10000000000,128,R\n", out.String())
	count, asked := r.Count()
	require.Equal(t, int64(3), count)
	require.Equal(t, uint64(224), asked)
}

func TestRecordingAllocatesNothing(t *testing.T) {
	r := NewRecorder(io.Discard)
	at := sim.Time(0)
	require.Zero(t, testing.AllocsPerRun(10_000, func() {
		at += 777
		r.Arrived(at, dram.Request{Addr: uint64(at) << 20, Bytes: 64})
	}))
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestARecordThatIsNotWholeIsAnError(t *testing.T) {
	r := NewRecorder(full{})
	for range 10_000 {
		r.Arrived(0, dram.Request{Bytes: 64})
	}
	require.EqualError(t, r.Close(), "disk full")
}
