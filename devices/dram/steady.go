package dram

import (
	"slices"

	"hwsim/sim"
)

// A stream that comes back to the same columns a row further on brings the
// channel back to the same state, but for the time and the rows: state is
// counted from now and from the stream's row, and what lies too far back to
// matter counts as equally old. From there on the channel does the same again,
// so that any number of such periods can be taken as done. Refresh is part of
// the state, and so a period is as long as some number of its intervals.

// Mark is a channel's state at one moment of a stream.
type Mark struct {
	state    []int64
	now, seq int64
	row      int
	tag      uint32
	stats    Stats
	banks    []BankStats
}

// Mark returns the state as a stream sees it that has come to row, and whose
// next tag is tag. It is nil where streams cannot come back: the row must be
// the address map's highest field, unhashed, no request may wait outside the
// window, and completions must have been dropped. Builds that check every
// command have no marks.
func (c *Channel) Mark(row int, tag uint32) *Mark {
	if invariants || !c.mapp.sliced || c.mapp.hash || c.door.len() > 0 || len(c.done) > 0 {
		return nil
	}
	m := &Mark{now: c.now, seq: c.seq, row: row, tag: tag, stats: *c.Stats(), banks: c.Banks()}
	r := &recorder{c: c, origin: m}
	c.visit(r)
	r.queues()
	m.state = r.state
	return m
}

// Phase returns a number that is the same whenever the state is: little of
// it, quickly.
func (c *Channel) Phase() uint64 {
	sum := uint64(14695981039346656037) // FNV-1a, by words
	add := func(v int64) { sum = (sum ^ uint64(v)) * 1099511628211 }
	add(c.now % c.align)
	add(int64(c.mode))
	add(int64(c.pending))
	for i := range c.pcs {
		p := &c.pcs[i]
		add(max(p.lastCol-c.now, -longAgo))
		add(int64(p.open))
		add(int64(p.fresh))
		add(int64(p.hits[read]))
		for k := range p.refs {
			add(p.refs[k].due - c.now)
		}
	}
	return sum
}

// Same reports whether the channel was in the same state at both marks.
func (m *Mark) Same(o *Mark) bool { return slices.Equal(m.state, o.state) }

// Add adds to the state what the channel does not know of its user's.
func (m *Mark) Add(state ...int64) { m.state = append(m.state, state...) }

// Now returns the tick that times of the state are counted from.
func (m *Mark) Now() int64 { return m.now }

// Row returns the row that the stream had come to.
func (m *Mark) Row() int { return m.row }

// Repeat takes what the channel did between two marks of the same state as
// done n times more. It must be as it was at the second.
func (c *Channel) Repeat(from, to *Mark, n int64) {
	s := &shifter{c: c, ticks: n * (to.now - from.now), ages: n * (to.seq - from.seq),
		rows: int(n % int64(c.spec.Rows) * int64(to.row-from.row) % int64(c.spec.Rows)), tags: uint32(n) * (to.tag - from.tag)}
	c.visit(s)
	s.queues()
	c.seq += s.ages
	c.stats.repeat(&from.stats, &to.stats, uint64(n))
	for i := range c.pcs {
		c.pcs[i].repeat(from.banks[i*c.spec.Banks():], to.banks[i*c.spec.Banks():], uint64(n))
		c.pcs[i].rechoose()
	}
}

// repeat adds what was counted from one reading to another n times more.
func (s *Stats) repeat(from, to *Stats, n uint64) {
	for _, f := range []func(*Stats) *uint64{
		func(s *Stats) *uint64 { return &s.ACT }, func(s *Stats) *uint64 { return &s.PRE },
		func(s *Stats) *uint64 { return &s.RD }, func(s *Stats) *uint64 { return &s.WR },
		func(s *Stats) *uint64 { return &s.REFab }, func(s *Stats) *uint64 { return &s.REFpb }, func(s *Stats) *uint64 { return &s.REFsb },
		func(s *Stats) *uint64 { return &s.Hits }, func(s *Stats) *uint64 { return &s.Misses }, func(s *Stats) *uint64 { return &s.Conflicts },
		func(s *Stats) *uint64 { return &s.Forwarded }, func(s *Stats) *uint64 { return &s.CheckRD }, func(s *Stats) *uint64 { return &s.CheckWR },
		func(s *Stats) *uint64 { return &s.Turnarounds }, func(s *Stats) *uint64 { return &s.Reads }, func(s *Stats) *uint64 { return &s.Writes },
	} {
		*f(s) += n * (*f(to) - *f(from))
	}
	s.PowerDown += sim.Time(n) * (to.PowerDown - from.PowerDown)
}

// repeat is repeat of Stats for banks. Both readings have as many columns of an open
// row in them.
func (p *pseudo) repeat(from, to []BankStats, n uint64) {
	for b := range p.banks {
		sum := &p.banks[b].sum
		sum.ACT += n * (to[b].ACT - from[b].ACT)
		sum.Bursts += n * (to[b].Bursts - from[b].Bursts)
	}
}

// visitor sees the parts of a channel's state but its queues.
type visitor interface {
	limit(t *int64) // before which something may not happen: of no matter once past
	past(t *int64)
	row(r *int32)
	plain(v int64) // what does not change with time
}

// visit shows v the state of the channel and its banks. Candidates and age
// keys are left out: they follow from it.
func (c *Channel) visit(v visitor) {
	v.past(&c.now)
	v.limit(&c.busFree[0])
	v.limit(&c.busFree[1])
	for _, n := range []int64{c.now % c.align, int64(c.mode), int64(c.held), int64(c.pending), int64(c.waiting[read]), int64(c.waiting[write]), int64(c.writes)} {
		v.plain(n)
	}
	for i := range c.pcs {
		c.pcs[i].visit(v)
	}
}

func (p *pseudo) visit(v visitor) {
	for _, set := range []uint64{p.open, p.hits[read], p.hits[write], p.wantACT[read], p.wantACT[write], p.wantPRE[read], p.wantPRE[write],
		p.idle, p.fresh, p.freshOf[read], p.freshOf[write], p.blocked, p.ahead, p.barred.row, p.barred.column} {
		v.plain(int64(set))
	}
	v.plain(int64(p.lastDir))
	v.past(&p.lastCol)
	v.limit(&p.anyPRE)
	v.plain(flag(p.refsWait))
	for b := range p.banks {
		v.limit(&p.nextCol[read][b])
		v.limit(&p.nextCol[write][b])
		v.limit(&p.nextACT[b])
		v.limit(&p.nextPRE[b])
		v.limit(&p.groupCol[read][b])
		v.limit(&p.groupCol[write][b])
		v.limit(&p.groupACT[b])
		v.limit(&p.rankCol[read][b])
		v.limit(&p.rankCol[write][b])
		p.banks[b].visit(v)
	}
	for i := range p.scopes {
		s := &p.scopes[i]
		v.limit(&s.nextACT)
		v.limit(&s.nextREF)
		for k := range s.acts {
			v.past(&s.acts[(s.oldest+k)&3])
		}
	}
	for i := range p.refs {
		p.refs[i].visit(v)
	}
}

func (k *bank) visit(v visitor) {
	v.row(&k.row)
	for _, n := range []int64{int64(k.queued), int64(k.columns), int64(k.over), int64(k.dir), flag(k.conflicted)} {
		v.plain(n)
	}
	for _, t := range []*int64{&k.begun, &k.refFrom, &k.refTill, &k.used} {
		v.past(t)
	}
}

func (r *refresher) visit(v visitor) {
	for _, n := range []int64{r.fallen, r.debt, int64(r.left), int64(r.unit)} {
		v.plain(n)
	}
	v.past(&r.start)
	v.past(&r.due)
	v.limit(&r.next)
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// recorder writes the state down.
type recorder struct {
	c      *Channel
	origin *Mark
	state  []int64
}

// longAgo is so many ticks past that only the order of such times matters,
// and that stays as it is.
const longAgo = int64(1) << 20

func (r *recorder) plain(v int64)  { r.state = append(r.state, v) }
func (r *recorder) limit(t *int64) { r.plain(max(*t-r.origin.now, 0)) }
func (r *recorder) past(t *int64)  { r.plain(max(*t-r.origin.now, -longAgo)) }

func (r *recorder) row(n *int32) {
	if *n == none {
		r.plain(-1)
		return
	}
	rows := r.c.spec.Rows
	r.plain(int64((int(*n) - r.origin.row%rows + rows) % rows))
}

// queues writes down every bank's entries and their requests.
func (r *recorder) queues() {
	for i := range r.c.pcs {
		for b := range r.c.pcs[i].banks {
			k := &r.c.pcs[i].banks[b]
			for d := range 2 {
				for e := k.head[d]; e != none; e = r.c.entries[e].next {
					r.entry(&r.c.entries[e], e == k.hit[d])
				}
				r.plain(-1)
			}
		}
	}
}

func (r *recorder) entry(e *entry, hit bool) {
	r.plain(e.seq - r.origin.seq)
	r.row(&e.row)
	q := &r.c.requests[e.req]
	for _, n := range []int64{int64(e.left), int64(e.col), flag(hit), int64(q.parts), int64(q.bursts), flag(q.write), q.why[0], q.why[1], q.why[2],
		int64(int32(q.tag - r.origin.tag)), int64(q.at - r.c.spec.Tick.Edge(q.tick))} {
		r.plain(n)
	}
	r.past(&q.tick)
	if q.first < never { // some of it is served
		r.past(&q.first)
		r.past(&q.last)
	}
}

// shifter moves the state in time, and to other rows.
type shifter struct {
	c           *Channel
	ticks, ages int64
	rows        int
	tags        uint32
}

func (s *shifter) plain(int64)    {}
func (s *shifter) limit(t *int64) { *t += s.ticks }
func (s *shifter) past(t *int64)  { *t += s.ticks }

func (s *shifter) row(n *int32) {
	if *n != none {
		*n = int32((int(*n) + s.rows) % s.c.spec.Rows)
	}
}

// queues moves entries and requests, free ones too: those are filled anew.
func (s *shifter) queues() {
	clock := &s.c.spec.Tick
	for i := range s.c.entries {
		s.c.entries[i].seq += s.ages
		s.row(&s.c.entries[i].row)
	}
	for i := range s.c.requests {
		q := &s.c.requests[i]
		late := q.at - clock.Edge(q.tick)
		q.tick += s.ticks
		q.at = clock.Edge(q.tick) + late
		q.first += s.ticks
		q.last += s.ticks
		q.tag += s.tags
	}
	for i := range s.c.pcs {
		p := &s.c.pcs[i]
		for d := range 2 {
			for b := range p.banks {
				p.hitKey[d][b] += s.ages << bankBits
				p.headKey[d][b] += s.ages << bankBits
			}
		}
	}
}
