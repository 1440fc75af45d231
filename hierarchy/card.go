package hierarchy

import (
	"hwsim/devices/card"
	"hwsim/devices/dram"
)

// Card returns the energy of a tier's DRAM: its card's or, without one, its
// standard's. The tier must be there.
func (s *System) Card(t TierID) card.DRAM {
	if t == CXLMem {
		x := s.Config.Host.CXL
		if x.Energy != nil {
			return x.Energy.DRAM
		}
		return standardCard(&x.Expander.DRAM)
	}
	m := s.memory(t)
	if m.Energy != nil {
		return *m.Energy
	}
	return standardCard(&m.DRAM)
}

// standardCard returns that of the standard; nothing for one that Build has
// refused.
func standardCard(c *dram.Config) card.DRAM {
	spec, err := dram.Standard(c.Standard)
	if err != nil {
		return card.DRAM{}
	}
	return spec.Card()
}

// InstalledGiB returns a tier's capacity, what is reserved included. The tier must
// be there.
func (s *System) InstalledGiB(t TierID) float64 {
	if t == CXLMem {
		x := s.Config.Host.CXL
		return x.CapacityGiB * float64(x.Expanders)
	}
	return s.memory(t).CapacityGiB
}

// RowBits returns how many bits an ACT of a tier's DRAM opens. The tier must be
// there.
func (s *System) RowBits(t TierID) float64 {
	c := &dram.Config{}
	if t == CXLMem {
		c = &s.Config.Host.CXL.Expander.DRAM
	} else {
		c = &s.memory(t).DRAM
	}
	spec, err := dram.Standard(c.Standard)
	if err != nil {
		return 1
	}
	return float64(8 * spec.RowBytes)
}

// LinkFrom returns which of Links brings a tier's data to the GPU, -1 for HBM.
func (s *System) LinkFrom(t TierID) int {
	for i, r := range s.remotes {
		if t != HBM && r.port.ID() == s.Port(t) {
			return 2*i + 1
		}
	}
	return -1
}
