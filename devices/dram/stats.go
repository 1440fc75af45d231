package dram

import "hwsim/sim"

// Stats counts what a channel did since New.
type Stats struct {
	ACT, PRE, RD, WR        uint64 // PRE counts a PREab or PREsb once
	REFab, REFpb, REFsb     uint64
	Hits, Misses, Conflicts uint64 // bursts that found their row open, the bank closed, another row open
	BytesRead               uint64 // whole bursts of data
	BytesWritten            uint64
	BusBusy                 sim.Time // data-bus time of all pseudo-channels together
	PowerDown               sim.Time // spent in power-down
	Forwarded               uint64   // bursts read from queued writes
	CheckRD, CheckWR        uint64   // of RD and WR, those for inline check bits
	Turnarounds             uint64   // read to write or back, of a pseudo-channel's data bus
	Reads, Writes           uint64   // requests completed
}

// BankStats counts what a bank did since New. Bursts less ACT found their row open.
type BankStats struct {
	ACT    uint64
	Bursts uint64 // column commands, check bits' too
}

// Banks returns the counts of the banks: pseudo-channel by pseudo-channel, in the
// order of rank, group and bank.
func (c *Channel) Banks() []BankStats {
	var all []BankStats
	for i := range c.pcs {
		for b := range c.pcs[i].banks {
			all = append(all, c.pcs[i].banks[b].count())
		}
	}
	return all
}

// count adds the open row's columns, which are counted once another is opened.
func (k *bank) count() BankStats {
	return BankStats{k.sum.ACT, k.sum.Bursts + uint64(k.columns)}
}

// Stats returns the counts so far. The pointer stays valid; BusBusy is
// brought up to date by this call.
func (c *Channel) Stats() *Stats {
	c.stats.BytesRead = (c.stats.RD - c.stats.CheckRD) * uint64(c.spec.BurstBytes)
	c.stats.BytesWritten = (c.stats.WR - c.stats.CheckWR) * uint64(c.spec.BurstBytes)
	c.stats.BusBusy = c.spec.Tick.Edge(int64(c.stats.RD+c.stats.WR) * c.spec.Burst)
	return &c.stats
}
