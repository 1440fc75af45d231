package mmu

import (
	"hwsim/devices/pagetable"
	"hwsim/sim"
)

// Stats counts what an MMU did. Cycles are of the core.
//
// Misses = Walks + hits in blocks + POMHits, once nothing is under way
// and but for blocks of virtual machines that shootdowns made void before their use.
type Stats struct {
	Lookups     uint64
	L1Hits      uint64
	L2Hits      uint64
	L2Misses    uint64
	L3Hits      uint64
	Misses      uint64 // of the last TLB
	Merged      uint64 // lookups that found their page's translation on its way, and are neither hits nor misses
	Walks       uint64 // of the space's own table
	DRAMWalks   uint64 // of them, that waited for memory
	HostWalks   uint64
	Background  uint64 // walks for blocks of evicted pages
	QueueCycles int64  // that misses waited for a walker

	BlockHits [2][5]uint64 // of pages and of guest-physical pages, by the cache that had it
	Retagged  uint64       // lines of entries that became a block
	Rejected  uint64       // pages that the predictor found not worth a block

	POMReads, POMHits        uint64
	NestedHits, NestedMisses uint64 // of the nested TLB
	PWC, HostPWC             [pagetable.MaxLevels + 1]PWCStats
	Reads                    [5]uint64 // of walks, by the cache that had the line, memory being the last
	Shootdowns               uint64

	WalkCycles  int64         // of Walks
	WalkLatency sim.Histogram // of Walks, in cycles
	MissCycles  int64         // from the first lookup to the translation, of L2Misses
}

func (s *Stats) walk(cycles int64, dram bool) {
	s.Walks++
	if dram {
		s.DRAMWalks++
	}
	s.WalkCycles += cycles
	s.WalkLatency.Add(sim.Time(cycles))
}

func (s *Stats) miss(cycles int64) { s.MissCycles += cycles }

// BlocksHit returns how many misses of the last TLB blocks have answered.
func (s *Stats) BlocksHit() (n uint64) {
	for _, h := range s.BlockHits[0] {
		n += h
	}
	return n
}

// mean returns total over n, 0 of none.
func mean(total int64, n uint64) float64 {
	if n == 0 {
		return 0
	}
	return float64(total) / float64(n)
}

// WalkMean returns the mean cycles of a walk.
func (s *Stats) WalkMean() float64 { return mean(s.WalkCycles, s.Walks) }

// MissMean returns the mean cycles from a lookup that misses the second-level TLB
// to its translation.
func (s *Stats) MissMean() float64 { return mean(s.MissCycles, s.L2Misses) }
