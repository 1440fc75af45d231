package dram

import (
	"testing"

	"hwsim/sim"

	"github.com/stretchr/testify/assert"
)

func TestEnergyOfAStreamIsWhatItsBitsCost(t *testing.T) {
	for _, x := range []struct {
		standard    string
		least, most float64 // pJ a bit of a sequential read stream
	}{
		{"hbm2_2000", 3.4, 3.9}, {"hbm2_2000_dramsim3", 3.4, 3.9}, // published: 3.59 to 3.9
		{"ddr4_3200aa", 6, 12}, // device currents only; 22 with termination and controller
		{"ddr5_4800bn", 16, 16}, {"gddr6_14000", 7.5, 7.5}, {"gddr6x_19000", 7.25, 7.25}, {"lpddr5_6400", 4, 4},
	} {
		c := newChannel(t, Config{Standard: x.standard})
		s := c.Spec()
		n := 20000
		share := load(c, n, uint32(s.BurstBytes), sequential(s, uint32(s.BurstBytes)))
		bits := float64(8 * n * s.BurstBytes)
		elapsed := sim.Time(bits / 8 / (share * s.PeakGBps()) * 1000)
		e := c.Energy(elapsed)
		assert.GreaterOrEqual(t, e.Total()/bits, x.least, x.standard)
		assert.LessOrEqual(t, e.Total()/bits, x.most, x.standard)
	}
}

func TestRandomBurstsPayAnActivateEach(t *testing.T) {
	c := newChannel(t, Config{Standard: "hbm3_6400", Refresh: "none"})
	load(c, 5000, 32, random(c.Spec(), 32))
	assert.InEpsilon(t, 5000*901.0, c.Energy(0).Activate, 0.01)
}

func TestEveryStandardNamesTheSourceOfItsEnergy(t *testing.T) {
	for _, name := range Standards() {
		s, err := Standard(name)
		assert.NoError(t, err)
		assert.NotEmpty(t, s.Energy.Source, name)
		assert.Positive(t, s.Energy.Read, name)
	}
}
