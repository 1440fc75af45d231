package micro

import "hwsim/hierarchy"

// mixed is how many accesses at random leave in the TLBs what many more would.
const mixed = 1 << 16

// use notes that a benchmark uses memory of a tier from its base on.
func (m *machine) use(t hierarchy.TierID, bytes uint64) error {
	_, err := m.Space.Place("benchmark", t, bytes)
	return err
}
