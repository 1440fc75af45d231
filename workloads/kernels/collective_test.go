package kernels

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices/gpu"
	"hwsim/sim"
)

// two is a call between two GPUs.
func two(gather bool, bytes uint64) Ring { return Ring{Gather: gather, GPUs: 2, Bytes: bytes} }

// NCCL's own choice, as its debug output tells it.
func TestProtocolsAndChannelsAreNCCLs(t *testing.T) {
	p := library(t, "hopper_triton").Ring
	for _, test := range []struct {
		gather   bool
		bytes    uint64
		simple   bool
		channels int
		threads  int
	}{
		{false, 1 << 10, false, 1, 128}, {false, 8 << 10, false, 1, 512}, {false, 16 << 10, false, 2, 512}, {false, 64 << 10, false, 8, 512},
		{false, 128 << 10, false, 16, 512}, {false, 1 << 20, false, 24, 512}, {false, 2 << 20, true, 24, 544}, {false, 256 << 20, true, 24, 544},
		{true, 16 << 10, false, 4, 512}, {true, 64 << 10, false, 16, 512}, {true, 1 << 20, false, 24, 512}, {true, 2 << 20, true, 24, 544},
	} {
		r := two(test.gather, test.bytes)
		o := p.Choose(&r)
		require.Equal(t, test.simple, o == &p.Simple, "%+v", test)
		k := p.Build("", o, r)
		require.Equal(t, []int{test.channels, test.threads}, []int{k.CTAs, k.Threads}, "%+v", test)
	}
}

// moved returns the bytes that a call's kernel reads and stores, by place.
func moved(t *testing.T, k *gpu.Kernel, at func(addr uint64) string) map[string]uint64 {
	t.Helper()
	sum := map[string]uint64{}
	var runs []gpu.Run
	for cta := range k.CTAs {
		for tile := range k.Program.Tiles(cta) {
			for _, r := range k.Program.Tile(cta, tile, runs[:0]) {
				kind := "read "
				if r.Store {
					kind = "store "
				}
				sum[kind+at(r.Addr)] += r.Total()
			}
		}
	}
	return sum
}

func TestARingMovesEachPartAsOftenAsItMust(t *testing.T) {
	p := library(t, "hopper_triton").Ring
	const in, out, inbox, next = 1 << 40, 2 << 40, 3 << 40, 4 << 40
	place := func(addr uint64) string { return []string{"", "in", "out", "inbox", "next"}[addr>>40] }
	for _, n := range []int{2, 4} {
		for name, o := range map[string]*Protocol{"LL": &p.LL, "LL128": &p.LL128, "Simple": &p.Simple} {
			for _, gather := range []bool{false, true} {
				t.Run(fmt.Sprint(n, name, gather), func(t *testing.T) {
					bytes := uint64(24 * 4 * 128 * 15 * 16) // shares of whole lines and trips
					k := p.Build("", o, Ring{Gather: gather, GPUs: n, Bytes: bytes, In: in, Out: out, Inbox: inbox, Next: next})
					m := moved(t, k, place)
					sent, reads := bytes*uint64(n-1), bytes
					if !gather {
						sent, reads = 2*sent/uint64(n), bytes
						require.Equal(t, bytes, m["store out"])
					} else {
						require.Equal(t, bytes*uint64(n), m["store out"])
					}
					require.Equal(t, reads, m["read in"])
					wire := float64(sent) * float64(o.WireBytes) / float64(o.TripBytes)
					require.InEpsilon(t, wire, float64(m["store next"]), 0.02)
					require.Equal(t, m["store next"], m["read inbox"], "it gets what it sends")
				})
			}
		}
	}
}

func TestEachStepWaitsForItsFlag(t *testing.T) {
	p := library(t, "hopper_triton").Ring
	for o, wait := range map[*Protocol]sim.Time{&p.LL: 500, &p.Simple: 1200} {
		for gather, steps := range map[bool]int{true: 3, false: 6} { // of four GPUs
			k := p.Build("", o, Ring{Gather: gather, GPUs: 4, Bytes: 4096, Hop: 500, Fence: 700})
			waits := 0
			for n := range k.Program.Tiles(0) / k.Warps.Of(0) {
				if chain, _ := k.Warps.Time(0, n*k.Warps.Of(0)); chain == wait {
					waits++
				}
			}
			require.Equal(t, steps, waits)
		}
	}
}
