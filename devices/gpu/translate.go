package gpu

import (
	"hwsim/devices"
	"hwsim/devices/tlb"
	"hwsim/sim"
)

// Translation describes the TLB that the SMs of a group share. What misses it
// finds its translation further on, in its own time.
type Translation struct {
	TLB    tlb.Config
	Shifts []uint8  // an entry covers 1<<Shifts[tier] bytes
	Miss   sim.Time // what a miss adds to a request's way
	InUse  *uint64  // bytes of HBM in use
}

// reach returns the bytes of HBM that the TLB covers.
func (t *Translation) reach() uint64 { return uint64(t.TLB.Entries) << t.Shifts[0] }

// groupTLB is the TLB of a GPC. While all the HBM in use is within
// its reach, requests to it are not looked up: they all hit, or nearly so.
type groupTLB struct {
	of     *Translation // nil: none
	array  *tlb.Array[struct{}]
	beyond bool // HBM in use exceeds the reach
	hits   uint64
	misses uint64
}

func newGroupTLB(t *Translation) groupTLB {
	if t == nil {
		return groupTLB{}
	}
	return groupTLB{of: t, array: tlb.NewArray[struct{}](t.TLB)}
}

// observe notes how much HBM is in use.
func (g *groupTLB) observe() { g.beyond = g.of != nil && *g.of.InUse > g.of.reach() }

func (g *groupTLB) looksUp(addr uint64) bool {
	return g.beyond || g.of != nil && devices.Tier(addr) > 0
}

// wait returns the time that translating addr adds to a request's way.
func (g *groupTLB) wait(addr uint64) sim.Time {
	if !g.looksUp(addr) {
		return 0
	}
	key := g.of.key(addr)
	if g.array.Lookup(key) {
		g.hits++
		return 0
	}
	g.misses++
	g.array.Insert(key, struct{}{})
	return g.of.Miss
}

func (t *Translation) key(addr uint64) uint64 { return tlb.Key(0, addr, t.Shifts[devices.Tier(addr)]) }

// TouchTLBs leaves the groups' TLBs as they are after an access to addr by
// each, for time that is not simulated.
func (u *GPU) TouchTLBs(addr uint64) {
	for _, g := range u.Groups {
		if g.tlb.observe(); g.tlb.looksUp(addr) {
			g.tlb.array.Insert(g.tlb.of.key(addr), struct{}{})
		}
	}
}

// Translations returns how many requests have hit and missed the groups' TLBs.
func (u *GPU) Translations() (hits, misses uint64) {
	for _, g := range u.Groups {
		hits, misses = hits+g.tlb.hits, misses+g.tlb.misses
	}
	return hits, misses
}
