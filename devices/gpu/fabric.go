package gpu

import (
	"hwsim/devices"
	"hwsim/devices/cache"
	"hwsim/sim"
)

// Fabric says where an SM's requests go and how long they take to get there.
type Fabric struct {
	L2       *cache.Wiring
	Remote   []uint16 // tier → domain of its agent; tier 0 is the L2
	Crossbar sim.Time // SM to slice, one way
	RemoteIn sim.Time // SM to a link's port, one way

	Translation *Translation // nil: every address is known at once
}

// route returns the domain that serves addr for an SM of the partition, and
// the time to reach it.
func (f *Fabric) route(addr uint64, partition int) (uint16, sim.Time) {
	if t := devices.Tier(addr); t > 0 {
		return f.Remote[t], f.RemoteIn
	}
	return f.L2.Port[f.L2.Near(addr, partition)], f.Crossbar
}
