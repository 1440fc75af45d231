package dram

// Power-down is off unless asked for. An idle channel then drops its clock
// enable after a while, rows left open, and the request that ends the idle
// span waits tXP. Refreshes in between are not charged for waking it.

// powerUp is tXP, power-down exit to the next command, by family.
var powerUp = map[string]Timing{
	"HBM2":    {NS: 8, Source: dramsysHBM2},
	"HBM2E":   {NS: 8, Source: asHBM2},
	"HBM3":    {NS: 8, Source: asHBM2},
	"HBM3E":   {NS: 8, Source: asHBM2},
	"HBM4":    {NS: 8, Source: asHBM2},
	"DDR4":    {CK: 10, Source: dramsim3Energy},
	"DDR5":    {NS: 6.3, Source: "as DDR4: no open source found"},
	"LPDDR5":  {NS: 7, CK: 3, Source: gem5LP5B8},
	"LPDDR5X": {NS: 7, CK: 3, Source: gem5LP5B8},
	"GDDR6":   {NS: 7.92, Source: dramsim3GDDR6},
	"GDDR6X":  {NS: 7.92, Source: dramsim3GDDR6},
}

const (
	asHBM2        = "as HBM2: no open source found"
	dramsim3GDDR6 = "umd-memsys/DRAMsim3@2981759 configs/GDDR6_8Gb_x16.ini: 12 clocks of 0.66 ns"
)

// wake brings an idle channel to the tick of its next request.
func (c *Channel) wake(tick int64) {
	down := tick - c.now - c.downAfter
	c.catchUp(tick)
	if c.downAfter == 0 || down <= 0 {
		return
	}
	c.stats.PowerDown += c.spec.Tick.Edge(down)
	c.now = max(c.now, tick+c.upTime)
	for i := range c.pcs {
		c.pcs[i].rechoose()
	}
}
