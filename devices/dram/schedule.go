package dram

import "math/bits"

// Ages are kept as keys: the sequence number over the bank's number, so that
// one comparison finds the oldest entry and its bank. The wait until a
// command is ready goes above both: the least word is the command that is
// ready first and of those the oldest.
const (
	bankBits = 6
	seqBits  = 40 // 1e12 entries in a channel's life
	waitBits = 16 // 65 k ticks, longer than any rule

	lateBit  = int64(1) << (bankBits + seqBits) // loses to every age of its instant
	ageMask  = 2*lateBit - 1
	waitUnit = 2 * lateBit
	longest  = int64(1)<<waitBits - 1
)

func ageKey(seq int64, b int32) int64 { return seq<<bankBits | int64(b) }

// Kinds of the chosen command.
const (
	kindColumn = iota
	kindACT
	kindPRE
	kindRefresh
)

// run issues every command due before limit, until no request is pending.
func (c *Channel) run(limit int64) {
	for c.pending > 0 {
		p, kind, at := c.choose()
		if at >= limit {
			return
		}
		c.issue(p, kind, at)
	}
}

// issue carries out the chosen command.
func (c *Channel) issue(p *pseudo, kind int, at int64) {
	c.now = max(c.now, at)
	switch kind {
	case kindColumn:
		c.issueColumn(p, p.col.bank, at, p.col.key&lateBit == 0)
	case kindACT:
		c.issueACT(p, p.act.bank, at)
	case kindPRE:
		c.issuePRE(p, p.pre.bank, at)
	case kindRefresh:
		c.stepRefresh(p, at)
	}
}

// choose returns the next command of the channel: the earliest; of one
// instant, columns before rows where they have a bus each, then refreshes,
// then the oldest.
func (c *Channel) choose() (best *pseudo, kind int, at int64) {
	at = never
	key := never
	row := c.busFree[c.rowBus]
	if c.fcfs {
		c.takeTurns()
	}
	for i := range c.pcs {
		p := &c.pcs[i]
		if p.ref.dirty || p.ref.at < row {
			c.pickRefresh(p)
		}
		if p.col.dirty || p.col.at < c.busFree[0] {
			c.pickColumn(p)
		}
		if p.act.dirty || p.act.at < row {
			c.pickACT(p)
		}
		if p.pre.dirty || p.pre.at < row {
			c.pickPRE(p)
		}
		if invariants {
			c.check.candidates(c, p)
		}
		if k := p.col.key - c.colFirst; p.col.at < at || p.col.at == at && k < key {
			best, kind, at, key = p, kindColumn, p.col.at, k
		}
		if p.act.at < at || p.act.at == at && p.act.key < key {
			best, kind, at, key = p, kindACT, p.act.at, p.act.key
		}
		if p.pre.at < at || p.pre.at == at && p.pre.key < key {
			best, kind, at, key = p, kindPRE, p.pre.at, p.pre.key
		}
		if p.ref.at < at || p.ref.at == at && p.ref.key < key {
			best, kind, at, key = p, kindRefresh, p.ref.at, p.ref.key
		}
	}
	return best, kind, at
}

// takeTurns lets only the bank of the oldest entry of the direction served
// issue commands for it, and columns only if they are that entry's.
func (c *Channel) takeTurns() {
	d, oldest, turn := c.mode, never, int32(none)
	var first *pseudo
	for i := range c.pcs {
		p := &c.pcs[i]
		p.barred.row, p.barred.column = ^uint64(0), ^uint64(0)
		p.rechoose()
		for b := range p.banks {
			if p.banks[b].head[d] != none && p.headKey[d][b] < oldest {
				oldest, turn, first = p.headKey[d][b], int32(b), p
			}
		}
	}
	if first == nil || c.held > 0 {
		return
	}
	bit := uint64(1) << uint(turn)
	first.barred.row &^= bit
	if k := &first.banks[turn]; k.hit[d] == k.head[d] {
		first.barred.column &^= bit
	}
}

// take sets the candidate from the least word found above floor.
func (x *candidate) take(least, floor int64) {
	if least == never {
		*x = candidate{at: never, key: never, bank: none}
		return
	}
	*x = candidate{at: floor + least/waitUnit, key: least & ageMask, bank: int32(least & (1<<bankBits - 1))}
}

// pickColumn chooses the column command: of those ready earliest the oldest,
// rows just opened before others, hits in the direction now served only.
func (c *Channel) pickColumn(p *pseudo) {
	floor := c.alignUp(max(c.now, c.busFree[0]))
	least := never
	d := c.mode & 1
	for m := p.fresh; m != 0; m &= m - 1 {
		b := bits.TrailingZeros64(m) & (maxBanks - 1)
		d := p.banks[b].dir & 1
		at := max(floor, p.nextCol[d][b], p.groupCol[d][p.groupOf[b]&63], p.rankCol[d][p.rankOf[b]&63])
		least = min(least, min(at-floor, longest)*waitUnit|p.hitKey[d][b])
	}
	for m := p.hits[d] &^ (p.blocked | p.freshOf[d] | p.barred.column); m != 0; m &= m - 1 {
		b := bits.TrailingZeros64(m) & (maxBanks - 1)
		at := max(floor, p.nextCol[d][b], p.groupCol[d][p.groupOf[b]&63], p.rankCol[d][p.rankOf[b]&63])
		least = min(least, min(at-floor, longest)*waitUnit|lateBit|p.hitKey[d][b])
	}
	p.col.take(least, floor)
}

// pickACT chooses among the closed banks with entries of the direction now
// served.
func (c *Channel) pickACT(p *pseudo) {
	floor := c.alignUp(max(c.now, c.busFree[c.rowBus]))
	least := never
	d := c.mode & 1
	for m := p.wantACT[d] &^ (p.blocked | p.barred.row); m != 0; m &= m - 1 {
		b := bits.TrailingZeros64(m) & (maxBanks - 1)
		at := c.alignUp(max(floor, p.nextACT[b], p.groupACT[p.groupOf[b]&63], p.scopes[p.scopeOf[b]].nextACT))
		least = min(least, min(at-floor, longest)*waitUnit|lateBit|p.headKey[d][b])
	}
	p.act.take(least, floor)
}

// pickPRE chooses among the open banks whose oldest entry wants another row
// and, with a closed page, lets rows nobody wants close when nothing else does.
func (c *Channel) pickPRE(p *pseudo) {
	floor := max(c.now, c.busFree[c.rowBus], p.anyPRE)
	least := never
	d := c.mode & 1
	for m := p.wantPRE[d] &^ (p.fresh | p.blocked | p.barred.row); m != 0; m &= m - 1 {
		b := bits.TrailingZeros64(m) & (maxBanks - 1)
		wait := max(0, p.nextPRE[b]-floor)
		least = min(least, min(wait, longest)*waitUnit|lateBit|p.headKey[d][b])
	}
	for m := p.idle &^ (p.fresh | p.blocked | p.barred.row); m != 0; m &= m - 1 {
		b := bits.TrailingZeros64(m) & (maxBanks - 1)
		wait := max(0, max(p.nextPRE[b], p.banks[b].used+c.closeWait)-floor)
		least = min(least, min(wait, longest)*waitUnit|lateBit|(lateBit-maxBanks)|int64(b))
	}
	p.pre.take(least, floor)
}

// compete lets a bank whose state changed win over the candidates chosen
// before: what choosing anew would find, without looking at the others.
func (c *Channel) compete(p *pseudo, b int32) {
	d, bit := c.mode, uint64(1)<<uint(b)
	barred := (p.blocked | p.barred.row) & bit
	if p.col.bank == b {
		p.col.dirty = true
	} else if !p.col.dirty && p.freshOf[d]&bit == 0 && p.hits[d]&bit&^barred != 0 {
		at := c.alignUp(max(c.now, c.busFree[0], p.nextCol[d][b], p.groupCol[d][p.groupOf[b]], p.rankCol[d][p.rankOf[b]]))
		p.col.beat(at, lateBit|p.hitKey[d][b], b)
	}
	if p.act.bank == b {
		p.act.dirty = true
	} else if !p.act.dirty && p.wantACT[d]&bit&^barred != 0 {
		at := c.alignUp(max(c.now, c.busFree[c.rowBus], p.nextACT[b], p.groupACT[p.groupOf[b]], p.scopes[p.scopeOf[b]].nextACT))
		p.act.beat(at, lateBit|p.headKey[d][b], b)
	}
	if p.pre.bank == b {
		p.pre.dirty = true
	} else if !p.pre.dirty && p.wantPRE[d]&bit&^(barred|p.fresh) != 0 {
		at := max(c.now, c.busFree[c.rowBus], p.anyPRE, p.nextPRE[b])
		p.pre.beat(at, lateBit|p.headKey[d][b], b)
	}
}

// beat replaces the candidate if bank b's command goes first.
func (x *candidate) beat(at, key int64, b int32) {
	if at < x.at || at == x.at && key < x.key {
		x.at, x.key, x.bank = at, key, b
	}
}

// competeFresh lets the column that finishes a row just opened win.
func (c *Channel) competeFresh(p *pseudo, b int32) {
	if d := p.banks[b].dir; !p.col.dirty {
		at := c.alignUp(max(c.now, c.busFree[0], p.nextCol[d][b], p.groupCol[d][p.groupOf[b]], p.rankCol[d][p.rankOf[b]]))
		p.col.beat(at, p.hitKey[d][b], b)
	}
}

// rechoose drops every candidate of the pseudo-channel.
func (p *pseudo) rechoose() {
	p.col.dirty, p.act.dirty, p.pre.dirty, p.ref.dirty = true, true, true, true
}

// alignUp returns the first edge from t on at which an ACT, a refresh or a
// column command may issue: HBM3 takes them on rising edges only.
func (c *Channel) alignUp(t int64) int64 { return (t + c.align - 1) &^ (c.align - 1) }
