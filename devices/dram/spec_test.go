package dram

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPeakRates(t *testing.T) {
	for name, want := range map[string]float64{"hbm2_2000": 32, "hbm2e_3200": 51.2, "hbm3_5200": 41.904, "hbm3_6400": 51.2,
		"hbm3e_h200": 51.216, "ddr4_3200aa": 25.6, "ddr5_4800bn": 19.2, "ddr5_5600an": 22.4, "ddr5_6400an": 25.6,
		"ddr5_4800bn_wr2": 19.2, "ddr5_5600an_wr2": 22.4, "ddr5_6400an_wr2": 25.6, "lpddr5_6400": 12.8, "lpddr5_6400_8b": 12.8} {
		s, err := Standard(name)
		require.NoError(t, err)
		assert.InDelta(t, want, s.PeakGBps(), 1e-6, name)
		assert.InDelta(t, want, float64(s.PseudoChannels*s.BusBits)/8*
			float64(s.BurstBytes*8)/float64(s.BusBits)/float64(s.Burst)/s.Tick.Period()*1000, 1e-6, "%s from its pins", name)
	}
	h200, _ := Standard("hbm3e_h200")
	assert.InDelta(t, 4814, 94*h200.PeakGBps(), 1, "94 channels")
}

func TestUnknownNamesAreErrors(t *testing.T) {
	_, err := Standard("hbm9")
	assert.ErrorContains(t, err, `nearest is "hbm2_2000"`)
	for want, cfg := range map[string]Config{
		`nearest is "tFAW"`:              {Standard: "hbm3_6400", TimingsNs: map[string]float64{"tFWA": 12}},
		`nearest is "bank"`:              {Standard: "hbm3_6400", Map: "row rank banc bankgroup pc col"},
		"no per-bank":                    {Standard: "ddr4_3200aa", Refresh: "per_bank"},
		"no same-bank":                   {Standard: "hbm3_6400", Refresh: "same_bank"},
		"all_bank":                       {Standard: "hbm3_6400", Refresh: "sometimes"},
		"none of open, closed, adaptive": {Standard: "hbm3_6400", Page: "ajar"},
		"must rise":                      {Standard: "hbm3_6400", DrainHigh: 0.2, DrainLow: 0.5},
		"at most 64":                     {Standard: "ddr5_4800bn", Ranks: 4},
		"missing":                        {Standard: "hbm3_6400", Map: "row bank bankgroup pc col"},
		"does not divide":                {Standard: "hbm3_6400", Map: "row rank bank bankgroup pc:2 col"},
	} {
		_, err := New(cfg)
		assert.ErrorContains(t, err, want)
	}
}

func TestOverrideReplacesOneTiming(t *testing.T) {
	c := newChannel(t, Config{Standard: "hbm3_6400", TimingsNs: map[string]float64{"tFAW": 30}})
	base, _ := Standard("hbm3_6400")
	want := base.T
	want[TFAW] = 96
	assert.Equal(t, want, c.Spec().T)
}

// TestClocksMatchRamulator compares with the cycle counts of
// reference/dram/timing_params_ns.csv.
func TestClocksMatchRamulator(t *testing.T) {
	for name, want := range map[string]map[Param]int64{
		"hbm2_2000": {TRCDRD: 14, TRCDWR: 12, TRP: 14, TRAS: 34, TRC: 48, TWR: 16, TRTP: 5, TCL: 14, TCWL: 5, TCCDS: 2, TCCDL: 4,
			TRRDS: 4, TRRDL: 4, TFAW: 15, TWTRS: 6, TWTRL: 8, TRFCAB: 350, TRFCPB: 160, TREFI: 3900, TRREFD: 8},
		"hbm3_6400": {TRCDRD: 31, TRCDWR: 15, TRP: 26, TRAS: 45, TRC: 72, TWR: 33, TRTP: 9, TCL: 20, TCWL: 10, TCCDS: 2, TCCDL: 4, TCCDR: 3,
			TRRDS: 4, TRRDL: 5, TFAW: 24, TWTRS: 7, TWTRL: 10, TRTW: 20, TRFCAB: 560, TRFCPB: 320, TREFI: 6240, TPPD: 2},
		"hbm3e_h200": {TRCDRD: 31, TRP: 26, TRAS: 45, TRC: 72, TCL: 20, TFAW: 27, TCCDL: 4},
		"ddr4_3200aa": {TRCDRD: 22, TRP: 22, TRAS: 52, TRC: 74, TWR: 24, TRTP: 12, TCL: 22, TCWL: 16, TCCDS: 4, TCCDL: 8,
			TRRDS: 4, TRRDL: 8, TFAW: 34, TWTRS: 4, TWTRL: 12, TREFI: 12480},
		"ddr5_4800bn": {TRCDRD: 36, TRP: 36, TRAS: 77, TRC: 113, TWR: 72, TRTP: 18, TCL: 36, TCWL: 34, TCCDS: 8, TCCDL: 12, TCCDLWR: 48,
			TRRDS: 8, TRRDL: 12, TFAW: 48, TWTRS: 6, TWTRL: 24},
		"ddr5_5600an": {TRCDRD: 40, TRAS: 90, TRC: 130, TWR: 84, TCL: 40, TCWL: 38, TCCDLWR: 56, TRRDS: 14, TRRDL: 14, TFAW: 56, TWTRL: 28},
		"ddr5_6400an": {TRCDRD: 46, TRAS: 103, TRC: 149, TWR: 96, TRTP: 24, TCL: 46, TCCDL: 16, TCCDLWR: 64, TRRDS: 16, TRRDL: 16, TFAW: 64, TWTRL: 32},
	} {
		s, err := Standard(name)
		require.NoError(t, err)
		for p, ck := range want {
			assert.Equal(t, ck*s.TicksPerCK, s.T[p], "%s %v", name, p)
		}
	}
}

// TestVariantsDifferOnlyAsNamed lists every tick in which a variant differs
// from the part it is a variant of.
func TestVariantsDifferOnlyAsNamed(t *testing.T) {
	for name, x := range map[string]struct {
		of   string
		want map[Param]int64
	}{
		"ddr5_4800bn_wr2": {"ddr5_4800bn", map[Param]int64{TCCDLWR: 24}},
		"ddr5_5600an_wr2": {"ddr5_5600an", map[Param]int64{TCCDLWR: 28}},
		"ddr5_6400an_wr2": {"ddr5_6400an", map[Param]int64{TCCDLWR: 32}},
		"lpddr5_6400_8b": {"lpddr5_6400", map[Param]int64{TRRDS: 8, TRRDL: 8, TFAW: 32, TCCDS: 4, TCCDSWR: 4,
			TCCDR: 6, TWTRS: 10, TRTW: 14}},
	} {
		variant, err := Standard(name)
		require.NoError(t, err)
		base, err := Standard(x.of)
		require.NoError(t, err)
		want := base.T
		for p, ck := range x.want {
			want[p] = ck * base.TicksPerCK
		}
		assert.Equal(t, want, variant.T, name)
		assert.Equal(t, base.Bytes(), variant.Bytes(), "%s: the same part", name)
	}
}

func TestEveryTimingNamesItsSource(t *testing.T) {
	for _, name := range Standards() {
		s, _ := Standard(name)
		for _, x := range s.Timings {
			assert.NotEmpty(t, x.Source, "%s %v", name, x.Param)
		}
	}
}

func TestAddressMapIsOneToOne(t *testing.T) {
	for _, order := range []string{"A", "B", "", "row col bank rank bankgroup pc bank:1 col:1", "bank rank bankgroup row pc col"} {
		for _, hash := range []bool{false, true} {
			s, _ := Standard("hbm3_6400")
			s.Rows = 24 // not a power of two
			m, err := newAddrMap(s, order, hash)
			require.NoError(t, err, order)
			seen := map[place]bool{}
			n := s.Bytes() / uint64(s.BurstBytes)
			for x := range n {
				p := m.decode(x)
				require.Less(t, int(p.row), s.Rows)
				require.Less(t, int(p.bank), s.Banks())
				seen[p] = true
			}
			assert.Len(t, seen, int(n), "%q hash %v", order, hash)
		}
	}
}

func TestRunsShareARow(t *testing.T) {
	for _, order := range []string{"A", "B", ""} {
		s, _ := Standard("hbm3_6400")
		m, err := newAddrMap(s, order, true)
		require.NoError(t, err)
		for x := uint64(0); x < 1<<14; x++ {
			block := m.step * m.run
			if next := x + m.step; next/block == x/block {
				a, b := m.decode(x), m.decode(next)
				a.col++
				require.Equal(t, a, b, "%q burst %d", order, x)
			}
		}
	}
}
