package cpu

import (
	"hwsim/devices/cpucache"
	"hwsim/devices/mmu"
	"hwsim/devices/pagetable"
)

// Config describes a core with its memory.
type Config struct {
	Name     string                 `toml:"name"`          // that reports say; any text
	ClockMHz float64                `toml:"clock_mhz"`     // MHz of the core and its caches, 1 to 100000
	Width    int64                  `toml:"width"`         // instructions dispatched and retired a cycle
	ROB      uint64                 `toml:"rob"`           // instructions in flight
	Refill   int64                  `toml:"refill_cycles"` // from the end of a mispredicted branch to the dispatch of what follows it
	Loads    int                    `toml:"loads"`         // loads in flight
	MMU      mmu.Config             `toml:"mmu"`
	Caches   cpucache.Config        `toml:"caches"`
	Pages    pagetable.PagerConfig  `toml:"pages"` // memory as the programs' operating system sees it
	Host     *pagetable.PagerConfig `toml:"host"`  // memory under a virtual machine, whose pages are then those of its guest
}

// Validate reports values that no core has.
func (c *Config) Validate(report func(key, message string)) {
	if c.ClockMHz < 1 || c.ClockMHz > 1e5 {
		report("clock_mhz", "must be 1 to 100000")
	}
	if c.Width < 1 || c.Width > 64 {
		report("width", "must be 1 to 64")
	}
	if c.ROB < 1 || c.ROB > 1<<16 {
		report("rob", "must be 1 to 65536")
	}
	if c.Refill < 0 || c.Refill > 1e4 {
		report("refill_cycles", "must be 0 to 10000")
	}
	if c.Loads < 1 || c.Loads > 1<<16 {
		report("loads", "must be 1 to 65536")
	}
	if (c.Host != nil) != (c.MMU.Nested != nil) {
		report("host", "and mmu.nested must be given together")
	}
	if p := c.MMU.POM; p != nil && (p.Addr < c.memory() || p.Addr >= 1<<46 || p.Addr%cpucache.LineBytes != 0) {
		report("mmu.pom.addr", "must be a line's beyond the memory of pages, below 2^46")
	}
	if h := c.Host; h != nil && c.Pages.MemoryBytes > h.MemoryBytes {
		report("pages.memory_bytes", "must not exceed host.memory_bytes")
	}
}

// memory returns the bytes that pages lie in.
func (c *Config) memory() uint64 {
	if c.Host != nil {
		return c.Host.MemoryBytes
	}
	return c.Pages.MemoryBytes
}
