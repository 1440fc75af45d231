package pagetable

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/sim"
)

func pager(t *testing.T, c PagerConfig) (*Pager, *Table) {
	t.Helper()
	c.Validate(func(key, message string) { t.Fatalf("%s %s", key, message) })
	p := NewPager(c, 1)
	table, err := New(4, p)
	require.NoError(t, err)
	return p, table
}

func TestEightEntriesShareALine(t *testing.T) {
	p, table := pager(t, PagerConfig{MemoryBytes: 1 << 30, Scatter: true})
	lines := map[uint64]int{}
	for page := range uint64(64) {
		require.NoError(t, p.Touch(table, page<<Shift4K))
		path := table.Walk(page << Shift4K)
		lines[path.Addr[1]/64]++
	}
	require.Len(t, lines, 8)
	for _, n := range lines {
		require.Equal(t, 8, n)
	}
}

func TestWalkReadsAnEntryALevel(t *testing.T) {
	for _, levels := range []int{4, 5} {
		for _, page := range []struct {
			shift uint8
			reads int
		}{{Shift4K, levels}, {Shift64K, levels}, {Shift2M, levels - 1}, {Shift1G, levels - 2}} {
			p := NewPager(PagerConfig{MemoryBytes: 1 << 30}, 1)
			table, err := New(levels, p)
			require.NoError(t, err)
			const va = 0x7f12_4000_0000
			require.NoError(t, table.Map(va, 1<<40, page.shift))
			path := table.Walk(va + 0x234)
			require.Equal(t, page.shift, path.Shift)
			require.Equal(t, uint64(1<<40), path.Frame())
			require.Equal(t, page.shift == Shift64K, path.Leaf.Contiguous())
			require.Equal(t, page.reads, levels-path.Level+1, "%d levels, page 2^%d", levels, page.shift)
		}
	}
}

// Tables lie apart: no two entries have an address.
func TestEntriesHaveAddressesOfTheirOwn(t *testing.T) {
	p, table := pager(t, PagerConfig{MemoryBytes: 1 << 30, WholeShare: 0.5, HugeShare: 0.3})
	r := sim.NewRand(1)
	owner := map[uint64]uint64{} // of a leaf entry
	for range 5000 {
		va := r.Uint64() >> 33
		require.NoError(t, p.Touch(table, va))
		path := table.Walk(va)
		page := va >> path.Shift << path.Shift
		if other, ok := owner[path.Addr[path.Level]]; ok {
			require.Equal(t, other, page)
		}
		owner[path.Addr[path.Level]] = page
	}
}

// Against a plain map of pages, through maps, unmaps and touches of all sizes.
func TestTableIsAMapOfPages(t *testing.T) {
	for _, c := range []PagerConfig{
		{MemoryBytes: 1 << 28},
		{MemoryBytes: 1 << 28, Scatter: true},
		{MemoryBytes: 1 << 28, WholeShare: 0.7, HugeShare: 0.5, Scatter: true},
		{MemoryBytes: 1 << 28, PageBytes: 1 << Shift64K},
		{MemoryBytes: 1 << 30, RunBytes: 1 << 15, FaultBytes: 1 << 14, Scatter: true, WholeShare: 0.7, HugeShare: 0.2},
	} {
		p, table := pager(t, c)
		empty := table.Bytes()
		r := sim.NewRand(7)
		touched := map[uint64]bool{}
		mapped, frames := map[uint64]uint64{}, map[uint64]uint64{} // by 4 KiB
		for range 20000 {
			va := uint64(r.IntN(1<<27)) | uint64(r.IntN(3))<<40
			if r.IntN(3) == 0 {
				path := table.Walk(va)
				require.Equal(t, path.Leaf != nil, p.Release(table, va))
				if path.Leaf == nil {
					continue
				}
				first := va >> path.Shift << path.Shift
				for a := first; a < first+1<<path.Shift; a += 1 << Shift4K {
					delete(frames, mapped[a])
					delete(mapped, a)
				}
				continue
			}
			require.NoError(t, p.Touch(table, va))
			touched[va] = true
			path := table.Walk(va)
			first := va >> path.Shift << path.Shift
			for i := uint64(0); i < 1<<path.Shift; i += 1 << Shift4K {
				frame := path.Frame() + i
				if known, ok := mapped[first+i]; ok {
					require.Equal(t, known, frame)
					continue
				}
				other, taken := frames[frame]
				require.False(t, taken, "frame %#x of %#x and of %#x", frame, first+i, other)
				mapped[first+i], frames[frame] = frame, first+i
			}
		}
		for va := range touched { // and what was mapped along with it
			run := max(c.FaultBytes, 1<<Shift4K)
			for at := va &^ (run - 1); at <= va|(run-1); at += 1 << Shift4K {
				p.Release(table, at)
			}
		}
		require.Equal(t, empty, table.Bytes(), "empty tables go back")
	}
}

func TestLargePagesComeFromWholeMemoryOnly(t *testing.T) {
	for _, c := range []struct{ whole, huge, want float64 }{{0, 1, 0}, {1, 0, 0}, {0.9, 1, 1}, {0.9, 0.3, 0.3}, {0.25, 1, 0.5}} {
		p, table := pager(t, PagerConfig{MemoryBytes: 1 << 32, WholeShare: c.whole, HugeShare: c.huge})
		got, n := 0, 1<<10
		if c.want == 0.5 {
			n = 1 << 10 // 2 GiB asked for, 1 GiB whole
		}
		for i := range n {
			require.NoError(t, p.Touch(table, uint64(i)<<Shift2M))
			if table.Walk(uint64(i)<<Shift2M).Shift == Shift2M {
				got++
			}
		}
		require.InDelta(t, c.want, float64(got)/float64(n), 0.04, "%+v", c)
	}
}

func TestRunsOfPagesHaveRunsOfFrames(t *testing.T) {
	p, table := pager(t, PagerConfig{MemoryBytes: 1 << 30, RunBytes: 1 << 15, Scatter: true})
	order := newPermutation(512, 1)
	for i := range uint64(512) {
		require.NoError(t, p.Touch(table, order.of(i)<<Shift4K))
	}
	apart := 0
	for page := range uint64(512) {
		path, first := table.Walk(page<<Shift4K), table.Walk(page&^7<<Shift4K)
		require.Equal(t, first.Frame()+page%8<<Shift4K, path.Frame())
		if next := table.Walk((page&^7 + 8) << Shift4K); page < 504 && next.Frame() != first.Frame()+1<<15 {
			apart++
		}
	}
	require.Greater(t, apart, 400, "runs are scattered")
}

func TestScatteredFramesAreAPermutation(t *testing.T) {
	for _, n := range []uint64{1, 2, 100, 4096, 5000} {
		p := newPermutation(n, 3)
		seen := map[uint64]bool{}
		for i := range n {
			v := p.of(i)
			require.Less(t, v, n)
			require.False(t, seen[v])
			seen[v] = true
		}
	}
}

func TestFullMemoryIsAnError(t *testing.T) {
	p, table := pager(t, PagerConfig{MemoryBytes: 1 << 23})
	var err error
	for i := uint64(0); err == nil && i < 1<<12; i++ {
		err = p.Touch(table, i<<Shift4K)
	}
	require.ErrorIs(t, err, ErrNoMemory)
}

func TestMapRefusesWhatCannotBe(t *testing.T) {
	_, table := pager(t, PagerConfig{MemoryBytes: 1 << 30})
	require.NoError(t, table.Map(1<<Shift2M, 0, Shift2M))
	for name, err := range map[string]error{
		"another size":     table.Map(0, 0, 13),
		"not aligned":      table.Map(1<<12, 0, Shift2M),
		"beyond the space": table.Map(1<<48, 0, Shift4K),
		"mapped":           table.Map(1<<Shift2M, 0, Shift2M),
		"within a page":    table.Map(1<<Shift2M, 0, Shift4K),
	} {
		require.Error(t, err, name)
	}
	_, err := New(6, nil)
	require.Error(t, err)
}

func TestCountersStopAtTheirMost(t *testing.T) {
	var e Entry
	for range 100 {
		e.Count(true, 7, 15)
	}
	require.Equal(t, 7, e.Walks())
	require.Equal(t, 15, e.Cost())
	require.False(t, e.Present())
	require.Zero(t, e.Frame())
}

func TestClusterIsTheLinesEntries(t *testing.T) {
	p, table := pager(t, PagerConfig{MemoryBytes: 1 << 30})
	for page := range uint64(20) {
		require.NoError(t, p.Touch(table, page<<Shift4K))
	}
	leaves, first := table.Cluster(13<<Shift4K, 1)
	require.Equal(t, uint64(8<<Shift4K), first)
	path := table.Walk(13 << Shift4K)
	require.Equal(t, path.Frame(), leaves[5].Frame())
}
