package synthetic

import (
	"math"
	"testing"

	"hwsim/devices/cpu"
	"hwsim/sim"
)

// odd draws numbers as a careless user writes them: mostly absent or plain, some
// at and beyond the limits.
type odd struct{ r sim.Rand }

func (o *odd) int(plain ...int) int {
	switch o.r.IntN(8) {
	case 0, 1:
		return 0
	case 2:
		return []int{-1, 1, 3, 63, 1 << 20, 1 << 40, 1 << 62, math.MinInt}[o.r.IntN(8)]
	}
	return plain[o.r.IntN(len(plain))]
}

func (o *odd) mean(high float64) float64 {
	switch o.r.IntN(8) {
	case 0, 1:
		return 0
	case 2:
		return []float64{-1, math.NaN(), math.Inf(1), 1, high, 2 * high, 1e-300}[o.r.IntN(7)]
	}
	return o.r.Float64() * high
}

func (o *odd) part(high float64) *float64 {
	if o.r.IntN(2) == 0 {
		return nil
	}
	v := o.mean(high)
	return &v
}

func (o *odd) config() *Config {
	sizes := []int{4096, 8192, 1 << 16, 3 << 20, 1 << 30}
	layouts := []string{"", "hnd", "nhd", "x"}
	return &Config{
		Kind: Kinds()[o.r.IntN(len(kinds))], Gap: o.part(10), FootprintBytes: o.int(sizes...), StrideBytes: o.int(8, 64, 4096, 24), Skew: o.part(3),
		Visits:  Visits{o.part(1), o.int(sizes...), o.part(2), o.mean(4), o.mean(64), o.part(9), o.mean(3), o.int(sizes...), o.mean(1)},
		Graph:   Graph{o.int(4, 5, 9, 12), o.mean(20), o.r.IntN(2) == 0, o.int(4, 8), o.int(8, 64, 256), o.int(4, 8, 32), o.mean(2), o.part(4), o.part(1), o.r.IntN(2) == 0},
		XSBench: XSBench{o.int(68, 100, 355), o.int(2, 3, 500), o.part(9)},
		DLRM:    DLRM{o.int(1, 2, 26), o.int(1, 5), o.int(5, 50), o.part(2), o.int(64, 256, 4096), o.part(9), o.int(sizes...)},
		KMer:    KMer{o.int(8, 16, 64), o.mean(3), o.int(sizes...), o.part(3)},
		PagedKV: PagedKV{o.int(1, 3, 32), o.int(1, 16), o.int(1, 17, 999), o.int(1, 16, 64), o.int(64, 512, 4096), o.int(64, 256, 4096, 8192), layouts[o.r.IntN(4)], o.int(1<<20, 1<<28)},
	}
}

// FuzzConfig checks that whatever Validate lets through makes a stream that
// keeps to its range.
func FuzzConfig(f *testing.F) {
	for seed := range uint64(300) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		o := odd{sim.NewRand(seed)}
		c := o.config()
		if c.graph().Scale > 16 { // a valid one takes too long to start
			c.Graph.Scale = 10
		}
		s, err := New(c, seed)
		if (err != nil) != (c.check() != nil) {
			t.Fatal(err)
		}
		if err != nil {
			return
		}
		batch := make([]cpu.Access, 3000)
		for i := range 3 {
			s.Fill(batch)
			stays(t, c, batch, i*len(batch))
		}
	})
}

// If no configuration of a kind were valid, the fuzz test would test Validate only.
func TestFuzzedConfigsAreOftenValid(t *testing.T) {
	valid := map[string]int{}
	for seed := range uint64(2000) {
		o := odd{sim.NewRand(seed)}
		if c := o.config(); c.check() == nil {
			valid[c.Kind]++
		}
	}
	for _, kind := range Kinds() {
		if valid[kind] < 3 {
			t.Errorf("%s: %d valid configurations", kind, valid[kind])
		}
	}
}
