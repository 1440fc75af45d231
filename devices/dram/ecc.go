package dram

// Inline ECC keeps check bits in the last columns of each row, one burst of
// them for InlineECC-1 of data: memories without pins for them (GDDR, LPDDR)
// pay for ECC with bandwidth. A read reads its check bits too. A write
// rewrites them, and reads them first unless it covers all that they check.
// Bursts of check bits that wait already are shared; nothing holds a rewrite
// back until its read is done, and the controller keeps no check bits.

// addChecks queues what the bursts from at on need of check bits.
func (c *Channel) addChecks(q int32, d int, at place, count int32) {
	share := int32(c.spec.InlineECC - 1)
	first, last := at.col/share, (at.col+count-1)/share
	whole := at.col%share == 0 && count%share == 0
	for k := first; k <= last; k++ {
		at.col = int32(c.spec.columns()) + k
		if d == read || !whole {
			c.addCheck(q, read, at)
		}
		if d == write {
			c.addCheck(q, write, at)
		}
	}
}

// addCheck queues one burst of check bits unless it waits already.
func (c *Channel) addCheck(q int32, d int, at place) {
	if c.queued(d, at) {
		return
	}
	c.requests[q].parts++
	c.waiting[d]++
	c.addEntry(q, d, at, 1)
	if d == read {
		c.stats.CheckRD++
	} else {
		c.stats.CheckWR++
	}
}
