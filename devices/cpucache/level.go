package cpucache

// Kind says what a line holds.
type Kind uint8

// Kinds of lines.
const (
	Data         Kind = iota
	PageTable         // entries of a page table, as memory has them
	Translations      // a block of eight translations
	Nested            // a block of eight translations of guest-physical addresses
	NumKinds
)

var kindNames = [NumKinds]string{"data", "page table", "translations", "nested translations"}

func (k Kind) String() string { return kindNames[k] }

// block reports whether the line is a block of translations.
func (k Kind) block() bool { return k >= Translations }

const (
	noLine    = ^uint64(0)
	none      = -1
	rripMax   = 3 // of two bits: the next to go
	rripData  = 2 // of a line just filled
	mostReuse = 255
)

// way is what a level knows of a line.
type way struct {
	kind   Kind
	rrip   uint8
	reuse  uint8 // hits, at most 255
	dirty  bool
	spared bool // a block that has been passed over since its last hit
}

// level is a cache.
type level struct {
	LevelConfig
	lru   bool
	mask  uint64 // of a set's number
	tags  []uint64
	ways  []way
	used  []uint32 // with lru, when last; the clock may come round, as only what has passed since counts
	clock uint32
	spare bool // a block is passed over once for a line
	stats *LevelStats
	held  [NumKinds]int
}

func newLevel(c LevelConfig, stats *LevelStats) *level {
	lines := c.Bytes / LineBytes
	l := &level{LevelConfig: c, lru: c.Replacement == "lru", mask: lines/uint64(c.Ways) - 1, stats: stats,
		tags: make([]uint64, lines), ways: make([]way, lines)}
	for i := range l.tags {
		l.tags[i] = noLine
	}
	if l.lru {
		l.used = make([]uint32, lines)
	}
	return l
}

// first returns the place of the first way of a tag's set.
func (l *level) first(tag uint64) int { return int(tag&l.mask) * l.Ways }

// find returns the place of a line, or none.
func (l *level) find(tag uint64) int {
	first := l.first(tag)
	for i, t := range l.tags[first : first+l.Ways] {
		if t == tag {
			return first + i
		}
	}
	return none
}

// touch notes a hit. Blocks of translations go to the front at once.
func (l *level) touch(at int) {
	w := &l.ways[at]
	if w.reuse < mostReuse {
		w.reuse++
	}
	switch {
	case l.lru:
		l.stamp(at)
	case w.kind.block():
		w.rrip, w.spared = 0, false
	case w.rrip > 0:
		w.rrip--
	}
}

// stamp makes the line the most recently used.
func (l *level) stamp(at int) {
	l.clock++
	l.used[at] = l.clock
}

// line is one that a level has put out.
type line struct {
	tag uint64
	way
}

// insert puts a line in its set, and returns the one that went for it; that
// has tag noLine if a way was free. The line is not there yet.
func (l *level) insert(tag uint64, kind Kind, dirty bool, rrip uint8) (at int, out line) {
	at = l.victim(l.first(tag))
	out = line{l.tags[at], l.ways[at]}
	if out.tag != noLine {
		l.leave(&out.way)
	}
	l.tags[at] = tag
	l.ways[at] = way{kind: kind, dirty: dirty, rrip: rrip}
	l.held[kind]++
	if l.lru {
		l.stamp(at)
	}
	return at, out
}

// leave counts a line out.
func (l *level) leave(w *way) {
	l.held[w.kind]--
	l.stats.count(w)
}

// remove empties a line's way and returns what was there.
func (l *level) remove(at int) line {
	out := line{l.tags[at], l.ways[at]}
	l.leave(&out.way)
	l.tags[at] = noLine
	return out
}

// victim returns the way of a set that the next line takes: an empty one, else
// the replacement's choice.
func (l *level) victim(first int) int {
	for i, t := range l.tags[first : first+l.Ways] {
		if t == noLine {
			return first + i
		}
	}
	if l.lru {
		return l.oldest(first)
	}
	return l.mostDistant(first)
}

func (l *level) oldest(first int) int {
	at := first
	for i := first + 1; i < first+l.Ways; i++ {
		if l.clock-l.used[i] > l.clock-l.used[at] {
			at = i
		}
	}
	return at
}

// mostDistant is SRRIP's choice: the first line of the most distant value, and
// all age by what it lacks of the maximum. A block of translations chosen for the
// first time since its last hit lets the next choice go in its stead, unless that
// is one, too.
func (l *level) mostDistant(first int) int {
	set := l.ways[first : first+l.Ways]
	at := distant(set, none)
	if w := &set[at]; l.spare && w.kind.block() && !w.spared {
		if other := distant(set, at); other != none && !set[other].kind.block() {
			w.spared = true
			l.stats.Spared++
			at = other
		}
	}
	if age := rripMax - set[at].rrip; age > 0 {
		for i := range set {
			set[i].rrip = min(rripMax, set[i].rrip+age)
		}
	}
	return first + at
}

// distant returns the first way of the greatest value, but for one.
func distant(set []way, but int) int {
	at := none
	for i := range set {
		if i != but && (at == none || set[i].rrip > set[at].rrip) {
			at = i
		}
	}
	return at
}
