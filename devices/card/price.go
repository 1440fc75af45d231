package card

// Price is what a device costs to buy.
type Price struct {
	USD       float64 `toml:"usd"`         // $ a device, without what usd_per_gib is of
	USDPerGiB float64 `toml:"usd_per_gib"` // $ a GiB of its capacity
	Band      float64 `toml:"band"`        // relative half-width of both, 0 to 1
}

// Of returns the price of so many devices with a capacity together, in $.
func (p *Price) Of(devices, gib float64) Amount {
	return amount(p.USD*devices+p.USDPerGiB*gib, p.Band)
}

// Validate reports figures that no device has.
func (p *Price) Validate(report func(key, message string)) {
	figures(report, 1e7, map[string]float64{"usd": p.USD, "usd_per_gib": p.USDPerGiB})
	bands(report, map[string]float64{"band": p.Band})
}

// Cost is how a machine is paid for.
type Cost struct {
	LifetimeYears float64 `toml:"lifetime_years"` // over which its price is written off, evenly, 0.1 to 50
	Busy          float64 `toml:"busy"`           // share of that time for which it runs such steps, above 0 and at most 1
	USDPerKWh     float64 `toml:"usd_per_kwh"`    // $ a kWh of electricity
	PUE           float64 `toml:"pue"`            // energy of the site over that of its machines, 1 to 3
	Band          float64 `toml:"band"`           // relative half-width of usd_per_kwh times pue, 0 to 1
}

// secondsPerYear is of a year of 365.25 days.
const secondsPerYear = 365.25 * 86400

// WriteOff returns what a machine's price comes to over seconds of its work, in $.
func (c *Cost) WriteOff(price Amount, seconds float64) Amount {
	return price.Times(seconds / (c.LifetimeYears * secondsPerYear * c.Busy))
}

// Electricity returns the price of an energy in J, in $. Its band is of both.
func (c *Cost) Electricity(joules Amount) Amount {
	const joulesPerKWh = 3.6e6
	rate := c.USDPerKWh * c.PUE / joulesPerKWh
	return Amount{joules.Value * rate, joules.Band*rate + joules.Value*rate*c.Band}
}

// Validate reports terms that no machine is paid for by.
func (c *Cost) Validate(report func(key, message string)) {
	if !(c.LifetimeYears >= 0.1 && c.LifetimeYears <= 50) {
		report("lifetime_years", "must be 0.1 to 50")
	}
	if !(c.Busy > 0 && c.Busy <= 1) {
		report("busy", "must be above 0 and at most 1")
	}
	if !(c.PUE >= 1 && c.PUE <= 3) {
		report("pue", "must be 1 to 3")
	}
	figures(report, 100, map[string]float64{"usd_per_kwh": c.USDPerKWh})
	bands(report, map[string]float64{"band": c.Band})
}
