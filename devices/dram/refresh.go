package dram

import "math/bits"

// refresher keeps the refreshes of one rank, or of one HBM pseudo-channel
// with all its stack ids. It refreshes in units of banks: all of them
// (all-bank), one (per-bank), or one of every group (same-bank). In a round
// every unit is refreshed once, in any order.
type refresher struct {
	op, pre  Op
	units    []uint64 // banks of each unit
	interval int64    // tREFI; one round
	start    int64    // of the round whose refreshes fall due
	fallen   int64    // refreshes of it that fell due
	due      int64    // when the next one does
	debt     int64    // due and not yet issued; below 0: issued ahead
	ahead    int64    // how many may be
	all      uint64   // banks of all units
	inOrder  bool     // units one after the other, whoever waits for them
	most     int64    // debt at which a busy bank is refreshed too
	left     uint64   // units not refreshed in this round
	unit     int      // the one being prepared, or -1
	next     int64    // tRREFD
	length   int64    // tRFC of its kind
	apart    int64    // tRREFD; 0 where nothing else is to refresh
}

// newRefreshers returns the refreshers of the pseudo-channel of that number.
func newRefreshers(s *Spec, cfg Config, number int) []refresher {
	if cfg.Refresh == "none" {
		return nil
	}
	parts := 1
	if s.ActPerRank {
		parts = s.Ranks
	}
	per := s.Banks() / parts
	rs := make([]refresher, parts)
	for i := range rs {
		all := (^uint64(0) >> (64 - uint(per))) << uint(i*per)
		rs[i] = newRefresher(s, cfg, all)
		if cfg.Refresh == "staggered" {
			n := int64(parts * s.PseudoChannels)
			rs[i].start -= rs[i].interval * int64(number*parts+i) / n
			rs[i].setDue()
		}
	}
	return rs
}

func newRefresher(s *Spec, cfg Config, all uint64) refresher {
	r := refresher{start: -1, unit: -1, all: all, interval: s.T[TREFI], apart: s.T[TRREFD]} // its first tick is the first of tREFI
	switch cfg.Refresh {
	case "all_bank", "staggered":
		r.op, r.pre, r.length, r.apart = REFab, PREab, s.T[TRFCAB], 0
		r.units = []uint64{all}
	case "per_bank":
		r.op, r.pre, r.length = REFpb, PRE, s.T[TRFCPB]
		for m := all; m != 0; m &= m - 1 {
			r.units = append(r.units, m&-m)
		}
	case "same_bank":
		r.op, r.pre, r.length = REFsb, PREsb, s.T[TRFCSB]
		first := bits.TrailingZeros64(all)
		for b := range s.BanksPerGroup {
			var unit uint64
			for g := range s.BankGroups {
				unit |= 1 << uint(first+g*s.BanksPerGroup+b)
			}
			r.units = append(r.units, unit)
		}
	}
	// A bank refreshed first in one round and last in the next, so many of them
	// ahead and with the debt at its most, waits (ahead + most)/n + 2 tREFI, or
	// one less where a round is one refresh: JEDEC allows nine.
	n := int64(len(r.units))
	r.most, r.ahead = max(1, int64(cfg.Postpone-1)*n), int64(cfg.PullIn)*n
	if n == 1 {
		r.most = int64(cfg.Postpone) + 1
	}
	if cfg.RefreshFirst {
		r.inOrder, r.most, r.ahead = true, 1, 0
	}
	r.left = 1<<uint(len(r.units)) - 1
	r.setDue()
	return r
}

// setDue places the next due refresh: they are spread evenly over tREFI.
func (r *refresher) setDue() {
	n := int64(len(r.units))
	if r.fallen == n {
		r.start, r.fallen = r.start+r.interval, 0
	}
	r.due = r.start + (r.fallen+1)*r.interval/n
}

// fall counts the refresh that is due.
func (r *refresher) fall() {
	r.debt++
	r.fallen++
	r.setDue()
}

// pickRefresh finds when the pseudo-channel's refreshers act next.
func (c *Channel) pickRefresh(p *pseudo) {
	p.ref = candidate{at: never, key: -waitUnit, bank: none} // before every row command
	for i := range p.refs {
		r := &p.refs[i]
		at := r.due
		if r.unit >= 0 {
			at = min(at, c.refreshReady(p, r))
		}
		if at = max(at, c.now); at < p.ref.at {
			p.ref.at, p.ref.bank, p.ref.key = at, int32(i), -waitUnit
			if at >= r.due {
				p.ref.key = -waitUnit - c.colFirst // falling due comes before columns too
			}
		}
	}
}

// chooseUnits picks the next unit of every refresher that has one due, or
// may work ahead.
func (c *Channel) chooseUnits(p *pseudo) {
	p.refsWait = false
	for i := range p.refs {
		r := &p.refs[i]
		switch {
		case r.unit >= 0 || r.debt <= -r.ahead:
		case r.debt <= 0 && p.busy(r.all):
			p.refsWait = true
		default:
			c.chooseUnit(p, r)
		}
	}
}

// chooseUnit picks a unit to refresh and blocks it: one that nobody waits
// for, the most recently used first (a stream returns to it last); with the
// debt at its most, the least loaded.
func (c *Channel) chooseUnit(p *pseudo, r *refresher) {
	chosen, load, recent := -1, int32(1), -2*never
	if r.debt >= r.most {
		load = 1 << 30
	}
	if r.inOrder {
		chosen = bits.TrailingZeros64(r.left)
	}
	for m := r.left; m != 0 && !r.inOrder; m &= m - 1 {
		u := bits.TrailingZeros64(m)
		n, used := p.load(r.units[u])
		if n < load || n == load && chosen >= 0 && used > recent {
			chosen, load, recent = u, n, used
		}
	}
	if chosen < 0 {
		p.refsWait = true
		return
	}
	r.unit = chosen
	p.blocked |= r.units[chosen]
	if r.debt <= 0 {
		p.ahead |= r.all
	}
	p.rechoose()
	if c.holds {
		c.holdAll(1)
	}
	for m := r.units[chosen]; m != 0; m &= m - 1 {
		p.banks[bits.TrailingZeros64(m)].refFrom = c.now
	}
}

// yield gives up the refreshes chosen ahead of their time that bank b stands
// in the way of.
func (c *Channel) yield(p *pseudo, b int32) {
	for i := range p.refs {
		r := &p.refs[i]
		if r.unit < 0 || p.ahead&r.all>>uint(b)&1 == 0 {
			continue
		}
		p.ahead &^= r.all
		p.blocked &^= r.units[r.unit]
		p.refsWait = true
		c.letGo(r)
		p.rechoose()
	}
}

// busy reports whether any request waits for one of the banks.
func (p *pseudo) busy(banks uint64) bool {
	queued, _ := p.load(banks)
	return queued > 0
}

// load returns the entries queued for the banks and their last use.
func (p *pseudo) load(banks uint64) (queued int32, used int64) {
	used = -never
	for m := banks; m != 0; m &= m - 1 {
		k := &p.banks[bits.TrailingZeros64(m)]
		queued += k.queued
		used = max(used, k.used)
	}
	return queued, used
}

// refreshReady returns when the chosen unit's next command can issue: its
// precharge, or the refresh once all its banks are closed.
func (c *Channel) refreshReady(p *pseudo, r *refresher) int64 {
	banks := r.units[r.unit]
	at := max(c.now, c.busFree[c.rowBus])
	if banks&p.fresh != 0 || c.held > 1 && p != c.firstHeld() {
		return never // they come first, and mark the candidate dirty
	}
	if banks&p.open != 0 {
		at = max(at, p.anyPRE)
		for m := banks; m != 0; m &= m - 1 { // closed ones too: they may be about to precharge themselves
			at = max(at, p.nextPRE[bits.TrailingZeros64(m)])
		}
		return at
	}
	at = max(at, r.next)
	if r.debt <= 0 { // ahead: after the banks have been idle as long as it takes
		_, used := p.load(r.all)
		at = max(at, used+r.length)
	}
	for m := banks; m != 0; m &= m - 1 {
		b := bits.TrailingZeros64(m)
		at = max(at, p.nextACT[b]+c.spec.ActDelay)
		if r.op != REFab {
			at = max(at, p.scopes[p.scopeOf[b]].nextREF)
		}
	}
	return c.alignUp(at)
}

// stepRefresh lets a refresh fall due, or issues the chosen unit's command.
func (c *Channel) stepRefresh(p *pseudo, at int64) {
	r := &p.refs[p.ref.bank]
	p.ref.dirty = true
	if at >= r.due {
		r.fall()
		if r.debt > 0 {
			p.ahead &^= r.all
		}
		c.chooseUnits(p)
		return
	}
	banks := r.units[r.unit]
	first := int32(bits.TrailingZeros64(banks))
	c.busFree[c.rowBus] = at + c.spec.RowTicks
	if banks&p.open != 0 {
		c.prechargeUnit(p, banks, at)
		c.stats.PRE++
		c.record(p, Command{At: at, Op: r.pre, Banks: banks}, first)
		return
	}
	for m := banks; m != 0; m &= m - 1 {
		b := bits.TrailingZeros64(m)
		p.nextACT[b] = max(p.nextACT[b], at+r.length-c.spec.ActDelay)
		p.banks[b].refTill = at + r.length
		if r.op != REFab {
			s := &p.scopes[p.scopeOf[b]]
			s.nextACT = max(s.nextACT, at+r.apart-c.spec.ActDelay)
		}
	}
	r.next = at + r.apart
	r.settle(c)
	p.blocked &^= banks
	p.ahead &^= r.all
	p.rechoose()
	c.chooseUnits(p)
	c.record(p, Command{At: at, Op: r.op, Banks: banks}, first)
}

// prechargeUnit closes every open bank of the unit; the command keeps the
// closed ones from an ACT, too.
func (c *Channel) prechargeUnit(p *pseudo, banks uint64, at int64) {
	for m := banks &^ p.open; m != 0; m &= m - 1 {
		b := bits.TrailingZeros64(m)
		p.nextACT[b] = max(p.nextACT[b], at+c.preToACT)
	}
	for m := banks & p.open; m != 0; m &= m - 1 {
		b := int32(bits.TrailingZeros64(m))
		p.banks[b].conflicted = false
		c.close(p, b, at)
	}
	p.anyPRE = at + c.spec.T[TPPD]
	p.rechoose()
}

// settle ends the refresh of the chosen unit.
func (r *refresher) settle(c *Channel) {
	r.left &^= 1 << uint(r.unit)
	if r.left == 0 {
		r.left = 1<<uint(len(r.units)) - 1
	}
	r.debt--
	c.countRefresh(r.op, 1)
	c.letGo(r)
}

// letGo ends the preparation of the chosen unit.
func (c *Channel) letGo(r *refresher) {
	r.unit = -1
	if c.holds {
		c.holdAll(-1)
	}
}

// holdAll counts the all-bank refreshes being prepared on a channel whose
// pseudo-channels share a row bus. While there are any, only rows already
// opened are served: the pseudo-channels' refreshes fall due together and
// the controller clears them first (as Ramulator's does).
func (c *Channel) holdAll(n int) {
	c.held += n
	bar := uint64(0)
	if c.held > 0 {
		bar = ^bar
	}
	for i := range c.pcs {
		c.pcs[i].barred.row, c.pcs[i].barred.column = bar, bar
		c.pcs[i].rechoose()
	}
}

// firstHeld returns the pseudo-channel whose all-bank refresh is next: they
// are prepared one after the other.
func (c *Channel) firstHeld() *pseudo {
	for i := range c.pcs {
		if c.pcs[i].refs[0].unit >= 0 {
			return &c.pcs[i]
		}
	}
	return nil
}

func (c *Channel) countRefresh(op Op, n uint64) {
	switch op {
	case REFab:
		c.stats.REFab += n
	case REFpb:
		c.stats.REFpb += n
	default:
		c.stats.REFsb += n
	}
}
