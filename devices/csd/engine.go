package csd

import (
	"fmt"

	"hwsim/sim"
)

// Load is one layer's attention of one decode step on one device.
type Load struct {
	Heads   int  // of keys and values, of all sequences: sequences x the device's heads of each
	Queries int  // heads of queries that share one of keys and values; 0: 1
	Context int  // tokens of a sequence, the new one included
	Sparse  bool // SparF, else dense

	// Precision is the relative half width of the 95 % interval of a head's mean
	// time at which the run stops and the rest is extrapolated; 0: never.
	Precision float64
}

// Validate reports loads that no device has.
func (l *Load) Validate(report func(key, message string)) {
	count(report, "heads", l.Heads, 1<<24)
	if l.Queries < 0 || l.Queries > maxQueries {
		report("queries", fmt.Sprintf("must be 0 to %d", maxQueries))
	}
	count(report, "context", l.Context, 1<<17)
	if !(l.Precision >= 0 && l.Precision < 1) {
		report("precision", "must be 0 to below 1")
	}
}

// validated returns the first of Validate's reports.
func (l *Load) validated() (err error) {
	l.Validate(func(key, message string) {
		if err == nil {
			err = fmt.Errorf("csd: load: %s %s", key, message)
		}
	})
	return err
}

// Traffic counts the pieces read for one purpose.
type Traffic struct {
	Pieces, Bytes float64
	Wanted        float64 // bytes of what was chosen
}

// Result is what a load took. Counters of a run that stopped early are
// extrapolated like its time.
type Result struct {
	Time    sim.Time
	Access  sim.Time // while reads were under way
	Exposed sim.Time // of the kernels, while none were

	Columns, Keys, Values Traffic // keys for approximate scores; keys and values for the exact part

	Simulated int     // heads
	Bound     float64 // relative half width of the 95 % interval of Time; 0: exact
}

// Bytes returns all bytes read.
func (r *Result) Bytes() float64 { return r.Columns.Bytes + r.Keys.Bytes + r.Values.Bytes }

// Amplification returns bytes read for each that was wanted.
func (r *Result) Amplification() float64 {
	return r.Bytes() / (r.Columns.Wanted + r.Keys.Wanted + r.Values.Wanted)
}

// Engine attends over a medium. It works one load after the other; its time
// goes on from load to load.
type Engine[M medium] struct {
	layout Layout
	unit   Unit
	chosen process
	ratio  float64
	medium M
	rand   sim.Rand

	now       sim.Time
	events    sim.Queue[event]
	arrivals  []arrival
	filters   []sim.Time // free from
	filtering [parts]sim.Time
	bytes     [parts]int // of a piece

	// of the load at hand
	load     Load
	started  int // heads
	finished int
	counts   [parts]uint64 // pieces of finished heads
	heads    []head
	free     []uint32 // heads
	queue    []uint32 // heads that wait for the exact part
	room     struct{ approximate, exact int }
	kernel   [kernels]sim.Time // free from
	argtopk  sim.Time
	times    times

	reads  int      // under way
	since  sim.Time // when the first of them was submitted
	until  sim.Time // when the last one so far leaves its filter
	access sim.Time // with reads under way, before since
}

// times are those of a load's heads.
type times struct {
	approximate, topk, scores, product sim.Time
}

// head is a head under way.
type head struct {
	number          uint32
	groups          []uint32 // that are read, of channels or of tokens
	waiting         [parts]int
	pieces          [parts]uint32
	last            [parts]sim.Time // the filter's end of the last piece so far
	scored, arrived bool            // scores are computed, values are in
}

// event ends a step of a head.
type event struct {
	what step
	head uint32
}

type step uint8

// The first three are parts that have been read, in the order of parts.
const (
	columnsIn step = iota
	keysIn
	valuesIn
	ranked // argtopk is done
	scored
	attended
)

func newEngine[M medium](c *Config, m M) *Engine[M] {
	e := &Engine[M]{
		layout: c.Layout, unit: c.Unit, chosen: newProcess(&c.Sparsity), ratio: c.Sparsity.Ratio,
		medium: m, rand: sim.NewRand(c.Sparsity.Seed),
		filters: make([]sim.Time, m.lanes()),
		bytes:   [parts]int{c.Layout.ColumnBytes(), c.Layout.TokenBytes(), c.Layout.TokenBytes()},
	}
	for p := range e.bytes {
		if c.Unit.FilterGBps > 0 {
			e.filtering[p] = sim.FromNanoseconds(float64(e.bytes[p]) / c.Unit.FilterGBps)
		}
	}
	e.heads = make([]head, c.Unit.ApproximateHeads+c.Unit.ExactHeads)
	for i := range e.heads {
		e.free = append(e.free, uint32(i))
	}
	return e
}

// A run may stop early once it has so many samples of a head's time, each the
// mean of a batch of heads. Chosen.
const (
	batch      = 16
	samples    = 8
	confidence = 0.95
)

// Attend runs a load and returns what it took.
func (e *Engine[M]) Attend(l Load) (Result, error) {
	if err := l.validated(); err != nil {
		return Result{}, err
	}
	start := e.begin(l)
	var rate sim.Batches
	for e.finished < l.Heads && !known(&rate, l.Precision) {
		e.sample(&rate)
	}
	r := e.result(e.now-start, &rate)
	e.drain()
	return r, nil
}

// sample runs until a batch of heads has ended, and adds a head's mean time,
// but not that of the first ones, which find the flash idle.
func (e *Engine[M]) sample(rate *sim.Batches) {
	start, from := e.now, e.finished
	until := min(from+batch, e.load.Heads)
	for e.finished < until {
		e.step()
	}
	if from > 0 && until == from+batch {
		rate.Add(float64(e.now-start) / batch)
	}
}

// known reports whether the mean is known as well as asked for.
func known(rate *sim.Batches, precision float64) bool {
	return precision > 0 && rate.N() >= samples && rate.HalfWidth(confidence) <= precision*rate.Mean()
}

// begin readies the engine for a load and returns when it starts.
func (e *Engine[M]) begin(l Load) sim.Time {
	e.load, e.started, e.finished = l, 0, 0
	e.counts = [parts]uint64{}
	e.access, e.since, e.until = 0, e.now, e.now
	e.room.approximate, e.room.exact = e.unit.ApproximateHeads, e.unit.ExactHeads
	e.times = e.timesOf(l)
	e.admit()
	return e.now
}

// drain lets what is under way end.
func (e *Engine[M]) drain() {
	e.load.Heads = e.started
	for e.finished < e.started {
		e.step()
	}
}

// chosenOf returns how many of n are chosen.
func (e *Engine[M]) chosenOf(n int) int { return max(1, int(float64(n)*e.ratio+0.5)) }

// timesOf returns what the kernels take for a head and all its queries. Dense,
// both share it. Sparse, a group's queries choose together: argtopk takes the
// sums of their scores.
func (e *Engine[M]) timesOf(l Load) times {
	queries := max(1, l.Queries)
	gemv := func(rows, width int) sim.Time {
		return sim.FromNanoseconds(2 * float64(queries*rows*width) / e.unit.GeMVGFLOPS)
	}
	pass := func(scores int) sim.Time {
		return sim.FromNanoseconds(1e3 * float64(scores) / (e.unit.ClockMHz * e.unit.ScoresPerCycle))
	}
	if !l.Sparse {
		half := gemv(l.Context, e.layout.HeadDim) / kernels
		return times{scores: half + pass(queries*l.Context)/kernels, product: half}
	}
	k := e.chosenOf(l.Context)
	return times{
		approximate: gemv(l.Context, e.chosenOf(e.layout.HeadDim)) + pass(queries*l.Context),
		topk:        pass(l.Context),
		scores:      gemv(k, e.layout.HeadDim) + pass(queries*k),
		product:     gemv(k+1, e.layout.HeadDim), // and the mean of all values
	}
}

// step does what happens next.
func (e *Engine[M]) step() {
	if at := e.events.Next(); at <= e.medium.next() {
		var ev event
		e.now = e.events.PopInto(&ev)
		e.handle(ev)
		return
	}
	at := e.medium.next()
	e.now = at
	e.arrivals = e.medium.advance(at+1, e.arrivals[:0])
	for _, a := range e.arrivals {
		e.arrive(a)
	}
}

// arrive passes a piece through its channel's filter.
func (e *Engine[M]) arrive(a arrival) {
	h, p := &e.heads[a.tag/uint32(parts)], part(a.tag%uint32(parts))
	end := max(a.at, e.filters[a.lane]) + e.filtering[p]
	e.filters[a.lane] = end
	h.last[p] = max(h.last[p], end)
	e.until = max(e.until, end)
	h.waiting[p]--
	if e.reads--; e.reads == 0 {
		e.access += e.until - e.since
	}
	if h.waiting[p] == 0 {
		e.events.Push(h.last[p], sim.Deliver, event{step(p), a.tag / uint32(parts)})
	}
}

// read submits a piece of a head.
func (e *Engine[M]) read(id uint32, p part, row, column uint32) {
	if e.reads == 0 {
		e.since = max(e.now, e.until)
	}
	e.reads++
	h := &e.heads[id]
	h.waiting[p]++
	h.pieces[p]++
	e.medium.read(e.now, piece{h.number, row, column, p}, id*uint32(parts)+uint32(p))
}

// empty ends a part at once that has nothing to read.
func (e *Engine[M]) empty(id uint32, p part) {
	if e.heads[id].waiting[p] == 0 {
		e.events.Push(e.now, sim.Deliver, event{step(p), id})
	}
}

// handle takes a head on from the step that has ended.
func (e *Engine[M]) handle(ev event) {
	h := &e.heads[ev.head]
	switch ev.what {
	case columnsIn:
		done := use(&e.kernel[0], e.now, e.times.approximate)
		e.events.Push(use(&e.argtopk, done, e.times.topk), sim.Deliver, event{ranked, ev.head})
	case ranked:
		e.queue = append(e.queue, ev.head)
		e.promote()
	case keysIn:
		e.events.Push(use(&e.kernel[kernels-1], e.now, e.times.scores), sim.Deliver, event{scored, ev.head})
	case scored, valuesIn:
		h.scored = h.scored || ev.what == scored
		h.arrived = h.arrived || ev.what == valuesIn
		if h.scored && h.arrived {
			e.events.Push(use(&e.kernel[kernels-1], e.now, e.times.product), sim.Deliver, event{attended, ev.head})
		}
	case attended:
		e.finish(ev.head)
	}
}

// use keeps a server busy from when it is free, and returns until when.
func use(free *sim.Time, at, t sim.Time) sim.Time {
	*free = max(*free, at) + t
	return *free
}

// admit starts heads while there is room.
func (e *Engine[M]) admit() {
	room := &e.room.exact
	if e.load.Sparse {
		room = &e.room.approximate
	}
	for *room > 0 && e.started < e.load.Heads {
		*room--
		id := e.free[len(e.free)-1]
		e.free = e.free[:len(e.free)-1]
		h := &e.heads[id]
		*h = head{number: uint32(e.started), groups: h.groups[:0]}
		e.started++
		if e.load.Sparse {
			e.approximate(id)
		} else {
			e.exact(id)
		}
	}
}

// promote moves heads whose tokens are chosen into the exact part.
func (e *Engine[M]) promote() {
	for e.room.exact > 0 && len(e.queue) > 0 {
		id := e.queue[0]
		e.queue = e.queue[:copy(e.queue, e.queue[1:])]
		e.room.exact--
		e.room.approximate++
		e.exact(id)
		e.admit()
	}
}

// approximate reads the keys of the chosen channels.
func (e *Engine[M]) approximate(id uint32) {
	h := &e.heads[id]
	h.groups = e.chosen.groups(&e.rand, e.layout.HeadDim, e.layout.ChannelGroup, h.groups[:0])
	for row := range uint32(e.load.Context / e.layout.ChannelTokens) {
		for _, column := range h.groups {
			e.read(id, columns, row, column)
		}
	}
	e.empty(id, columns)
}

// exact reads the keys and the values of the chosen tokens, or of all.
func (e *Engine[M]) exact(id uint32) {
	h := &e.heads[id]
	full := e.load.Context / e.layout.TokenGroup
	h.groups = h.groups[:0]
	if e.load.Sparse {
		h.groups = e.chosen.groups(&e.rand, full*e.layout.TokenGroup, e.layout.TokenGroup, h.groups)
	} else {
		for g := range full {
			h.groups = append(h.groups, uint32(g))
		}
	}
	for p := keys; p < parts; p++ {
		for _, row := range h.groups {
			e.read(id, p, row, 0)
		}
		e.empty(id, p)
	}
}

// finish ends a head.
func (e *Engine[M]) finish(id uint32) {
	for p, n := range e.heads[id].pieces {
		e.counts[p] += uint64(n)
	}
	e.finished++
	e.free = append(e.free, id)
	e.room.exact++
	e.promote()
	e.admit()
}

// result extrapolates from the heads done to all.
func (e *Engine[M]) result(elapsed sim.Time, rate *sim.Batches) Result {
	access := e.access
	if e.reads > 0 {
		access += max(0, e.now-e.since)
	}
	left := e.load.Heads - e.finished
	total := elapsed + sim.Time(float64(left)*rate.Mean())
	grow := float64(total) / float64(elapsed)
	r := Result{Time: total, Access: sim.Time(float64(access) * grow), Simulated: e.finished}
	r.Exposed = r.Time - r.Access
	if left > 0 {
		r.Bound = rate.HalfWidth(confidence) * float64(left) / float64(total)
	}
	row := float64(e.layout.rowBytes() * e.load.Heads)
	exact := e.load.Context
	if e.load.Sparse {
		exact = e.chosenOf(e.load.Context)
		r.Columns = e.traffic(columns, row*e.ratio*float64(e.load.Context))
	}
	r.Keys = e.traffic(keys, row*float64(exact))
	r.Values = e.traffic(values, row*float64(exact))
	return r
}

func (e *Engine[M]) traffic(p part, wanted float64) Traffic {
	pieces := float64(e.counts[p]) * float64(e.load.Heads) / float64(e.finished)
	return Traffic{Pieces: pieces, Bytes: pieces * float64(e.bytes[p]), Wanted: wanted}
}
