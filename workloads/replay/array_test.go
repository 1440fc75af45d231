package replay

import (
	"fmt"
	"reflect"
	"runtime"
	"testing"

	"hwsim/devices"
	"hwsim/devices/dram"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func array(t testing.TB, name string, channels int) *Array {
	t.Helper()
	cfg, err := Device(name)
	require.NoError(t, err, name)
	a, err := NewArray(cfg, channels, 512)
	require.NoError(t, err)
	return a
}

func generate(t testing.TB, pattern string, a *Array, n uint64) Source {
	t.Helper()
	src, err := Generate(pattern, a.Spec(), len(a.Channels), n, 1)
	require.NoError(t, err)
	return src
}

// spans are reads of 1 to 3000 bytes anywhere, every seventh a write.
func spans(n int) *Trace {
	random, t := splitmix(1), &Trace{}
	for i := range n {
		t.Requests = append(t.Requests, Request{Due: int64(3 * i), Addr: random.next() % (1 << 32), Bytes: uint32(1 + random.next()%3000), Write: i%7 == 0})
	}
	return t
}

func TestResultDoesNotDependOnTheNumberOfProcessors(t *testing.T) {
	run := func(processors int, pattern string, p Pace) *Result {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
		a := array(t, "hbm3_6400", 3)
		if pattern == "spans" {
			return a.Run(spans(2000), p)
		}
		return a.Run(generate(t, pattern, a, 10000), p) // three chunks and a bit
	}
	for _, pattern := range []string{"seq", "randrw50", "stride", "blk9", "spans"} {
		for _, p := range []Pace{{}, {Load: Saturated}, {Load: 30}, {Depth: 3}} {
			one := run(1, pattern, p)
			for _, processors := range []int{2, 5} {
				require.Equal(t, one, run(processors, pattern, p), "%s %+v, %d processors", pattern, p, processors)
			}
		}
	}
}

func TestOneChannelOfAnArrayIsAChannel(t *testing.T) {
	for _, p := range []Pace{{}, {Load: Saturated}, {Depth: 3}} {
		assert.Equal(t, Run(channel(t, "hbm3_6400"), spans(1000), p), array(t, "hbm3_6400", 1).Run(spans(1000), p))
	}
}

// pieces cuts requests burst by burst and returns each channel's.
func pieces(all []Request, spread devices.Interleave, burst uint64) [][]Request {
	cut := make([][]Request, spread.Slices)
	for _, r := range all {
		end := r.Addr + uint64(r.Bytes)
		granule := ^uint64(0)
		for addr := r.Addr; addr < end; {
			next := min(end, (addr/burst+1)*burst)
			channel, local := spread.Locate(addr)
			list := &cut[channel]
			if addr/spread.Granule != granule {
				granule = addr / spread.Granule
				*list = append(*list, Request{Due: r.Due, Addr: local, Write: r.Write})
			}
			(*list)[len(*list)-1].Bytes += uint32(next - addr)
			addr = next
		}
	}
	return cut
}

func TestEveryChannelTakesItsOwnPiecesAsIfAlone(t *testing.T) {
	for _, name := range []string{"hbm3_6400", "ddr5_4800bn"} {
		for _, p := range []Pace{{}, {Depth: 2}} {
			a := array(t, name, 5)
			stream := spans(3000) // two chunks
			got := a.Run(stream.Copy(), p)
			var want Result
			var most, bursts int64
			for i, own := range pieces(stream.Requests, devices.Interleave{Granule: 512, Slices: 5}, uint64(a.Spec().BurstBytes)) {
				alone := channel(t, name)
				r := Run(alone, list(own...), p)
				want.Time = max(want.Time, r.Time)
				want.Read.Max = max(want.Read.Max, r.Read.Max)
				most, bursts = max(most, r.MostBursts), bursts+r.MostBursts
				assert.Equal(t, r.Stats.Reads, a.Channels[i].Stats().Reads, "pieces of channel %d", i)
			}
			assert.EqualValues(t, 3000, got.Requests)
			assert.Equal(t, want.Time, got.Time)
			assert.Equal(t, want.Read.Max, got.Read.Max)
			assert.Equal(t, most, got.MostBursts)
			assert.Equal(t, float64(bursts)/5, got.MeanBursts)
			assert.InEpsilon(t, float64(bursts*int64(a.Spec().BurstBytes))/got.Time.Nanoseconds(), got.GBps, 1e-9)
			assert.InEpsilon(t, 100*got.GBps/(5*a.Spec().PeakGBps()), got.PctPeak, 1e-9)
		}
	}
}

func TestLoadIsOfAllChannels(t *testing.T) {
	for _, load := range []int64{1, 30, 70} {
		a := array(t, "hbm3_6400", 8)
		assert.InEpsilon(t, load, a.Run(generate(t, "seq", a, 80000), Pace{Load: load}).PctPeak, 0.02)
	}
}

func TestDepthIsOfAChannel(t *testing.T) {
	one, eight := array(t, "hbm3_6400", 1), array(t, "hbm3_6400", 8)
	alone := one.Run(generate(t, "rand", one, 1000), Pace{Depth: 1})
	together := eight.Run(generate(t, "rand", eight, 8000), Pace{Depth: 1})
	assert.InEpsilon(t, 8*alone.GBps, together.GBps, 0.1) // channels differ by 3 % in how many they get
	assert.InEpsilon(t, alone.Read.Mean, together.Read.Mean, 0.02)
}

func TestAFullChannelHoldsBackItsOwnPiecesOnly(t *testing.T) {
	a := array(t, "hbm3_6400", 2)
	full, _ := devices.Interleave{Granule: 512, Slices: 2}.Locate(0)
	var ticks []int64
	a.Channels[1-full].Trace = func(c dram.Command) { ticks = append(ticks, c.At) }
	requests := make([]Request, 3000) // of one burst
	requests = append(requests, Request{Addr: 512})
	a.Run(list(requests...), Pace{})
	assert.Equal(t, int64(0), ticks[0], "ACT of the last request")
}

func TestBalanceIsMeanOverMost(t *testing.T) {
	a := array(t, "hbm3_6400", 4)
	assert.Equal(t, 1.0, a.Run(generate(t, "seq", a, 4*16*100), Pace{Load: Saturated}).Balance())
	a = array(t, "hbm3_6400", 4)
	assert.Equal(t, 0.25, a.Run(list(make([]Request, 100)...), Pace{}).Balance())
	assert.Equal(t, 1.0, array(t, "hbm3_6400", 4).Run(list(), Pace{}).Balance())
}

// eachNumber visits the fields of a struct of numbers.
func eachNumber(v any, visit func(name string, f reflect.Value)) {
	s := reflect.ValueOf(v).Elem()
	for i := range s.NumField() {
		visit(s.Type().Field(i).Name, s.Field(i))
	}
}

func TestSumsTakeEveryField(t *testing.T) {
	var counts, sum dram.Stats
	var energy, total dram.Energy
	one := func(_ string, f reflect.Value) { f.Set(reflect.ValueOf(1).Convert(f.Type())) }
	eachNumber(&counts, one)
	eachNumber(&energy, one)
	for range 2 {
		add(&sum, &counts)
		add(&total, &energy)
	}
	two := func(name string, f reflect.Value) {
		assert.Equal(t, "2", fmt.Sprint(f.Convert(reflect.TypeFor[int]())), name)
	}
	eachNumber(&sum, two)
	eachNumber(&total, two)
}

func TestAnArrayDoesNotAllocatePerRequest(t *testing.T) {
	allocs := func(n uint64) float64 {
		return testing.AllocsPerRun(1, func() {
			a := array(t, "hbm3_6400", 4)
			a.Run(generate(t, "randrw50", a, n), Pace{Load: Saturated})
		})
	}
	assert.InDelta(t, allocs(40_000), allocs(160_000), 2000)
}
