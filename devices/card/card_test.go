package card

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBandsAddAsIfAllWereWrongInOneDirection(t *testing.T) {
	sum := amount(10, 0.5).Plus(amount(2, 0.25)).Times(3)
	require.Equal(t, Amount{36, 16.5}, sum)
}

func TestEnergyOfDRAMIsThatOfItsCommands(t *testing.T) {
	d := DRAM{ActivatePJ: 900, ReadPJPerBit: 3, WritePJPerBit: 2, IOPJPerBit: 1, RefreshPJ: 50, StaticPerGiB: 40, Band: 0.5, StaticBand: 0.25}
	c := Commands{Activates: 2, ReadBits: 100, WrittenBits: 10, RefreshedRows: 4}
	require.Equal(t, Amount{1800, 900}, d.Rows(c))
	require.Equal(t, Amount{300 + 20 + 110, 215}, d.Bits(c))
	require.Equal(t, Amount{200, 100}, d.Refreshes(c))
	require.Equal(t, Amount{2430, 1215}, d.Commands(c))
	require.Equal(t, Amount{0.4, 0.1}, d.Static(10))
}

func TestCostIsPriceOverBusyLifeAndElectricity(t *testing.T) {
	c := Cost{LifetimeYears: 2, Busy: 0.5, USDPerKWh: 0.1, PUE: 1.5, Band: 0.2}
	p := Price{USD: 1000, USDPerGiB: 10, Band: 0.1}
	price := p.Of(2, 100)
	require.Equal(t, Amount{3000, 300}, price)
	year := c.WriteOff(price, 365.25*86400)
	require.InDelta(t, 3000, year.Value, 1e-9, "two years at half time are one busy year")
	require.InDelta(t, 300, year.Band, 1e-9)
	e := c.Electricity(Amount{3.6e6, 0.36e6})
	require.InDelta(t, 0.15, e.Value, 1e-12)
	require.InDelta(t, 0.015+0.03, e.Band, 1e-12)
}

func TestBadFiguresAreReported(t *testing.T) {
	for key, v := range map[string]interface {
		Validate(func(key, message string))
	}{
		"activate_pj":    &DRAM{ActivatePJ: -1},
		"static_band":    &DRAM{StaticBand: 1.5},
		"controller_w":   &Expander{ControllerW: -2},
		"pj_per_bit":     &Link{PJPerBit: 2000},
		"flop_pj":        &GPU{FLOPPJ: -1},
		"usd_per_gib":    &Price{USDPerGiB: -1},
		"pue":            &Cost{LifetimeYears: 1, Busy: 1, PUE: 0.9},
		"busy":           &Cost{LifetimeYears: 1, Busy: 0, PUE: 1},
		"lifetime_years": &Cost{LifetimeYears: 0, Busy: 1, PUE: 1},
	} {
		var keys []string
		v.Validate(func(k, message string) { keys = append(keys, k); require.NotEmpty(t, message) })
		require.Equal(t, []string{key}, keys)
	}
}
