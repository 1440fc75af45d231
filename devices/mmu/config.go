package mmu

import (
	"math/bits"
	"slices"

	"hwsim/devices/pagetable"
	"hwsim/devices/tlb"
)

// TLBConfig describes a TLB.
type TLBConfig struct {
	tlb.Config
	Cycles    int64    `toml:"cycles"`     // of a lookup
	PageBytes []uint64 `toml:"page_bytes"` // sizes that it holds; empty: all
}

// PWCConfig describes the page-walk caches: one for each level above the lowest.
type PWCConfig struct {
	Entries []int `toml:"entries"` // entries of each cache, from the level above the lowest up
	Ways    int   `toml:"ways"`    // entries of a set
	Cycles  int64 `toml:"cycles"`  // of a hit; a miss costs none
	InTurn  bool  `toml:"in_turn"` // looked up level by level from the root, a hit for a read; else all at once, from the deepest hit on
	Rereads bool  `toml:"rereads"` // a hit leads to the table that its entry lies in: the entry is read again
}

// POMConfig describes a TLB in memory.
type POMConfig struct {
	tlb.Config
	EntryBytes uint64 `toml:"entry_bytes"` // bytes of an entry: 8, 16, 32 or 64
	Addr       uint64 `toml:"addr"`        // physical address of its first set, bytes
}

// VictimaConfig describes TLB blocks in a cache.
type VictimaConfig struct {
	Level      int     `toml:"level"`       // level of the cache that holds them, 1 being the L2
	Insert     string  `toml:"insert"`      // retag: the line of entries that a walk has read becomes the block; fetch: the block is read from memory at the miss, and nobody waits
	OnEviction bool    `toml:"on_eviction"` // blocks of what the last TLB evicts come in as well
	Early      bool    `toml:"early"`       // the cache is looked up with the second-level TLB, not after it
	Aware      bool    `toml:"aware"`       // replacement knows blocks
	Demote     bool    `toml:"demote"`      // blocks that are evicted go to the next cache
	Predictor  bool    `toml:"predictor"`   // else all pages are worth a block
	WalksBits  int     `toml:"walks_bits"`  // of the counter of walks, 1 to 4
	CostBits   int     `toml:"cost_bits"`   // of that of walks to DRAM, 1 to 4
	Walks      [2]int  `toml:"walks"`       // least and most walks of a page worth a block
	Cost       [2]int  `toml:"cost"`        // the same of walks to DRAM
	CacheMPKI  float64 `toml:"cache_mpki"`  // misses of the cache above which all pages are worth a block
	TLBMPKI    float64 `toml:"tlb_mpki"`    // misses of the last TLB above which replacement protects blocks
	WholeBlock bool    `toml:"whole_block"` // a page's shootdown drops its block, else its entry
}

// NestedConfig describes the translation of guest-physical addresses.
type NestedConfig struct {
	TLB    TLBConfig `toml:"tlb"`
	PWC    PWCConfig `toml:"pwc"`
	Levels int       `toml:"levels"` // levels of the host's table, 4 or 5
}

// Config describes an MMU.
type Config struct {
	Levels         int            `toml:"levels"` // levels of a table, 4 or 5
	L1             []TLBConfig    `toml:"l1"`
	L2             TLBConfig      `toml:"l2"`
	L3             *TLBConfig     `toml:"l3"`
	FillOnEviction bool           `toml:"fill_on_eviction"` // the second level gets what the first evicts, else what misses it
	Walkers        int            `toml:"walkers"`          // page walks at once, 1 to 256
	WalkLevel      int            `toml:"walk_level"`       // level of the cache that walks read first, 0 being the L1
	PWC            PWCConfig      `toml:"pwc"`
	POM            *POMConfig     `toml:"pom"`
	Victima        *VictimaConfig `toml:"victima"`
	Nested         *NestedConfig  `toml:"nested"`
	Epoch          uint64         `toml:"epoch"` // instructions over which misses are counted for Victima's thresholds
}

// Validate reports values that no MMU has.
func (c *Config) Validate(report func(key, message string)) {
	if c.Levels != 4 && c.Levels != 5 {
		report("levels", "must be 4 or 5")
	}
	if len(c.L1) < 1 || len(c.L1) > 4 {
		report("l1", "must be 1 to 4 TLBs")
	}
	if c.Walkers < 1 || c.Walkers > 256 {
		report("walkers", "must be 1 to 256")
	}
	c.PWC.fit("pwc.entries", c.Levels, report)
	if c.POM != nil && c.Victima != nil {
		report("pom", "must not be beside victima")
	}
	if c.Victima != nil && (c.Epoch < 1000 || c.Epoch > 1e12) {
		report("epoch", "must be 1000 to 1e12")
	}
	if n := c.Nested; n != nil {
		if n.Levels != 4 && n.Levels != 5 {
			report("nested.levels", "must be 4 or 5")
		}
		n.PWC.fit("nested.pwc.entries", n.Levels, report)
	}
}

// Validate reports values that no TLB has.
func (c *TLBConfig) Validate(report func(key, message string)) {
	if c.Cycles < 0 || c.Cycles > 1e4 {
		report("cycles", "must be 0 to 10000")
	}
	for _, b := range c.PageBytes {
		if !slices.Contains(pageShifts[:], uint8(bits.TrailingZeros64(b))) || bits.OnesCount64(b) != 1 {
			report("page_bytes", "must be of 4096, 65536, 2097152 and 1073741824")
			return
		}
	}
}

// Validate reports values that no page-walk caches have.
func (c *PWCConfig) Validate(report func(key, message string)) {
	for _, n := range c.Entries {
		t := tlb.Config{Entries: n, Ways: c.Ways}
		t.Validate(report)
	}
	if c.Cycles < 0 || c.Cycles > 1e4 {
		report("cycles", "must be 0 to 10000")
	}
}

// fit reports more caches than a table of so many levels has use for.
func (c *PWCConfig) fit(key string, levels int, report func(key, message string)) {
	if len(c.Entries) > max(0, levels-1) {
		report(key, "must be one a level above the lowest at most")
	}
}

// Validate reports values that no TLB in memory has.
func (c *POMConfig) Validate(report func(key, message string)) {
	if c.EntryBytes < 8 || c.EntryBytes > 64 || bits.OnesCount64(c.EntryBytes) != 1 {
		report("entry_bytes", "must be 8, 16, 32 or 64")
	}
}

// Validate reports values that Victima does not take.
func (c *VictimaConfig) Validate(report func(key, message string)) {
	if c.Insert != "retag" && c.Insert != "fetch" {
		report("insert", "must be retag or fetch")
	}
	if c.Level < 0 || c.Level > 3 {
		report("level", "must be 0 to 3")
	}
	if c.Predictor {
		counter(report, "walks", c.WalksBits, c.Walks)
		counter(report, "cost", c.CostBits, c.Cost)
	}
	if c.CacheMPKI < 0 || c.TLBMPKI < 0 {
		report("cache_mpki", "and tlb_mpki must not be negative")
	}
}

// counter reports what no counter of the predictor has.
func counter(report func(key, message string), key string, width int, box [2]int) {
	if width < 1 || width > bits.Len(pagetable.CounterMax) {
		report(key+"_bits", "must be 1 to 4")
	}
	if box[0] < 0 || box[1] < box[0] {
		report(key, "must be a least and a most")
	}
}
