package cpucache

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/devices/tlb"
)

// blockKey is the key of a block of eight 4 KiB pages.
func blockKey(n uint64) uint64 { return tlb.Key(1, n<<15, 15) }

// block does something to blocks.
func (d *driver) block(i int) {
	key, kind := blockKey(uint64(d.r.IntN(400))), Translations
	switch d.r.IntN(8) {
	case 0:
		d.h.RemoveBlock(key)
	case 1:
		d.h.FindBlock(key, kind)
	case 2:
		d.h.Retag(1<<30 + uint64(d.r.IntN(3000))*LineBytes)
	case 3:
		d.h.Press(i%2000 < 1000)
	default:
		b := Block{key}
		d.h.InsertBlock(key, kind, &b)
	}
}

func TestBlocksComeInAsReplacementKnowsThem(t *testing.T) {
	for _, c := range []struct {
		aware, pressing bool
		rrip            uint8
		spare           bool
	}{{false, false, 2, false}, {false, true, 2, false}, {true, false, 3, false}, {true, true, 0, true}} {
		h := newHierarchy(t, small())
		h.HoldBlocks(BlockConfig{Level: 1, Aware: c.aware})
		h.Press(c.pressing)
		h.InsertBlock(blockKey(1), Translations, &Block{1, 2})
		l := h.levels[1]
		require.Equal(t, c.rrip, l.ways[l.find(blockKey(1))].rrip, "%+v", c)
		require.Equal(t, c.spare, l.spare, "%+v", c)
		require.Equal(t, Translations, l.ways[l.find(blockKey(1))].kind)
	}
}

// lines returns how many ways of a level are taken.
func (l *level) lines() (n int) {
	for _, tag := range l.tags {
		if tag != noLine {
			n++
		}
	}
	return n
}

// The line that goes leaves a way in its set, and the block takes one in its own: valid lines
// are as before, or one less until the way that came free is taken, and one line is
// put out at most.
func TestRetagConservesLines(t *testing.T) {
	d := drive(t, small(), 11)
	d.h.HoldBlocks(BlockConfig{Level: 1})
	l := d.h.levels[1]
	same, less := 0, 0
	for range 40000 {
		d.step(3000, 40)
		addr, key := uint64(1<<30+d.r.IntN(3000)*LineBytes), blockKey(uint64(d.r.IntN(1<<20)))
		if l.find(addr/LineBytes) == none || l.find(key) != none {
			continue
		}
		flying := d.h.fills.find(addr/LineBytes) != none
		before := l.lines()
		was := append([]uint64{}, l.tags...)
		require.Equal(t, !flying, d.h.Retag(addr), "a line on its way stays")
		if flying {
			continue
		}
		require.Equal(t, none, l.find(addr/LineBytes))
		d.h.InsertBlock(key, Translations, &Block{})
		after := l.lines()
		require.Contains(t, []int{before - 1, before}, after)
		gone := 0
		for _, tag := range was {
			if tag != noLine && tag != addr/LineBytes && l.find(tag) == none {
				gone++
			}
		}
		require.Equal(t, before-after, gone)
		if after == before {
			same++
		} else {
			less++
		}
	}
	require.Greater(t, same, 10)
	require.Greater(t, less, 100)
}

func TestRetagWritesADirtyLineBack(t *testing.T) {
	h := newHierarchy(t, small())
	h.HoldBlocks(BlockConfig{Level: 1})
	h.insert(1, 77, PageTable, true)
	require.True(t, h.Retag(77*LineBytes))
	require.True(t, h.levels[2].ways[h.levels[2].find(77)].dirty)
	require.False(t, h.Retag(77*LineBytes), "once")
}

// reachOf adds up what a level's blocks translate.
func (l *level) reachOf() (n uint64) {
	for i, tag := range l.tags {
		if tag != noLine && l.ways[i].kind.block() {
			_, shift := tlb.Stretch(tag)
			n += 1 << shift
		}
	}
	return n
}

func TestReachIsTheSumOverTheHomeLevelsBlocks(t *testing.T) {
	for _, demote := range []bool{false, true} {
		d := drive(t, small(), 13)
		d.h.HoldBlocks(BlockConfig{Level: 1, Demote: demote, Aware: true})
		demoted := false
		for i := range 20000 {
			d.step(2000, 40)
			d.block(i)
			if i%7 == 0 {
				d.h.InsertBlock(tlb.Key(1, uint64(d.r.IntN(50))<<24, 24), Translations, &Block{}) // of 2 MiB pages
			}
			if i%1000 == 999 {
				d.h.RemoveBlocks(func(key uint64) bool { return key%3 == 0 }, 0)
			}
			require.Equal(t, d.h.levels[1].reachOf(), d.h.Reach())
			demoted = demoted || d.h.levels[2].held[Translations] > 0
			blocks, lines := d.h.Blocks()
			require.Equal(t, d.h.levels[1].held[Translations], blocks)
			require.Equal(t, d.h.levels[1].lines(), lines)
		}
		require.Equal(t, demote, demoted)
	}
}

// contents is what is known of blocks, and where.
func TestBlocksKeepWhatTheyAreGiven(t *testing.T) {
	for _, demote := range []bool{false, true} {
		d := drive(t, small(), 17)
		d.h.HoldBlocks(BlockConfig{Level: 1, Demote: demote})
		want := map[uint64]Block{}
		found := [4]int{}
		for range 30000 {
			d.step(1500, 40)
			key := blockKey(uint64(d.r.IntN(500)))
			b, level, ok := d.h.FindBlock(key, Translations)
			if ok {
				found[level]++
				require.Equal(t, want[key], *b)
			}
			switch d.r.IntN(4) {
			case 0: // edited where it is, at all levels
				v := d.r.Uint64()
				was := want[key]
				was[v%8] = v
				want[key] = was
				d.h.EditBlock(key, func(b *Block) { b[v%8] = v })
			case 1:
				require.Equal(t, ok, d.h.RemoveBlock(key))
				_, _, ok = d.h.FindBlock(key, Translations)
				require.False(t, ok)
			default:
				if !ok {
					n := Block{d.r.Uint64(), 1: d.r.Uint64(), 7: d.r.Uint64()}
					want[key] = n
					d.h.InsertBlock(key, Translations, &n)
					require.True(t, d.h.HasBlock(key))
				}
			}
		}
		require.NotZero(t, found[1])
		require.Equal(t, demote, found[2] > 0)
	}
}

func TestRemoveBlocksDropsThoseThatMatch(t *testing.T) {
	h := newHierarchy(t, small())
	require.Zero(t, h.RemoveBlocks(func(uint64) bool { return true }, 0), "no level holds any")
	h.HoldBlocks(BlockConfig{Level: 1})
	for n := range uint64(32) {
		h.InsertBlock(tlb.Key(uint16(1+n%2), n<<15, 15), Translations, &Block{})
		h.insert(1, n, Data, false)
	}
	require.Equal(t, 16, h.RemoveBlocks(func(key uint64) bool { return tlb.Space(key) == 1 }, 0))
	require.Equal(t, 16, h.levels[1].held[Translations])
	require.Equal(t, 32, h.levels[1].held[Data], "and no lines")
	require.Equal(t, 1, h.RemoveBlocks(func(key uint64) bool { return true }, tlb.Key(2, 3<<15, 15)), "of one set")
}

func TestABlockOverAnotherRenewsIt(t *testing.T) {
	h := newHierarchy(t, small())
	h.HoldBlocks(BlockConfig{Level: 1})
	h.InsertBlock(blockKey(5), Translations, &Block{1})
	h.InsertBlock(blockKey(5), Translations, &Block{2})
	require.Equal(t, uint64(1), h.stats.Inserted)
	require.Equal(t, uint64(1<<15), h.Reach())
	b, _, ok := h.FindBlock(blockKey(5), Translations)
	require.True(t, ok)
	require.Equal(t, Block{2}, *b)
}

func TestAFetchedLineIsReadAndTakenByNobody(t *testing.T) {
	h := newHierarchy(t, small())
	h.Fetch(0, 1<<20, Translations)
	h.Fetch(1, 1<<20, Translations) // is on its way
	_, _, ok := h.Next(Forever)
	require.False(t, ok)
	require.Equal(t, uint64(1), h.stats.Reads[Translations])
	for _, l := range h.levels {
		require.Zero(t, l.lines())
	}
	require.False(t, h.outstanding())
}
