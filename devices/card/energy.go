package card

// Amount is a figure with the half-width of its band, in the same unit.
type Amount struct{ Value, Band float64 }

// amount returns a figure of a relative band.
func amount(value, band float64) Amount { return Amount{value, value * band} }

// Plus adds two amounts.
func (a Amount) Plus(b Amount) Amount { return Amount{a.Value + b.Value, a.Band + b.Band} }

// Times returns n of an amount.
func (a Amount) Times(n float64) Amount { return Amount{a.Value * n, a.Band * n} }

// Commands are what channels of DRAM did.
type Commands struct {
	Activates     float64 // ACT, with its PRE
	ReadBits      float64 // of bursts read, check bits included
	WrittenBits   float64
	RefreshedRows float64 // rows of banks refreshed
}

// DRAM is the energy of a kind of memory, of the commands of one channel, all its
// devices together.
type DRAM struct {
	Memory        string  `toml:"memory"`            // what the names of the standards begin with that the card is of, such as hbm or ddr5; empty: any
	ActivatePJ    float64 `toml:"activate_pj"`       // pJ an ACT with its PRE; 0: part of the bits
	ReadPJPerBit  float64 `toml:"read_pj_per_bit"`   // pJ a bit read, array to pins
	WritePJPerBit float64 `toml:"write_pj_per_bit"`  // pJ a bit written, pins to array
	IOPJPerBit    float64 `toml:"io_pj_per_bit"`     // pJ a bit on the pins, either way: drivers, termination and the controller's PHY
	RefreshPJ     float64 `toml:"refresh_pj"`        // pJ a row of a bank refreshed; 0: part of the bits or of static power
	StaticPerGiB  float64 `toml:"static_mw_per_gib"` // mW a GiB of capacity at rest; 0: part of another device's static power
	Band          float64 `toml:"band"`              // relative half-width of the pJ figures, 0 to 1
	StaticBand    float64 `toml:"static_band"`       // relative half-width of static_mw_per_gib, 0 to 1
}

// Rows returns the pJ of activating rows.
func (d *DRAM) Rows(c Commands) Amount { return amount(c.Activates*d.ActivatePJ, d.Band) }

// Bits returns the pJ of what was read and written.
func (d *DRAM) Bits(c Commands) Amount {
	return amount(c.ReadBits*d.ReadPJPerBit+c.WrittenBits*d.WritePJPerBit+(c.ReadBits+c.WrittenBits)*d.IOPJPerBit, d.Band)
}

// Refreshes returns the pJ of refreshes.
func (d *DRAM) Refreshes(c Commands) Amount { return amount(c.RefreshedRows*d.RefreshPJ, d.Band) }

// Commands returns the pJ of all commands.
func (d *DRAM) Commands(c Commands) Amount {
	return d.Rows(c).Plus(d.Bits(c)).Plus(d.Refreshes(c))
}

// Static returns what a capacity draws at rest, in W.
func (d *DRAM) Static(gib float64) Amount { return amount(d.StaticPerGiB*gib/1e3, d.StaticBand) }

// Validate reports figures that no memory has.
func (d *DRAM) Validate(report func(key, message string)) {
	figures(report, 1e6, map[string]float64{"activate_pj": d.ActivatePJ, "read_pj_per_bit": d.ReadPJPerBit, "write_pj_per_bit": d.WritePJPerBit,
		"io_pj_per_bit": d.IOPJPerBit, "refresh_pj": d.RefreshPJ, "static_mw_per_gib": d.StaticPerGiB})
	bands(report, map[string]float64{"band": d.Band, "static_band": d.StaticBand})
}

// Expander is the energy of a CXL card: its memory's, of its controller and its
// own link.
type Expander struct {
	DRAM
	LinkPJPerBit float64 `toml:"link_pj_per_bit"` // pJ a payload bit between the host's CXL port and the card, both PHYs
	ControllerW  float64 `toml:"controller_w"`    // W of a card's controller at rest; static_band is its band too
}

// Link returns the pJ of payload bits over the cards' links.
func (e *Expander) Link(bits float64) Amount { return amount(bits*e.LinkPJPerBit, e.Band) }

// Controllers returns what cards draw at rest besides their memory, in W.
func (e *Expander) Controllers(cards float64) Amount {
	return amount(e.ControllerW*cards, e.StaticBand)
}

// Validate reports figures that no card has.
func (e *Expander) Validate(report func(key, message string)) {
	figures(report, 1e3, map[string]float64{"link_pj_per_bit": e.LinkPJPerBit, "controller_w": e.ControllerW})
}

// Link is the energy of a link.
type Link struct {
	PJPerBit float64 `toml:"pj_per_bit"` // pJ a bit on the wire, headers included, both ends
	Band     float64 `toml:"band"`       // relative half-width of it, 0 to 1
}

// Bits returns the pJ of bits on the wire.
func (l *Link) Bits(n float64) Amount { return amount(n*l.PJPerBit, l.Band) }

// Validate reports figures that no link has.
func (l *Link) Validate(report func(key, message string)) {
	figures(report, 1e3, map[string]float64{"pj_per_bit": l.PJPerBit})
	bands(report, map[string]float64{"band": l.Band})
}

// GPU is the energy of a GPU's die.
type GPU struct {
	L2PJPerBit     float64 `toml:"l2_pj_per_bit"`     // pJ a bit read from or written to the L2
	FabricPJPerBit float64 `toml:"fabric_pj_per_bit"` // pJ a bit between the L2 and an SM's registers: crossbar, L1, shared memory
	FLOPPJ         float64 `toml:"flop_pj"`           // pJ a floating-point operation of products, operands and instructions included
	StaticW        float64 `toml:"static_w"`          // W of the board with its HBM at rest, ready to run: leakage, clocks, refresh, fans
	Band           float64 `toml:"band"`              // relative half-width of the pJ figures, 0 to 1
	StaticBand     float64 `toml:"static_band"`       // relative half-width of static_w, 0 to 1
}

// L2 returns the pJ of bits read from or written to the L2.
func (g *GPU) L2(bits float64) Amount { return amount(bits*g.L2PJPerBit, g.Band) }

// Fabric returns the pJ of bits between the L2 and SMs.
func (g *GPU) Fabric(bits float64) Amount { return amount(bits*g.FabricPJPerBit, g.Band) }

// Compute returns the pJ of operations.
func (g *GPU) Compute(flops float64) Amount { return amount(flops*g.FLOPPJ, g.Band) }

// Static returns what the board draws at rest, in W.
func (g *GPU) Static() Amount { return amount(g.StaticW, g.StaticBand) }

// Validate reports figures that no GPU has.
func (g *GPU) Validate(report func(key, message string)) {
	figures(report, 1e4, map[string]float64{"l2_pj_per_bit": g.L2PJPerBit, "fabric_pj_per_bit": g.FabricPJPerBit, "flop_pj": g.FLOPPJ, "static_w": g.StaticW})
	bands(report, map[string]float64{"band": g.Band, "static_band": g.StaticBand})
}
