package cpucache

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices/dram"
	"hwsim/sim"
)

const hz = 2_600_000_000

// small is caches of 4, 16 and 48 KiB: a few thousand accesses turn them over.
func small() *Config {
	return &Config{
		Levels: []LevelConfig{{4 << 10, 4, 4, 1, "lru"}, {16 << 10, 8, 16, 3, "srrip"}, {48 << 10, 12, 28, 12, "srrip"}},
		MSHRs:  8,
		Memory: MemoryConfig{Channels: 2, GranuleBytes: 64, PathNs: 10, DRAM: dram.Config{Standard: "ddr4_2400t", Ranks: 2}},
	}
}

func newHierarchy(t testing.TB, c *Config) *Hierarchy {
	t.Helper()
	c.Validate(func(key, message string) { t.Fatalf("%s %s", key, message) })
	h, err := New(c, hz)
	require.NoError(t, err)
	return h
}

// driver asks as a core does: in order, each time after all up to it has happened.
type driver struct {
	*testing.T
	h    *Hierarchy
	r    sim.Rand
	now  int64
	last int64            // that Next has told
	due  map[Waiter]int64 // the earliest cycle that a waiter may be told
	next Waiter
}

func drive(t *testing.T, c *Config, seed uint64) *driver {
	return &driver{T: t, h: newHierarchy(t, c), r: sim.NewRand(seed), due: map[Waiter]int64{}}
}

// least is the shortest way to memory and back, in cycles.
func (d *driver) least() int64 {
	s := d.h.memory.channels[0].Spec()
	return d.h.clock.At(2*d.h.memory.way + s.Tick.Edge(s.T[dram.TCL]))
}

// take hears what happens up to a cycle.
func (d *driver) take(limit int64) {
	for {
		w, at, ok := d.h.Next(limit)
		if !ok {
			return
		}
		due, awaited := d.due[w]
		require.True(d, awaited, "waiter %d is told once", w)
		require.GreaterOrEqual(d, at, due)
		require.GreaterOrEqual(d, at, d.last, "time")
		require.LessOrEqual(d, at, limit)
		d.last = at
		delete(d.due, w)
	}
}

// ask asks for a line, some cycles later at most, and returns whether a cache had it.
func (d *driver) ask(r Request, later int64) bool {
	at := d.now + later
	merges := d.h.fills.find(r.Addr/LineBytes) != none
	r.Waiter = NoWaiter
	if !r.Write {
		r.Waiter = d.next
		d.next++
	}
	ready, served, ok := d.h.Access(at, &r)
	require.LessOrEqual(d, d.h.fills.data, d.h.limit)
	if ok {
		path := d.h.levels[served].HitCycles
		for _, l := range d.h.levels[r.From:served] {
			path += l.MissCycles
		}
		require.Equal(d, at+path, ready)
		return true
	}
	require.Equal(d, d.h.Depth(), served)
	if r.Write {
		return false
	}
	d.due[r.Waiter] = at + d.h.levels[r.From].HitCycles
	if !merges {
		for _, l := range d.h.levels[r.From:] {
			at += l.MissCycles
		}
		d.due[r.Waiter] = at // a delayed one may find another's line
		if d.h.head == len(d.h.waiting) || d.h.waiting[len(d.h.waiting)-1].r.Waiter != r.Waiter {
			d.due[r.Waiter] = at + d.least()
		}
	}
	return false
}

// step passes some cycles and asks for a random line of so many.
func (d *driver) step(lines, cycles int) {
	d.now += int64(d.r.IntN(cycles))
	d.take(d.now)
	r := Request{Addr: uint64(d.r.IntN(lines*LineBytes)) &^ 7, Write: d.r.IntN(4) == 0}
	if d.r.IntN(5) == 0 {
		r = Request{Addr: 1<<30 + r.Addr, Kind: PageTable, From: 1}
	}
	d.ask(r, int64(d.r.IntN(20)))
}

func (d *driver) finish() {
	d.take(Forever)
	require.Empty(d, d.due, "all are told")
	require.False(d, d.h.outstanding())
}

func TestEveryWaiterIsToldOnceInOrderAndNotTooEarly(t *testing.T) {
	for seed := range uint64(4) {
		for _, cycles := range []int{3, 40, 400} {
			c := small()
			c.MSHRs = 1 + int(seed)*5
			d := drive(t, c, seed)
			for range 6000 {
				d.step(2000, cycles)
			}
			d.finish()
			if cycles == 3 {
				require.NotZero(t, d.h.stats.Delayed)
				require.NotZero(t, d.h.stats.Merged)
			}
		}
	}
}

// A line that comes before a later request's lookup is over is not had before it is asked for.
func TestNobodyHasALineBeforeAskingForIt(t *testing.T) {
	d := drive(t, small(), 1)
	first := Request{Addr: 4096, Waiter: 1}
	_, _, ok := d.h.Access(0, &first)
	require.False(t, ok)
	late := Request{Addr: 4096 + 8, Waiter: 2}
	_, _, ok = d.h.Access(5000, &late)
	require.False(t, ok)
	w, at, ok := d.h.Next(Forever)
	require.True(t, ok)
	require.Equal(t, Waiter(1), w)
	require.Less(t, at, int64(5000))
	w, at, ok = d.h.Next(Forever)
	require.True(t, ok)
	require.Equal(t, Waiter(2), w)
	require.Equal(t, 5000+d.h.HitCycles(0), at)
}

// A read of idle memory takes the lookups, both ways, an activation and a burst.
func TestAMissTakesThePathAndTheDRAMsLatency(t *testing.T) {
	d := drive(t, small(), 1)
	r := Request{Addr: 4096, Waiter: 1}
	d.h.Access(1000, &r)
	_, at, ok := d.h.Next(Forever)
	require.True(t, ok)
	const lookups, ways, burst = 1 + 3 + 12, 26, 9 // cycles, 10 ns and 3.3 ns
	s := d.h.memory.channels[0].Spec()
	latency := d.h.clock.At(s.Tick.Edge(s.T[dram.TRCDRD] + s.T[dram.TCL]))
	require.InDelta(t, 1000+lookups+ways+latency+burst, at, 4)
}

// A request that waits for an MSHR goes on no earlier than it was asked.
func TestADelayedRequestKeepsItsTime(t *testing.T) {
	c := small()
	c.MSHRs = 1
	d := drive(t, c, 1)
	d.ask(Request{Addr: 0}, 0)
	d.ask(Request{Addr: 1 << 20}, 9000)
	require.Equal(t, uint64(1), d.h.stats.Delayed)
	d.due[1] += d.least()
	d.finish()
}

// loop is a closed loop of loads: each is a reaction to what has been told.
type loop struct {
	*driver
	heard []event
	sent  []sent
	of    map[Waiter]int // which of sent a waiter waits for
}

type sent struct {
	line uint64
	at   sim.Time
}

func closedLoop(t *testing.T) *loop {
	c := small()
	c.Memory.PathNs, c.MSHRs = 30, 1024 // nothing is delayed
	return &loop{driver: drive(t, c, 1), of: map[Waiter]int{}}
}

// react asks until a cache does not have what it asks for.
func (l *loop) react(w Waiter, at int64) {
	for {
		r := Request{Addr: uint64(l.r.IntN(300)*1024+l.r.IntN(32)) * LineBytes, Waiter: w} // rows are hit
		merges := l.h.fills.find(r.Addr/LineBytes) != none
		ready, _, ok := l.h.Access(at, &r)
		switch {
		case ok:
			at = ready
			continue
		case merges:
			delete(l.of, w)
		default:
			l.of[w] = len(l.sent)
			for _, c := range l.h.levels {
				at += c.MissCycles
			}
			l.sent = append(l.sent, sent{r.Addr, l.h.clock.Edge(at) + l.h.memory.way})
		}
		return
	}
}

// run lets some answers be heard, Next being asked every so many cycles.
func (l *loop) run(answers int, step int64, hear func(w Waiter, at int64)) {
	for w := range Waiter(40) {
		l.react(w, int64(w))
	}
	limit := step
	for len(l.heard) < answers {
		w, at, ok := l.h.Next(limit)
		if !ok {
			limit += step
			continue
		}
		l.heard = append(l.heard, event{at, w})
		hear(w, at)
		l.react(w, at)
	}
}

func TestHowNextIsAskedDoesNotMatter(t *testing.T) {
	hear := func(step int64) []event {
		l := closedLoop(t)
		l.run(3000, step, func(Waiter, int64) {})
		return l.heard
	}
	want := hear(Forever / 2)
	for _, step := range []int64{1, 7, 100} {
		require.Equal(t, want, hear(step), "steps of %d cycles", step)
	}
}

// Memory never runs past what can still come to it: it answers as channels do that know of all requests
// before they begin.
func TestMemoryKnowsOfRequestsInTime(t *testing.T) {
	l := closedLoop(t)
	told := map[int]int64{} // of sent
	l.run(3000, Forever/2, func(w Waiter, at int64) {
		if n, ok := l.of[w]; ok {
			told[n] = at
		}
	})
	m, err := newMemory(&MemoryConfig{Channels: 2, GranuleBytes: 64, PathNs: 30, DRAM: dram.Config{Standard: "ddr4_2400t", Ranks: 2}})
	require.NoError(t, err)
	for n, s := range l.sent {
		m.send(s.at-m.way, s.line, false, uint32(n))
	}
	compared := 0
	m.advance(sim.Second, func(tag uint32, at sim.Time) {
		if cycle, ok := told[int(tag)]; ok {
			require.Equal(t, l.h.clock.At(at), cycle)
			compared++
		}
	})
	require.Equal(t, len(told), compared)
	require.Greater(t, compared, 2000)
}

func TestWaitersOfALineAreToldInOrder(t *testing.T) {
	f := newFills()
	for round := range 3 { // the lists of waiters are used again
		a, b := f.begin(7, true), f.begin(7+256, false) // of one filter
		require.NotEqual(t, a, b)
		for w := range Waiter(6) {
			f.await([]int{a, b}[w%2], w, int64(w))
		}
		f.await(a, NoWaiter, 0)
		require.Equal(t, a, f.find(7))
		require.Equal(t, 1, f.data)
		var told []Waiter
		tell := func(w Waiter, from int64) {
			require.Equal(t, int64(w), from)
			told = append(told, w)
		}
		f.end(a, tell)
		require.Equal(t, none, f.find(7))
		require.Equal(t, b, f.find(7+256))
		f.end(b, tell)
		require.Equal(t, []Waiter{0, 2, 4, 1, 3, 5}, told, "round %d", round)
		require.Zero(t, f.live+f.data)
		require.Zero(t, f.filter)
	}
}

func TestEventsComeInOrderOfTimeAndThenOfArrival(t *testing.T) {
	var e events
	r := sim.NewRand(1)
	held, last := map[Waiter]int64{}, event{}
	floor := int64(0)
	for w := Waiter(1); w < 20000; w++ {
		at := floor + int64(r.IntN(5))
		e.push(event{at, w})
		held[w] = at
		for e.len() > r.IntN(100) {
			f := *e.first()
			e.pop()
			require.Equal(t, held[f.w], f.at)
			delete(held, f.w)
			require.GreaterOrEqual(t, f.at, last.at)
			if f.at == last.at {
				require.Greater(t, f.w, last.w)
			}
			last, floor = f, f.at
		}
	}
	require.Len(t, held, e.len())
}

// What no cache has is read from memory once.
func TestReadsAreTheLastLevelsMisses(t *testing.T) {
	for _, mshrs := range []int{2, 1024} {
		c := small()
		c.MSHRs = mshrs
		d := drive(t, c, 3)
		for range 20000 {
			d.step(2500, 20)
		}
		d.finish()
		s := &d.h.stats
		last := &s.Levels[len(s.Levels)-1]
		reads, _ := moved(d.h.memory)
		require.Equal(t, s.Reads[Data]+s.Reads[PageTable], reads)
		require.Equal(t, last.Misses[PageTable], s.Reads[PageTable])
		require.LessOrEqual(t, s.Reads[Data], last.Misses[Data])
		require.GreaterOrEqual(t, s.Reads[Data]+s.Delayed, last.Misses[Data], "but for delayed ones that find it on its way")
		if mshrs == 1024 {
			require.Zero(t, s.Delayed)
		} else {
			require.NotZero(t, s.Delayed)
		}
		for n := range s.Levels[1:] {
			up, down := &s.Levels[n], &s.Levels[n+1]
			require.Equal(t, up.Misses[Data], down.Hits[Data]+down.Misses[Data])
		}
	}
}

// dirty reports whether a cache has a line as dirty.
func (h *Hierarchy) dirty(tag uint64) bool {
	for _, l := range h.levels {
		if i := l.find(tag); i != none && l.ways[i].dirty {
			return true
		}
	}
	return false
}

// onTheWay returns the lines that are being written to memory.
func (h *Hierarchy) onTheWay() map[uint64]int {
	lines := map[uint64]int{}
	for _, a := range h.memory.channels[0].arriving {
		if a.r.Write {
			lines[a.r.Addr/LineBytes]++
		}
	}
	return lines
}

// A store reaches memory once, and nothing else does: a line that was stored to is dirty
// somewhere until it is written, and lines that were not are never written.
func TestStoresReachMemoryOnce(t *testing.T) {
	c := small()
	c.MSHRs, c.Memory.Channels = 1024, 1 // lines of the one channel have their own addresses; no retries
	d := drive(t, c, 5)
	stored, written := map[uint64]bool{}, uint64(0)
	for range 30000 {
		d.now += int64(d.r.IntN(30))
		d.take(d.now)
		before := d.h.onTheWay()
		r := Request{Addr: uint64(d.r.IntN(2500)) * LineBytes, Write: d.r.IntN(3) == 0}
		d.ask(r, 0)
		for line, n := range d.h.onTheWay() {
			if n -= before[line]; n > 0 {
				require.Equal(t, 1, n)
				require.True(t, stored[line], "only what was stored to is written")
				stored[line] = d.h.dirty(line)
				written++
			}
		}
		if line := r.Addr / LineBytes; r.Write {
			stored[line] = true
			require.True(t, d.h.dirty(line), "a store leaves its line dirty, be it on its way")
		}
	}
	require.Equal(t, written, d.h.stats.Writes)
	require.NotZero(t, written)
	require.NotZero(t, d.h.stats.Merged)
	for line := range uint64(2500) {
		require.Equal(t, stored[line], d.h.dirty(line), "line %d", line)
	}
	d.finish()
	_, writes := moved(d.h.memory)
	require.LessOrEqual(t, writes, written)
}

func TestAStoreThatWasDelayedLeavesItsLineDirty(t *testing.T) {
	for name, second := range map[string]uint64{"to a line on its way": 1, "to a line of its own": 2} {
		c := small()
		c.MSHRs = 1
		d := drive(t, c, 1)
		d.ask(Request{Addr: 0}, 0)
		d.ask(Request{Addr: 1 * LineBytes}, 0)
		d.ask(Request{Addr: second * LineBytes, Write: true}, 0)
		require.Equal(t, uint64(2), d.h.stats.Delayed)
		d.finish()
		require.True(t, d.h.dirty(second), name)
	}
}

func TestHeldCountsAreTheContents(t *testing.T) {
	d := drive(t, small(), 7)
	d.h.HoldBlocks(BlockConfig{Level: 1, Aware: true, Demote: true})
	for i := range 20000 {
		d.step(3000, 40)
		d.block(i)
		if i%500 > 0 {
			continue
		}
		for _, l := range d.h.levels {
			var held [NumKinds]int
			for i, tag := range l.tags {
				if tag != noLine {
					held[l.ways[i].kind]++
					require.Equal(t, i, l.find(tag), "once, in its set")
				}
			}
			require.Equal(t, held, l.held)
		}
	}
}

// run is the counters after a random run.
func run(t *testing.T, seed uint64) Stats {
	d := drive(t, small(), seed)
	d.h.HoldBlocks(BlockConfig{Level: 1, Aware: true, Demote: true})
	for i := range 5000 {
		d.step(3000, 40)
		d.block(i)
	}
	d.finish()
	return *d.h.Stats()
}

func TestSameSeedSameCounters(t *testing.T) {
	require.Equal(t, run(t, 1), run(t, 1))
	require.NotEqual(t, run(t, 1), run(t, 2))
}

func TestForgetKeepsTheLines(t *testing.T) {
	d := drive(t, small(), 1)
	d.ask(Request{Addr: 64}, 0)
	d.take(Forever / 2)
	d.now = Forever / 2
	d.h.Forget()
	require.True(t, d.ask(Request{Addr: 64}, 0))
	s := d.h.Stats()
	require.Equal(t, uint64(1), s.Levels[0].Hits[Data])
	require.Zero(t, s.Reads[Data])
}

// The slowest clock that is allowed: its Forever is still a time.
func TestSlowClocksReachMemory(t *testing.T) {
	h, err := New(small(), 1_000_000)
	require.NoError(t, err)
	r := Request{Addr: 64, Waiter: 3}
	_, _, ok := h.Access(10, &r)
	require.False(t, ok)
	w, at, ok := h.Next(Forever)
	require.True(t, ok)
	require.Equal(t, Waiter(3), w)
	require.InDelta(t, 27, at, 2)
}

// stream asks at a steady pace; it returns how to go on.
func stream(t testing.TB, lines int) func() {
	h := newHierarchy(t, small())
	r := sim.NewRand(1)
	now := int64(0)
	return func() {
		now += 20
		for {
			if _, _, ok := h.Next(now); !ok {
				break
			}
		}
		q := Request{Addr: uint64(r.IntN(lines)) * LineBytes, Write: r.IntN(4) == 0, Waiter: 1}
		h.Access(now, &q)
	}
}

func TestAccessesAllocateNothingOnceWarm(t *testing.T) {
	for _, lines := range []int{32, 500, 5000} {
		step := stream(t, lines)
		for range 100000 {
			step()
		}
		require.Zero(t, testing.AllocsPerRun(50000, step), "%d lines", lines)
	}
}

func BenchmarkAccess(b *testing.B) {
	for _, c := range []struct {
		name  string
		lines int
	}{{"L1", 32}, {"L2", 200}, {"memory", 50000}} {
		b.Run(c.name, func(b *testing.B) {
			step := stream(b, c.lines)
			for range 100000 {
				step()
			}
			b.ReportAllocs()
			for b.Loop() {
				step()
			}
		})
	}
}

func TestValidateNamesWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		want string
		of   interface {
			Validate(report func(key, message string))
		}
	}{
		{"", small()},
		{"levels", &Config{MSHRs: 1}},
		{"levels", &Config{Levels: make([]LevelConfig, 5), MSHRs: 1}},
		{"mshrs", &Config{Levels: make([]LevelConfig, 1)}},
		{"channels", &MemoryConfig{GranuleBytes: 64, PathNs: 1}},
		{"granule_bytes", &MemoryConfig{Channels: 1, GranuleBytes: 96, PathNs: 1}},
		{"path_ns", &MemoryConfig{Channels: 1, GranuleBytes: 64}},
		{"ways", &LevelConfig{Bytes: 4096, HitCycles: 1, Replacement: "lru"}},
		{"bytes", &LevelConfig{Bytes: 3 << 10, Ways: 4, HitCycles: 1, Replacement: "lru"}},
		{"bytes", &LevelConfig{Ways: 4, HitCycles: 1, Replacement: "lru"}},
		{"", &LevelConfig{Bytes: 1408 << 10, Ways: 11, HitCycles: 1, Replacement: "srrip"}},
		{"hit_cycles", &LevelConfig{Bytes: 4096, Ways: 4, Replacement: "lru"}},
		{"miss_cycles", &LevelConfig{Bytes: 4096, Ways: 4, HitCycles: 1, MissCycles: -1, Replacement: "lru"}},
		{"replacement", &LevelConfig{Bytes: 4096, Ways: 4, HitCycles: 1, Replacement: "fifo"}},
	} {
		got := ""
		c.of.Validate(func(key, message string) {
			require.Empty(t, got, "one problem")
			require.NotEmpty(t, message)
			got = key
		})
		require.Equal(t, c.want, got, "%+v", c.of)
	}
}

// moved returns the requests that the channels have served.
func moved(m *memory) (reads, writes uint64) {
	for i := range m.channels {
		s := m.channels[i].Stats()
		reads, writes = reads+s.Reads, writes+s.Writes
	}
	return reads, writes
}

// outstanding reports whether anybody waits for memory.
func (h *Hierarchy) outstanding() bool { return h.fills.live > 0 || h.ready.len() > 0 }
