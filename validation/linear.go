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
