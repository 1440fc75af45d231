package gpu

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices"
	"hwsim/sim"
)

// short is a kernel of one CTA that reads one tile.
func short() *Kernel { return kernel(1, 1, &streamer{tiles: 1, bytes: 256}) }

const gap = 300 * ns

func TestDependentOpStartsAGapAfterTheLastItWaitsFor(t *testing.T) {
	for _, c := range []struct {
		name  string
		after [][]int // of each op
	}{
		{"chain", [][]int{nil, {0}, {1}, {2}}},
		{"join", [][]int{nil, nil, {0, 1}}},
		{"fork", [][]int{nil, {0}, {0}}},
		{"diamond", [][]int{nil, {0}, {0}, {1, 2}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newRig(t, testConfig(2), memory{latency: 300 * ns})
			var ops []Op
			for _, a := range c.after {
				ops = append(ops, Op{Kernel: short(), After: a})
			}
			g.run(ops...)
			require.Equal(t, len(ops), g.gpu.Front.Ended())
			free := sim.Time(0) // when the SMs are: one grid at a time
			for i := range ops {
				ready := gap
				for _, a := range ops[i].After {
					ready = max(ready, g.gpu.Front.Op(a).End+gap)
				}
				require.Equal(t, max(ready, free), g.gpu.Front.Op(i).Start, "op %d", i)
				free = g.gpu.Front.Op(i).End
			}
		})
	}
}

func TestGridsDoNotOverlap(t *testing.T) {
	g := newRig(t, testConfig(2), memory{latency: 300 * ns})
	var ops []Op
	for range 5 {
		ops = append(ops, Op{Kernel: kernel(7, 2, &streamer{tiles: 4, bytes: 256})})
	}
	g.run(ops...)
	for i := 1; i < len(ops); i++ {
		require.Equal(t, g.gpu.Front.Op(i-1).End, g.gpu.Front.Op(i).Start, "in order, with nothing between")
	}
}

// unit is a domain that does work for 5 µs each.
type unit struct {
	*sim.Port[devices.Message]
	front int
	got   []devices.Message
	at    []sim.Time
}

func (u *unit) Run(horizon sim.Time) {
	for u.Next() < horizon {
		at, m := u.Pop()
		u.got, u.at = append(u.got, m), append(u.at, at)
		u.Send(u.front, at+5*us, sim.Deliver, &devices.Message{Kind: devices.Done, Tag: uint32(m.Addr), From: devices.NoReply})
	}
}

func TestWorkOfOtherUnitsRunsBesideKernels(t *testing.T) {
	g := newRig(t, testConfig(1), memory{latency: 300 * ns})
	u := &unit{Port: g.engine.Port("unit"), front: g.gpu.Front.ID()}
	g.engine.Attach(u.Port, u)
	g.run(
		Op{Kernel: short()},
		Op{Unit: u.ID(), Work: 42, After: []int{0}}, // an op's number is not its work's
		Op{Kernel: short(), After: []int{0}},
		Op{Kernel: short(), After: []int{1}},
	)
	front := g.gpu.Front
	require.Len(t, u.got, 1)
	require.Equal(t, devices.Start, u.got[0].Kind)
	require.Equal(t, uint32(42), u.got[0].Tag)
	require.Equal(t, front.Op(0).End+gap, u.at[0], "the unit is told a gap after what it waits for")
	require.Equal(t, u.at[0]+5*us, front.Op(1).End)
	require.Less(t, front.Op(2).End, front.Op(1).End, "a kernel does not wait for a copy it does not need")
	require.Equal(t, front.Op(1).End+gap, front.Op(3).Start)
}

func TestOpsMayBeAddedLater(t *testing.T) {
	g := newRig(t, testConfig(1), memory{latency: 300 * ns})
	g.run(Op{Kernel: short()})
	require.Empty(t, g.gpu.Front.Pending())
	now := g.engine.Now() + us
	first := g.gpu.Front.Add(now, Op{Kernel: short(), After: []int{0}}, Op{Kernel: short(), After: []int{1}})
	require.Equal(t, 1, first)
	require.Contains(t, g.gpu.Front.Pending(), "2 of 3")
	g.finish()
	require.Equal(t, 3, g.gpu.Front.Ended())
	require.Equal(t, now+gap, g.gpu.Front.Op(1).Start)
}

func TestDispatcherStartsOneCTAAtATime(t *testing.T) {
	c := testConfig(8)
	c.CTANs = 100
	g := newRig(t, c, memory{})
	g.run(Op{Kernel: kernel(16, 1, &streamer{})})
	requireNear(t, 500*ns+15*100*ns+300*ns, g.span(0), 0.001)
}

func TestGridFillsAllSMsBeforeAnyTwice(t *testing.T) {
	c := testConfig(30) // two GPCs
	g := newRig(t, c, memory{latency: us})
	g.gpu.Front.Add(0, Op{Kernel: kernel(30, 1, &streamer{tiles: 1, bytes: 64})})
	g.runUntil(func() bool { return g.resident() == 30 })
	for _, group := range g.gpu.Groups {
		held := map[int32]bool{}
		for i := range group.ctas {
			held[group.ctas[i].sm] = true
		}
		require.Len(t, held, len(group.sms))
	}
	g.finish()
}
