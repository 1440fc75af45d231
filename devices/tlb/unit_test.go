package tlb

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/sim"
)

const (
	ns       = sim.Nanosecond
	walkTime = 500 * ns
)

// driver is a unit's owner: it ends walks at their time and notes when
// requests, numbered by their order, are translated.
type driver struct {
	unit *Unit[int]
	now  sim.Time
	ends []end // walks are all of one length: in order
	busy int   // walks under way
	most int
	at   map[int]sim.Time
	in   []int
}

type end struct {
	at     sim.Time
	walker int
}

func newDriver(entries, ways, walkers int) *driver {
	d := &driver{at: map[int]sim.Time{}}
	c := UnitConfig{Config: Config{Entries: entries, Ways: ways}, Walkers: walkers, WalkNs: walkTime.Nanoseconds()}
	d.unit = NewUnit(c, func(at sim.Time, n int) {
		d.at[n] = at
		d.in = append(d.in, n)
	}, func(at sim.Time, walker int) {
		d.busy++
		d.most = max(d.most, d.busy)
		d.ends = append(d.ends, end{at, walker})
	})
	return d
}

// until ends the walks that end by then.
func (d *driver) until(t sim.Time) {
	for len(d.ends) > 0 && d.ends[0].at <= t {
		e := d.ends[0]
		d.ends = d.ends[1:]
		d.busy--
		d.unit.End(e.at, e.walker)
	}
	d.now = t
}

// ask passes the n-th request, for a stretch.
func (d *driver) ask(t sim.Time, n int, stretch uint64) {
	d.until(t)
	d.unit.Access(t, Key(0, stretch<<shift, shift), n)
}

func TestMissWaitsForItsWalkAndAHitDoesNot(t *testing.T) {
	d := newDriver(16, 4, 2)
	d.ask(10*ns, 0, 7)
	d.ask(800*ns, 1, 7)
	require.Equal(t, map[int]sim.Time{0: 10*ns + walkTime, 1: 800 * ns}, d.at)
	s := d.unit.Stats()
	require.Equal(t, []uint64{1, 1, 0}, []uint64{s.Hits, s.Walks, s.Merged})
	require.Equal(t, walkTime, s.Waits.Max())
}

func TestMissesToOneStretchShareAWalk(t *testing.T) {
	d := newDriver(16, 4, 2)
	for n := range 5 {
		d.ask(sim.Time(n)*100*ns, n, 7)
	}
	d.until(walkTime)
	require.Equal(t, []int{0, 1, 2, 3, 4}, d.in, "in their order")
	for n := range 5 {
		require.Equal(t, walkTime, d.at[n])
	}
	require.Equal(t, uint64(1), d.unit.Stats().Walks)
	require.Equal(t, uint64(4), d.unit.Stats().Merged)
}

// Misses beyond the walkers wait, and hits behind them too.
func TestRequestsAreLookedUpInOrder(t *testing.T) {
	d := newDriver(16, 4, 2)
	d.unit.Touch(Key(0, 9<<shift, shift))
	for n, stretch := range []uint64{1, 2, 3, 9} {
		d.ask(sim.Time(n)*ns, n, stretch)
	}
	require.Equal(t, 2, d.unit.Queued())
	require.Equal(t, "2 walks under way, 2 requests behind them", d.unit.Waiting())
	d.until(10 * walkTime)
	require.Equal(t, map[int]sim.Time{0: walkTime, 3: walkTime, 1: walkTime + ns, 2: 2 * walkTime}, d.at)
	require.Equal(t, uint64(2), d.unit.Stats().Queued)
	require.Equal(t, walkTime-2*ns+walkTime-3*ns, d.unit.Stats().Queue)
}

func TestMissRateIsWalkersOverLatency(t *testing.T) {
	for _, walkers := range []int{1, 3, 19} {
		const misses = 10000
		d := newDriver(1024, 16, walkers)
		for n := range misses {
			d.ask(0, n, uint64(n))
		}
		d.until(sim.Time(misses) * walkTime)
		require.Equal(t, walkers, d.most)
		last := d.at[misses-1].Nanoseconds()
		require.InEpsilon(t, float64(walkers)/walkTime.Nanoseconds(), misses/last, 0.005)
	}
}

// Random streams: all are translated, once, and never before a walk's time
// unless their stretch has been walked for.
func TestEveryRequestIsTranslatedOnce(t *testing.T) {
	for seed := range uint64(20) {
		rng := sim.NewRand(seed)
		walkers, stretches := 1+rng.IntN(8), 1+rng.Uint64()%64
		d := newDriver(32, 4, walkers)
		known := map[uint64]bool{}
		stretch := make([]uint64, 3000)
		at, asked := sim.Time(0), make([]sim.Time, len(stretch))
		for n := range stretch {
			stretch[n], asked[n] = rng.Uint64()%stretches, at
			d.ask(at, n, stretch[n])
			at += sim.Time(rng.IntN(int(100 * ns)))
		}
		d.until(at + sim.Time(len(stretch))*walkTime)
		require.Len(t, d.in, len(stretch))
		require.Len(t, d.at, len(stretch))
		require.LessOrEqual(t, d.most, walkers)
		for _, n := range d.in {
			if !known[stretch[n]] {
				require.GreaterOrEqual(t, d.at[n], asked[n]+walkTime)
			}
			known[stretch[n]] = true
		}
		s := d.unit.Stats()
		require.Equal(t, uint64(len(stretch)), s.Lookups())
		require.Equal(t, int64(s.Misses()), s.Waits.Count())
		require.GreaterOrEqual(t, s.Walks, uint64(len(known)))
		require.Zero(t, d.unit.Queued())
	}
}

func TestUnitAllocatesNothingOnceWarm(t *testing.T) {
	var ends [4]bool
	u := NewUnit(UnitConfig{Config: Config{Entries: 64, Ways: 4}, Walkers: 4, WalkNs: 1}, func(sim.Time, int) {}, func(_ sim.Time, walker int) { ends[walker] = true })
	n := uint64(0)
	round := func() {
		for range 100 {
			u.Access(0, Key(0, n*n<<shift, shift), 0)
			n++
		}
		for u.Queued() > 0 || ends != [4]bool{} {
			for w, walks := range ends {
				if walks {
					ends[w] = false
					u.End(0, w)
				}
			}
		}
	}
	round()
	require.Zero(t, testing.AllocsPerRun(100, round))
}
