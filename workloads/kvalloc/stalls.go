package kvalloc

import (
	"fmt"
	"slices"

	"hwsim/sim"
)

// Stalls is how long iterations waited for memory to be mapped.
type Stalls struct {
	Mean, P50, P99, Max sim.Time
	Share               float64 // of the iterations that waited at all
}

// stallsOf sorts the waits of all iterations and describes them.
func stallsOf(all []sim.Time) (s Stalls) {
	n := len(all)
	if n == 0 {
		return s
	}
	slices.Sort(all)
	sum, none := sim.Time(0), 0
	for _, t := range all {
		sum += t
		if t == 0 {
			none++
		}
	}
	return Stalls{Mean: sum / sim.Time(n), P50: all[(n-1)/2], P99: all[(n-1)*99/100], Max: all[n-1], Share: 1 - float64(none)/float64(n)}
}

// Decode decodes a token of every request in each of so many steps of such a
// length, and returns the calls of all steps and what they waited for.
func Decode(a *Allocator, length sim.Time, steps int) (calls uint64, s Stalls, err error) {
	m := mapper{Allocator: a}
	all := make([]sim.Time, 0, steps)
	for range steps {
		m.during(length) // of the step before
		if err := m.extend(); err != nil {
			return 0, s, err
		}
		all = append(all, m.stall())
	}
	return m.made, stallsOf(all), nil
}

// extend gives every request memory for one more token.
func (m *mapper) extend() error {
	for i := range m.slots {
		s := &m.slots[i]
		if !s.active {
			continue
		}
		calls, ok := m.Extend(i, s.tokens+1)
		if !ok {
			return fmt.Errorf("slot %d: no memory for token %d", i, s.tokens+1)
		}
		m.wait(calls)
	}
	return nil
}
