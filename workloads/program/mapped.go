package program

import (
	"fmt"

	"hwsim/devices/cpu"
	"hwsim/devices/pagetable"
)

// mapped passes a recorded stream on until an address that the core's page tables
// do not reach.
type mapped struct {
	stream cpu.Stream
	levels int
	seen   uint64 // accesses
	err    error
}

func newMapped(s cpu.Stream, levels int) *mapped { return &mapped{stream: s, levels: levels} }

// Fill implements cpu.Stream.
func (m *mapped) Fill(batch []cpu.Access) int {
	if m.err != nil {
		return 0
	}
	n := m.stream.Fill(batch)
	reach := pagetable.LevelShift(m.levels + 1)
	for i := range batch[:n] {
		if addr := batch[i].Addr; addr>>reach != 0 {
			m.err = fmt.Errorf("access %d: address %#x is not below 2^%d, all that mmu.levels = %d translate", m.seen+uint64(i)+1, addr, reach, m.levels)
			return i
		}
	}
	m.seen += uint64(n)
	return n
}
