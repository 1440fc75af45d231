package kvalloc

import "hwsim/sim"

// mapper maps memory before and during iterations.
type mapper struct {
	*Allocator
	made uint64   // calls
	due  sim.Time // of calls that the next iteration waits for
}

// wait adds calls that the next iteration waits for.
func (m *mapper) wait(calls int) {
	m.made += uint64(calls)
	m.due += sim.Time(calls) * m.call
}

// stall returns what an iteration waits for before it begins.
func (m *mapper) stall() sim.Time {
	due := m.due
	m.due = 0
	return due
}

// during maps in the background of an iteration of such a length what the
// next token of each request needs. The next iteration waits for the rest.
func (m *mapper) during(length sim.Time) {
	if !m.overlap {
		return
	}
	calls := 0
	for i := range m.slots {
		if s := &m.slots[i]; s.active {
			calls += m.Prepare(i, s.tokens+1)
		}
	}
	m.made += uint64(calls)
	left := length - sim.Time(calls)*m.call
	m.due += max(0, -left)
	m.ahead(left)
}

// ahead maps the next slot in so much time, unit by unit.
func (m *mapper) ahead(left sim.Time) {
	slot := m.next()
	if m.eager == 0 || slot < 0 {
		return
	}
	unit := sim.Time(m.calls) * m.call
	for n := len(m.slots[slot].units); n < m.unitsOf(m.eager) && left >= unit && m.available() > 0; n++ {
		m.made += uint64(m.Prepare(slot, (n+1)*m.tokens))
		left -= unit
	}
}
