package cpucache

// Stats counts what the caches did.
type Stats struct {
	Levels   []LevelStats
	Reads    [NumKinds]uint64 // lines asked of memory
	Writes   uint64           // lines written to memory
	Merged   uint64           // requests that found their line on its way
	Delayed  uint64           // data requests that found no MSHR
	Inserted uint64           // blocks of translations
	Cycle    int64            // up to which all is known
}

// LevelStats counts what a level did.
type LevelStats struct {
	Hits, Misses [NumKinds]uint64
	Spared       uint64                         // blocks that replacement passed over
	Reuse        [NumKinds][ReuseClasses]uint64 // hits that lines had got when they went
}

// ReuseClasses is the number of classes of reuse: none, 1 to 5, 6 to 10, 11 to
// 20 hits, and more.
const ReuseClasses = 5

// count notes a line that goes.
func (s *LevelStats) count(w *way) {
	class := 0
	switch {
	case w.reuse > 20:
		class = 4
	case w.reuse > 10:
		class = 3
	case w.reuse > 5:
		class = 2
	case w.reuse > 0:
		class = 1
	}
	s.Reuse[w.kind][class]++
}

// Stats returns the counters.
func (h *Hierarchy) Stats() *Stats { return &h.stats }

// Forget sets the counters to zero, and keeps what the caches hold.
func (h *Hierarchy) Forget() {
	for i := range h.stats.Levels {
		h.stats.Levels[i] = LevelStats{}
	}
	s := &h.stats
	*s = Stats{Levels: s.Levels, Cycle: s.Cycle}
}
