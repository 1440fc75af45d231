package kvalloc

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/sim"
)

// even is a pace of 10 ms an iteration.
var even = Pace{GBps: 1e9, TFLOPS: 1, HostNs: 10e6}

func serve(t testing.TB, a *Allocator, p Pace, l Load) *Result {
	t.Helper()
	r, err := Serve(context.Background(), a, p, l)
	require.NoError(t, err)
	requireDone(t, a, l)
	return r
}

func requireDone(t testing.TB, a *Allocator, l Load) {
	t.Helper()
	require.Zero(t, a.Active())
	require.Zero(t, a.Used())
	require.Equal(t, a.Mapped(), a.Held())
	a.Reclaim()
	require.Zero(t, a.Mapped())
}

// same are requests all alike that are there at once.
func same(n, prompt, output int) (all []Request) {
	for range n {
		all = append(all, Request{Prompt: prompt, Output: output})
	}
	return all
}

// mixed are requests of random lengths and arrivals.
func mixed(seed uint64, n int) (all []Request) {
	r := sim.NewRand(seed)
	at := sim.Time(0)
	for range n {
		at += sim.Time(r.IntN(int(20 * sim.FromNanoseconds(1e6))))
		all = append(all, Request{Arrival: at, Prompt: Uniform(&r, 1, 100), Output: Uniform(&r, 1, 60)})
	}
	return all
}

// Two requests of 8 prompt tokens decode 9 tokens: the first decode needs
// another unit.
func TestUnmappedMemoryStallsAnIteration(t *testing.T) {
	r := serve(t, virtual(t, 10, 4, Virtual{MapUs: 40}), even, Load{Requests: same(2, 8, 10)})
	require.EqualValues(t, 1, r.Prefills)
	require.EqualValues(t, 9, r.Decodes)
	require.Equal(t, sim.FromNanoseconds(2*4*40e3), r.PrefillStalls)
	require.Equal(t, sim.FromNanoseconds(4*2*40e3), r.Stalls.Max)
	require.InDelta(t, 2.0/9, r.Stalls.Share, 1e-9, "token 9, and token 17")
	require.EqualValues(t, 2*3*4, r.Calls)
	require.Equal(t, sim.FromNanoseconds(100e6+6*4*40e3), r.Time)
}

func TestOverlapHidesMappingUpToAnIterationsTime(t *testing.T) {
	for us, stall := range map[float64]float64{40: 0, 1250: 0, 2000: 8 * 2000e3 * 1} {
		if stall > 0 {
			stall -= 10e6
		}
		r := serve(t, virtual(t, 10, 4, Virtual{MapUs: us, Overlap: true}), even, Load{Requests: same(2, 8, 10)})
		require.Equal(t, sim.FromNanoseconds(stall), r.Stalls.Max, "%g µs", us)
		require.EqualValues(t, 2*3*4, r.Calls)
	}
}

func TestEagerMappingSparesThePrefillItsCalls(t *testing.T) {
	load := Load{Requests: []Request{{Prompt: 8, Output: 10}, {Arrival: sim.FromNanoseconds(35e6), Prompt: 24, Output: 5}}}
	lazy := serve(t, virtual(t, 20, 4, Virtual{MapUs: 40, Overlap: true}), even, load)
	eager := serve(t, virtual(t, 20, 4, Virtual{MapUs: 40, Overlap: true, Eager: 24}), even, load)
	require.Equal(t, sim.FromNanoseconds((1+3)*4*40e3), lazy.PrefillStalls)
	require.Equal(t, sim.FromNanoseconds(1*4*40e3), eager.PrefillStalls)
}

func TestARequestThatFindsNoMemoryIsPreempted(t *testing.T) {
	// each needs 5 units at its end, and there are 8
	r := serve(t, virtual(t, 8, 4, Virtual{}), even, Load{Requests: same(2, 16, 24)})
	require.Equal(t, 1, r.Preempted)
	require.Equal(t, 2, r.Prefills)
	require.Equal(t, 2, r.MostBatch)
}

func TestWhatNeverFitsIsAnError(t *testing.T) {
	for _, l := range []Load{{Requests: same(1, 80, 1)}, {Requests: same(1, 0, 1)}, {Requests: same(1, 1, 0)}, {Batch: -1}, {Watermark: 1},
		{Requests: []Request{{Arrival: 2, Prompt: 1, Output: 1}, {Arrival: 1, Prompt: 1, Output: 1}}}} {
		_, err := Serve(context.Background(), virtual(t, 10, 2, Virtual{}), even, l)
		require.Error(t, err)
	}
}

// Whatever comes and however it is served, every request is, and the same
// again gives the same.
func TestEveryRequestIsServed(t *testing.T) {
	for seed := range uint64(30) {
		l := Load{Requests: mixed(seed, 60), Batch: int(seed % 5), Prefill: int(seed%3) * 90, Watermark: float64(seed%2) * 0.05}
		var before *Result
		for range 2 {
			r := serve(t, virtual(t, 25, 8, Virtual{Overlap: seed%2 == 0, Deferred: seed%4 < 2, Eager: int(seed%4/2*16) * int(1-seed%2)}), even, l)
			require.Positive(t, r.Decodes)
			require.LessOrEqual(t, r.MostMapped, uint64(25*4*4096))
			if before != nil {
				require.Equal(t, before, r)
			}
			before = r
		}
	}
}

func TestAPagedPoolNeverStalls(t *testing.T) {
	a, err := NewPaged(small, small.Bytes(800), 12, 8)
	require.NoError(t, err)
	r := serve(t, a, even, Load{Requests: mixed(7, 100)})
	require.Zero(t, r.Calls)
	require.Zero(t, r.Stalls.Max+r.PrefillStalls)
}

func TestDecodeCountsEveryGroup(t *testing.T) {
	a := virtual(t, 100, 3, Virtual{MapUs: 40})
	for _, n := range []int{8, 12, 16} {
		a.Admit(n, 0)
	}
	calls, s, err := Decode(a, sim.FromNanoseconds(1e6), 16)
	require.NoError(t, err)
	require.EqualValues(t, 3*2*4, calls, "16 tokens are two units each")
	require.Equal(t, sim.FromNanoseconds(2*4*40e3), s.Max, "two requests have as many in their last")
	short := virtual(t, 4, 3, Virtual{})
	short.Admit(16, 0)
	_, _, err = Decode(short, 1, 17)
	require.ErrorContains(t, err, "slot 0: no memory for token 33")
}
