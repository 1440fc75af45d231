package gpu

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/sim"
)

func TestGridEndsWhenItsStoresAreTaken(t *testing.T) {
	length := func(ack sim.Time) sim.Time {
		g := newRig(t, testConfig(2), memory{ack: ack})
		g.run(Op{Kernel: kernel(3, 1, &streamer{})})
		requireEveryCTAOnce(t, g, 3)
		return g.span(0)
	}
	quick := length(0)
	require.Equal(t, quick+us, length(us), "a flush and a store that is taken at once go the same way")
	require.Equal(t, quick, length(0))
}

func TestNextGridFindsTheStoresOfTheLastTaken(t *testing.T) {
	g := newRig(t, testConfig(1), memory{ack: 5 * us})
	g.run(Op{Kernel: short()}, Op{Kernel: short(), After: []int{0}})
	require.Equal(t, g.gpu.Front.Op(0).End+gap, g.gpu.Front.Op(1).Start)
	require.Greater(t, g.gpu.Front.Op(0).End, 5*us)
}

func TestKernelThatRunsAgainIsAtHand(t *testing.T) {
	c := testConfig(2)
	c.AgainNs = 350
	g := newRig(t, c, memory{})
	a, b := kernel(1, 1, &streamer{}), kernel(1, 1, &streamer{})
	a.Prologue, a.Epilogue, b.Prologue, b.Epilogue = 0, 0, 0, 0
	var ops []Op
	for i, k := range []*Kernel{a, a, a, b, b, a} {
		op := Op{Kernel: k}
		if i > 0 {
			op.After = []int{i - 1}
		}
		ops = append(ops, op)
	}
	g.run(ops...)
	output := g.gpu.Groups[0].psIssue
	var ends []sim.Time
	for i := range ops {
		ends = append(ends, g.gpu.Front.Op(i).End)
	}
	for i, want := range []sim.Time{350 * ns, 350 * ns, 800 * ns, 350 * ns, 800 * ns} {
		require.Equal(t, want+output, ends[i+1]-ends[i], "op %d", i+1)
	}
}

// oneLine is a program whose CTAs read and write one line.
type oneLine struct{}

func (oneLine) Tiles(int) int                    { return 1 }
func (oneLine) Prologue(_ int, runs []Run) []Run { return runs }
func (oneLine) Tile(_, _ int, runs []Run) []Run  { return append(runs, Run{Rows: 1, Bytes: 128}) }
func (oneLine) Epilogue(_ int, runs []Run) []Run { return append(runs, Run{Rows: 1, Bytes: 128}) }

func oneTime(int, int) (chain, sm sim.Time) { return 1, 1 }
func oneWarp(int) int                       { return 1 }

func updates(ctas, threads int, l1 bool) *Kernel {
	return &Kernel{Name: "k", CTAs: ctas, Threads: threads, Stages: 1, Program: oneLine{}, Warps: &Warps{Of: oneWarp, Time: oneTime, L1: l1}}
}

// All CTAs of an SM wait for one line: it is loaded once, and their stores
// leave as one while the first is under way.
func TestL1MergesWhatCTAsOfOneSMLoadAndStore(t *testing.T) {
	for _, c := range []struct {
		name          string
		ctas          int
		l1            bool
		reads, writes int
	}{
		{"one", 1, true, 1, 1},
		{"eight on two SMs", 8, true, 2, 2},
		{"past the L1", 8, false, 8, 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := testConfig(2)
			config.L1Bytes, config.L1HitNs = 64<<10, 20
			g := newRig(t, config, memory{latency: us, ack: us})
			for range 2 { // each kernel begins with an empty L1
				g.l2.reads, g.l2.writes = map[uint64]int{}, map[uint64]int{}
				g.run(Op{Kernel: updates(c.ctas, 256, c.l1)})
				require.Equal(t, map[uint64]int{0: c.reads}, g.l2.reads)
				require.Equal(t, map[uint64]int{0: c.writes}, g.l2.writes)
			}
			for _, group := range g.gpu.Groups {
				require.Zero(t, group.stores)
				for i := range group.sms {
					require.Empty(t, group.sms[i].l1.coming)
					require.Empty(t, group.sms[i].l1.storing)
				}
			}
		})
	}
}

// Stores that have been taken cannot take in later ones.
func TestLateStoresDoNotMerge(t *testing.T) {
	config := testConfig(1)
	config.L1Bytes, config.L1HitNs = 64<<10, 20
	g := newRig(t, config, memory{latency: us})
	g.run(Op{Kernel: updates(4, 2048, true)}) // one CTA after the other
	require.Equal(t, 1, g.l2.reads[0])
	require.Equal(t, 4, g.l2.writes[0])
}
