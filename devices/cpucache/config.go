package cpucache

import (
	"fmt"
	"math/bits"

	"hwsim/devices/dram"
)

// LineBytes is the size of a line.
const LineBytes = 64

// LevelConfig describes a cache.
type LevelConfig struct {
	Bytes       uint64 `toml:"bytes"`       // bytes of the cache: a power of two of sets of ways lines of 64 bytes
	Ways        int    `toml:"ways"`        // lines of a set, 1 to 64
	HitCycles   int64  `toml:"hit_cycles"`  // from the begin of the lookup to the data
	MissCycles  int64  `toml:"miss_cycles"` // from it to the lookup below
	Replacement string `toml:"replacement"` // lru or srrip
}

// Config describes the caches of a core and its memory.
type Config struct {
	Levels []LevelConfig `toml:"levels"` // from the core on
	MSHRs  int           `toml:"mshrs"`  // lines that data accesses can await from memory
	Memory MemoryConfig  `toml:"memory"`
}

// MemoryConfig describes the memory channels.
type MemoryConfig struct {
	Channels     int         `toml:"channels"`      // channels of DRAM, 1 to 64
	GranuleBytes uint64      `toml:"granule_bytes"` // bytes in a row that share a channel
	PathNs       float64     `toml:"path_ns"`       // from the last cache to a channel's queue and back
	DRAM         dram.Config `toml:"dram"`
}

// maxLevels bounds the caches of a core.
const maxLevels = 4

// Validate reports values that no caches have.
func (c *Config) Validate(report func(key, message string)) {
	if len(c.Levels) < 1 || len(c.Levels) > maxLevels {
		report("levels", fmt.Sprintf("must be 1 to %d", maxLevels))
	}
	if c.MSHRs < 1 || c.MSHRs > 1<<10 {
		report("mshrs", "must be 1 to 1024")
	}
}

// Validate reports values that no memory has.
func (m *MemoryConfig) Validate(report func(key, message string)) {
	if m.Channels < 1 || m.Channels > 64 {
		report("channels", "must be 1 to 64")
	}
	if m.GranuleBytes < LineBytes || m.GranuleBytes > 1<<20 || bits.OnesCount64(m.GranuleBytes) != 1 {
		report("granule_bytes", "must be a power of two from 64 to 1 MiB")
	}
	if m.PathNs <= 0 || m.PathNs > 1e4 {
		report("path_ns", "must be above 0 to 10000")
	}
}

// Validate reports values that no cache has.
func (l *LevelConfig) Validate(report func(key, message string)) {
	switch sets := l.Bytes / LineBytes / uint64(max(1, l.Ways)); {
	case l.Ways < 1 || l.Ways > 64:
		report("ways", "must be 1 to 64")
	case sets < 1 || sets > 1<<24 || bits.OnesCount64(sets) != 1 || sets*LineBytes*uint64(l.Ways) != l.Bytes:
		report("bytes", fmt.Sprintf("must be a power of two of sets of %d lines of 64 bytes", l.Ways))
	}
	if l.HitCycles < 1 || l.HitCycles > 1e4 {
		report("hit_cycles", "must be 1 to 10000")
	}
	if l.MissCycles < 0 || l.MissCycles > 1e4 {
		report("miss_cycles", "must be 0 to 10000")
	}
	if l.Replacement != "lru" && l.Replacement != "srrip" {
		report("replacement", "must be lru or srrip")
	}
}
