package dram

import "math/bits"

// An idle channel sleeps. When the next request comes, the refreshes that
// fell due meanwhile have been done: those long past are only counted and
// leave their banks closed, the last few are issued one by one, so that the
// request finds the channel as refresh left it. Refreshes ahead of their time
// are done in idle spans as far as the span lasts.

// catchUp brings an idle channel to tick limit.
func (c *Channel) catchUp(limit int64) {
	t := &c.spec.T
	settled := limit - 4*(max(t[TRFCAB], t[TRFCPB], t[TRFCSB])+t[TRAS]+t[TRP])
	if settled > c.now {
		for i := range c.pcs {
			c.skip(&c.pcs[i], settled)
		}
		c.now = settled
	}
	for {
		p, what, at := c.choose()
		if at >= limit {
			return
		}
		c.issue(p, what, at)
	}
}

// skip does the refreshes due before tick settled without timing them, and
// with a closed page the precharges.
func (c *Channel) skip(p *pseudo, settled int64) {
	for i := range p.refs {
		r := &p.refs[i]
		if rounds := (settled - r.due) / r.interval; rounds > 0 {
			r.start += rounds * r.interval
			r.setDue()
			c.countRefresh(r.op, uint64(rounds)*uint64(len(r.units)))
			c.skipClose(p, r.all)
			if invariants {
				c.check.skipped(p, c, r.all, settled)
			}
		}
		for r.due < settled {
			r.fall()
		}
		for spare := (settled - c.now) / r.length; r.debt > 0 || r.debt > -r.ahead && spare > 0; spare-- {
			if r.unit < 0 {
				r.unit = bits.TrailingZeros64(r.left)
				if c.holds {
					c.holdAll(1)
				}
			}
			banks := r.units[r.unit]
			p.blocked &^= banks
			p.ahead &^= r.all
			c.skipClose(p, banks)
			if invariants {
				c.check.skipped(p, c, banks, settled)
			}
			r.settle(c)
		}
	}
	if c.closes && settled-p.lastCol > c.closeWait {
		c.skipClose(p, p.open)
	}
	p.rechoose()
}

// skipClose closes banks at an untimed instant of the idle span.
func (c *Channel) skipClose(p *pseudo, banks uint64) {
	if banks&p.open == 0 {
		return
	}
	for m := banks & p.open; m != 0; m &= m - 1 {
		b := int32(bits.TrailingZeros64(m))
		at := p.nextPRE[b]
		p.banks[b].conflicted = false
		c.close(p, b, at)
	}
	c.stats.PRE++
	if invariants {
		c.check.closed(p, c, banks)
	}
}
