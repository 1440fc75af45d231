package hierarchy

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/configs"
	"hwsim/devices/dram"
)

// Energy cards repeat what package dram has of a standard by command; what a card
// has beside is the pins'.
func TestEnergyCardsAreThoseOfTheirStandards(t *testing.T) {
	for _, name := range configs.Presets("systems") {
		c := preset(t, name)
		s, err := Outline(c)
		require.NoError(t, err, name)
		for id := range NumTiers {
			if s.Space.Capacity(id) == 0 || id == CXLMem {
				continue
			}
			m := s.memory(id)
			require.NotNil(t, m.Energy, "%s: %s", name, id)
			spec, err := dram.Standard(m.DRAM.Standard)
			require.NoError(t, err)
			own, of := spec.Card(), *m.Energy
			if own.ActivatePJ == 0 && of.StaticPerGiB > 0 { // what the standard puts on the bits is partly at rest here
				require.Less(t, of.ReadPJPerBit, own.ReadPJPerBit, "%s: %s", name, id)
				require.Less(t, of.WritePJPerBit, own.WritePJPerBit, "%s: %s", name, id)
				continue
			}
			require.InDelta(t, own.ActivatePJ, of.ActivatePJ, 0.01*own.ActivatePJ, "%s: %s", name, id)
			require.InDelta(t, own.ReadPJPerBit, of.ReadPJPerBit, 0.04*own.ReadPJPerBit, "%s: %s", name, id)
			require.InDelta(t, own.WritePJPerBit, of.WritePJPerBit, 0.04*own.WritePJPerBit, "%s: %s", name, id)
			require.InDelta(t, own.RefreshPJ, of.RefreshPJ, 0.01*own.RefreshPJ, "%s: %s", name, id)
		}
	}
}

func TestCardOfAnotherMemoryIsRefused(t *testing.T) {
	d, err := configs.LoadTable("system", "a100_80gb_sxm", []string{"system.host.ddr.energy.use=ddr5"})
	require.NoError(t, err)
	var c struct {
		System Config `toml:"system"`
	}
	require.ErrorContains(t, d.Decode(&c), "system.host.ddr.energy.memory: is not of the memory, ddr4_3200aa")
}

func TestWithoutACardTheStandardsEnergyCounts(t *testing.T) {
	c := preset(t, "h200_sxm")
	c.HBM.Energy = nil
	s, err := Outline(c)
	require.NoError(t, err)
	spec, err := dram.Standard(c.HBM.DRAM.Standard)
	require.NoError(t, err)
	require.Equal(t, spec.Card(), s.Card(HBM))
}
