package cpucache

import "hwsim/devices/tlb"

// Block is eight page-table entries of neighbouring pages, which share a line.
type Block [8]uint64

// BlockConfig says where blocks of translations go.
type BlockConfig struct {
	Level  int  // that holds them
	Aware  bool // replacement knows blocks: while they are pressing they come in as the last to go, and are spared once; else they come in as the next to go. Without, they come in as lines do
	Demote bool // what the level puts out goes to the next one
}

// blocks is the hierarchy's part that holds translations. A block's tag is its
// tlb.Key, of the stretch of eight pages; no line's tag is one.
type blocks struct {
	BlockConfig
	home     int // level; none: no blocks
	content  [][]Block
	pressure bool
	reach    uint64 // bytes that the blocks of pages in the home level translate
}

// HoldBlocks lets a level hold blocks of translations.
func (h *Hierarchy) HoldBlocks(c BlockConfig) {
	h.blocks = blocks{BlockConfig: c, home: c.Level, content: make([][]Block, len(h.levels))}
	h.blocks.content[c.Level] = make([]Block, len(h.levels[c.Level].tags))
	if next := c.Level + 1; c.Demote && next < len(h.levels) {
		h.blocks.content[next] = make([]Block, len(h.levels[next].tags))
	}
}

// Press says whether translations are pressing.
func (h *Hierarchy) Press(on bool) {
	h.blocks.pressure = on
	h.levels[h.blocks.home].spare = on && h.blocks.Aware
}

// FindBlock looks for a block and returns the level that has it.
func (h *Hierarchy) FindBlock(key uint64, kind Kind) (b *Block, level int, ok bool) {
	for n := h.blocks.home; n < len(h.levels) && h.blocks.content[n] != nil; n++ {
		l := h.levels[n]
		if i := l.find(key); i != none {
			l.stats.Hits[kind]++
			l.touch(i)
			return &h.blocks.content[n][i], n, true
		}
		l.stats.Misses[kind]++
	}
	return nil, 0, false
}

// HasBlock reports whether the home level has a block, without a trace.
func (h *Hierarchy) HasBlock(key uint64) bool { return h.levels[h.blocks.home].find(key) != none }

// InsertBlock puts a block in its set of the home level, or anew in its place.
func (h *Hierarchy) InsertBlock(key uint64, kind Kind, b *Block) {
	n := h.blocks.home
	if i := h.levels[n].find(key); i != none {
		h.blocks.content[n][i] = *b
		return
	}
	h.place(n, key, kind, b, h.blocks.rrip())
	h.blocks.reach += translates(key, kind)
	h.stats.Inserted++
}

// rrip returns the value that a block comes in with.
func (b *blocks) rrip() uint8 {
	switch {
	case !b.Aware:
		return rripData
	case b.pressure:
		return 0
	}
	return rripMax
}

func (h *Hierarchy) place(n int, key uint64, kind Kind, b *Block, rrip uint8) {
	at, out := h.levels[n].insert(key, kind, false, rrip)
	h.evicted(n, at, &out)
	h.blocks.content[n][at] = *b
}

// lost counts a block out of the home level, and hands it down if that is how
// it goes.
func (h *Hierarchy) lost(n int, out *line, content Block) {
	if n != h.blocks.home {
		return
	}
	h.blocks.reach -= translates(out.tag, out.kind)
	next := n + 1
	if !h.blocks.Demote || next == len(h.levels) {
		return
	}
	if i := h.levels[next].find(out.tag); i != none {
		h.blocks.content[next][i] = content
		return
	}
	h.place(next, out.tag, out.kind, &content, rripData)
}

// Retag takes the line of page-table entries at addr out of the home level: it
// becomes a block, which lies in another set. It reports whether it was there.
func (h *Hierarchy) Retag(addr uint64) bool {
	l := h.levels[h.blocks.home]
	i := l.find(addr / LineBytes)
	if i == none || h.fills.find(addr/LineBytes) != none {
		return false
	}
	out := l.remove(i)
	if out.dirty {
		h.writeBack(h.blocks.home+1, &out)
	}
	return true
}

// EditBlock changes a block wherever it is.
func (h *Hierarchy) EditBlock(key uint64, edit func(b *Block)) {
	for n := h.blocks.home; n < len(h.levels) && h.blocks.content[n] != nil; n++ {
		if i := h.levels[n].find(key); i != none {
			edit(&h.blocks.content[n][i])
		}
	}
}

// RemoveBlock drops a block wherever it is, and reports whether it was.
func (h *Hierarchy) RemoveBlock(key uint64) (was bool) {
	return h.RemoveBlocks(func(k uint64) bool { return k == key }, key) > 0
}

// RemoveBlocks drops the blocks of a set, or with key 0 of all sets, that match.
func (h *Hierarchy) RemoveBlocks(match func(key uint64) bool, key uint64) (n int) {
	if h.blocks.home == none {
		return 0
	}
	for lv := h.blocks.home; lv < len(h.levels) && h.blocks.content[lv] != nil; lv++ {
		l := h.levels[lv]
		first, end := 0, len(l.tags)
		if key != 0 {
			first = l.first(key)
			end = first + l.Ways
		}
		for i := first; i < end; i++ {
			if l.tags[i] == noLine || !l.ways[i].kind.block() || !match(l.tags[i]) {
				continue
			}
			out := l.remove(i)
			if lv == h.blocks.home {
				h.blocks.reach -= translates(out.tag, out.kind)
			}
			n++
		}
	}
	return n
}

// translates returns the bytes that a block gives a program.
func translates(key uint64, kind Kind) uint64 {
	if kind != Translations {
		return 0
	}
	_, shift := tlb.Stretch(key)
	return 1 << shift
}

// Reach returns the bytes that the blocks of pages in the home level translate.
func (h *Hierarchy) Reach() uint64 { return h.blocks.reach }

// Blocks returns how many the home level holds, and how many lines of all kinds.
func (h *Hierarchy) Blocks() (blocks, lines int) {
	if h.blocks.home == none {
		return 0, 0
	}
	l := h.levels[h.blocks.home]
	for k, n := range l.held {
		lines += n
		if Kind(k).block() {
			blocks += n
		}
	}
	return blocks, lines
}
