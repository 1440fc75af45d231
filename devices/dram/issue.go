package dram

import "hwsim/devices"

// Op is a DRAM command.
type Op uint8

// The commands, as in JEDEC tables.
const (
	ACT   Op = iota
	PRE      // of one bank
	PREab    // of a rank, or an HBM pseudo-channel
	PREsb    // of one bank of every group (DDR5)
	RD
	WR
	REFab
	REFpb
	REFsb
	numOps
)

var opNames = [numOps]string{"ACT", "PRE", "PREab", "PREsb", "RD", "WR", "REFab", "REFpb", "REFsb"}

func (o Op) String() string { return opNames[o] }

// Command is one command as it goes over the command bus.
type Command struct {
	At            int64 // tick of its first edge
	Op            Op
	PseudoChannel int
	Rank          int    // DDR rank or HBM stack id
	Group, Bank   int    // of one bank; of several, of their first
	Row, Column   int    // column in bursts
	Banks         uint64 // all banks of the pseudo-channel it acts on, (rank, group, bank)
	AutoPrecharge bool   // of a column command: RDA, WRA
}

// Causes of a request's time kept in pending.why.
const (
	whyRow = iota
	whyRefresh
	whyTurn
)

// issueACT opens the row of the bank's oldest entry of the served direction.
func (c *Channel) issueACT(p *pseudo, b int32, at int64) {
	d := c.mode
	k, t := &p.banks[b], &c.spec.T
	e := k.head[d]
	k.sum.ACT++
	k.sum.Bursts += uint64(k.columns)
	k.row, k.dir, k.over, k.columns = c.entries[e].row, uint8(d), 0, 0
	if !k.conflicted {
		k.begun = at
	}
	k.hit[d], p.hitKey[d][b] = e, p.headKey[d][b]
	c.findHit(p, b, 1-d, k.head[1-d])

	p.nextCol[read][b] = at + c.actToRead
	p.nextCol[write][b] = at + c.actToWrite
	p.nextPRE[b] = at + c.actToPRE
	p.nextACT[b] = at + t[TRC]
	g := p.groupOf[b]
	p.groupACT[g] = max(p.groupACT[g], at+t[TRRDL])
	s := &p.scopes[p.scopeOf[b]]
	s.acts[s.oldest] = at
	s.oldest = (s.oldest + 1) & 3
	s.nextACT = max(s.nextACT, at+t[TRRDS], s.acts[s.oldest]+t[TFAW])
	s.nextREF = max(s.nextREF, at+c.spec.ActDelay+t[TRRDS])
	c.busFree[c.rowBus] = at + c.spec.ActTicks

	bit := uint64(1) << uint(b)
	p.open |= bit
	p.fresh |= bit
	p.freshOf[d] |= bit
	c.classifyBoth(p, b)
	c.competeFresh(p, b)
	p.act.dirty = true
	if p.blocked != 0 {
		p.ref.dirty = true // tRRD to a refresh
	}
	c.stats.ACT++
	c.waiting[d]-- // the opened row is the bank's own slot, no longer the queue's
	c.record(p, Command{At: at, Op: ACT, Row: int(k.row), Banks: bit}, b)
	c.admitWaiting()
}

// issuePRE closes the bank's row for its oldest entry.
func (c *Channel) issuePRE(p *pseudo, b int32, at int64) {
	k := &p.banks[b]
	k.conflicted, k.begun = k.queued > 0, at
	c.close(p, b, at)
	p.anyPRE = at + c.spec.T[TPPD]
	c.busFree[c.rowBus] = at + c.spec.RowTicks
	p.pre.dirty = true
	if p.blocked != 0 {
		p.ref.dirty = true // tPPD
	}
	c.stats.PRE++
	c.record(p, Command{At: at, Op: PRE, Banks: 1 << uint(b)}, b)
}

// close makes the bank's row closed from a precharge at tick at on.
func (c *Channel) close(p *pseudo, b int32, at int64) {
	k := &p.banks[b]
	k.row = none
	k.hit = [2]int32{none, none}
	p.nextACT[b] = max(p.nextACT[b], at+c.preToACT)
	p.open &^= 1 << uint(b)
	c.classifyBoth(p, b)
}

// issueColumn issues one burst of the bank's oldest row hit: of the entry the
// row was opened for if fresh, else of the direction now served.
func (c *Channel) issueColumn(p *pseudo, b int32, at int64, fresh bool) {
	k := &p.banks[b]
	bit := uint64(1) << uint(b)
	d := c.mode
	if fresh {
		d = int(k.dir)
	}
	e := k.hit[d]
	en := &c.entries[e]
	q := &c.requests[en.req]

	if d != int(p.lastDir) {
		c.chargeTurn(p, q, b, d, at)
	}
	c.spread(p, b, d, at)
	p.nextPRE[b] = max(p.nextPRE[b], at+c.colToPRE[d])
	k.used = at
	last := c.autoPre && c.full(k) && !fresh && p.fresh&bit == 0
	k.columns++
	c.busFree[0] = at + c.spec.ColTicks
	p.lastCol, p.lastDir = at, uint8(d)
	p.col.dirty = true
	if fresh {
		c.chargeRow(q, k, at)
		p.fresh &^= bit
		p.freshOf[d] &^= bit
		c.compete(p, b)
		if p.blocked&bit != 0 {
			p.ref.dirty = true
		}
	} else {
		c.stats.Hits++
		c.waiting[d]--
	}
	if p.pre.bank == b {
		p.pre.dirty = true
	}
	if d == read {
		c.stats.RD++
	} else {
		c.stats.WR++
	}
	if invariants || c.Trace != nil {
		c.record(p, Command{At: at, Op: RD + Op(d), Row: int(k.row), Column: int(en.col), Banks: bit, AutoPrecharge: last}, b)
	}

	data := at + c.data[d]
	q.first = min(q.first, data)
	q.last = data + c.spec.Burst
	en.left--
	en.col++
	if en.left == 0 {
		c.finish(p, b, d, en.req)
	} else if c.full(k) {
		c.classifyBoth(p, b)
	}
	if last {
		k.conflicted = false
		c.close(p, b, p.nextPRE[b])
	}
	if !fresh {
		c.admitWaiting()
	}
}

// spread notes what the column command forbids to later ones.
func (c *Channel) spread(p *pseudo, b int32, d int, at int64) {
	g, own := p.groupOf[b]&63, int(p.rankOf[b]&63)
	for next := range 2 {
		gap := &c.gaps[d][next]
		p.groupCol[next][g] = max(p.groupCol[next][g], at+gap[0])
		for r := range c.ranks {
			if r != own {
				p.rankCol[next][r&63] = max(p.rankCol[next][r&63], at+gap[2])
			}
		}
		p.rankCol[next][own] = max(p.rankCol[next][own], at+gap[1])
	}
}

// chargeTurn counts a bus turnaround and charges its wait.
func (c *Channel) chargeTurn(p *pseudo, q *pending, b int32, d int, at int64) {
	if p.lastCol < 0 {
		return
	}
	c.stats.Turnarounds++
	from := max(p.lastCol+c.spec.Burst, p.nextCol[d][b], q.tick)
	if wait := min(at-from, p.rankCol[d][p.rankOf[b]]-p.lastCol); wait > 0 {
		q.why[whyTurn] = max(q.why[whyTurn], wait)
	}
}

// chargeRow counts the first burst after an ACT as miss or conflict and
// charges the row commands and the refresh its entry waited for.
func (c *Channel) chargeRow(q *pending, k *bank, at int64) {
	if k.conflicted {
		c.stats.Conflicts++
	} else {
		c.stats.Misses++
	}
	k.conflicted = false
	q.why[whyRow] = max(q.why[whyRow], at-max(k.begun, q.tick))
	if wait := min(k.begun, k.refTill) - max(q.tick, k.refFrom); wait > 0 {
		q.why[whyRefresh] = max(q.why[whyRefresh], wait)
	}
}

// finish retires the bank's hit entry and, with its last one, the request.
func (c *Channel) finish(p *pseudo, b int32, d int, req int32) {
	c.remove(p, b, d)
	q := &c.requests[req]
	q.parts--
	if q.parts > 0 {
		return
	}
	c.complete(q)
	q.nextUnused = c.freeReq
	c.freeReq = req
	c.pending--
}

// complete hands out the request's completion. Parts served side by side
// overlap, so a cause is charged the longest wait of any part, and no more
// than what the causes before it leave of the total.
func (c *Channel) complete(q *pending) {
	clock := &c.spec.Tick
	d := direction(q.write)
	done := Completion{Tag: q.tag, Write: q.write, First: clock.Edge(q.first), Last: clock.Edge(q.last)}
	left := done.Last - q.at
	charge := func(cause devices.Cause, ticks int64) {
		if ticks == 0 {
			return
		}
		t := min(clock.Edge(ticks), left)
		done.Why.Add(cause, t)
		left -= t
	}
	if q.bursts == 1 {
		done.Why.Add(devices.Busy, c.busy[d])
		left -= c.busy[d]
	} else {
		charge(devices.Busy, c.data[d]+min(int64(q.bursts)*c.spec.Burst, q.last-q.first))
	}
	charge(devices.RowMiss, q.why[whyRow])
	charge(devices.Refresh, q.why[whyRefresh])
	charge(devices.Turn, q.why[whyTurn])
	done.Why.Add(devices.Queue, left)
	c.done = append(c.done, done)
	if q.write {
		c.stats.Writes++
	} else {
		c.stats.Reads++
	}
}

// record hands a command of bank b, or of it and others, to the checker and
// the trace.
func (c *Channel) record(p *pseudo, cmd Command, b int32) {
	if !invariants && c.Trace == nil {
		return
	}
	s, i := c.spec, int(b)
	for p != &c.pcs[cmd.PseudoChannel] {
		cmd.PseudoChannel++
	}
	cmd.Rank, cmd.Group, cmd.Bank = i/(s.BankGroups*s.BanksPerGroup), i/s.BanksPerGroup%s.BankGroups, i%s.BanksPerGroup
	if invariants {
		c.check.command(cmd)
	}
	if c.Trace != nil {
		c.Trace(cmd)
	}
}
