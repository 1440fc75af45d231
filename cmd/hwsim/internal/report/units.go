package report

import "hwsim/cmd/hwsim/internal/units"

// What every table writes its figures with.
var (
	duration = units.Duration
	size     = units.Size
	joules   = units.Energy
	dollars  = units.Dollars
	within   = units.Within
	count    = units.Count
	rate     = units.Rate
	percent  = units.Percent
	number   = units.Number
	figure   = units.Figure
	value    = units.Value
)
