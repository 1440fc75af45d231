package sim

import (
	"container/heap"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// oracle is the queue's meaning in its plainest form: a binary heap over
// (time, phase, sequence).
type oracle []oracleEvent

type oracleEvent struct {
	at  Time
	ph  Phase
	seq int
}

func (o oracle) Len() int      { return len(o) }
func (o oracle) Swap(i, j int) { o[i], o[j] = o[j], o[i] }
func (o oracle) Less(i, j int) bool {
	switch a, b := o[i], o[j]; {
	case a.at != b.at:
		return a.at < b.at
	case a.ph != b.ph:
		return a.ph < b.ph
	default:
		return a.seq < b.seq
	}
}
func (o *oracle) Push(x any) { *o = append(*o, x.(oracleEvent)) }
func (o *oracle) Pop() any {
	x := (*o)[len(*o)-1]
	*o = (*o)[:len(*o)-1]
	return x
}

// pair drives a queue and its oracle alike.
type pair struct {
	t   *testing.T
	q   Queue[int]
	o   oracle
	seq int
	now Time
}

func (p *pair) push(at Time, ph Phase) {
	p.q.Push(at, ph, p.seq)
	heap.Push(&p.o, oracleEvent{at, ph, p.seq})
	p.seq++
	p.check()
}

func (p *pair) pop() {
	want := heap.Pop(&p.o).(oracleEvent)
	at, e := p.q.Pop()
	if at != want.at || e != want.seq {
		require.Equal(p.t, want, oracleEvent{at, want.ph, e})
	}
	p.now = at
	p.check()
}

func (p *pair) check() {
	next := Never
	if len(p.o) > 0 {
		next = p.o[0].at
	}
	if p.q.Next() != next || p.q.Len() != len(p.o) {
		require.Equal(p.t, next, p.q.Next())
		require.Equal(p.t, len(p.o), p.q.Len())
	}
}

func TestQueueOrdersLikeAHeapOverEverySpan(t *testing.T) {
	for span := Time(10); span <= 1<<40; span *= 7 {
		r := rand.New(rand.NewPCG(1, uint64(span)))
		p := pair{t: t}
		for range 20_000 {
			// The population wanders between empty and about a thousand.
			if len(p.o) > 0 && r.IntN(1000) < len(p.o)+300 {
				p.pop()
				continue
			}
			delay := Time(0)
			switch r.IntN(4) {
			case 0: // zero delay
			case 1: // near, often equal
				delay = Time(r.Int64N(4))
			default:
				delay = Time(r.Int64N(int64(span)))
			}
			p.push(p.now+delay, Phase(r.IntN(2)))
		}
		for len(p.o) > 0 {
			p.pop()
		}
		require.Equal(t, Never, p.q.Next())
	}
}

func TestQueueKeepsOrderWhenOneSlotHoldsManyKeys(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	p := pair{t: t}
	for range 5000 {
		p.push(1<<30+Time(r.IntN(5000)), Phase(r.IntN(2)))
	}
	for len(p.o) > 0 {
		p.pop()
		if r.IntN(3) == 0 {
			p.push(p.now+Time(r.IntN(3000)), Deliver)
		}
	}
}

func TestDeliverGoesBeforeArbitrateAtEqualTime(t *testing.T) {
	var q Queue[string]
	q.Push(5, Arbitrate, "choose")
	q.Push(5, Deliver, "first")
	q.Push(5, Deliver, "second")
	for _, want := range []string{"first", "second", "choose"} {
		at, got := q.Pop()
		require.Equal(t, Time(5), at)
		require.Equal(t, want, got)
	}
}

func TestDeliverMayFollowArbitrateWithoutDelay(t *testing.T) {
	p := pair{t: t}
	p.push(7, Arbitrate)
	p.push(7, Arbitrate)
	p.push(9, Deliver)
	p.pop()
	p.push(7, Deliver)
	p.push(7, Arbitrate)
	for len(p.o) > 0 {
		p.pop()
	}
}

func TestNextDoesNotBarEarlierEvents(t *testing.T) {
	for shift := 3; shift < 60; shift++ {
		p := pair{t: t}
		p.push(2, Deliver)
		p.pop()
		far := Time(1) << shift
		p.push(far, Deliver)
		require.Equal(t, far, p.q.Next())
		for _, at := range []Time{far - 1, far / 2, 3, 2} {
			p.push(at, Deliver)
			require.Equal(t, at, p.q.Next())
		}
		p.push(far, Deliver)
		for len(p.o) > 0 {
			p.pop()
		}
	}
}

func TestQueueReachesTheEndOfTime(t *testing.T) {
	p := pair{t: t}
	p.push(Never-1, Arbitrate)
	p.push(Never-1, Deliver)
	p.push(0, Deliver)
	for len(p.o) > 0 {
		p.pop()
	}
}

func TestQueueRefusesThePastAndEmptiness(t *testing.T) {
	var q Queue[int]
	require.Panics(t, func() { q.Pop() })
	q.Push(10, Deliver, 1)
	q.Pop()
	require.PanicsWithValue(t, "sim: event at 9 ps is before the current time 10 ps", func() { q.Push(9, Arbitrate, 1) })
	require.NotPanics(t, func() { q.Push(10, Deliver, 1) })
	if invariants {
		require.Panics(t, func() { q.Push(Never, Deliver, 1) })
		require.Panics(t, func() { q.Push(-1, Deliver, 1) })
	}
}

func TestQueueAllocatesNothingOnceWarm(t *testing.T) {
	var q Queue[[8]uint64]
	var e [8]uint64
	for i := range 1000 {
		q.Push(Time(i*i), Deliver, e)
	}
	require.Zero(t, testing.AllocsPerRun(10_000, func() {
		at := q.PopInto(&e)
		q.Push(at+1000, Deliver, e)
	}))
}
