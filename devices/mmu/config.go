package mmu

import (
	"fmt"
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
	Entries []int `toml:"entries"` // from the level above the lowest up
	Ways    int   `toml:"ways"`
	Cycles  int64 `toml:"cycles"`  // of a hit; a miss costs none
	InTurn  bool  `toml:"in_turn"` // looked up level by level from the root, a hit for a read; else all at once, from the deepest hit on
	Rereads bool  `toml:"rereads"` // a hit leads to the table that its entry lies in: the entry is read again
}

// POMConfig describes a TLB in memory.
type POMConfig struct {
	tlb.Config
	EntryBytes uint64 `toml:"entry_bytes"`
	Addr       uint64 `toml:"addr"` // physical, of its first set
}

// VictimaConfig describes TLB blocks in a cache.
type VictimaConfig struct {
	Level      int     `toml:"level"`       // cache that holds them, 1 being the L2
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
	Levels int       `toml:"levels"` // of the host's table
}

// Config describes an MMU.
type Config struct {
	Levels         int            `toml:"levels"` // of a table, 4 or 5
	L1             []TLBConfig    `toml:"l1"`
	L2             TLBConfig      `toml:"l2"`
	L3             *TLBConfig     `toml:"l3"`
	FillOnEviction bool           `toml:"fill_on_eviction"` // the second level gets what the first evicts, else what misses it
	Walkers        int            `toml:"walkers"`
	WalkLevel      int            `toml:"walk_level"` // cache that walks read first, 0 being the L1
	PWC            PWCConfig      `toml:"pwc"`
	POM            *POMConfig     `toml:"pom"`
	Victima        *VictimaConfig `toml:"victima"`
	Nested         *NestedConfig  `toml:"nested"`
	Epoch          uint64         `toml:"epoch"` // instructions over which misses are counted for Victima's thresholds
}

// Validate reports values that no MMU has. caches is how many levels of caches
// the core has.
func (c *Config) Validate(report func(key, message string)) {
	if c.Levels != 4 && c.Levels != 5 {
		report("levels", "must be 4 or 5")
	}
	if len(c.L1) < 1 || len(c.L1) > 4 {
		report("l1", "must be 1 to 4 TLBs")
	}
	for i := range c.L1 {
		c.L1[i].validate(fmt.Sprintf("l1.%d.", i), report)
	}
	c.L2.validate("l2.", report)
	if c.L3 != nil {
		c.L3.validate("l3.", report)
	}
	if c.Walkers < 1 || c.Walkers > 256 {
		report("walkers", "must be 1 to 256")
	}
	c.PWC.validate("pwc.", c.Levels, report)
	if c.POM != nil && c.Victima != nil {
		report("pom", "must not be beside victima")
	}
	if c.POM != nil {
		c.POM.validate(report)
	}
	if c.Victima != nil {
		c.Victima.validate(report)
		if c.Epoch < 1000 || c.Epoch > 1e12 {
			report("epoch", "must be 1000 to 1e12")
		}
	}
	if n := c.Nested; n != nil {
		if n.Levels != 4 && n.Levels != 5 {
			report("nested.levels", "must be 4 or 5")
		}
		n.TLB.validate("nested.tlb.", report)
		n.PWC.validate("nested.pwc.", n.Levels, report)
	}
}

// under returns report for the keys of a table.
func under(prefix string, report func(key, message string)) func(key, message string) {
	return func(key, message string) { report(prefix+key, message) }
}

func (c *TLBConfig) validate(prefix string, report func(key, message string)) {
	c.Config.Validate(under(prefix, report))
	if c.Cycles < 0 || c.Cycles > 1e4 {
		report(prefix+"cycles", "must be 0 to 10000")
	}
	for _, b := range c.PageBytes {
		if !slices.Contains(pageShifts[:], uint8(bits.TrailingZeros64(b))) || bits.OnesCount64(b) != 1 {
			report(prefix+"page_bytes", "must be of 4096, 65536, 2097152 and 1073741824")
			return
		}
	}
}

func (c *PWCConfig) validate(prefix string, levels int, report func(key, message string)) {
	if len(c.Entries) > max(0, levels-1) {
		report(prefix+"entries", "must be one a level above the lowest at most")
		return
	}
	for _, n := range c.Entries {
		t := tlb.Config{Entries: n, Ways: c.Ways}
		t.Validate(under(prefix, report))
	}
	if c.Cycles < 0 || c.Cycles > 1e4 {
		report(prefix+"cycles", "must be 0 to 10000")
	}
}

func (c *POMConfig) validate(report func(key, message string)) {
	c.Config.Validate(under("pom.", report))
	if c.EntryBytes < 8 || c.EntryBytes > 64 || bits.OnesCount64(c.EntryBytes) != 1 {
		report("pom.entry_bytes", "must be 8, 16, 32 or 64")
	}
}

func (c *VictimaConfig) validate(report func(key, message string)) {
	if c.Insert != "retag" && c.Insert != "fetch" {
		report("victima.insert", "must be retag or fetch")
	}
	if c.Level < 0 || c.Level > 3 {
		report("victima.level", "must be 0 to 3")
	}
	for key, n := range map[string]int{"walks_bits": c.WalksBits, "cost_bits": c.CostBits} {
		if c.Predictor && (n < 1 || n > bits.Len(pagetable.CounterMax)) {
			report("victima."+key, "must be 1 to 4")
		}
	}
	for key, v := range map[string][2]int{"walks": c.Walks, "cost": c.Cost} {
		if c.Predictor && (v[0] < 0 || v[1] < v[0]) {
			report("victima."+key, "must be a least and a most")
		}
	}
	if c.CacheMPKI < 0 || c.TLBMPKI < 0 {
		report("victima.cache_mpki", "and tlb_mpki must not be negative")
	}
}
