package dma

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices"
	"hwsim/devices/tlb"
	"hwsim/sim"
)

const (
	walkTime = 500 * ns
	stretch  = 1 << 16 // bytes that an entry covers
)

// newTranslatingRig is a rig whose port translates.
func newTranslatingRig(t testing.TB, c Config, walkers int) *rig {
	g := newRig(t, c, testLink(100), 100*ns)
	u := tlb.UnitConfig{Config: tlb.Config{Entries: 64, Ways: 4}, Walkers: walkers, WalkNs: walkTime.Nanoseconds()}
	g.port.AddMMU(u, []uint8{21, 16})
	return g
}

// load is a warp's read.
func (s *sm) load(g *rig, at sim.Time, addr uint64, tag uint32) {
	s.Send(g.port.ID(), at+home, sim.Deliver, &devices.Message{Kind: devices.Load, Addr: addr, Bytes: 128, Born: at, Tag: tag, From: uint16(s.ID())})
}

func TestSMReadsWaitForTheirTranslation(t *testing.T) {
	g := newTranslatingRig(t, testConfig(), 4)
	g.sm.read(g, us, remote, 128, 0)
	g.sm.read(g, 10*us, remote+stretch-128, 128, 1) // the same stretch
	g.run()
	first, second := g.sm.at[0]-us, g.sm.at[1]-10*us
	require.Equal(t, walkTime, first-second)
	require.Equal(t, int32(walkTime), g.sm.got[0].Why[devices.Translate])
	require.Zero(t, g.sm.got[1].Why[devices.Translate])
	require.Zero(t, g.sm.got[0].Why[devices.Credit])
	require.Equal(t, uint64(1), g.port.MMU().Stats().Walks)
}

func TestRateOfReadsThatMissIsThatOfTheWalks(t *testing.T) {
	const walkers, reads = 4, 400
	g := newTranslatingRig(t, testConfig(), walkers)
	for i := range reads {
		g.sm.read(g, us, remote+uint64(i)*stretch, 128, uint32(i))
	}
	g.run()
	took := g.sm.at[reads-1] - g.sm.at[0]
	require.InEpsilon(t, float64(reads)/walkers*float64(walkTime), float64(took), 0.02)
	for i := range g.sm.got {
		m := &g.sm.got[i]
		require.Equal(t, devices.Data, m.Kind)
		require.LessOrEqual(t, m.Why.Total(), g.sm.at[i]-us)
	}
}

func TestSMWritesAreTranslated(t *testing.T) {
	g := newTranslatingRig(t, testConfig(), 4)
	for range 2 { // under one walk
		g.sm.Send(g.port.ID(), us+home, sim.Deliver, &devices.Message{Kind: devices.Write, Addr: remote, Bytes: 128, Born: us, From: devices.NoReply})
	}
	g.run()
	require.Len(t, g.far.asked, 2)
	require.GreaterOrEqual(t, g.far.asked[0].at, us+home+walkTime)
}

func TestCopiesAreNotTranslatedHere(t *testing.T) {
	for _, out := range []bool{false, true} {
		c := &Copy{Segments: []Segment{{Src: remote, Dst: 0, Bytes: 1 << 20}}, Out: out}
		if out {
			c.Segments[0].Src, c.Segments[0].Dst = 0, remote
		}
		d := *c
		g := newTranslatingRig(t, testConfig(), 1)
		require.Equal(t, newRig(t, testConfig(), testLink(100), 100*ns).time(c), g.time(&d))
		require.Zero(t, g.port.MMU().Stats().Lookups())
	}
}

// Of loads without a tag the last goes first; other reads keep their order.
func TestLastLoadGoesFirst(t *testing.T) {
	c := testConfig()
	c.Tags = 1
	order := func(ask func(g *rig, at sim.Time, addr uint64, tag uint32)) string {
		g := newTranslatingRig(t, c, 4)
		for i := range uint32(5) {
			ask(g, us+sim.Time(i)*ns, remote, i)
		}
		g.run()
		var tags []uint32
		for _, m := range g.sm.got {
			tags = append(tags, m.Tag)
		}
		return fmt.Sprint(tags)
	}
	require.Equal(t, "[0 4 3 2 1]", order(func(g *rig, at sim.Time, addr uint64, tag uint32) { g.sm.load(g, at, addr, tag) }))
	require.Equal(t, "[0 1 2 3 4]", order(func(g *rig, at sim.Time, addr uint64, tag uint32) { g.sm.read(g, at, addr, 128, tag) }))
}

func TestWaitingNamesWalks(t *testing.T) {
	g := newTranslatingRig(t, testConfig(), 4)
	require.Contains(t, g.port.Waiting(), "0 walks under way")
}
