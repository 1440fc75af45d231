package replay

import (
	"runtime"
	"slices"
	"testing"

	"hwsim/devices/dram"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// try returns the trials of a pattern on so many channels.
func try(t *testing.T, device, pattern string, channels int, n uint64) []Trial {
	t.Helper()
	cfg, err := Device(device)
	require.NoError(t, err)
	src, err := Generate(pattern, spec(t, device), channels, n, 1)
	require.NoError(t, err)
	trials, err := Try(AddressMaps(spec(t, device), channels), cfg, channels, src, Pace{Load: Saturated})
	require.NoError(t, err)
	return trials
}

func TestHashSpreadsAStrideOverBanks(t *testing.T) {
	for _, channels := range []int{1, 4} {
		best := map[bool]float64{}
		for _, trial := range try(t, "hbm3e_h200", "stride", channels, 5000) {
			best[trial.Hash] = max(best[trial.Hash], trial.GBps)
		}
		assert.Greater(t, best[true], 5*best[false], "%d channels", channels)
	}
}

func TestMapAMakesMostOfARow(t *testing.T) {
	for _, device := range []string{"hbm3e_h200", "ddr5_4800bn"} {
		trials := try(t, device, "seq", 1, 20000)
		most := slices.MaxFunc(trials, func(a, b Trial) int { return int(100 * (a.BurstsPerACT() - b.BurstsPerACT())) })
		assert.Equal(t, "a", most.Name, device)
	}
}

func TestTrialsAreInTheOrderOfBandwidthWhateverTheProcessors(t *testing.T) {
	run := func(processors int) []Trial {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
		return try(t, "hbm3_6400", "blk4", 3, 3000)
	}
	one := run(1)
	require.Len(t, one, 3*2*4)
	assert.True(t, slices.IsSortedFunc(one, func(a, b Trial) int { return int(b.GBps - a.GBps) }))
	assert.Equal(t, one, run(4))
	for _, trial := range one {
		assert.EqualValues(t, 3000, trial.Stats.Reads)
	}
}

func TestEqualTrialsKeepTheOrderOfMaps(t *testing.T) {
	maps := AddressMaps(spec(t, "hbm3_6400"), 1)
	for i, trial := range try(t, "hbm3_6400", "seq", 1, 1) {
		assert.Equal(t, maps[i], trial.AddressMap)
	}
}

func TestEveryStandardTakesItsMaps(t *testing.T) {
	for _, name := range dram.Standards() {
		trials := try(t, name, "rand", 2, 10)
		if spec(t, name).PseudoChannels > 1 {
			assert.Len(t, trials, 24, name)
		} else {
			assert.Len(t, trials, 16, name)
		}
	}
}
