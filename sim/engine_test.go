package sim

import (
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const lookahead = 20 * Nanosecond

// note is the message of the tests' networks.
type note struct {
	from, hops int
	seed       uint32
}

// funcDomain acts on its events by a function.
type funcDomain struct {
	*Port[note]
	act func(d *funcDomain, now Time, n note)
}

func (d *funcDomain) Run(horizon Time) {
	for d.Next() < horizon {
		now, n := d.Pop()
		d.act(d, now, n)
	}
}

func (d *funcDomain) Waiting() string { return fmt.Sprintf("domain %d waits", d.ID()) }

func attach(e *Engine[note], name string, act func(d *funcDomain, now Time, n note)) *funcDomain {
	d := &funcDomain{e.Port(name), act}
	e.Attach(d.Port, d)
	return d
}

func forget(*funcDomain, Time, note) {}

// network makes domains that send notes to each other at random, with many
// equal times, and returns a sum over each domain's sequence of events.
func network(domains, notes, hops int) (*Engine[note], []uint64) {
	e := NewEngine[note](lookahead)
	log := make([]uint64, domains)
	act := func(d *funcDomain, now Time, n note) {
		sum := &log[d.ID()]
		*sum = mix(*sum ^ uint64(now) ^ uint64(n.from)<<50 ^ uint64(n.seed)<<20)
		if n.hops == 0 {
			return
		}
		r := NewRand(uint64(n.seed) ^ *sum)
		n = note{d.ID(), n.hops - 1, uint32(r.Uint64())}
		ph := Phase(r.IntN(2))
		switch r.IntN(4) {
		case 0:
			d.Push(now, ph, n)
		case 1:
			d.Push(now+Time(r.IntN(3))*Nanosecond, ph, n)
		default:
			d.Send(r.IntN(domains), now+lookahead+Time(r.IntN(3))*10*Nanosecond, ph, &n)
		}
	}
	for i := range domains {
		d := attach(e, fmt.Sprint("domain ", i), act)
		for k := range notes {
			d.Push(Time(k)*Nanosecond, Deliver, note{i, hops, uint32(i*1000 + k)})
		}
	}
	return e, log
}

func TestResultsDoNotDependOnWorkers(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	var want []uint64
	var events, windows uint64
	for _, workers := range []int{1, 2, 4, 0} {
		for _, threshold := range []uint64{0, parallelLoad} {
			e, log := network(40, 30, 60)
			e.SetWorkers(workers)
			e.parallelLoad = threshold
			require.NoError(t, e.Run(nil))
			if want == nil {
				want, events, windows = log, e.Events(), e.Windows()
				require.EqualValues(t, 40*30*61, events)
			}
			require.Equal(t, want, log)
			require.Equal(t, events, e.Events())
			require.Equal(t, windows, e.Windows())
		}
	}
}

func TestCallingEachDoesNotChangeResults(t *testing.T) {
	e, want := network(10, 10, 50)
	require.NoError(t, e.Run(nil))
	e, got := network(10, 10, 50)
	calls := uint64(0)
	for idle := false; !idle; { // and neither does stopping at every window
		windows := e.Windows()
		require.NoError(t, e.Run(func(Time) bool { calls++; return e.Windows() > windows }))
		idle = e.Windows() == windows
	}
	require.Equal(t, want, got)
	require.Greater(t, calls, e.Windows())
}

func TestMessagesOfEqualTimeComeBySourceAndSequence(t *testing.T) {
	for _, workers := range []int{1, 3} {
		e := NewEngine[note](lookahead)
		e.SetWorkers(workers)
		e.parallelLoad = 0
		var got []string
		sink := attach(e, "sink", func(_ *funcDomain, now Time, n note) {
			got = append(got, fmt.Sprintf("%d.%d", n.from, n.hops))
		})
		for i := 3; i > 0; i-- {
			d := attach(e, "source", func(d *funcDomain, now Time, n note) {
				for k := range 2 {
					d.Send(sink.ID(), 100*Nanosecond, Arbitrate, &note{from: d.ID(), hops: k})
				}
				d.Send(sink.ID(), 100*Nanosecond, Deliver, &note{from: d.ID(), hops: 9})
			})
			d.Push(Time(i), Deliver, note{}) // the last acts first
		}
		require.NoError(t, e.Run(nil))
		require.Equal(t, []string{"1.9", "2.9", "3.9", "1.0", "1.1", "2.0", "2.1", "3.0", "3.1"}, got)
	}
}

func TestEmptyWindowsAreJumped(t *testing.T) {
	e := NewEngine[note](lookahead)
	d := attach(e, "sleeper", forget)
	for i := range Time(10) {
		d.Push(i*Second, Deliver, note{})
	}
	var ends []Time
	require.NoError(t, e.Run(func(now Time) bool { ends = append(ends, now); return false }))
	require.EqualValues(t, 10, e.Windows())
	require.EqualValues(t, 10, e.Events())
	require.Equal(t, 9*Second, e.Now())
	require.Equal(t, []Time{0, lookahead, Second + lookahead}, ends[:3])
}

func TestEachMayPushAndSendBetweenWindows(t *testing.T) {
	e := NewEngine[note](lookahead)
	var at []Time
	d := attach(e, "a", func(_ *funcDomain, now Time, n note) { at = append(at, now) })
	step := 0
	require.NoError(t, e.Run(func(now Time) bool {
		step++
		switch step {
		case 1:
			d.Push(now+5, Deliver, note{})
		case 2:
			require.Equal(t, 5+lookahead, now)
			d.Push(now, Deliver, note{})
			d.Send(d.ID(), now+1, Deliver, &note{})
		}
		return false
	}))
	require.Equal(t, []Time{5, 5 + lookahead, 6 + lookahead}, at)
}

func TestRunStopsWhenTold(t *testing.T) {
	e := NewEngine[note](lookahead)
	d := attach(e, "clock", func(d *funcDomain, now Time, n note) { d.Push(now+Nanosecond, Deliver, n) })
	d.Push(0, Deliver, note{})
	require.NoError(t, e.Run(func(now Time) bool { return now >= Microsecond }))
	require.EqualValues(t, 1000, e.Events())
	require.EqualValues(t, 50, e.Windows())
}

func TestZeroTimeLoopIsALivelock(t *testing.T) {
	for _, workers := range []int{1, 2} {
		e := NewEngine[note](lookahead)
		e.SetWorkers(workers)
		e.parallelLoad = 0
		e.SetWatchdog(1000)
		d := attach(e, "spinner", func(d *funcDomain, now Time, n note) { d.Push(now, Deliver, n) })
		d.Push(3*Nanosecond, Deliver, note{})
		attach(e, "other", forget).Push(3*Nanosecond, Deliver, note{})
		err := e.Run(nil)
		require.ErrorIs(t, err, ErrLivelock)
		require.EqualError(t, err, "sim: livelock at 3 ns: spinner executed 1000 events in this instant"+
			"\n  spinner: next 3 ns, 1 queued, domain 0 waits\n  other: next never, 0 queued, domain 1 waits")
	}
}

func TestManyEventsInOneInstantAreFine(t *testing.T) {
	e := NewEngine[note](lookahead)
	e.SetWatchdog(1000)
	d := attach(e, "burst", forget)
	for i := range 5000 {
		d.Push(Time(i/1000), Deliver, note{})
	}
	require.NoError(t, e.Run(nil))
}

func TestTimeWithoutProgressIsALivelock(t *testing.T) {
	e := NewEngine[note](lookahead)
	finished := uint64(0)
	e.SetProgress(100, func() uint64 { return finished })
	d := attach(e, "retry", func(d *funcDomain, now Time, n note) {
		if now < 10*Microsecond {
			finished++
		}
		d.Push(now+100*Nanosecond, Deliver, n)
	})
	d.Push(0, Deliver, note{})
	err := e.Run(nil)
	require.ErrorIs(t, err, ErrLivelock)
	require.ErrorContains(t, err, "no progress beyond 100 in 100 windows\n  retry: next")
	require.LessOrEqual(t, e.Windows(), uint64(300))
}

// sloth breaks the rule that Run leaves nothing before the horizon.
type sloth struct{ *Port[note] }

func (sloth) Run(Time) {}

func TestDomainThatDoesNotAdvanceIsALivelock(t *testing.T) {
	e := NewEngine[note](lookahead)
	p := e.Port("sloth")
	e.Attach(p, sloth{p})
	p.Push(7, Deliver, note{})
	require.EqualError(t, e.Run(nil), "sim: livelock at 7 ps: work remains before 20.01 ns, where the last window ended\n  sloth: next 7 ps, 1 queued")
}

func TestIdleWithWorkOutstandingIsADeadlock(t *testing.T) {
	e := NewEngine[note](lookahead)
	d := attach(e, "a", forget)
	d.Push(0, Deliver, note{})
	left := "2 reads"
	e.SetPending(func() string { return left })
	err := e.Run(nil)
	require.ErrorIs(t, err, ErrDeadlock)
	require.EqualError(t, err, "sim: deadlock at 20 ns: 2 reads\n  a: next never, 0 queued, domain 0 waits")
	left = ""
	require.NoError(t, e.Run(nil))
}

func TestPanicNamesItsDomain(t *testing.T) {
	cause := errors.New("row not open")
	for _, workers := range []int{1, 2, 4} {
		e := NewEngine[note](lookahead)
		e.SetWorkers(workers)
		e.parallelLoad = 0
		for i := range 8 {
			d := attach(e, fmt.Sprint("bank ", i), func(d *funcDomain, now Time, n note) {
				if d.ID() >= 5 {
					panic(cause)
				}
			})
			d.Push(4, Deliver, note{})
		}
		func() {
			defer func() {
				f := recover().(*Fault)
				require.Equal(t, "bank 5", f.Domain)
				require.Equal(t, Time(4), f.At)
				require.ErrorIs(t, f, cause)
				require.ErrorContains(t, f, "sim: domain bank 5 at 4 ps: row not open\n\n")
			}()
			_ = e.Run(nil)
			require.Fail(t, "no panic")
		}()
	}
}

func TestRunLeavesNoGoroutines(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	before := runtime.NumGoroutine()
	for range 20 {
		e, _ := network(8, 5, 5)
		e.parallelLoad = 0
		require.NoError(t, e.Run(nil))
	}
	for range 100 { // a goroutine that has ended may still be counted for a moment
		if runtime.NumGoroutine() <= before {
			break
		}
		time.Sleep(time.Millisecond)
	}
	require.LessOrEqual(t, runtime.NumGoroutine(), before)
}

func TestSleepingHelpersAreWoken(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	var p pool
	p.open(3)
	defer p.close()
	for round := range 20 {
		for p.sleeping.Load() < 3 {
			runtime.Gosched()
		}
		var ran [10]int
		p.do(10, func(i int) { ran[i]++ })
		require.Equal(t, [10]int{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, ran, "round %d", round)
	}
}

func TestWindowsAllocateNothingOnceWarm(t *testing.T) {
	for _, workers := range []int{1, 2} {
		e, _ := network(10, 50, 1<<30)
		e.SetWorkers(workers)
		advance := func() {
			end := e.Windows() + 3000
			require.NoError(t, e.Run(func(Time) bool { return e.Windows() >= end }))
		}
		// Run itself allocates a little; queues and lanes may grow once more.
		require.Less(t, testing.AllocsPerRun(1, advance), 60.0)
	}
}

func TestMisuseIsRefused(t *testing.T) {
	require.Panics(t, func() { NewEngine[note](0) })
	e := NewEngine[note](lookahead)
	require.EqualError(t, e.Run(nil), "sim: no domains")
	p := e.Port("lonely")
	require.Equal(t, "lonely", p.Name())
	require.EqualError(t, e.Run(nil), "sim: port lonely has no domain")
}
