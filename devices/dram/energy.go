package dram

import (
	"hwsim/devices/card"
	"hwsim/sim"
)

// EnergyTable is what the commands of one channel cost, all its devices
// together. Boundaries differ between sources: compare with care.
type EnergyTable struct {
	Activate   float64 // pJ an ACT with its PRE
	Read       float64 // pJ a burst, array to pins
	Write      float64 // pJ a burst
	IO         float64 // pJ a burst on the pins
	Refresh    float64 // pJ a bank refreshed
	Background float64 // mW, rows open
	PowerDown  float64 // mW, the same in power-down
	Source     string
}

// Energy is what a channel has used, in pJ, by class.
type Energy struct {
	Activate, Read, Write, IO, Refresh, Background float64
}

// Commands returns the sum of all classes but background, in pJ.
func (e Energy) Commands() float64 { return e.Activate + e.Read + e.Write + e.IO + e.Refresh }

// Total returns the sum of all classes, in pJ.
func (e Energy) Total() float64 { return e.Commands() + e.Background }

// Energy returns what the channel's commands have cost, and its background
// for a time of elapsed.
func (c *Channel) Energy(elapsed sim.Time) Energy {
	t, s := &c.spec.Energy, &c.stats
	return Energy{
		Activate:   float64(s.ACT) * t.Activate,
		Read:       float64(s.RD) * t.Read,
		Write:      float64(s.WR) * t.Write,
		IO:         float64(s.RD+s.WR) * t.IO,
		Refresh:    c.banksRefreshed() * t.Refresh,
		Background: t.Background*(elapsed-s.PowerDown).Nanoseconds() + t.PowerDown*s.PowerDown.Nanoseconds(), // mW x ns = pJ
	}
}

// refreshesPerRow is in how many refreshes of a bank every row has its turn.
const refreshesPerRow = 8192

// Commands counts what the channel has done.
func (c *Channel) Commands() card.Commands {
	s, burst := &c.stats, float64(8*c.spec.BurstBytes)
	return card.Commands{
		Activates:     float64(s.ACT),
		ReadBits:      float64(s.RD) * burst,
		WrittenBits:   float64(s.WR) * burst,
		RefreshedRows: c.banksRefreshed() * float64(c.spec.Rows) / refreshesPerRow,
	}
}

// Card returns the energy of a standard's commands as a card of it.
func (s *Spec) Card() card.DRAM {
	t, burst := &s.Energy, float64(8*s.BurstBytes)
	return card.DRAM{
		Memory:        s.Name,
		ActivatePJ:    t.Activate,
		ReadPJPerBit:  t.Read / burst,
		WritePJPerBit: t.Write / burst,
		IOPJPerBit:    t.IO / burst,
		RefreshPJ:     t.Refresh * refreshesPerRow / float64(s.Rows),
		Band:          standardBand,
	}
}

// standardBand is the band of a standard's own figures: facts of the sources
// differ by as much (README.md).
const standardBand = 0.4

// banksRefreshed counts refreshes of single banks.
func (c *Channel) banksRefreshed() float64 {
	s := &c.stats
	return float64(s.REFab)*c.banksPerREFab() + float64(s.REFpb) + float64(s.REFsb)*float64(c.spec.BankGroups)
}

// banksPerREFab returns how many banks one all-bank refresh works on: a
// rank's, or an HBM pseudo-channel's with all its stack ids.
func (c *Channel) banksPerREFab() float64 {
	if c.spec.ActPerRank {
		return float64(c.spec.Banks() / c.spec.Ranks)
	}
	return float64(c.spec.Banks())
}

const (
	attAccEnergy   = "scale-snu/attacc_simulator@c600051, pJ a bit, after O'Connor et al., MICRO 2017: activate 0.11 of the row, cell 0.44, to bank group 1.01, to global I/O 1.23, TSV 0.5, interposer 0.3"
	dramsim3Energy = "umd-memsys/DRAMsim3 configs/DDR4_8Gb_x8_3200.ini: IDD0/2N/3N/3P/4R/4W/5AB 57/37/52/43/168/150/250 mA, 1.2 V, eight devices; termination not included"
	averageGDDR6   = "Micron, Ultra-Bandwidth Solutions: 7.5 pJ a bit, device average (GDDR6X 7.25); classes not told apart"
	averageDDR5    = "8 to 12 W a DIMM at 38 to 75 GB/s: 13 to 20 pJ a bit, here 16; classes not told apart"
	averageLPDDR5  = "Grace: 16 W at 500 GB/s, 4 pJ a bit; LPDDR5X 4 to 5; classes not told apart"
)

// hbmEnergy is that of a channel of s's geometry; a bank's rows are refreshed
// once in 8192 tREFI. No primary source gives HBM3's or HBM4's: they take
// HBM2's per bit.
func hbmEnergy(s *Spec) EnergyTable {
	row, burst := float64(8*s.RowBytes), float64(8*s.BurstBytes) // bits
	return EnergyTable{
		Activate: 0.11 * row,
		Read:     (0.44 + 1.01 + 1.23 + 0.5) * burst,
		Write:    (0.44 + 1.01 + 1.23 + 0.5) * burst,
		IO:       0.3 * burst,
		Refresh:  0.11 * row * float64(s.Rows) / refreshesPerRow,
		Source:   attAccEnergy,
	}
}

// ddr4Energy is worked out of the data sheet's currents.
func ddr4Energy() EnergyTable {
	const (
		volt, devices           = 1.2, 8
		idd0, idd2n, idd3n      = 57, 37, 52 // mA
		idd3p                   = 43
		idd4r, idd4w, idd5      = 168, 150, 250
		tRC, tRAS, tBurst, tRFC = 46.25, 32.5, 2.5, 350 // ns
		banks                   = 16
	)
	return EnergyTable{
		Activate:   volt * devices * (idd0*tRC - idd3n*tRAS - idd2n*(tRC-tRAS)),
		Read:       volt * devices * (idd4r - idd3n) * tBurst,
		Write:      volt * devices * (idd4w - idd3n) * tBurst,
		Refresh:    volt * devices * (idd5 - idd3n) * tRFC / banks,
		Background: volt * devices * idd3n,
		PowerDown:  volt * devices * idd3p,
		Source:     dramsim3Energy,
	}
}

// averageEnergy puts everything on the bits moved.
func averageEnergy(pJPerBit float64, burstBytes int, source string) EnergyTable {
	burst := pJPerBit * float64(8*burstBytes)
	return EnergyTable{Read: burst, Write: burst, Source: source}
}
