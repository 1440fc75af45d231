package validation

import (
	"context"

	"hwsim/hierarchy"
	"hwsim/workloads/operators"
)

// linear is a matrix product of a layer.
type linear operators.LinearOptions

// compileLinear compares matrix products: µs.
func compileLinear(t *table) {
	for _, r := range t.rows {
		o := linear{int(r.whole("m", 1, 1<<20)), int(r.whole("n", 1, 1<<24)), int(r.whole("k", 1, 1<<24))}
		r.word("dtype", "bf16")
		bytes := 2 * (uint64(o.N)*uint64(o.K) + uint64(o.M)*uint64(o.N+o.K))
		t.time(r, linearRegime(o.M), o, only, r.positive("us_median")*1e3, r.repeated("us_median_repeat")*1e3).
			moving(float64(bytes)).over(hierarchy.HBM, bytes)
	}
}

// compileProducts compares matrix products alone: µs.
func compileProducts(t *table) {
	for _, r := range t.rows {
		o := linear{int(r.whole("m", 1, 1<<20)), int(r.whole("n", 1, 1<<24)), int(r.whole("k", 1, 1<<24))}
		weights := 2 * uint64(o.N) * uint64(o.K)
		bytes := weights + 2*uint64(o.M)*uint64(o.N+o.K)
		regime := productsSmall
		if weights >= productBytes {
			regime = map[bucket]bucket{linearNarrow: productsNarrow, linearMiddle: productsMiddle, linearWide: productsWide}[linearRegime(o.M)]
		}
		t.time(r, regime, o, only, r.positive("latency_us")*1e3, r.repeated("latency_us_repeat")*1e3).moving(float64(bytes)).over(hierarchy.HBM, bytes)
	}
}

// productBytes is the least weight of a product that its stream bounds.
const productBytes = 10e6

// linearRegime tells products apart by what bounds them: the weights' stream,
// arithmetic, or both.
func linearRegime(m int) bucket {
	switch {
	case m <= 64:
		return linearNarrow
	case m <= 512:
		return linearMiddle
	}
	return linearWide
}

func (o linear) simulate(ctx context.Context, m *machine) (outcome, error) {
	c, _, err := m.load()
	if err != nil {
		return nil, err
	}
	t, err := operators.Linear(ctx, &c.System, &c.Kernels, operators.LinearOptions(o))
	return single(t.Ns, err)
}
